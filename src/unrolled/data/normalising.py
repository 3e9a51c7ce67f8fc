"""`normalised`: a text as words alone, whoever wrote it and however."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, get_args

from unrolled.errors import ConfigError

# What is done to a text.
Normalise = Literal["none", "plain"]
_APOSTROPHES = re.compile("[\u2019\u02bc\uff07]")
# One that does not stand inside a word.
_OUTSIDE = re.compile(r"(?<![^\W_])'|'(?![^\W_])")


class _Plain(dict[int, str]):
    """For `str.translate`: each mark a space but the apostrophe, all else as it is."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        mark = unicodedata.category(letter)[0] in "PS" and letter != "'"
        self[code] = " " if mark else letter
        return self[code]


_PLAIN = _Plain()


def normalised(text: str, normalise: Normalise) -> str:
    """The text as it is compared and counted, its words with one space between them.

    Args:
        text: what was heard, said or written.
        normalise: "none": nothing else is done. "plain": compatible forms of characters are made
            one (NFKC), letters small, and punctuation and symbols spaces, but for an apostrophe
            inside a word: `Don't stop, U.K.!` is `don't stop u k`.

    Raises:
        ConfigError: an unknown `normalise`.
    """
    if normalise not in get_args(Normalise):
        choices = ", ".join(map(repr, get_args(Normalise)))
        raise ConfigError(f"normalise is {normalise!r}; choose one of {choices}")
    if normalise == "plain":
        text = unicodedata.normalize("NFKC", text).lower()
        text = _OUTSIDE.sub(" ", _APOSTROPHES.sub("'", text)).translate(_PLAIN)
    return " ".join(text.split())
