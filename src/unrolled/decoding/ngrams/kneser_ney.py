"""Interpolated modified Kneser-Ney smoothing: from counts to a model in back-off form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrolled.decoding.ngrams.counting import Counts
from unrolled.decoding.ngrams.trie import Floats, Integers, Level, Trie, assemble, summed
from unrolled.decoding.ngrams.vocabulary import BEGIN

# What is taken off a count of 1, of 2, and of 3 or more where a text is too small to tell.
FALLBACK = (0.5, 1.0, 1.5)
# log10 of the probability of <s>, which is given, never predicted.
NEVER = -99.0


@dataclass(frozen=True)
class Estimate:
    """A model, and how it was smoothed.

    Attributes:
        trie: the grams with their probabilities.
        discounts: for each length what is taken off a count of 1, of 2, and of 3 or more.
        too_small: the lengths for which the text could not tell discounts: they have `FALLBACK`.
    """

    trie: Trie
    discounts: tuple[tuple[float, float, float], ...]
    too_small: tuple[int, ...]


def estimate(counted: Sequence[Counts], thresholds: Sequence[int]) -> Estimate:
    """The model of counts.

    For a token `w` after a context `u`, with the adjusted counts `a` and `u'` the context without
    its first token:

        p(w | u) = (a(u w) - D(a(u w))) / a(u) + b(u) p(w | u'),   a(u) = sum over w of a(u w)
        b(u)     = (sum over w of D(a(u w))) / a(u)

    The empty context hands over to the uniform distribution over all tokens but `<s>`, so that
    `<unk>` has what is left where nothing was counted as unknown. With `n_j` the number of grams of
    a length whose adjusted count is `j`,

        D(j) = j - (j + 1) Y n_(j+1) / n_j  for j = 1, 2 and 3 or more,   Y = n1 / (n1 + 2 n2)

    A gram that stands in the text as often as its length's threshold, or less often, is left out:
    all of its count goes to `b(u)`, so that every context still sums to 1.

    Args:
        counted: of length 1, 2, ...
        thresholds: for each length; 0 for the first, and none below the one before, so that no
            gram loses its prefix or suffix.

    Sources: Chen and Goodman, "An empirical study of smoothing techniques for language modeling",
    Harvard TR-10-98, 1998; Heafield, Pouzyrevsky, Clark and Koehn, "Scalable modified Kneser-Ney
    language model estimation", ACL 2013 (adjusted counts, pruning, the unigrams).
    """
    levels: list[Level] = []
    taken, too_small = [], []
    below = np.full(1, 1.0 / (len(counted[0].tokens) - 1))
    numbers = np.zeros(1, dtype=np.int64)
    for length, (counts, threshold) in enumerate(zip(counted, thresholds, strict=True), start=1):
        discounts = discounts_of(counts.adjusted)
        if discounts is None:
            discounts = FALLBACK
            too_small.append(length)
        taken.append(discounts)
        kept = np.ones(len(counts.tokens), dtype=bool)
        if length > 1:
            kept = counts.occurrences > threshold
        probabilities, handed = _interpolated(counts, kept, discounts, below)
        if levels:
            levels[-1] = levels[-1]._replace(backoff=np.log10(handed)[numbers >= 0])
        numbers, above = np.where(kept, np.cumsum(kept) - 1, -1), numbers
        below = probabilities
        levels.append(
            Level(
                above[counts.prefixes[kept]],
                counts.tokens[kept],
                np.log10(probabilities[kept]),
                np.zeros(np.count_nonzero(kept)),
            )
        )
    levels[0].log_prob[BEGIN] = NEVER
    while len(levels) > 1 and not len(levels[-1].tokens):
        levels.pop()
    return Estimate(assemble(levels), tuple(taken), tuple(too_small))


def discounts_of(adjusted: Integers) -> tuple[float, float, float] | None:
    """What to take off a count of 1, of 2, and of 3 or more; None where the counts can't tell."""
    n = np.bincount(np.minimum(adjusted, 5), minlength=6).astype(float)
    if not n[1:4].all():
        return None
    y = n[1] / (n[1] + 2 * n[2])
    one, two, more = (j - (j + 1) * y * n[j + 1] / n[j] for j in (1, 2, 3))
    return (one, two, more) if one > 0 and two > 0 and more > 0 else None


def _interpolated(
    counts: Counts, kept: np.ndarray, discounts: tuple[float, float, float], below: Floats
) -> tuple[Floats, Floats]:
    """`(G,)` the probability of each gram, and `(P,)` what each prefix hands to shorter ones.

    Args:
        counts, kept: of this length; of what is left out all is handed over.
        below: `(P,)` probabilities of the level below, 1 / V of the empty gram.
    """
    taken = np.array([0.0, *discounts])[np.minimum(counts.adjusted, 3)]
    taken = np.where(kept, taken, counts.adjusted)
    totals = summed(counts.adjusted, counts.prefixes, len(below))
    handed = summed(taken, counts.prefixes, len(below))
    # What only ends sentences has nothing behind it.
    handed = np.divide(handed, totals, out=np.ones(len(below)), where=totals > 0)
    own = (counts.adjusted - taken) / totals[counts.prefixes]
    found: Floats = own + handed[counts.prefixes] * below[counts.suffixes]
    return found, handed
