"""Lengths of the two sides: far from the usual ratio, unrelated to each other, or very long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs import SentencePairs
from unrolled.data.text_doctor_findings import MANY, found, share, shown

# A pair is unusual from this many (robust) standard deviations on, and this factor.
_FAR = 5.0
_TIMES = 2.5
# Characters of the longer side: "Yes." may well be "Das stimmt."
_SHORT = 20
# Below this correlation of the lengths lines hardly belong together; of how many pairs it is taken;
# and the spread of the lengths (of their logarithms) that a side needs to tell anything.
_UNRELATED = 0.2
_FEWEST = 50
_SPREAD = 0.2
_LONG_WORDS = 100
_LONG_CHARACTERS = 500


def lengths(pairs: SentencePairs, *, aligned: bool = True) -> Iterator[DataFinding]:
    """Sides whose lengths do not go together, ratios far from the usual, and long sentences.

    Where lines are known to be shifted (not `aligned`) only long sentences are looked for.

    d_i = log(characters of target i / characters of source i),
    far: |d_i - m| > max(5 s, log 2.5),     m = median d,  s = 1.4826 median |d - m|
    """
    source, target = (
        np.log(np.array([len(one) for one in side])) for side in (pairs.sources, pairs.targets)
    )
    if not aligned:
        pass
    elif unrelated(source, target):
        yield found(
            "misaligned",
            "how long a target is has nothing to do with how long its source is (correlation "
            f"{np.corrcoef(source, target)[0, 1]:.2f})",
            "left as they are: look whether the lines of one side are shifted or shuffled",
            warning=True,
        )
    else:
        yield from _far(pairs, target - source, np.maximum(source, target) >= np.log(_SHORT))
    for side, sentences in (("source", pairs.sources), ("target", pairs.targets)):
        yield from _long(pairs, side, sentences)


def unrelated(source: np.ndarray, target: np.ndarray) -> bool:
    """Whether logarithms of lengths `(N,)` of what belongs together say nothing of each other."""
    if len(source) < _FEWEST or not (min(source.std(), target.std()) >= _SPREAD):
        return False
    return bool(np.corrcoef(source, target)[0, 1] < _UNRELATED)


def _far(pairs: SentencePairs, ratio: np.ndarray, judged: np.ndarray) -> Iterator[DataFinding]:
    usual = float(np.median(ratio))
    away = np.abs(ratio - usual)
    spread = 1.4826 * float(np.median(away))
    places = np.flatnonzero((away > max(_FAR * spread, np.log(_TIMES))) & judged)
    if not len(places):
        return
    worst = int(places[np.argmax(away[places])])
    yield found(
        "length ratio",
        f"{share(len(places), len(pairs))} targets are far shorter or longer than their sources "
        f"({np.exp(usual):.2g} times as many characters are usual): {pairs.told(places)}; most of "
        f"all {shown(pairs.sources[worst])} with {shown(pairs.targets[worst])}",
        "left as they are: look whether they are translations of each other",
        warning=len(places) > MANY * len(pairs),
        place=pairs.place(worst),
    )


def _long(pairs: SentencePairs, side: str, sentences: Sequence[str]) -> Iterator[DataFinding]:
    words = [len(one.split()) for one in sentences]
    places = [
        place
        for place, one in enumerate(sentences)
        # a text without spaces is one word; a path or an address is no sentence of them
        if words[place] > _LONG_WORDS
        or (len(one) > _LONG_CHARACTERS and len(one) > 20 * words[place])
    ]
    if not places:
        return
    longest = max(places, key=lambda place: len(sentences[place]))
    yield found(
        "long",
        f"{share(len(places), len(pairs))} {side} sentences have more than {_LONG_WORDS} words (or "
        f"{_LONG_CHARACTERS} characters without spaces): {pairs.told(places)}; the longest has "
        f"{words[longest]:,} and {len(sentences[longest]):,} characters",
        "left as they are: they take most of the time and memory; split them into sentences",
        warning=len(places) > MANY * len(pairs),
        place=pairs.place(longest),
    )
