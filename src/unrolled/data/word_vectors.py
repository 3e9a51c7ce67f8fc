"""`read_word_vectors`: the vectors of some words out of a file of many, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import IO

import numpy as np

from unrolled.errors import DataError

_LOOK = 1 << 16


@dataclass(frozen=True)
class WordVectors:
    """Vectors of words, as `read_word_vectors` found them.

    Attributes:
        words: `n` words as they were asked for.
        vectors: float32 `(n, E)`.
        lowered: of `words`, how many were found only in lower case.
        lines: how many words the file holds.
        name: of the file.
    """

    words: tuple[str, ...]
    vectors: np.ndarray
    lowered: int = 0
    lines: int = 0
    name: str = "vectors"

    def __len__(self) -> int:
        return len(self.words)

    def __str__(self) -> str:
        return f"{len(self):,} of {self.lines:,} vectors of {self.size} numbers from {self.name}"

    @property
    def size(self) -> int:
        """`E`: numbers a vector."""
        return int(self.vectors.shape[1])

    def matrix(self, words: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """The vector of each of `V` words: float32 `(V, E)`, zeros for a word without; and bool
        `(V,)`, which have one.
        """
        wanted = list(words)
        rows = {word: row for row, word in enumerate(self.words)}
        places = np.array([rows.get(word, -1) for word in wanted], dtype=np.int64)
        there = places >= 0
        found = np.zeros((len(wanted), self.size), dtype=np.float32)
        found[there] = self.vectors[places[there]]
        return found, there


def read_word_vectors(path: str | PathLike[str], words: Iterable[str]) -> WordVectors:
    """The vectors of these words from a file in text form (GloVe, word2vec, fastText's .vec).

    A word a line, then its `E` numbers, separated by spaces or tabs; a first line "count E" is
    taken for a header. The file is read line by line and only the wanted words are kept, so that
    memory is that of `words`. A word that is not there is looked for in lower case; of a word that
    stands twice the first counts.

    Args:
        path: the file, UTF-8; `.gz` too.
        words: those that are wanted.

    Raises: DataError with the line that has another count of numbers, or one that is not finite;
    for the binary form; for a file that is shorter than its header says; where none of the words is
    there.
    """
    path = Path(path)
    wanted: dict[bytes, str] = {word.encode("utf-8", "replace"): word for word in words}
    if not wanted:
        raise DataError("no word was asked for: give the words of a tokenizer", file=path)
    lowered: dict[bytes, list[bytes]] = {}
    for key, word in wanted.items():
        lower = word.lower().encode("utf-8", "replace")
        if lower != key:
            lowered.setdefault(lower, []).append(key)
    found: dict[bytes, np.ndarray] = {}
    found_lower: dict[bytes, np.ndarray] = {}
    with closing(_open(path)) as file:
        size, count, lines, first = _begin(file, path)
        read = 0
        for number, line in enumerate(lines, first):
            head = line.split(None, 1)
            if not head:
                continue
            read += 1
            if head[0] not in wanted and head[0] not in lowered:
                continue
            parts = line.rstrip().rsplit(None, size)
            if len(parts) <= size or _all_numbers(parts[0].split()[1:]):
                found_numbers = len(line.split()) - 1
                raise DataError(
                    f"has {found_numbers} numbers where the first word has {size}: the file is "
                    "damaged, fetch it again",
                    file=path,
                    line=number,
                )
            vector = _numbers(parts[1:], path, number)
            if parts[0] in wanted:
                found.setdefault(parts[0], vector)
            if parts[0] in lowered:
                found_lower.setdefault(parts[0], vector)
    if count is not None and read < count:
        raise DataError(
            f"holds {read:,} words where its first line says {count:,}: it was cut short, fetch it "
            "again",
            file=path,
        )
    only_lower = 0
    for lower, vector in found_lower.items():
        for key in lowered[lower]:
            if key not in found:
                found[key] = vector
                only_lower += 1
    if not found:
        raise DataError(
            f"holds none of the {len(wanted):,} words that were asked for: is it of another "
            "language?",
            file=path,
        )
    keys = [key for key in wanted if key in found]
    return WordVectors(
        tuple(wanted[key] for key in keys),
        np.stack([found[key] for key in keys]),
        only_lower,
        read,
        path.name,
    )


def _open(path: Path) -> IO[bytes]:
    if path.is_dir():
        raise DataError("is a folder: name a file of word vectors", file=path)
    try:
        if path.suffix.lower() == ".gz":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        return open(path, "rb")
    except FileNotFoundError:
        raise DataError("there is no such file: check the name and the folder", file=path) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"can't be read ({reason}): check its permissions", file=path) from None


def _begin(file: IO[bytes], path: Path) -> tuple[int, int | None, Iterator[bytes], int]:
    """`E`, the header's count, the lines after the header, and the number of the first of them."""
    lines = _lines(file, path)
    first = next(lines, b"")
    second = next(lines, b"")
    if not first.strip():
        raise DataError("is empty or begins with a blank line: fetch it again", file=path, line=1)
    if first[:2] == b"PK" or b"\x00" in first + second:
        kind = "a zip archive: unpack it" if first[:2] == b"PK" else "the binary form: convert it"
        raise DataError(f"is {kind} and give a file of text, a word a line", file=path)
    cells = first.split()
    if len(cells) == 2 and all(one.isdigit() for one in cells) and len(second.split()) != 2:
        return int(cells[1]), int(cells[0]), chain([second], lines), 2
    size = len(cells) - 1
    if size < 1:
        raise DataError(
            "the first line has no numbers: expected a word and its vector a line",
            file=path,
            line=1,
        )
    _numbers(cells[1:], path, 1)
    return size, None, chain([first, second], lines), 1


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        # what has no line end for long is no file of text
        while line := file.readline(_LOOK):
            if len(line) == _LOOK and not line.endswith(b"\n"):
                if b"\x00" not in line:
                    line += file.readline(1 << 24)
                else:
                    yield line
                    return
            yield line
    except (OSError, EOFError, zlib.error):
        raise DataError(
            "is not a whole gzip file (damaged, cut short, or only named .gz): fetch it again",
            file=path,
        ) from None


def _all_numbers(cells: list[bytes]) -> bool:
    """Whether there are numbers left beyond `E`; "at the" is one word of a file, and no number."""
    try:
        return len([float(one) for one in cells]) > 0
    except ValueError:
        return False


def _numbers(cells: list[bytes], path: Path, line: int) -> np.ndarray:
    try:
        vector = np.array([float(one) for one in cells], dtype=np.float32)
    except ValueError:
        raise DataError(
            "holds something that is no number: expected a word and its vector a line",
            file=path,
            line=line,
        ) from None
    if not np.isfinite(vector).all():
        raise DataError("holds a number that is not finite: fetch it again", file=path, line=line)
    return vector
