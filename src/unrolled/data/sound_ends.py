"""Whether a file of sound holds all the bytes that its beginning promises.

libsndfile reads a file that was cut short as far as it goes, and says nothing.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

# A program that writes to a pipe can't go back to say how much there was, and says about the most.
_UNKNOWN = 0x7FFF0000
_CHUNKED = {b"RIFF": "<", b"RIFX": ">", b"FORM": ">"}
_SAMPLES = (b"data", b"SSND")
# A page of Ogg has 65,307 bytes at most, so the last one begins in these.
_PAGE = 1 << 16
_LAST_PAGE = 0x04


def missing_share(path: Path) -> float:
    """The share of the samples' bytes that the header promises and that are not there: of wav,
    aiff and au; 0 of others, and where the header does not know."""
    with open(path, "rb") as file:
        there = file.seek(0, 2)
        file.seek(0)
        first = file.read(4)
        if first in _CHUNKED:
            begin, promised = _samples_chunk(file, _CHUNKED[first])
        elif first == b".snd":
            begin, promised = struct.unpack(">II", file.read(8).ljust(8, b"\0"))
        else:
            return 0.0
    if not 0 < promised < _UNKNOWN:
        return 0.0
    return max(0.0, 1 - max(0, there - begin) / promised)


def lacks_last_page(path: Path) -> bool:
    """Whether a file of Ogg (Vorbis, Opus) ends before the page that is marked as its last."""
    with open(path, "rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, file.seek(0, 2) - _PAGE))
        tail = file.read()
    at = tail.rfind(b"OggS")
    return at < 0 or len(tail) < at + 6 or not tail[at + 5] & _LAST_PAGE


def _samples_chunk(file: BinaryIO, order: str) -> tuple[int, int]:
    """Where the samples begin, and how many bytes of them are promised; (0, 0) where no chunk of
    samples is found."""
    file.seek(12)
    while len(head := file.read(8)) == 8:
        size = struct.unpack(f"{order}4xI", head)[0]
        if head[:4] in _SAMPLES:
            return file.tell(), size
        file.seek(size + size % 2, 1)  # chunks begin at even bytes
    return 0, 0
