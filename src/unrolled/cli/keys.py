"""Keys as they are pressed: a terminal read key by key, and put back as it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Keys that are no characters, by the names that the verbs know them by.
TAB, ENTER, BACK, WORD_BACK, NEXT, PREVIOUS, END = (
    "tab", "enter", "back", "word back", "next", "previous", "end",
)  # fmt: skip
_SINGLE = {
    "\t": TAB, "\r": ENTER, "\n": ENTER, "\x7f": BACK, "\x08": BACK, "\x17": WORD_BACK,
    "\x03": END, "\x04": END,
}  # fmt: skip
# What an arrow sends after ESC [ or ESC O: right and down, left and up.
_ARROWS = {"C": NEXT, "B": NEXT, "D": PREVIOUS, "A": PREVIOUS}


def decoded(read: Callable[[], str]) -> Iterator[tuple[str, bool]]:
    """Keys from characters.

    Args:
        read: the next character; "" where there will be no more.

    Yields:
        `(text, True)` for a character that was typed, `(name, False)` for another key; one that is
        not known is passed over.
    """
    while character := read():
        if character in _SINGLE:
            yield _SINGLE[character], False
        elif character == "\x1b":
            name = _escape(read)
            if name is not None:
                yield name, False
        elif character.isprintable():
            yield character, True


def _escape(read: Callable[[], str]) -> str | None:
    """The key of a sequence after ESC; None for one that means nothing here."""
    if read() not in ("[", "O"):
        return None
    last = read()
    while last and (last.isdigit() or last in ";?"):
        last = read()
    return _ARROWS.get(last)


@contextmanager
def raw_terminal() -> Iterator[Callable[[], str]]:
    """Standard input key by key, without echo; inside, Ctrl-C is a key as any other.

    Yields:
        a function that waits for the next character and gives it; "" at the end of the input.
    """
    if os.name == "nt":
        import msvcrt

        yield msvcrt.getwch  # type: ignore[attr-defined]
        return
    import codecs
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    def read() -> str:
        # Byte by byte: a character of several bytes is complete when its decoder says so.
        while byte := os.read(number, 1):
            character = decode(byte)
            if character:
                return character
        return ""

    try:
        # Not setraw: output keeps its newlines. Ctrl-C comes as a key, so that the end is tidy.
        tty.setcbreak(number, termios.TCSADRAIN)  # what was typed already is kept
        changed = termios.tcgetattr(number)
        changed[3] &= ~termios.ISIG
        termios.tcsetattr(number, termios.TCSANOW, changed)
        yield read
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
