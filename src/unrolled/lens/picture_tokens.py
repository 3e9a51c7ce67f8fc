"""A text on a grid of columns and lines: where each step's letters stand, and what is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from unrolled.lens.picture_file import cut

_VISIBLE = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"}
LONGEST = 60
# Columns of a line: as many as the longest line of the text has, within these.
NARROW, WIDE = 64, 100


class Piece(NamedTuple):
    """What stands of a step in one line."""

    step: int
    line: int
    column: int
    columns: int
    text: str


def shown_token(token: str) -> str:
    """A token as it is drawn alone: blanks become signs, others one space."""
    if token in _VISIBLE:
        return _VISIBLE[token]
    blank = not token.strip()
    words = token if blank else " ".join(token.split())
    return cut("".join(_sign(one, blank) for one in words), LONGEST)


def pieces_of(texts: Sequence[str], joined: bool) -> list[str]:
    """Each token as it stands alone: without the space before it, and with a hyphen where it goes
    on with the word before. The page does the same in `web/src/trace/words.ts`."""
    if not joined or all(len(text) <= 1 for text in texts):
        return [shown_token(text) for text in texts]
    found = []
    for text, before in zip(texts, ("", *texts), strict=False):
        goes_on = bool(before and text) and before[-1].isalnum() and text[0].isalnum()
        found.append(shown_token(f"\N{HYPHEN}{text}" if goes_on else text.strip() or text))
    return found


def columns_of(text: str) -> int:
    """Letters of East Asia are two columns wide, marks above a letter none."""
    return sum(map(_width, text))


def laid_out(inputs: Sequence[str], joined: bool) -> tuple[list[Piece], int]:
    """All pieces in reading order, and how many columns a line has.

    A text of letters, or of `joined` slices, has the lines that it was written in; the sign of a
    line break ends each, since it is a step too. Other tokens stand a column apart. What is longer
    than a line goes on in the next.
    """
    apart = not joined and any(len(token) > 1 for token in inputs)
    tokens = [_parts(token, apart) for token in inputs]
    columns = min(max(_longest(tokens, apart), NARROW), WIDE)
    found, line, column = [], 0, 0
    for step, parts in enumerate(tokens):
        for part, ends in parts:
            # A token goes to the next line whole; only one that is longer than a line is cut.
            for text in _slices(part, columns):
                room = _room(text)
                if column + room > columns:
                    line, column = line + 1, 0
                found.append(Piece(step, line, column, room, text))
                column += room
            if ends:
                line, column = line + 1, 0
        column += apart and column > 0
    return found, columns


def _parts(token: str, apart: bool) -> list[tuple[str, bool]]:
    """The token by its lines: what is shown, and whether a line ends with it."""
    if apart:
        return [(shown_token(token), token == "\n")]
    *whole, last = token.split("\n")
    lines = [(f"{line}\n", True) for line in whole]
    if last or not whole:
        lines.append((last, False))
    return [("".join(_sign(one, False) for one in line), ends) for line, ends in lines]


def _longest(tokens: Sequence[Sequence[tuple[str, bool]]], apart: bool) -> int:
    longest = column = 0
    for parts in tokens:
        for text, ends in parts:
            longest = max(longest, column + _room(text))
            column = 0 if ends else column + _room(text) + apart
    return longest


def _slices(text: str, columns: int) -> list[str]:
    """The text, cut where a line is full."""
    found = [""]
    for letter in text:
        if columns_of(found[-1] + letter) > columns:
            found.append("")
        found[-1] += letter
    return found


def _room(text: str) -> int:
    """Every step is seen, that of a mark above a letter too."""
    return max(1, columns_of(text))


def _sign(letter: str, blank: bool) -> str:
    """What is drawn of a letter; what can't be written into a picture is a sign, too."""
    if letter == " ":
        return _VISIBLE[letter] if blank else letter
    if unicodedata.category(letter) in ("Cc", "Cs"):
        return _VISIBLE.get(letter, "\N{REPLACEMENT CHARACTER}")
    return letter


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
