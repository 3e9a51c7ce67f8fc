"""Words that give the label away: its own name, "label: good", a rating such as 9/10."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.labelled import LabelledTexts
from unrolled.data.text_doctor_findings import found, percent, shown

_TOKEN = re.compile(r"\d+(?:\.\d+)?/\d+|[\w'-]+")
# Both begin with a sign that is rare: what stands before it is looked at only then.
_SAID = re.compile(r"[:=]\s*([\w+-]+(?:[./]\w+)*)")
_SAID_BY = re.compile(
    r"(?<!\w)(?:label|class|category|sentiment|rating|stars?|score|target|tag)\s*$", re.IGNORECASE
)
_RATING = re.compile(r"/ ?(10|5)(?![\d/])")
_RATED = re.compile(r"(?<![\d/.])(\d{1,2}(?:\.\d)?) ?$")

_IN_LABEL = 0.6  # share of a label's texts that have the word
_ELSEWHERE = 0.01  # largest share of the other texts that have it
_AGREES = 0.95  # "label: x" and x go with one label that often
_SAID_OFTEN = 0.2
_RATED_OFTEN = 0.02
_FEWEST = 20
_NOMINATE = 200
_NOMINATE_SHARE = 0.45
_NOMINATE_ELSEWHERE = 0.2
_GRADED = 5
_GRADED_SHARE = 0.1


def leaks(texts: LabelledTexts) -> Iterator[DataFinding]:
    """Words that tell the label alone.

    - a word that at least 60% of the texts of a label have, and at most 1% of the others; the own
      name of a label, at most a tenth as many of the others;
    - "label: x", "sentiment=x" and the like in 20% of the texts, where x goes with one label;
    - ratings "9/10" or "4/5" in 2% of the texts that tell most of those labels (a note; a warning
      where most texts have one).

    Labels with less than 20 texts are not looked at. Which words may be such is nominated by 200
    texts of each label, then all are counted: linear, in memory of few words.
    """
    classes = [name for name, count in texts.counts().items() if count >= _FEWEST]
    if len(classes) < 2 and not texts.several:
        return
    sets = [
        (frozenset(one) if isinstance(one, tuple) else frozenset((one,)))
        for one in texts.labels or ()
    ]
    yield from _words(texts.texts, sets, classes)
    if not texts.several:
        names = [str(one) for one in texts.labels or ()]
        yield from _said(texts.texts, names)
        yield from _ratings(texts.texts, names)


def _words(
    texts: tuple[str, ...], sets: list[frozenset[str]], classes: list[str]
) -> Iterator[DataFinding]:
    nominated, graded = _nominated(texts, sets, classes)
    if not nominated:
        return
    totals = Counter(name for one in sets for name in one)
    having: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for text, its in zip(texts, sets, strict=True):
        for token in nominated.intersection(_tokens(text)):
            having[token] += 1
            for name in its:
                together[token, name] += 1
    for name in classes:
        inside, outside = totals[name], len(texts) - totals[name]
        if not outside:
            continue
        best = None
        for token in nominated:
            within = together[token, name] / inside
            elsewhere = (having[token] - together[token, name]) / outside
            own = token == name.lower() and not name.isdigit()
            limit = within / 10 if own else _ELSEWHERE
            if within >= _IN_LABEL and elsewhere <= limit:
                best = max(best or (0.0, 0.0, "", False), (within, -elsewhere, token, own))
        if best is not None:
            within, elsewhere, token, own = best
            what = "its own name" if own else f"the word {token!r}"
            yield found(
                "leak",
                f"{what} stands in {percent(within)} of its texts and in {percent(-elsewhere)} of "
                "the others"
                + (", as other words do in part" if name in graded and not own else ""),
                "left as it is: take the word out unless it will be there in new texts too",
                # where many words are a label's own, as with languages, it is no slip
                warning=own or name not in graded,
                label=name,
            )


def _nominated(
    texts: tuple[str, ...], sets: list[frozenset[str]], classes: list[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Words that most of the first texts of a label have, and few of those of the others; and the
    labels of which several words are their own without being in most texts.
    """
    # texts may stand in the order of their labels: of each label the first are taken, and as many
    # of those that have none
    looked = Counter(dict.fromkeys(classes, 0))
    seen: dict[str, Counter[str]] = {name: Counter() for name in classes}
    everywhere: Counter[str] = Counter()
    pool = without = 0
    for text, its in zip(texts, sets, strict=True):
        if its:
            wanted = any(looked[name] < _NOMINATE for name in its if name in seen)
        else:
            without += 1
            wanted = without <= _NOMINATE
        if not wanted:
            continue
        tokens = _tokens(text)
        pool += 1
        everywhere.update(tokens)
        for name in its:
            if name in seen:
                looked[name] += 1
                seen[name].update(tokens)
    nominated, graded = set(), set()
    for name in classes:
        others = max(pool - looked[name], 1)
        own = 0
        for token, count in seen[name].items():
            elsewhere = everywhere[token] - count
            if count >= _NOMINATE_SHARE * looked[name]:
                if elsewhere <= _NOMINATE_ELSEWHERE * others:
                    nominated.add(token)
            elif count >= _GRADED_SHARE * looked[name] and elsewhere <= _ELSEWHERE * others:
                own += 1
        if own >= _GRADED:
            graded.add(name)
    return frozenset(nominated), frozenset(graded)


def _said(texts: tuple[str, ...], labels: list[str]) -> Iterator[DataFinding]:
    said: dict[str, Counter[str]] = {}
    example = ""
    for text, label in zip(texts, labels, strict=True):
        for match in _SAID.finditer(text):
            by = _SAID_BY.search(text[max(match.start() - 12, 0) : match.start()])
            if by is not None:
                example = example or by.group() + match.group()
                said.setdefault(match.group(1).lower(), Counter())[label] += 1
                break
    count = sum(one.total() for one in said.values())
    agree = sum(max(one.values()) for one in said.values())
    # many different values each go with one label by chance alone
    few = len(said) <= max(20, 2 * len(set(labels)))
    base = max(Counter(labels).values()) / len(labels)
    told = agree >= _AGREES * count and agree > (base + (1 - base) / 2) * count
    if count >= _SAID_OFTEN * len(texts) and few and told:
        yield found(
            "leak",
            f"{percent(count / len(texts))} of the texts say their label, such as "
            f"{shown(example)}: it is right in {percent(agree / count)}",
            "left as it is: take it out of the texts",
            warning=True,
        )


def _ratings(texts: tuple[str, ...], labels: list[str]) -> Iterator[DataFinding]:
    rated: dict[str, Counter[str]] = {}
    for text, label in zip(texts, labels, strict=True):
        for match in _RATING.finditer(text):
            value = _RATED.search(text[max(match.start() - 8, 0) : match.start()])
            if value is not None and float(value.group(1)) <= float(match.group(1)):
                rated.setdefault(f"{value.group(1)}/{match.group(1)}", Counter())[label] += 1
                break
    count = sum(one.total() for one in rated.values())
    if count < _RATED_OFTEN * len(texts) or count < _FEWEST:
        return
    agree = sum(max(one.values()) for one in rated.values())
    base = max(Counter(labels).values()) / len(labels)
    if agree < (base + (1 - base) / 2) * count:
        return
    often = max(rated, key=lambda one: rated[one].total())
    yield found(
        "leak",
        f"{percent(count / len(texts))} of the texts hold a rating, most often {often!r}, that "
        f"tells the label of {percent(agree / count)} of them",
        "left as it is: take ratings out unless new texts will have them too",
        warning=count >= _IN_LABEL * len(texts),
    )


def _tokens(text: str) -> set[str]:
    return set(_TOKEN.findall(text.lower()))
