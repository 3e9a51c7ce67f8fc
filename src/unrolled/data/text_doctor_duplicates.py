"""Texts that stand more than once: within a set, with other labels, and in the test as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from hashlib import blake2b

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.text_doctor_findings import MANY, found, percent, share, shown

_MANY_TWICE = 0.05
# What it does that a part has texts of the training, by the part's name.
HARM = {
    "test": "the score may be too good by up to {}",
    "validation": "the best weights are chosen by what was learnt by heart for {} of it",
}


def key(text: str) -> bytes:
    """16 bytes that are the same for texts that differ in capitals and spaces alone."""
    plain = " ".join(text.split()).casefold()
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def duplicates(
    texts: Sequence[str],
    labels: Sequence[Hashable] | None,
    apart: Mapping[str, Sequence[str]],
    *,
    what: str,
) -> Iterator[DataFinding]:
    """Texts that stand again, with other labels, and in what is set apart.

    Args:
        texts: `N` texts.
        labels: of each; None: there are none.
        apart: the texts of "test" and "validation", of those that are files of their own.
        what: what a text is called.
    """
    keys = [key(text) for text in texts]
    yield from _within(texts, keys, what)
    if labels is not None:
        yield from _contradictions(texts, keys, labels, what)
    for part, others in apart.items():
        yield from _across(keys, part, others, what)


def _within(texts: Sequence[str], keys: list[bytes], what: str) -> Iterator[DataFinding]:
    times = Counter(keys)
    again = len(keys) - len(times)
    if not again:
        return
    most, count = times.most_common(1)[0]
    first = keys.index(most)
    yield found(
        "duplicate",
        f"{share(again, len(keys))} {what}s stand a second time or more; {shown(texts[first])} "
        f"stands {count:,} times",
        "left as they are: where some are held out, a score is too good by about that share",
        warning=again > _MANY_TWICE * len(keys),
        place=f"{what} {first}",
    )


def _contradictions(
    texts: Sequence[str], keys: list[bytes], labels: Sequence[Hashable], what: str
) -> Iterator[DataFinding]:
    first: dict[bytes, int] = {}
    split: dict[bytes, Counter[Hashable]] = {}
    for place, (one, label) in enumerate(zip(keys, labels, strict=True)):
        before = first.setdefault(one, place)
        if labels[before] != label:
            split[one] = Counter()
    if not split:
        return
    for one, label in zip(keys, labels, strict=True):
        if one in split:
            split[one][label] += 1
    # a classifier gives one answer for each text, and is wrong on all but the most frequent label
    wrong = sum(count.total() - max(count.values()) for count in split.values())
    one = next(iter(split))
    text = texts[first[one]]
    yield found(
        "contradiction",
        f"{len(split):,} {what}{'s' * (len(split) != 1)} stand again with different labels, such "
        f"as {shown(text)} with {_told(list(split[one]), text)}: at least "
        f"{share(wrong, len(keys))} can't be told right",
        "left as they are: correct the labels where they are wrong",
        warning=wrong > MANY * len(keys),
        place=f"{what} {first[one]}",
    )


def _across(
    keys: list[bytes], part: str, others: Sequence[str], what: str
) -> Iterator[DataFinding]:
    known = set(keys)
    both = [place for place, text in enumerate(others) if key(text) in known]
    if not both:
        return
    yield found(
        "across splits",
        f"{share(len(both), len(others))} {what}s of the {part} stand in the training too, such as "
        f"{shown(others[both[0]])}",
        f"left as they are: {HARM[part].format(percent(len(both) / len(others)))}; take them out "
        "of the training",
        warning=len(both) > MANY * len(others),
        place=f"{what} {both[0]} of the {part}",
    )


def _told(labels: list[Hashable], text: str) -> str:
    one, other = labels[:2]
    words = text.split(" ")
    if isinstance(one, tuple) and isinstance(other, tuple):
        if len(one) != len(words) or len(one) != len(other):
            return f"[{', '.join(one)}] and [{', '.join(other)}]"
        # the tags of words: the first that differs
        place = next(at for at in range(len(one)) if one[at] != other[at])
        return f"{one[place]!r} and {other[place]!r} for {words[place]!r}"
    return f"{one!r} and {other!r}"
