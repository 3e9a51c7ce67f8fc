"""How words are made of the pieces of a tokenizer: what begins one, writes it on, and ends it."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np

from unrolled.data.tokens.checks import writes_on

UNKNOWN = "\ufffd"
_HIGHEST = chr(0x10FFFF)
_APOSTROPHES = "'\u2019"


class WordPieces:
    """The pieces of a tokenizer, sorted by what they do to a word.

    A word is what stands between spaces and marks of punctuation: letters, digits, accents and
    apostrophes.

    Args:
        tokenizer: of any kind.

    Attributes:
        texts: the text of each piece.
        ends: `(V,)`, whether the piece shows that the word before it is complete.
        goes_on: `(V,)`, whether it writes a word on, and is known.
        begins: `(V,)`, whether it can stand where the next word begins: a word's first piece, with
            or without the space before it, or white space alone.
        solid: of each piece whether it is nothing but characters of one word, and spaces before it:
            what it writes on is a word that is not complete.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.kind: str = tokenizer.kind
        self.lower = bool(getattr(tokenizer, "lower", False))
        self.texts: tuple[str, ...] = tokenizer.pieces
        self.ends = np.array(tokenizer.word_beginnings, dtype=bool)
        known = np.array([bool(text) and UNKNOWN not in text for text in self.texts])
        known[0] = False
        self.ends[0] = False
        self.goes_on = ~self.ends & known
        firsts = [text.lstrip()[:1] for text in self.texts]
        self.solid = [
            bool(word) and all(map(writes_on, word)) for word in map(str.lstrip, self.texts)
        ]
        self.begins = known & np.array([not one or one.isalnum() for one in firsts])
        if self.kind == "words":
            self.begins &= self.ends  # not the tail of a contraction
        self._sorted = sorted(
            (text, number) for number, text in enumerate(self.texts) if known[number]
        )

    def split(self, text: str) -> tuple[str, str, str]:
        """A text that is being typed: what is surely complete, what is not, and the word in it.

        The second part is to be read anew with what comes: a subword tokenizer writes " king" as
        one piece, but " ki" as others. For characters it is empty.
        """
        cut = len(text)
        while cut and writes_on(text[cut - 1]):
            cut -= 1
        typed = text[cut:]
        if self.kind == "characters":
            return text, "", typed
        if self.kind == "subwords" and text[:cut].endswith(" "):
            cut -= 1
        head, rest = text[:cut], text[cut:]
        return head, rest.lower() if self.lower else rest, typed

    def inside(self, rest: str, begun: bool) -> list[tuple[int, str]]:
        """Pieces that `rest` begins with, and what is left of it after each; `begun`: a part of
        the word stands before them."""
        may = self.goes_on if begun else self.begins
        found = []
        for length in range(1, len(rest) + 1):
            place = bisect_left(self._sorted, (rest[:length], -1))
            while place < len(self._sorted) and self._sorted[place][0] == rest[:length]:
                if may[self._sorted[place][1]]:
                    found.append((self._sorted[place][1], rest[length:]))
                place += 1
        return found

    def beyond(self, rest: str, begun: bool) -> np.ndarray:
        """Pieces that begin with `rest` and go further."""
        may = self.goes_on if begun else self.begins
        low = bisect_left(self._sorted, (rest, len(self.texts)))
        high = bisect_left(self._sorted, (rest + _HIGHEST, -1))
        numbers = np.array([number for _, number in self._sorted[low:high]], dtype=np.int64)
        return numbers[may[numbers]]

    def parse(self, text: str) -> tuple[str, bool]:
        """The word that a text begins with, after white space, and whether it is complete."""
        text = text.lstrip()
        length = 0
        while length < len(text) and writes_on(text[length]):
            length += 1
        return text[:length], length < len(text)


def trimmed(word: str) -> str:
    """A word without the quotation marks that may stand behind it."""
    return word.rstrip(_APOSTROPHES)
