"""Counting the grams of sentences: how often they stand there, and after how many tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.ngrams.trie import Integers
from unrolled.decoding.ngrams.vocabulary import BEGIN, END


@dataclass(frozen=True)
class Counts:
    """All grams of one length, sorted by (prefix, token); of length 1 all V tokens in order.

    Shapes: `G` grams.

    Attributes:
        prefixes: `(G,)` the gram without its last token, as its place in the level below.
        tokens: `(G,)` the last token.
        suffixes: `(G,)` the gram without its first token, as its place in the level below.
        begins: `(G,)` bool, whether the first token is `<s>`.
        occurrences: `(G,)` how often it stands in the sentences.
        adjusted: `(G,)` what Kneser-Ney smoothing counts: occurrences of the longest grams and of
            those that begin with `<s>`, which nothing can stand before; of others how many
            different tokens stand before them. 0 of `<s>` itself, which is never predicted.
    """

    prefixes: Integers
    tokens: Integers
    suffixes: Integers
    begins: NDArray[np.bool_]
    occurrences: Integers
    adjusted: Integers


def with_marks(tokens: Integers, lengths: Integers) -> Integers:
    """Sentences one after the other, `<s>` before and `</s>` behind each.

    Args:
        tokens: `(T,)` of all sentences in order.
        lengths: `(S,)` how many each has.
    """
    marked = np.empty(len(tokens) + 2 * len(lengths), dtype=np.int64)
    ends = np.cumsum(lengths + 2)
    inside = np.ones(len(marked), dtype=bool)
    inside[ends - 1] = inside[ends - lengths - 2] = False
    marked[ends - lengths - 2], marked[ends - 1], marked[inside] = BEGIN, END, tokens
    return marked


def count_grams(marked: Integers, vocabulary_size: int, order: int) -> list[Counts]:
    """Counts the grams of length 1 to `order` inside sentences; one sort for each length.

    The rival of the gate has a count of its own, `baselines.grams`: it knows one text and no
    sentences.

    Args:
        marked: `(T,)` as `with_marks` gives it, tokens in `[0, vocabulary_size)`.
        vocabulary_size: V.
        order: of the longest gram.

    Returns:
        One for each length, fewer where no sentence is that long.
    """
    places = np.arange(len(marked))
    # The last place of the sentence that each place is in.
    ends = np.flatnonzero(marked == END)[np.cumsum(marked == BEGIN) - 1]
    tokens = np.arange(vocabulary_size)
    none = np.zeros(vocabulary_size, dtype=np.int64)
    occurrences = np.bincount(marked, minlength=vocabulary_size)
    occurrences[BEGIN] = 0
    levels = [Counts(none, tokens, none, tokens == BEGIN, occurrences, occurrences)]
    # The gram of the last length that starts at each place, as its number.
    numbers = marked
    for length in range(2, order + 1):
        places = places[places + length - 1 <= ends[places]]
        if not len(places):
            break
        keys = numbers[places] * vocabulary_size + marked[places + length - 1]
        different, first, inverse, occurrences = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        suffixes = numbers[places[first] + 1]
        below = levels[-1]
        before = np.bincount(suffixes, minlength=len(below.tokens))
        adjusted = np.where(below.begins, below.occurrences, before)
        levels[-1] = replace(below, adjusted=adjusted)
        begins = marked[places[first]] == BEGIN
        levels.append(
            Counts(
                different // vocabulary_size,
                different % vocabulary_size,
                suffixes,
                begins,
                occurrences,
                occurrences,
            )
        )
        numbers = np.zeros_like(marked)
        numbers[places] = inverse.reshape(-1)
    return levels
