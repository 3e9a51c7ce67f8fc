"""Plain text and its characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from unrolled.data.files import decode, read_bytes
from unrolled.errors import ConfigError, DataError

UNKNOWN = "\ufffd"


def read_text(
    source: str | PathLike[str] | Sequence[str | PathLike[str]], encoding: str = "utf-8"
) -> str:
    """The text of a file, of several, or of all `.txt` files of a folder.

    Args:
        source: a text file (gzipped where its name ends in `.gz`), a folder, whose `.txt` and
            `.txt.gz` files are joined in the order of their names, or a list of such.
        encoding: of the files.

    Returns:
        the text with `\\n` at the ends of lines and no byte order mark; files are joined by a
        newline where the one before ends without.

    Raises: DataError for a missing or empty file, a folder without text, or bytes of another
    encoding (with line and offset).
    """
    if isinstance(source, (str, PathLike)):
        source = [source]
    if not source:
        raise ConfigError("no text file was named: give at least one")
    parts = []
    for path in (file for one in source for file in _files(Path(one))):
        text = decode(read_bytes(path), path, encoding)
        if not text.strip():
            raise DataError("holds no text: leave it out or fill it", file=path)
        parts.append(text)
    return "".join(
        part if part.endswith("\n") or last else part + "\n"
        for part, last in zip(parts, [*[False] * (len(parts) - 1), True], strict=True)
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(
        file for file in path.iterdir() if file.name.lower().endswith((".txt", ".txt.gz"))
    )
    if not files:
        raise DataError("there is no .txt file in this folder: name the files", file=path)
    return files


class Vocabulary:
    """The characters that a model knows, each with its number.

    Number 0 is the unknown symbol U+FFFD, which every other character becomes.

    Args:
        symbols: characters, the unknown symbol first (as `symbols` and `to_list` give them).
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols: tuple[str, ...] = tuple(symbols)
        bad = [one for one in self.symbols if len(one) != 1]
        if bad or self.symbols[:1] != (UNKNOWN,) or len(set(self.symbols)) != len(self.symbols):
            raise ConfigError(
                "a vocabulary is a list of different single characters that begins with U+FFFD: "
                "make one with Vocabulary.from_text"
            )
        self._codes = codes = _codes("".join(self.symbols))
        # one number for each code point up to the largest known, 0 for those in between
        self._numbers = np.zeros(int(codes.max()) + 2, dtype=np.int64)
        self._numbers[codes] = np.arange(len(codes))

    @classmethod
    def from_text(cls, text: str) -> Vocabulary:
        """The characters of a text, in the order of their code points."""
        return cls((UNKNOWN, *sorted(set(text) - {UNKNOWN})))

    @classmethod
    def from_list(cls, symbols: Sequence[str]) -> Vocabulary:
        """What `to_list` gave."""
        return cls(symbols)

    def to_list(self) -> list[str]:
        """The symbols as a list, for a model's card."""
        return list(self.symbols)

    def __len__(self) -> int:
        return len(self.symbols)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.symbols[1:]

    def encode(self, text: str) -> list[int]:
        """The number of each character; 0 for an unknown one."""
        return self.encode_array(text).tolist()

    def encode_array(self, text: str) -> np.ndarray:
        """As `encode`, int64 `(len(text),)`, for long texts."""
        # every code beyond the table falls on its last place, which holds 0
        return self._numbers[np.minimum(_codes(text), len(self._numbers) - 1)]

    def count_unknown(self, text: str) -> int:
        """How many characters of the text are not in the vocabulary."""
        return int(np.count_nonzero(self.encode_array(text) == 0))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the numbers; ConfigError for a number that the vocabulary does not have."""
        numbers = np.asarray(ids if hasattr(ids, "__len__") else list(ids), dtype=np.int64)
        outside = numbers[(numbers < 0) | (numbers >= len(self))]
        if outside.size:
            raise ConfigError(
                f"symbol {outside.flat[0]} is not in this vocabulary of {len(self)} symbols"
            )
        return self._codes[numbers.reshape(-1)].tobytes().decode("utf-32-le", "surrogatepass")


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
