"""Opening what a person names: the bytes of a file, plain or gzipped, and their text."""

from __future__ import annotations

import gzip
import zlib
from os import PathLike
from pathlib import Path

from unrolled.errors import DataError


def read_bytes(path: str | PathLike[str]) -> bytes:
    """The bytes of a file; those inside where the name ends in `.gz`.

    Raises: DataError where there is no such file, it is a folder, or it can't be read.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError("is a folder: name a file in it", file=path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file: check the name and the folder", file=path) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"can't be read ({reason}): check its permissions", file=path) from None
    if path.suffix.lower() != ".gz":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        raise DataError(
            "is not a whole gzip file (damaged, cut short, or only named .gz): fetch it again",
            file=path,
        ) from None


def decode(raw: bytes, path: str | PathLike[str], encoding: str = "utf-8") -> str:
    """The text of the bytes, without a byte order mark and with `\\n` at the ends of lines.

    Raises: DataError that names line and byte where the bytes are not of that encoding.
    """
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise not_decodable(raw, error.start, path, encoding) from None
    except (LookupError, UnicodeError) as error:
        raise DataError(f"can't be read as {encoding} ({error}): name another", file=path) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def not_decodable(
    raw: bytes,
    offset: int,
    path: str | PathLike[str],
    encoding: str = "utf-8",
    before: tuple[int, int] = (0, 0),
) -> DataError:
    """The error for a byte that the encoding does not have.

    Args:
        raw: bytes of the file.
        offset: of the byte in `raw`.
        before: how many bytes, and line ends among them, the file has before `raw`.
    """
    skipped, lines = before
    found = f"byte 0x{raw[offset]:02x} at offset {skipped + offset} is not {encoding.upper()}"
    origin = "LATIN1"
    if not skipped and raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        found += " (the file looks like UTF-16)"
        origin = "UTF-16"
    return DataError(
        f"{found}: convert the file, from {origin} for example with iconv -f {origin} -t UTF-8",
        file=path,
        line=lines + raw.count(b"\n", 0, offset) + 1,
    )
