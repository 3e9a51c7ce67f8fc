"""Where the lines of one side are shifted against the other's, as when one of them was lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs import SentencePairs
from unrolled.data.text_doctor_findings import counted, found, shown

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_SHIFTS = (-3, -2, -1, 0, 1, 2, 3)
_HERE = _SHIFTS.index(0)
_FEWEST = 50
# Less evidence, in nats, all in all and for each line, may be chance.
_EVIDENCE = 40.0
_EACH = 0.25
# Fewer lines between two parts are what is left of one that was found before.
_LINES = 10
# So many parts are looked for; the first is told, and when it is mended others look different.
_PARTS = 20
# The most that one line says by its length, and by its words.
_MOST = 4.0
# Spread of lengths (of z below) that is taken at least: where they agree to the letter.
_EXACT = 0.2
# Words go together that meet so often, as many times as chance has it, in so many pairs.
_MEET = 4
_TIMES = 8.0
_LEARNT = 20_000
# Scripts without spaces have a word a letter.
_ALONE = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")


def shifted(pairs: SentencePairs) -> Iterator[DataFinding]:
    """The first part of the pairs in which source `i` belongs to target `i + d`, `d` from -3 to 3.

    e_d(i) is the evidence that source i and target i + d belong together, in nats, by their lengths
    and by the words that they hold. All begin at d = 0. While there is a part whose sum of e_d(i)
    is clearly above that of the shifts it has so far, the part with the greatest gain takes its d.
    Linear in the pairs.

    lengths s, t in characters, c = median t / median s:  -z^2 / 2 up to a constant,
        z = (t - c s) / sqrt(c s + t), divided by its robust spread (Gale and Church 1993)
    words: the sum over all (v, w) of a sentence and of its translation that meet far more often
        than by chance of  log(pairs with both pairs in all / (pairs with v pairs with w))
    """
    if len(pairs) < _FEWEST:
        return
    evidence = _by_length(pairs) + _by_words(pairs)
    shifts = _shifts(evidence)
    edges = [0, *(np.flatnonzero(np.diff(shifts)) + 1).tolist(), len(shifts)]
    parts = [
        (begin, end) for begin, end in pairwise(edges) if shifts[begin] and end - begin >= _LINES
    ]
    if parts:
        begin, end = parts[0]
        gain = evidence[_SHIFTS.index(shifts[begin])] - evidence[_HERE]
        plain = begin + int(np.argmax(gain[begin : begin + _LINES]))
        yield _told(pairs, begin, end, int(shifts[begin]), plain, len(parts) - 1)


def _shifts(evidence: np.ndarray) -> np.ndarray:
    """`(N,)`: the shift of each pair, from `(shifts, N)`."""
    places = np.full(evidence.shape[1], _HERE)
    for _ in range(_PARTS):
        gains = evidence - np.take_along_axis(evidence, places[None], axis=0)
        gain, begin, end, shift = max((*_best_part(one), shift) for shift, one in enumerate(gains))
        if gain < max(_EVIDENCE, _EACH * (end - begin)):
            break
        places[begin:end] = shift
    return np.array(_SHIFTS)[places]


def _best_part(gain: np.ndarray) -> tuple[float, int, int]:
    """The greatest sum of a part, and where that begins and ends (Kadane)."""
    sums = np.concatenate([[0.0], np.cumsum(gain)])
    least = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - least))
    begin = int(np.flatnonzero(sums[: end + 1] == least[end])[-1])
    return float(sums[end] - least[end]), begin, end


def _told(
    pairs: SentencePairs, begin: int, end: int, shift: int, plain: int, others: int
) -> DataFinding:
    until = "to the end" if end >= len(pairs) - max(_SHIFTS) else f"up to {pairs.place(end - 1)}"
    count = counted(abs(shift), "line")
    verb = "is" if others == 1 else "are"
    where, lacks = ("early", "targets") if shift < 0 else ("late", "sources")
    also = f"; {counted(others, 'part')} after that {verb} shifted otherwise" if others else ""
    return found(
        "misaligned",
        f"from about {pairs.place(begin)} {until} the targets stand {count} too {where}: "
        f"{shown(pairs.sources[plain])} belongs to {shown(pairs.targets[plain + shift])} and stands"
        f" with {shown(pairs.targets[plain])}{also}",
        f"left as they are: look for {count} that the {lacks} lack there; nothing is learnt from"
        " what is shifted",
        warning=True,
        place=pairs.place(begin),
    )


def _partners(count: int, shift: int) -> tuple[slice, slice]:
    """The sources that have a target so many lines further on, and these targets."""
    low, high = max(0, -shift), count - max(0, shift)
    return slice(low, high), slice(low + shift, high + shift)


def _by_length(pairs: SentencePairs) -> np.ndarray:
    """`(shifts, N)`."""
    source, target = (
        np.array([len(one) for one in side], dtype=float) for side in (pairs.sources, pairs.targets)
    )
    expected = source * np.median(target) / np.median(source)
    away = []
    for shift in _SHIFTS:
        mine, its = _partners(len(source), shift)
        away.append((target[its] - expected[mine]) / np.sqrt(target[its] + expected[mine]))
    # of the shift that fits best: most lines may be shifted
    spread = max(_EXACT, min(1.4826 * float(np.median(np.abs(one))) for one in away))
    return _laid_out([-np.minimum((one / spread) ** 2 / 2, _MOST) for one in away], len(pairs))


def _by_words(pairs: SentencePairs) -> np.ndarray:
    """`(shifts, N)`."""
    source, target = _words_of(pairs.sources), _words_of(pairs.targets)
    learnt = (_meetings(source, target, shift) for shift in _SHIFTS)
    read = source @ max(learnt, key=lambda one: float(one.sum()))
    evidence = []
    for shift in _SHIFTS:
        mine, its = _partners(len(pairs), shift)
        together = np.asarray(read[mine].multiply(target[its]).sum(axis=1)).ravel()
        evidence.append(np.minimum(together, _MOST))
    return _laid_out(evidence, len(pairs))


def _words_of(sentences: Sequence[str]) -> csr_matrix:
    """`(N, words)`: 1 where a sentence has a word."""
    from scipy.sparse import csr_matrix

    numbers: dict[str, int] = {}
    places: list[int] = []
    ends = [0]
    for one in sentences:
        places += {numbers.setdefault(word, len(numbers)) for word in _WORD.findall(one.casefold())}
        ends.append(len(places))
    ones = np.ones(len(places), dtype=np.float32)
    return csr_matrix((ones, places, ends), shape=(len(sentences), len(numbers)))


def _meetings(source: Any, target: Any, shift: int) -> csr_matrix:
    """`(words, words)`: how much more often than by chance, as a logarithm, two words meet in pairs
    of this shift; 0 where that may be chance."""
    from scipy.sparse import csr_matrix

    count = source.shape[0]
    step = max(1, count // _LEARNT)
    mine, its = (
        one[part][::step]
        for one, part in zip((source, target), _partners(count, shift), strict=True)
    )
    both = (mine.T @ its).tocoo()
    often = [np.asarray(one.sum(axis=0)).ravel() for one in (mine, its)]
    times = both.data * mine.shape[0] / (often[0][both.row] * often[1][both.col])
    kept = (both.data >= _MEET) & (times > _TIMES)
    return csr_matrix((np.log(times[kept]), (both.row[kept], both.col[kept])), shape=both.shape)


def _laid_out(evidence: Sequence[np.ndarray], count: int) -> np.ndarray:
    """`(shifts, N)`: what has no partner at the ends says nothing against where it stands."""
    laid = np.repeat(evidence[_HERE][None], len(_SHIFTS), axis=0)
    for row, shift in enumerate(_SHIFTS):
        mine, _ = _partners(count, shift)
        laid[row, mine] = evidence[row]
    return laid
