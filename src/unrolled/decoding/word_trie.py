"""`WordTrie`: the words of a model by their letters, each beginning with its best word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_WORD = -1


@dataclass(frozen=True, eq=False)
class WordTrie:
    """Words as a tree of letters. Node 0 has none; the children of a node are a run, by letter.

    Attributes:
        first: `(M + 1,)` int32; the children of `n` are `first[n]` to before `first[n + 1]`.
        letter: `(M,)` int32, the last letter of each node.
        word: `(M,)` int32, the token of the word that ends there, or -1.
        best: `(M,)` float32, the largest score of a word that goes through it.
    """

    first: NDArray[np.int32]
    letter: NDArray[np.int32]
    word: NDArray[np.int32]
    best: NDArray[np.float32]

    @classmethod
    def of(
        cls, spelt: Sequence[Sequence[int]], tokens: Sequence[int], scores: NDArray[np.floating]
    ) -> WordTrie:
        """A trie of words.

        Args:
            spelt: the letters of each, from 1 on; no two alike, none empty.
            tokens: the number of each.
            scores: of each.
        """
        lengths = np.array([len(one) for one in spelt], np.int64)
        deepest = int(lengths.max(initial=0))
        table = np.zeros((len(spelt), deepest), np.int32)
        for row, one in zip(table, spelt, strict=True):
            row[: len(one)] = one
        order = np.lexsort(table.T[::-1]) if deepest else np.zeros(0, np.int64)
        table, lengths = table[order], lengths[order]
        numbers, values = np.asarray(tokens)[order], np.asarray(scores)[order]

        # Level by level: words are sorted, so those with the same beginning are neighbours.
        letters, words, bests, children = [[0]], [[NO_WORD]], [[-np.inf]], []
        above, count = np.zeros(len(table), np.int64), 1  # of each word its node one letter before
        for depth in range(deepest):
            long = lengths > depth
            table, lengths, numbers = table[long], lengths[long], numbers[long]
            values, above = values[long], above[long]
            begins = np.ones(len(table), bool)
            begins[1:] = (table[1:, : depth + 1] != table[:-1, : depth + 1]).any(1)
            node, first = np.cumsum(begins) - 1, np.flatnonzero(begins)
            best, word = np.full(len(first), -np.inf), np.full(len(first), NO_WORD)
            np.maximum.at(best, node, values)
            ends = lengths == depth + 1
            word[node[ends]] = numbers[ends]
            children.append(np.bincount(above[first], minlength=count))
            letters.append(table[first, depth].tolist())
            bests.append(best.tolist())
            words.append(word.tolist())
            above, count = node, len(first)
        children.append(np.zeros(count, np.int64))
        firsts = np.concatenate(([1], 1 + np.cumsum(np.concatenate(children))))
        return cls(
            firsts.astype(np.int32),
            np.concatenate(letters).astype(np.int32),
            np.concatenate(words).astype(np.int32),
            np.concatenate(bests).astype(np.float32),
        )

    @property
    def words(self) -> NDArray[np.int32]:
        """`(W,)`: the numbers of all words."""
        found: NDArray[np.int32] = self.word[self.word != NO_WORD]
        return found

    def find(self, letters: Sequence[int]) -> int:
        """The number of the word that has these letters, or -1."""
        node = 0
        for letter in letters:
            node = self.longer(node, letter)
            if node < 0:
                return NO_WORD
        return int(self.word[node])

    def longer(self, node: int, letter: int) -> int:
        """The child of a node, or -1."""
        low, high = int(self.first[node]), int(self.first[node + 1])
        place = low + int(np.searchsorted(self.letter[low:high], letter))
        return place if place < high and self.letter[place] == letter else -1
