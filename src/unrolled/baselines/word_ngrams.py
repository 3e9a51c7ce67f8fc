"""Suggests whole next words by counting: the rival of a generator's suggestions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.ngram import NGram
from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.errors import ConfigError, DataError, NotFittedError

# A word with what follows an apostrophe or joins it by a hyphen; a line break; any other mark.
_PIECES = re.compile(r"\w+(?:['\u2019-]\w+)*|\n|[^\w\s]")
_UNKNOWN = 0
# A word that is being typed at the end of a text: it may still become any word that begins so.
_HALF = re.compile(r"\w[\w'\u2019-]*\Z")
# Of the text before, what a gram can reach; longer runs without a space do not occur in words.
_REACH = 1_000


class WordNGram:
    """Interpolated Kneser-Ney over words (`NGram`), asked for the likeliest next words.

    With `w` any word that begins with what has been typed of it, `h`, and `u` the words before:

        p(w | u, h) = p(w | u) / sum of p(v | u) over the words v that begin with h

    Words, marks and line breaks are the tokens; case is kept. Only words are suggested, and only
    those that were kept; probabilities are over all tokens where nothing has been typed of a word.

    Shapes: `V` tokens, number 0 standing for all that were not kept.

    Args:
        order: longest gram, the suggested word included.
        vocabulary_size: the most frequent tokens to keep.
        sample: learn from the first so many tokens; None: all. `learnt_from` says how many.

    Raises:
        ConfigError: a vocabulary or sample below 2, or an order below 1.
    """

    def __init__(
        self, order: int = 5, *, vocabulary_size: int = 50_000, sample: int | None = 5_000_000
    ) -> None:
        if vocabulary_size < 2 or (sample is not None and sample < 2):
            raise ConfigError(
                f"vocabulary_size is {vocabulary_size} and sample {sample}; give 2 or more"
            )
        self.order, self.vocabulary_size, self.sample = order, vocabulary_size, sample
        self.learnt_from = 0
        self._grams = NGram(order, discounts="three")
        self._tokens: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`5-gram of words`."""
        return f"{self.order}-gram of words"

    def fit(self, text: str | Iterable[str]) -> Self:
        """Counts a text, or pieces of one that are cut between words.

        Raises:
            DataError: a text without words.
        """
        pieces = (text,) if isinstance(text, str) else text
        tokens = (token for piece in pieces for token in _PIECES.findall(piece))
        read = list(islice(tokens, self.sample))
        if not read:
            raise DataError("the text to learn from has no words; give at least one")
        counts = Counter(read)
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        self._know(("", *ranked[: self.vocabulary_size - 1]))
        ids = np.array([self._numbers.get(token, _UNKNOWN) for token in read], dtype=np.int64)
        self._grams.fit(ids, len(self._tokens))
        self.learnt_from = len(ids)
        return self

    def suggest(self, text: str = "", n: int = 5) -> list[tuple[str, float]]:
        """The `n` likeliest next words and their probabilities, the likeliest first.

        Args:
            text: what has been typed; where it ends inside a word, words that begin so.
            n: at most so many; fewer where fewer words begin with what was typed.

        Raises:
            NotFittedError: before `fit`.
            ConfigError: `n` below 1.
        """
        if not self._tokens:
            raise NotFittedError("this WordNGram knows no words yet; call fit(text) first")
        if n < 1:
            raise ConfigError(f"n is {n}; ask for 1 word or more")
        typed = _HALF.search(text, max(0, len(text) - _REACH))
        half = typed[0] if typed else ""
        before = text[: len(text) - len(half)]
        probabilities = self._grams.next_probabilities(self._context(before))
        if half:
            # The tokens are sorted once; those that begin alike stand side by side.
            first = np.searchsorted(self._sorted, half)
            last = np.searchsorted(self._sorted, half + "\U0010ffff")
            places = self._order[first:last]
            whole = float(probabilities[places].sum())
        else:
            places, whole = self._words, 1.0
        shares = probabilities[places]
        best = np.argsort(-shares, kind="stable")[:n]
        return [(self._tokens[places[k]], float(shares[k]) / whole) for k in best.tolist()]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted rival as named arrays."""
        if not self._tokens:
            raise NotFittedError("this WordNGram knows no words yet; call fit(text) first")
        return {
            **self._grams.to_arrays(),
            **pack_strings("tokens", self._tokens),
            "learnt_from": np.array([self.learnt_from]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote; it suggests the same, bit for bit.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        needed(arrays, ("learnt_from",), cls.__name__)
        tokens = unpack_strings("tokens", arrays, cls.__name__)
        grams = NGram.from_arrays(arrays)
        learnt = np.asarray(arrays["learnt_from"])
        if len(tokens) != grams.vocabulary_size or len(tokens) < 2 or learnt.shape != (1,):
            raise impossible(arrays, ("learnt_from", "tokens_offsets"), cls.__name__)
        rival = cls(grams.order, vocabulary_size=len(tokens))
        rival._grams, rival.learnt_from = grams, int(learnt[0])
        rival._know(tokens)
        return rival

    def _know(self, tokens: tuple[str, ...]) -> None:
        self._tokens = tokens
        self._numbers = {token: number for number, token in enumerate(tokens)}
        del self._numbers[""]
        word = [
            number
            for token, number in self._numbers.items()
            if token[0] == "_" or token[0].isalnum()
        ]
        self._words = np.array(word, dtype=np.int64)
        ordered = sorted(word, key=tokens.__getitem__)
        self._order = np.array(ordered, dtype=np.int64)
        self._sorted = np.array([tokens[number] for number in ordered])

    def _context(self, before: str) -> NDArray[np.int64]:
        """The last tokens that a gram can reach, as numbers."""
        read = _PIECES.findall(before[-_REACH:])
        last = read[max(0, len(read) - (self.order - 1)) :]
        return np.array([self._numbers.get(token, _UNKNOWN) for token in last], dtype=np.int64)
