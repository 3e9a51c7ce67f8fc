"""Tables of which each row is a document, row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from unrolled.data.text_stream import stream_lines
from unrolled.errors import DataError

TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".jsonl", ".jsonl.gz")
# What a column of texts is usually called, the likeliest first.
_NAMES = (
    "text",
    "review",
    "sentence",
    "content",
    "document",
    "tweet",
    "message",
    "comment",
    "body",
)
_ROWS_TO_GUESS_BY = 50
_LINES_TO_JUDGE_BY = 1000
_LONGEST_CELL = 1 << 24


def is_table(path: Path) -> bool:
    """Whether the file's name says that it is a table."""
    return path.name.lower().endswith(TABLES)


def stream_table(
    path: Path, text_column: str | None, encoding: str = "utf-8"
) -> Iterator[tuple[str, str]]:
    """For each row the name of the column and the text; rows without text are left out.

    Args:
        path: a table with names in its first line (JSON lines: an object a line).
        text_column: which column; None: one that is called so, else the one with the longest cells.
        encoding: of the file.

    Raises: DataError with file and line for what can't be read, or a column that is not there.
    """
    name = path.name.lower().removesuffix(".gz")
    lines = stream_lines(path, encoding)
    rows = _objects(lines, path) if name.endswith(".jsonl") else _cells(lines, path, name)
    first = list(islice(rows, _ROWS_TO_GUESS_BY))
    if not first:
        raise DataError("has no rows: give a table with texts", file=path)
    columns = list(dict.fromkeys(key for _, row in first for key in row))
    column = text_column if text_column is not None else _guess(columns, [row for _, row in first])
    if column not in columns:
        raise DataError(
            f"there is no column {column!r}, only {', '.join(map(repr, columns))}: name one of"
            " these with text_column=",
            file=path,
        )
    for line, row in chain(first, rows):
        text = row.get(column)
        if text is not None and not isinstance(text, str):
            raise DataError(
                f"holds {type(text).__name__} and no text: name the column of texts with"
                " text_column=",
                file=path,
                line=line,
                column=column,
            )
        if text and not text.isspace():
            yield column, text


def _guess(columns: list[str], rows: list[dict[str, Any]]) -> str:
    lower = {column.lower().strip(): column for column in reversed(columns)}
    for name in _NAMES:
        if name in lower:
            return lower[name]

    def length(column: str) -> int:
        cells = (row.get(column) for row in rows)
        return sum(len(cell) for cell in cells if isinstance(cell, str))

    return max(columns, key=length)


def _objects(lines: Iterable[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            said = str(error).split(": line")[0]
            raise DataError(f"is no JSON ({said})", file=path, line=number) from None
        if not isinstance(row, dict):
            raise DataError(
                f"got a JSON {type(row).__name__}, expected an object with a text in it",
                file=path,
                line=number,
            )
        yield number, row


def _cells(lines: Iterator[str], path: Path, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    first = list(islice(lines, _LINES_TO_JUDGE_BY))
    if not first:
        return
    separator = "\t" if name.endswith(".tsv") else max(",;\t", key=first[0].count)
    quoted = not (separator == "\t" and _bare_quotes(first))
    # Without this, cells of more than 131,072 characters are refused, and texts may be longer.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    reader = csv.reader(
        chain(first, lines),
        delimiter=separator,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    header, line = next(reader), 0
    try:
        while (line := reader.line_num + 1) and (cells := next(reader, None)) is not None:
            if len(cells) > len(header):
                raise DataError(
                    f"has {len(cells)} cells where the header has {len(header)}: put quotation"
                    " marks around text that holds the separator",
                    file=path,
                    line=line,
                )
            yield line, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        told = f"can't be read ({error})"
        if "field limit" in str(error):
            told = (
                f"a cell is longer than {_LONGEST_CELL:,} characters: a quotation mark is opened"
                " here and never closed, or the text belongs in a file of its own"
            )
        raise DataError(told, file=path, line=line) from None


def _bare_quotes(lines: list[str]) -> bool:
    """Whether quotation marks stand in the cells of a TSV file as they do in any text.

    So where a cell holds some and is not one quoted whole, and yet every line has as many tabs:
    where a cell was quoted and went on in the next line, that line would have fewer.
    """
    lines = [line.rstrip("\n") for line in lines]
    tabs = lines[0].count("\t")
    if any(line and line.count("\t") != tabs for line in lines):
        return False
    return any(
        '"' in cell and not (len(cell) > 1 and cell[0] == cell[-1] == '"')
        for line in lines
        if '"' in line
        for cell in line.split("\t")
    )
