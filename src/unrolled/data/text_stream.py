"""A text file read piece by piece, so that one larger than memory can be read."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from io import IncrementalNewlineDecoder
from os import PathLike
from pathlib import Path
from typing import IO, cast

from unrolled.data.files import not_decodable
from unrolled.errors import DataError

_BLOCK = 1 << 18


def stream_text(path: str | PathLike[str], encoding: str = "utf-8") -> Iterator[str]:
    """The text of a file (gzipped where its name ends in `.gz`) in parts of up to 256 kB.

    Joined, they are what `read_text` gives: `\\n` at the ends of lines and no byte order mark.

    Raises: DataError as `read_text`, at the part where the fault is.
    """
    path = Path(path)
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise DataError(f"can't be read as {encoding} ({error}): name another", file=path) from None
    lines = IncrementalNewlineDecoder(None, translate=True)
    before, newlines, first = 0, 0, True
    for block in _blocks(path):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # what the decoder kept of the blocks before stands first in what it failed at
            kept = len(error.object) - len(block)
            raise not_decodable(
                bytes(error.object), error.start, path, encoding, (before - kept, newlines)
            ) from None
        except UnicodeError as error:
            raise DataError(
                f"can't be read as {encoding} ({error}): name another", file=path
            ) from None
        before += len(block)
        newlines += block.count(b"\n")
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        if text := lines.decode(text, final=not block):
            yield text


def stream_lines(path: str | PathLike[str], encoding: str = "utf-8") -> Iterator[str]:
    """The lines of a file, each with the `\\n` that ends it; errors as of `stream_text`."""
    rest = ""
    for part in stream_text(path, encoding):
        *whole, rest = (rest + part).split("\n")
        for line in whole:
            yield line + "\n"
    if rest:
        yield rest


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in blocks, an empty one last."""
    if path.is_dir():
        raise DataError("is a folder: name a file in it", file=path)
    zipped = path.suffix.lower() == ".gz"
    try:
        with _opened(path, zipped) as file:
            while block := file.read(_BLOCK):
                yield block
    except FileNotFoundError:
        raise DataError("there is no such file: check the name and the folder", file=path) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DataError(
            "is not a whole gzip file (damaged, cut short, or only named .gz): fetch it again",
            file=path,
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"can't be read ({reason}): check its permissions", file=path) from None
    yield b""


def _opened(path: Path, zipped: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb") if zipped else path.open("rb"))
