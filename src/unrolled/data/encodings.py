"""Which encoding the bytes of a file look like, and an error that says how to read them."""

from __future__ import annotations

from os import PathLike

from unrolled.errors import DataError

_SAMPLE = 1 << 20


def decode_text(
    raw: bytes, path: str | PathLike[str], encoding: str = "utf-8", *, ends: bool = True
) -> str:
    """The text of the bytes, without a byte order mark and with `\\n` at the ends of lines.

    Args:
        raw: the bytes.
        path: of the file, for the error.
        encoding: of the bytes.
        ends: False leaves the ends of lines as they stand: a lone `\\r` may be inside a line.

    Raises: DataError that names byte, line, and the encoding that the file looks like, for the
    argument `encoding`; DataError for an encoding that does not exist.
    """
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        bad = raw[error.start] if error.start < len(raw) else 0
        raise DataError(
            f"byte 0x{bad:02x} at offset {error.start} is not {encoding.upper()}: the file looks "
            f"like {looks_like(raw, but=encoding)}; read it with "
            f"encoding={looks_like(raw, but=encoding)!r}, or convert it to UTF-8",
            file=path,
            line=raw.count(b"\n", 0, error.start) + 1,
        ) from None
    except (LookupError, UnicodeError) as error:
        raise DataError(f"can't be read as {encoding} ({error}): name another", file=path) from None
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if ends else text


def looks_like(raw: bytes, but: str = "") -> str:
    """The name of the encoding that the bytes look like, as Python knows it.

    UTF-16 by its mark or its zeros, UTF-8 where all of it is; then by the share of bytes above 127
    among the letters: many are Cyrillic (cp1251), Chinese (gb18030) or Japanese (shift_jis), few
    are western (cp1252; latin-1 where a byte has no meaning in cp1252).

    Args:
        raw: the bytes, of which the first million are looked at.
        but: an encoding that was tried and failed.
    """
    raw = raw[:_SAMPLE]
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    zeros = raw[0::2].count(0), raw[1::2].count(0)
    if max(zeros) * 4 > len(raw):
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    if but.lower().replace("_", "-") not in {"utf-8", "utf8", "utf-8-sig"} and _decodes(
        raw, "utf-8"
    ):
        return "utf-8"
    high = [one for one in raw if one > 127]
    letters = sum(1 for one in raw if chr(one).isalpha() and one < 128)
    if len(high) > letters:
        for name in ("shift_jis", "gb18030"):
            if _decodes(raw, name) and _mostly_wide(raw.decode(name, "ignore")):
                return name
        cyrillic = sum(1 for one in high if one >= 0xC0)
        if cyrillic > 0.8 * len(high):
            return "cp1251"
    return "cp1252" if _decodes(raw, "cp1252") else "latin-1"


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        # the sample may end inside a character
        return len(raw) == _SAMPLE and error.start >= len(raw) - 4
    return True


def _mostly_wide(text: str) -> bool:
    """Whether the letters beyond ASCII are kana or the few thousand common ideographs."""
    beyond = [one for one in text if ord(one) > 127]
    wide = sum(1 for one in beyond if "\u3000" <= one <= "\u9fff")
    kana = sum(1 for one in beyond if "\u3040" <= one <= "\u30ff")
    return wide > 0.9 * len(beyond) and (kana > 0 or all(one < "\uff61" for one in beyond))
