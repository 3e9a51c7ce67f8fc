"""What `predict` reads and writes for texts: a file of them, or standard input line by line."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from unrolled.errors import ConfigError, DataError

STREAM = "-"
# Texts that are answered at once where they do not come one by one.
TOGETHER = 256
_CHUNK = 1 << 16
LINES = (".txt", ".txt.gz", ".md")


def lines_of(source: str) -> Iterator[str]:
    """The lines of standard input as they come, or of a text file; empty ones are left out."""
    if source == STREAM:
        found: Iterable[str] = typed_lines()
    else:
        from unrolled.data.text import read_text

        found = read_text(source).split("\n")
    return (line for line in found if line.strip())


def standard_input() -> TextIO:
    """Standard input.

    Raises:
        ConfigError: it is closed.
    """
    if sys.stdin is None:
        raise ConfigError("standard input is closed: give a file, or pipe lines in")
    return sys.stdin


def is_conversation() -> bool:
    """Whether a person types what is read, and reads what is written."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def conversing(talks: bool) -> Iterator[None]:
    """Ctrl-C ends a conversation, and is no failure there."""
    try:
        yield
    except KeyboardInterrupt:
        if not talks:
            raise
        print()
        raise typer.Exit from None


@contextmanager
def told_while(what: str, talks: bool) -> Iterator[None]:
    """In a conversation, a line that is there as long as something takes."""
    if talks:
        print(f"{what} ...", end="", flush=True)
    try:
        yield
    finally:
        if talks:
            print("\r\x1b[K", end="", flush=True)


def typed_lines() -> Iterator[str]:
    """The lines of standard input as they come, which are UTF-8 as all texts are.

    Raises:
        DataError: other bytes, with the line.
    """
    return (line for lines in arriving_lines() for line in lines)


def first_bytes() -> bytes:
    """What stands on standard input first, as soon as it is there; none at its end."""
    source: Any = standard_input().buffer
    found: bytes = source.read1(_CHUNK)
    return found


def arriving_lines(first: bytes | None = None) -> Iterator[list[str]]:
    """The same, all that are there at once: one that is typed, or many of a pipe.

    Args:
        first: what `first_bytes` has read of it; None: it has read nothing.
    """
    rest, number = b"", 0
    source: Any = standard_input().buffer
    chunk = first_bytes() if first is None else first
    while chunk:
        *whole, rest = (rest + chunk).split(b"\n")
        if whole:
            yield from _decoded(whole, number)
        number += len(whole)
        chunk = source.read1(_CHUNK)
    if rest:
        yield from _decoded([rest], number)


def _decoded(lines: Sequence[bytes], before: int) -> Iterator[list[str]]:
    """Their texts; those before one that is none come before the error."""
    texts: list[str] = []
    for number, line in enumerate(lines, start=before + 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            yield texts
            raise DataError(
                f"byte 0x{line[error.start]:02x} is not UTF-8: convert it on its way, such as with"
                " `iconv -f latin1 -t UTF-8`",
                file="standard input",
                line=number,
            ) from error
        texts.append(text.rstrip("\r\n"))
    yield texts


def is_lines(source: str) -> bool:
    """Whether it holds a text a line: standard input, or a plain text file."""
    return source == STREAM or source.lower().endswith(LINES)


def one_of(text: str | None, source: str | None, what: str) -> None:
    """Either `--text` or INPUT."""
    if (text is None) == (source is None):
        raise ConfigError(f"{what}: give INPUT (a file, or - for standard input) or --text")


def batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """The texts, some at once."""
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class Rows:
    """Rows of CSV, each written out when it comes.

    Args:
        columns: names of the columns.
        out: a file that is complete or not there; None: standard output.
    """

    def __init__(self, columns: Sequence[str], out: Path | None) -> None:
        self._columns, self._out = columns, out

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """All rows, in order."""
        if self._out is None:
            self._rows(sys.stdout, rows, sys.stdout.flush)
            return
        from unrolled.writing import replacing

        with replacing(self._out) as aside, aside.open("w", encoding="utf-8", newline="") as file:
            self._rows(file, rows, lambda: None)

    def _rows(self, file: Any, rows: Iterable[Sequence[Any]], after: Callable[[], None]) -> None:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self._columns)
        for row in rows:
            writer.writerow([f"{one:z.4f}" if isinstance(one, float) else one for one in row])
            after()
