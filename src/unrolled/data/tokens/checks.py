"""What all tokenizers check and share."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from operator import index
from typing import Any

import numpy as np

from unrolled.errors import ConfigError

UNKNOWN = "\ufffd"
# Which of the characters that are no letter or digit may stand inside a word.
_INSIDE_WORDS = frozenset("'\u2019\u00ad\u200c\u200d" + UNKNOWN)


def check_ids(ids: Any, size: int) -> np.ndarray:
    """The ids as int64 `(n,)`, or ConfigError for one outside the vocabulary."""
    numbers = np.asarray(ids if hasattr(ids, "__len__") else list(ids), dtype=np.int64).reshape(-1)
    outside = numbers[(numbers < 0) | (numbers >= size)]
    if outside.size:
        raise ConfigError(f"token {outside[0]} is not in this vocabulary of {size} tokens")
    return numbers


def check_number(name: str, value: Any, least: int) -> int:
    """`value` as an int of at least `least`, or ConfigError with the option's name."""
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ConfigError(f"{name}={value!r} is not possible: give a whole number from {least} on")
    return number


def writes_on(character: str) -> bool:
    """Whether a character that follows a word belongs to it: letters, digits, accents, `'`."""
    return (
        character.isalnum()
        or character in _INSIDE_WORDS
        or unicodedata.category(character).startswith("M")
    )


def word_beginnings(pieces: Iterable[str]) -> np.ndarray:
    """Of each piece whether its first character ends the word before it, bool `(V,)`."""
    return np.array([not piece or not writes_on(piece[0]) for piece in pieces], dtype=bool)


def first_of(pieces: Iterable[str], characters: int) -> Iterator[str]:
    """Pieces up to about this many characters together."""
    for piece in pieces:
        yield piece
        characters -= len(piece)
        if characters <= 0:
            return
