"""`Vocabulary`: the tokens of an n-gram model and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from unrolled.decoding.ngrams.trie import Integers

UNKNOWN, BEGIN, END = 0, 1, 2
# As ARPA files write them.
MARKS = ("<unk>", "<s>", "</s>")


class Vocabulary:
    """Tokens by number: 0 the unknown one, 1 and 2 the beginning and end of a sentence.

    Args:
        tokens: all of them, the first three as `MARKS` has them.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)

    @classmethod
    def learn(
        cls, tokens: Sequence[str], counts: Integers, *, most: int | None, min_count: int
    ) -> Vocabulary:
        """The most frequent tokens first, then in the order of their characters.

        Args:
            tokens, counts: `(n,)` different ones, and how often each was counted.
            most: keep no more than these; None for all.
            min_count: keep those counted so often.
        """
        ranked = sorted(zip((-counts).tolist(), tokens, strict=True))
        kept = [token for count, token in ranked if -count >= min_count and token not in MARKS]
        return cls((*MARKS, *kept[:most]))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each token."""
        return {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> Integers:
        """The number of each token, 0 of an unknown one."""
        find = self.numbers.get
        return np.fromiter((find(token, UNKNOWN) for token in tokens), dtype=np.int64)
