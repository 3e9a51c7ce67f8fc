"""`Symbols`: transcripts as numbers, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from unrolled.data.tokens import make_tokenizer, tokenizer_from_assets
from unrolled.data.tokens.tokenizer import Tokenizer

BLANK = 0


class Symbols:
    """What the steps of a recogniser may say: characters, subwords or words.

    Number 0, which in a text is an unknown token, is the blank: nothing is said.

    Args:
        tokenizer: of the transcripts.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.kind = tokenizer.kind

    @classmethod
    def learn(cls, texts: Sequence[str], *, kind: str, size: int | None) -> Symbols:
        """From transcripts; at most `size` symbols."""
        lines = (f"{_as_read(kind, one)}\n" for one in texts)
        return cls(make_tokenizer(kind, lines, vocabulary_size=size))

    def __len__(self) -> int:
        return len(self.tokenizer)

    @property
    def pieces(self) -> tuple[str, ...]:
        """What each number writes; "" for the blank."""
        return ("", *self.tokenizer.pieces[1:])

    @property
    def between(self) -> str:
        """What stands between two symbols of a text."""
        return " " if self.kind == "words" else ""

    def encode(self, texts: Iterable[str]) -> list[np.ndarray]:
        """The symbols of each transcript, int64 `(n,)`; what is not known is left out."""
        found = []
        for one in texts:
            numbers = self.tokenizer.encode(_as_read(self.kind, one))
            found.append(numbers[numbers != BLANK])
        return found

    def cut(self, text: str) -> list[int]:
        """The symbols of one transcript, for the data doctor."""
        found: list[int] = self.encode([text])[0].tolist()
        return found

    def unknown(self, text: str) -> int:
        """How many symbols of a text are not known."""
        return self.tokenizer.count_unknown(_as_read(self.kind, text))

    def unknown_of(self, texts: Iterable[str]) -> list[str]:
        """The words (or characters, where symbols are shorter) of transcripts that can't be written
        with what is known, the most frequent first."""
        counts = Counter(one for text in texts for one in self._parts(text))
        return [one for one, _ in counts.most_common() if self.unknown(one)]

    def _parts(self, text: str) -> Iterable[str]:
        return text.split() if self.kind == "words" else text

    def text(self, numbers: Iterable[int]) -> str:
        """What symbols write, with single spaces, as transcripts are read."""
        return " ".join(self.tokenizer.decode(numbers).split())

    def to_assets(self) -> dict[str, Any]:
        """Plain JSON for a model's card."""
        return self.tokenizer.to_assets()

    @classmethod
    def from_assets(cls, assets: dict[str, Any]) -> Symbols:
        """The inverse of `to_assets`."""
        return cls(tokenizer_from_assets(assets))


def _as_read(kind: str, text: str) -> str:
    """One line, with single spaces; of subwords with a space before it, so that the first word is
    the same token as anywhere."""
    line = " ".join(text.split())
    return f" {line}" if kind == "subwords" and line else line
