"""Plain text from files."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from unrolled.data.files import decode, read_bytes
from unrolled.errors import ConfigError, DataError


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
    for path in (file for one in source for file in text_files(Path(one))):
        text = decode(read_bytes(path), path, encoding)
        if not text.strip():
            raise DataError("holds no text: leave it out or fill it", file=path)
        parts.append(text)
    return "".join(
        part if part.endswith("\n") or last else part + "\n"
        for part, last in zip(parts, [*[False] * (len(parts) - 1), True], strict=True)
    )


def text_files(path: Path) -> list[Path]:
    """The file itself, or the `.txt` and `.txt.gz` files of a folder in the order of their names.

    Raises: DataError for a folder without any.
    """
    if not path.is_dir():
        return [path]
    files = sorted(
        file for file in path.iterdir() if file.name.lower().endswith((".txt", ".txt.gz"))
    )
    if not files:
        raise DataError("there is no .txt file in this folder: name the files", file=path)
    return files
