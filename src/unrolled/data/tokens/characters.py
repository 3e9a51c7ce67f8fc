"""`Characters`: every character is a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from unrolled.data.tokens.checks import UNKNOWN, check_ids, check_number, word_beginnings
from unrolled.errors import ConfigError


class Characters:
    """The characters that a model knows, each with its number.

    Number 0 is the unknown token U+FFFD, which every other character becomes.

    Args:
        pieces: different single characters, U+FFFD first (as `pieces` gives them).

    `decode(encode(text)) == text` for every text of these characters.
    """

    kind = "characters"

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces: tuple[str, ...] = tuple(pieces)
        bad = [one for one in self.pieces if not isinstance(one, str) or len(one) != 1]
        if bad or self.pieces[:1] != (UNKNOWN,) or len(set(self.pieces)) != len(self.pieces):
            raise ConfigError(
                "a vocabulary is a list of different single characters that begins with U+FFFD: "
                "make one with Characters.learn"
            )
        self._codes = codes = _codes("".join(self.pieces))
        # one number for each code point up to the largest known, 0 for those in between
        self._numbers = np.zeros(int(codes.max()) + 2, dtype=np.int64)
        self._numbers[codes] = np.arange(len(codes))

    @classmethod
    def learn(
        cls, pieces: Iterable[str], *, vocabulary_size: int | None = None, min_count: int = 1
    ) -> Characters:
        """The characters of texts in the order of their code points; `"\\n"` is always one.

        Args:
            pieces: texts, all of which are read.
            vocabulary_size: keep only so many, the most frequent ones; None keeps all.
            min_count: leave out what occurs more rarely.
        """
        if isinstance(pieces, str):
            pieces = (pieces,)
        least = check_number("min_count", min_count, 1)
        # one count for each code point up to the largest seen
        counts = np.zeros(ord(UNKNOWN) + 1, dtype=np.int64)
        for piece in pieces:
            found = np.bincount(_codes(piece))
            if len(found) > len(counts):
                counts, found = found, counts
            counts[: len(found)] += found
        counts[counts < least] = 0
        # the unknown token stands at number 0 and the line break is kept whatever is asked
        counts[ord(UNKNOWN)] = counts[ord("\n")] = 0
        known = np.flatnonzero(counts)
        if vocabulary_size is not None:
            room = check_number("vocabulary_size", vocabulary_size, 2) - 2
            known = known[np.argsort(-counts[known], kind="stable")[:room]]
        return cls((UNKNOWN, *map(chr, sorted([ord("\n"), *known.tolist()]))))

    @classmethod
    def from_assets(cls, assets: Mapping[str, Any]) -> Characters:
        """What `to_assets` gave."""
        pieces = assets.get("pieces")
        if not isinstance(pieces, list):
            raise ConfigError("this is no tokenizer of characters: it has no list of pieces")
        return cls(pieces)

    def to_assets(self) -> dict[str, Any]:
        """Kind and pieces, for a model's card."""
        return {"kind": self.kind, "pieces": list(self.pieces)}

    def __len__(self) -> int:
        return len(self.pieces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Characters) and self.pieces == other.pieces

    def __hash__(self) -> int:
        return hash(self.pieces)

    def __contains__(self, piece: object) -> bool:
        return piece in self.pieces[1:]

    @cached_property
    def word_beginnings(self) -> np.ndarray:
        """Of each character whether it ends the word before it, bool `(V,)`."""
        return word_beginnings(self.pieces)

    def begins_word(self, id: int) -> bool:
        """Whether the character ends the word before it: a space or a mark of punctuation."""
        return bool(self.word_beginnings[id])

    def encode(self, text: str) -> np.ndarray:
        """The number of each character, int64 `(len(text),)`; 0 for an unknown one."""
        # every code beyond the table falls on its last place, which holds 0
        return self._numbers[np.minimum(_codes(text), len(self._numbers) - 1)]

    def count_unknown(self, text: str) -> int:
        """How many characters of the text are not known."""
        return int(np.count_nonzero(self.encode(text) == 0))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the numbers; ConfigError for a number that is not known."""
        codes = self._codes[check_ids(ids, len(self))]
        return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
