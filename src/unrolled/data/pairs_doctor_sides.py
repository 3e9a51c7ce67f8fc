"""The language of each side: another script, sides that are swapped, words of the other side."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs import SentencePairs
from unrolled.data.text_doctor_findings import MANY, found, share, shown

_LATIN = re.compile(r"[A-Za-z\u00aa-\u024f\u1e00-\u1eff]")
_LETTER_BEYOND = re.compile(r"[^\W\d_A-Za-z\u00aa-\u024f\u1e00-\u1eff]")
# Scripts that are written together in one language.
_TOGETHER = dict.fromkeys(
    ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "HALFWIDTH", "FULLWIDTH"),
    "Chinese or Japanese",
)
# Words that tell, the fewest in a sentence; and how much more frequent they are on the other side,
# on average, so that a sentence is one of that side: a factor of e.
_FEWEST_WORDS = 3
_PLAIN = 1.0
# Below this share of a side its usual script says nothing.
_USUAL = 0.6

_WORD = re.compile(r"\w+")


def languages(pairs: SentencePairs) -> Iterator[DataFinding]:
    """Sentences that are likely of another language than their side's.

    By script: the one that most letters of a sentence have, against the one that most sentences of
    the side have. By words, where both sides have one script: with `n_s(w)` and `n_t(w)` how often
    the word `w` stands on either side of the other pairs, a sentence has the mean of

        log((n_s(w) + 1) / (n_t(w) + 1))

    over its words; sources are usually above 0 and targets below, and where both are clearly the
    other way round the pair is swapped, where one is, it is in the language of the other side.
    """
    scripts = [[script_of(one) for one in side] for side in (pairs.sources, pairs.targets)]
    usual = [_usual(side) for side in scripts]
    judged = {"source": pairs.sources, "target": pairs.targets}
    if usual[0] != usual[1] and None not in usual:
        swapped = _where(
            lambda place: (scripts[0][place], scripts[1][place]) == (usual[1], usual[0]), pairs
        )
    else:
        swapped = []
    yield from _swapped(pairs, swapped)
    apart = set(swapped)
    for (side, sentences), its, main in zip(judged.items(), scripts, usual, strict=True):
        if main is None:
            continue
        other = [
            place
            for place, one in enumerate(its)
            if one is not None and one != main and place not in apart
        ]
        if other:
            found_scripts = Counter(its[place] for place in other)
            yield found(
                "language",
                f"{share(len(other), len(pairs))} {side} sentences are not in {main} script but in "
                f"{', '.join(str(one) for one, _ in found_scripts.most_common(3))}: "
                f"{pairs.told(other)}, such as {shown(sentences[other[0]])}",
                "left as they are: look whether they are of the right language",
                warning=len(other) > MANY * len(pairs),
                place=pairs.place(other[0]),
            )
    if usual[0] == usual[1]:
        yield from _by_words(pairs)


@cache
def _script(char: str) -> str:
    name = unicodedata.name(char, "unknown").split()[0]
    return _TOGETHER.get(name, name.capitalize())


def script_of(text: str) -> str | None:
    """The script of most letters of a text: "Latin", "Cyrillic", ...; None without letters.

    Chinese and Japanese are one, "Chinese or Japanese".
    """
    if not _LETTER_BEYOND.search(text):
        return "Latin" if _LATIN.search(text) else None
    return Counter(_script(char) for char in text if char.isalpha()).most_common(1)[0][0]


def scripts_of(text: str) -> set[str]:
    """The script of every letter of a text, as `script_of` calls them."""
    return {
        "Latin" if _LATIN.match(char) else _script(char) for char in set(text) if char.isalpha()
    }


def _usual(scripts: Sequence[str | None]) -> str | None:
    """The script of most sentences; None where no one has a clear majority."""
    counts = Counter(one for one in scripts if one is not None)
    if not counts:
        return None
    script, count = counts.most_common(1)[0]
    return script if count >= _USUAL * counts.total() else None


def _by_words(pairs: SentencePairs) -> Iterator[DataFinding]:
    values = _other_side(pairs)
    different = np.array([a != b for a, b in zip(pairs.sources, pairs.targets, strict=True)])
    foreign = [set(np.flatnonzero((value > _PLAIN) & different).tolist()) for value in values]
    swapped = sorted(foreign[0] & foreign[1])
    yield from _swapped(pairs, swapped)
    names = ("source", "target")
    for side, sentences in enumerate((pairs.sources, pairs.targets)):
        only = sorted(foreign[side] - set(swapped))
        if only:
            yield found(
                "language",
                f"{share(len(only), len(pairs))} {names[side]} sentences are in the words of the "
                f"{names[1 - side]} side: {pairs.told(only)}, such as {shown(sentences[only[0]])}",
                "left as they are: look whether they were translated",
                warning=len(only) > MANY * len(pairs),
                place=pairs.place(only[0]),
            )


def _other_side(pairs: SentencePairs) -> list[np.ndarray]:
    """Of the source and of the target of each pair, how much more its words are the other side's.

    Returns:
        two arrays `(N,)`: the means over the words that the other pairs have, on their sides, of
        log((n_other + 1) / (n_own + 1)); 0 where fewer than `_FEWEST_WORDS` of them tell.
    """
    numbers: dict[str, int] = {}
    words, rows = [], []
    for side in (pairs.sources, pairs.targets):
        # Numbers alone, as dates are, are of no language.
        found = [_WORD.findall(one.casefold()) if script_of(one) else [] for one in side]
        flat = [numbers.setdefault(word, len(numbers)) for one in found for word in one]
        words.append(np.array(flat, dtype=np.int64))
        rows.append(np.repeat(np.arange(len(pairs)), [len(one) for one in found]))
    size = len(numbers)
    counts = [np.bincount(one, minlength=size) for one in words]
    # of each pair and word, how often it stands there: it must not speak for itself
    cells = [
        np.unique(row * size + word, return_counts=True)
        for row, word in zip(rows, words, strict=True)
    ]
    values = []
    for own, other in ((0, 1), (1, 0)):
        key, times = cells[own]
        row, word = np.divmod(key, max(size, 1))
        here = counts[own][word] - times
        there = counts[other][word] - _times(key, *cells[other])
        tell = ((here > 0) | (there > 0)) * times
        told = np.bincount(row, tell, len(pairs))
        sums = np.bincount(row, tell * np.log((there + 1) / (here + 1)), len(pairs))
        values.append(np.where(told >= _FEWEST_WORDS, sums / np.maximum(told, 1), 0.0))
    return values


def _times(wanted: np.ndarray, keys: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How often each wanted key stands among sorted keys; 0 where it does not."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, times[places], 0)


def _swapped(pairs: SentencePairs, places: Sequence[int]) -> Iterator[DataFinding]:
    if not places:
        return
    first = places[0]
    yield found(
        "language",
        f"{share(len(places), len(pairs))} pairs have their sides swapped: {pairs.told(places)}, "
        f"such as {shown(pairs.sources[first])} with {shown(pairs.targets[first])}",
        "left as they are: turn them round",
        warning=len(places) > MANY * len(pairs),
        place=pairs.place(first),
    )


def _where(holds: Callable[[int], bool], pairs: SentencePairs) -> list[int]:
    return [place for place in range(len(pairs)) if holds(place)]
