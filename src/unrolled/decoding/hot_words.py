"""`HotWords`: words that are heard rather than others, as an automaton over letters."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.letters import END_OF_WORD


@dataclass(frozen=True, eq=False)
class HotWords:
    """What each letter adds where hot words, or hot phrases of several words, are being written.

    Where a phrase of `n` letters with the weight `a` is written and its last word ends, `a` has
    been added. Each letter on the way adds `a / n` of it, so that the phrase is not lost before it
    is complete; a letter that leads out of it takes that back. A phrase begins where a word begins.
    Phrases may overlap: each that ends counts.

    State 0 is the beginning of a word. Shapes: `H` states, `A` letters.

    Attributes:
        next: `(H, 1 + A)` int32, the state after each letter.
        gain: `(H, 1 + A)` float64, what is added on the way.
        pending: `(H,)` float64, what has been added for a phrase that is not complete.

    Source: Aho and Corasick 1975, "Efficient string matching" (failure links).
    """

    next: NDArray[np.int32]
    gain: NDArray[np.float64]
    pending: NDArray[np.float64]

    @classmethod
    def of(cls, phrases: Mapping[tuple[int, ...], float], alphabet: int) -> HotWords:
        """The automaton of some phrases.

        Args:
            phrases: the letters of each, words with letter 0 between them, and its weight.
            alphabet: A.
        """
        tree = _Tree()
        for letters, weight in phrases.items():
            tree.add((*letters, END_OF_WORD), weight)
        return tree.automaton(alphabet)


class _Tree:
    """The phrases as a tree, each closed by the end of its last word."""

    def __init__(self) -> None:
        self.children: list[dict[int, int]] = [{}]
        self.pending = [0.0]
        self.ends = [0.0]  # weights of the phrases that are complete there

    def add(self, letters: Sequence[int], weight: float) -> None:
        node = 0
        for count, letter in enumerate(letters, start=1):
            if letter not in self.children[node]:
                self.children[node][letter] = len(self.children)
                self.children.append({})
                self.pending.append(0.0)
                self.ends.append(0.0)
            node = self.children[node][letter]
            if count < len(letters):
                share = weight * count / (len(letters) - 1)
                # Of phrases that begin alike the one that gives most counts.
                self.pending[node] = max(self.pending[node], share, key=abs)
        self.ends[node] += weight

    def automaton(self, alphabet: int) -> HotWords:
        """With links to the longest end of what was written that may begin another phrase: such an
        end begins where a word does."""
        size = len(self.children)
        dead = size  # letters that begin no phrase, up to the end of their word
        width = 1 + alphabet
        to = np.full((size + 1, width), dead, np.int32)
        earned = np.zeros((size + 1, width))
        to[dead, END_OF_WORD] = 0
        shorter = [0] * size
        complete = self.ends.copy()
        waiting: deque[int] = deque([0])
        while waiting:
            node = waiting.popleft()
            fail = dead if node == 0 else shorter[node]
            to[node] = to[fail]
            earned[node] = earned[fail]
            if node == 0:
                to[0, END_OF_WORD] = 0
            for letter, child in self.children[node].items():
                # Where the longest end goes by the same letter.
                shorter[child] = int(to[fail, letter])
                complete[child] += complete[shorter[child]] if shorter[child] != dead else 0.0
                to[node, letter] = child
                earned[node, letter] = complete[child]
                waiting.append(child)
        pending = np.array([*self.pending, 0.0])
        # Behind the end of a word only what began there is under way.
        return HotWords(to, earned + pending[to] - pending[:, None], pending)
