"""Grams of one length under Kneser-Ney smoothing: what each adds, what each context hands on."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.grams import Integers

Floats = NDArray[np.float64]
Discounts = Literal["one", "three"]

# What is taken off a count of 1, 2, and 3 or more where the text is too small to say.
_FALLBACK = np.array([0.5, 1.0, 1.5])


class SmoothedGrams:
    """The grams of one length with what each adds to a probability.

    Shapes: `P` grams one token shorter, `G` grams of this length. `weights` and `backoff` carry one
    more entry at the end, which the number -1 ("never seen") reads: nothing added, all handed over.
    """

    def __init__(
        self,
        children: Integers,
        symbols: Integers,
        counts: Integers,
        discounts: Floats,
        vocabulary_size: int,
    ) -> None:
        prefixes = np.repeat(np.arange(len(children)), children)
        self.symbols = symbols
        self.counts = counts
        self.discounts = discounts
        self.vocabulary_size = vocabulary_size
        self.first = np.concatenate(([0], np.cumsum(children)))
        self.keys = prefixes * vocabulary_size + symbols
        taken = discounts[np.minimum(counts, 3) - 1]
        # A prefix that only ends the text has no successors: it hands everything over.
        totals = np.bincount(prefixes, weights=counts, minlength=len(children))
        handed = np.bincount(prefixes, weights=taken, minlength=len(children))
        backoff = np.divide(handed, totals, out=np.ones(len(children)), where=totals > 0)
        self.weights = np.append((counts - taken) / totals[prefixes], 0.0)
        self.backoff = np.append(backoff, 1.0)

    @cached_property
    def everything(self) -> Floats:
        """Of the shortest grams: what they give to each token `(V,)`, after anything."""
        found = np.full(self.vocabulary_size, self.backoff[0] / self.vocabulary_size)
        found[self.symbols] += self.weights[:-1]
        return found

    def find(self, prefixes: Integers, symbols: Integers) -> Integers:
        """The number of each gram (prefix, symbol), or -1 where there is none."""
        if not len(self.keys):
            return np.full(len(prefixes), -1, dtype=np.int64)
        wanted = prefixes * self.vocabulary_size + symbols  # Below 0, so not found, after -1.
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[places] == wanted, places, -1)


def estimated_discounts(counts: Integers, kind: Discounts) -> Floats:
    """`(3,)`: what to take off a count of 1, of 2, and of 3 or more."""
    n1, n2, n3, n4 = (float((counts == j).sum()) for j in (1, 2, 3, 4))
    if not n1 or not n2:
        return _FALLBACK[[0, 0, 0]] if kind == "one" else _FALLBACK.copy()
    base = n1 / (n1 + 2 * n2)
    if kind == "one":
        return np.full(3, base)
    raised = np.array(
        [
            1 - 2 * base * n2 / n1,
            2 - 3 * base * n3 / n2,
            3 - 4 * base * n4 / n3 if n3 else np.nan,
        ]
    )
    usable = (raised > 0) & (raised <= [1, 2, 3])
    return np.where(usable, raised, _FALLBACK)


def check_grams(
    children: NDArray[Any],
    symbols: NDArray[Any],
    counts: NDArray[Any],
    discounts: Floats,
    vocabulary_size: int,
    prefixes: int,
) -> None:
    """Raises ValueError unless the arrays describe grams on top of `prefixes` shorter ones."""
    if any(
        array.ndim != 1 or array.dtype.kind not in "iu" for array in (children, symbols, counts)
    ):
        raise ValueError("an array is not a row of integers")
    if len(children) != prefixes or not len(symbols) == len(counts) == int(children.sum()):
        raise ValueError("the lengths differ")
    if len(symbols) and not (symbols.min() >= 0 and symbols.max() < vocabulary_size):
        raise ValueError("a symbol lies outside the vocabulary")
    if len(counts) and not counts.min() > 0:
        raise ValueError("a count is below 1")
    if not ((discounts > 0) & (discounts <= [1, 2, 3])).all():
        raise ValueError("a discount is out of range")
    owners = np.repeat(np.arange(prefixes), children)
    if not (np.diff(owners * vocabulary_size + symbols.astype(np.int64)) > 0).all():
        raise ValueError("the grams are not sorted")
