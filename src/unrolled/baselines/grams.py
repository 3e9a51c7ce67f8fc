"""Counting every n-gram of a text, as a trie of arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class GramLevel:
    """All distinct n-grams of one length `n`, sorted by (prefix, last token).

    Shapes: `P` distinct grams of length `n - 1` (1 for `n = 1`: the empty gram), `G` of length `n`.

    Attributes:
        children: `(P,)`, how many grams of this level extend each gram of the level below.
        symbols: `(G,)`, the last token of each gram.
        occurrences: `(G,)`, how often each gram stands in the text.
        continuations: `(G,)`, how many different tokens stand before it (the beginning of the text
            counts as one), or None on the last level that was counted.
    """

    children: Integers
    symbols: Integers
    occurrences: Integers
    continuations: Integers | None


def count_grams(ids: Integers, vocabulary_size: int, longest: int) -> list[GramLevel]:
    """Counts the grams of length 1 to `longest`; one sort per length, no Python loop over the text.

    Args:
        ids: `(N,)` token ids in `[0, vocabulary_size)`, `N` at least 1.
        vocabulary_size: number of different tokens that can occur.
        longest: the longest gram to count.

    A gram's number is its place in its level. A gram is found by the pair (number of its prefix,
    last token), so that neither its length nor the vocabulary is limited by the bits of a word.
    """
    levels: list[GramLevel] = []
    prefix_numbers = np.zeros(len(ids) + 1, dtype=np.int64)
    prefixes = 1
    for length in range(1, longest + 1):
        # The gram that starts at i is the shorter gram that starts at i, and one more token.
        keys = prefix_numbers[:-1] * vocabulary_size + ids[length - 1 :]
        distinct, first, numbers, occurrences = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        if levels:
            # Dropping the first token of a gram gives the gram it continues, one place further on.
            continuations = np.bincount(prefix_numbers[first + 1], minlength=prefixes)
            # The gram that opens the text has nothing before it: the beginning counts as a token.
            continuations[prefix_numbers[:1]] += 1
            levels[-1] = replace(levels[-1], continuations=continuations)
        levels.append(
            GramLevel(
                children=np.bincount(distinct // vocabulary_size, minlength=prefixes),
                symbols=distinct % vocabulary_size,
                occurrences=occurrences,
                continuations=None,
            )
        )
        prefix_numbers, prefixes = numbers.reshape(-1), len(distinct)
    return levels
