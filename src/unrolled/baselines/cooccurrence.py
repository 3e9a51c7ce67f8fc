"""Which words of two sentences stand beside each other: numbered, and laid out for array work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError

Token = str | int
Sentences = Sequence[Sequence[Token]]
Integers = NDArray[np.int64]
Numbers = NDArray[Any]  # whole, of the narrowest type that holds them


class Vocabulary:
    """Different words with their numbers: all are strings, or all are whole numbers.

    Args:
        tokens: the words, different and sorted.
    """

    def __init__(self, tokens: Sequence[str] | Integers) -> None:
        self.tokens = tokens
        self._numbers = (
            None
            if isinstance(tokens, np.ndarray)
            else {token: number for number, token in enumerate(tokens)}
        )

    @classmethod
    def of(cls, sentences: Sentences) -> Vocabulary:
        """The words that the sentences hold.

        Raises:
            DataError: some words are strings and some are not, or they are no whole numbers.
        """
        first = next((sentence[0] for sentence in sentences if len(sentence)), "")
        if not isinstance(first, str):
            return cls(np.unique(_flat(sentences)))
        tokens = set(chain.from_iterable(sentences))
        strings = sorted(token for token in tokens if isinstance(token, str))
        if len(strings) < len(tokens):
            raise DataError(f"got words of several kinds; give strings like {first!r} throughout")
        return cls(strings)

    def __len__(self) -> int:
        return len(self.tokens)

    def array(self) -> NDArray[Any]:
        """`(V,)` the words; strings as objects, since one long word would make all others wide."""
        if isinstance(self.tokens, np.ndarray):
            return self.tokens
        return np.array([*self.tokens, None], dtype=object)[:-1]

    def numbers(self, sentences: Sentences) -> Integers:
        """`(N,)` the number of each word, sentence after sentence; `len(self)` of an unknown one.

        Raises:
            DataError: the vocabulary is of whole numbers, and there are other words.
        """
        size = len(self)
        if self._numbers is not None:
            known = self._numbers
            found = [known.get(token, size) for row in sentences for token in row]  # type: ignore[arg-type]
            return np.array(found, dtype=np.int64)
        flat, tokens = _flat(sentences), np.asarray(self.tokens)
        place = np.searchsorted(tokens, flat)
        here = tokens[place.clip(max=size - 1)] == flat
        return np.where(here, place, size)


@dataclass(frozen=True)
class Cells:
    """Every target word beside every word of its source and NULL, which comes last.

    The cells of a target word follow each other, and so do the target words of a sentence.

    Shapes: `C` cells, `M` target words of all sentences.

    Attributes:
        sources, targets: `(C,)` the numbers of each cell's source word and target word.
        sizes: `(M,)` the cells of each target word: the words of its source, and one.
    """

    sources: Numbers
    targets: Numbers
    sizes: Integers

    @classmethod
    def of(
        cls,
        sources: Numbers,
        lengths: Integers,
        targets: Numbers,
        target_lengths: Integers,
        null: int,
    ) -> Cells:
        """The cells of pairs of sentences.

        Args:
            sources, targets: the numbers of the words of all sentences.
            lengths, target_lengths: words of each sentence.
            null: the number of NULL.
        """
        with_null = np.insert(sources, np.cumsum(lengths), null)
        begins = np.cumsum(lengths + 1) - (lengths + 1)
        sizes = np.repeat(lengths + 1, target_lengths)
        shifts = np.repeat(begins, target_lengths) - (np.cumsum(sizes) - sizes)
        places = np.arange(int(sizes.sum())) + np.repeat(shifts, sizes)
        return cls(with_null[places], np.repeat(targets, sizes), sizes)


def distinct(first: Numbers, second: Numbers) -> tuple[Numbers, Numbers, Integers]:
    """The different pairs of numbers, sorted, `(K,)` each, and which of them each `(C,)` pair is.

    Numbers of 16 bits are sorted by counting, in a fifth of the time of `np.unique`.
    """
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    which = np.empty(len(order), dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return first[new], second[new], which


def lengths_of(sentences: Sentences) -> Integers:
    """`(N,)` the words of each sentence."""
    return np.fromiter(map(len, sentences), dtype=np.int64, count=len(sentences))


def narrow(numbers: Integers, most: int) -> Numbers:
    """The same numbers in the narrowest type that holds them all and `most`."""
    return numbers.astype(np.min_scalar_type(most))


def _flat(sentences: Sentences) -> Integers:
    try:
        parts = [np.asarray(row) for row in sentences if len(row)]
        flat = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    except ValueError as error:
        raise DataError(f"got words that are no whole numbers: {error}") from None
    if flat.dtype.kind not in "iu":
        raise DataError(f"got words of the type {flat.dtype}; give whole numbers, as in the others")
    return flat.astype(np.int64)
