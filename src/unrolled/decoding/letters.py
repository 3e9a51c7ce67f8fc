"""`Letters`: the symbols of a recogniser as the letters that they write, and where words end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Letter 0: a space, which ends a word.
END_OF_WORD = 0


@dataclass(frozen=True)
class Letters:
    """What each symbol writes, whether that is one character, several, or a word.

    Attributes:
        pieces: `(1 + V,)` the text of each symbol, the blank's first.
        between: text between two symbols: " " where each symbol is a word.
    """

    pieces: tuple[str, ...]
    between: str = ""

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The letters that the symbols can write, from 1 on, by their characters."""
        found = sorted({one for piece in self.pieces[1:] for one in piece if not one.isspace()})
        return {one: number for number, one in enumerate(found, start=1)}

    @cached_property
    def of_symbols(self) -> tuple[tuple[int, ...], ...]:
        """The letters of each symbol. A symbol that is a word ends it."""
        after = (END_OF_WORD,) if self.between else ()
        return tuple(
            (*self.spelt(piece), *after) if number else ()
            for number, piece in enumerate(self.pieces)
        )

    @cached_property
    def single_spaces(self) -> bool:
        """Whether each symbol is one letter, so that words are parted by one symbol that only does
        this. Of longer symbols a space may be a part of, a text begins with one and is cut in
        several ways."""
        return not self.between and all(len(one) == 1 for one in self.of_symbols[1:])

    def spelt(self, text: str) -> tuple[int, ...]:
        """The letters of a text, all of which must be among `numbers`."""
        return tuple(END_OF_WORD if one.isspace() else self.numbers[one] for one in text)

    def written(self, text: str) -> str | None:
        """A text as the symbols write it: as it is, in small letters or in capitals, the first that
        can be; None where none can. Recognisers often know one case alone, language models another.
        """
        for form in (text, text.lower(), text.upper()):
            if all(one.isspace() or one in self.numbers for one in form):
                return form
        return None

    @cached_property
    def flat(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The letters of all symbols one after the other, and `(1 + V + 1,)` where each begins."""
        letters = [letter for one in self.of_symbols for letter in one]
        begins = np.cumsum([0, *(len(one) for one in self.of_symbols)])
        # An array of no element has no address.
        return np.array(letters or [0], np.int32), begins.astype(np.int32)
