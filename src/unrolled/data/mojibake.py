"""Text that was read with the wrong encoding: how it shows, and what it was.

UTF-8 read as Windows-1252 shows an é as "Ã©" and an apostrophe as "â€™"; Windows-1252 read as
Latin-1 leaves control characters (U+0080 to U+009F) in place of dashes and quotation marks. Both
can be turned back. U+FFFD stands where a byte was lost for good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# The character that each byte from 0x80 to 0xff is in Windows-1252; the five bytes that it does not
# have are control characters, as browsers read them.
_HIGH = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)]
_BYTES = {char: byte for byte, char in enumerate(_HIGH, 0x80)}
_BYTES |= {chr(byte): byte for byte in range(0x80, 0xA0)}

# What follows the first byte of a character in UTF-8, as Windows-1252 shows it.
_FOLLOWS = "[" + "".join(sorted({*_HIGH[:0x40], *map(chr, range(0x80, 0xC0))})) + "]"
# A quotation mark after a capital Ä or Å is German or Swedish, not damage.
_NO_QUOTE = "(?![\u2018-\u203a\u00ab\u00bb\u00a0])"
_DAMAGE = re.compile(
    f"(?:[ÂÃ]{_FOLLOWS}|[ÄÅ]{_NO_QUOTE}{_FOLLOWS}|(?:[ÐÑ]{_FOLLOWS}){{2,}}"
    f"|â[€\x80\x82\u201a]{_FOLLOWS}|ð[Ÿ\x9f]{_FOLLOWS}{{2}}|[\x80-\x9f])+"
)
_AROUND = re.compile(r"\S{0,20}$"), re.compile("(?:[ÂÃ]\u00a0|\\S){0,20}")


@dataclass(frozen=True)
class Damage:
    """A word that was read with the wrong encoding.

    Attributes:
        kind: "misread" (UTF-8 as Windows-1252), "control" (Windows-1252 as Latin-1), or "lost".
        word: as it stands there.
        repaired: what it likely was; the same word where a character was lost.
    """

    kind: Literal["misread", "control", "lost"]
    word: str
    repaired: str


def damage(text: str) -> Damage | None:
    """The first word of a text that was read with the wrong encoding; None where it looks sound."""
    if text.isascii():
        return None
    for match in _DAMAGE.finditer(text):
        found = match.group()
        if _repaired(match) != found:
            control = all("\x80" <= char <= "\x9f" for char in found)
            kind: Literal["misread", "control"] = "control" if control else "misread"
            return Damage(kind, *_word(text, match.start(), match.end()))
    lost = text.find("\ufffd")
    return Damage("lost", *_word(text, lost, lost + 1)) if lost >= 0 else None


def repair_encoding(text: str) -> str:
    """The text with what was read with the wrong encoding turned back; what is sound stays.

    >>> repair_encoding("CafÃ© dÃ©jÃ\\xa0 vu")
    'Café déjà vu'
    """
    return text if text.isascii() else _DAMAGE.sub(_repaired, text)


def _repaired(match: re.Match[str]) -> str:
    found = match.group()
    raw = bytes(_BYTES[char] for char in found)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # control characters alone: Windows-1252 that was read as Latin-1
    return "".join(_HIGH[ord(char) - 0x80] if "\x80" <= char <= "\x9f" else char for char in found)


def _word(text: str, start: int, end: int) -> tuple[str, str]:
    before, after = _AROUND
    left, right = before.search(text[:start]), after.match(text[end:])
    assert left is not None
    assert right is not None
    word = left.group() + text[start:end] + right.group()
    return word, repair_encoding(word)
