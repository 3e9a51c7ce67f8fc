"""`Cells`: the columns of a file or frame as Python values that still know their lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from unrolled.data.encodings import decode_text
from unrolled.data.files import read_bytes
from unrolled.errors import DataError


@dataclass(frozen=True)
class Expected:
    """What a reader of cells looks for, as its errors say it.

    Attributes:
        record: an object of JSON such as it reads.
        files: the files that it reads.
        objects: what it reads besides files and frames.
    """

    record: str
    files: str
    objects: str


LABELLED = Expected(
    '{"text": "...", "label": "..."}',
    "labelled texts are a .csv, .tsv, .jsonl or .parquet file (.gz too), or a folder with a folder"
    " or .txt file for each label",
    "(texts, labels), or a list of texts",
)


@dataclass(frozen=True)
class Cells:
    """Columns and where they came from.

    Attributes:
        columns: each `N` values: text, numbers, lists (JSON), or None.
        file: the file that was read; None for a frame.
        line: gives the line of a row in the file; None for a frame.
        lines: gives those of all rows at once; None where `line` is.
    """

    columns: dict[str, list[Any]]
    file: str | None = None
    line: Callable[[int], int] | None = None
    lines: Callable[[], Sequence[int]] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def error(
        self, message: str, *, row: int | None = None, column: str | None = None
    ) -> DataError:
        """A DataError about a row (counted from 0) and column, with its line where it has one."""
        line = None
        if row is not None and self.line is not None:
            line = self.line(row)
        elif row is not None:
            message = f"row {row} (counted from 0): {message}"
        return DataError(message, file=self.file, line=line, column=column)


def read_cells(source: Any, encoding: str = "utf-8", expected: Expected = LABELLED) -> Cells:
    """The columns of a CSV, TSV, JSONL, JSON or Parquet file, or of a frame.

    Args:
        source: the file or frame.
        encoding: of the file.
        expected: what is looked for, for the errors.

    Raises: DataError for what is none of these, with the line that can't be read.
    """
    if not isinstance(source, (str, PathLike)):
        import narwhals as nw

        from unrolled.data.tables import read_table

        if nw.from_native(source, eager_only=True, pass_through=True) is source:
            raise DataError(
                f"got {type(source).__name__}: give a file, a pandas, polars or pyarrow frame, "
                f"{expected.objects}"
            )
        return _of_table(read_table(source, rows=1))
    path = Path(source)
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind in {".jsonl", ".ndjson"}:
        return _read_json_lines(path, encoding, expected)
    if kind == ".json":
        return _read_json(path, encoding, expected)
    if kind == ".parquet":
        from unrolled.data.tables import read_table

        return _of_table(read_table(path, rows=1))
    if kind not in {".csv", ".tsv"} and path.exists():
        raise DataError(f"ends in {kind or 'nothing'!r}: {expected.files}", file=path)
    return _read_csv(path, kind, encoding)


def _of_table(table: Any) -> Cells:
    columns = {name: table.frame[name].to_list() for name in table.frame.columns}
    if table.text is None:
        return Cells(columns, table.file)
    return Cells(columns, table.file, table.text.line, lambda: table.text.lines(len(table.frame)))


def _read_csv(path: Path, kind: str, encoding: str) -> Cells:
    from unrolled.data.tables import read_csv

    raw = read_bytes(path)
    if not raw.strip():
        raise DataError("is empty: give a header and rows of text", file=path)
    text = decode_text(raw, path, encoding)
    table = read_csv(text.encode("utf-8"), path, kind)
    if not len(table.frame):
        raise DataError("holds only a header: at least one row is needed", file=path)
    return _of_table(table)


def _read_json_lines(path: Path, encoding: str, expected: Expected) -> Cells:
    records, lines = [], []
    for number, line in enumerate(decode_text(read_bytes(path), path, encoding).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            said = str(error).split(": line")[0]
            raise DataError(
                f"is not JSON ({said}): each line holds one object such as {expected.record}",
                file=path,
                line=number,
            ) from None
        if not isinstance(record, dict):
            raise DataError(
                f"holds {_kind(record)} where an object such as {expected.record} is expected",
                file=path,
                line=number,
            )
        records.append(record)
        lines.append(number)
    return _of_records(records, path, lines)


def _read_json(path: Path, encoding: str, expected: Expected) -> Cells:
    try:
        records = json.loads(decode_text(read_bytes(path), path, encoding))
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"is not JSON ({error}): one object a line is read from a .jsonl file", file=path
        ) from None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise DataError(f"expected a list of objects such as [{expected.record}]", file=path)
    return _of_records(records, path, None)


def _of_records(records: list[dict[str, Any]], path: Path, lines: Sequence[int] | None) -> Cells:
    if not records:
        raise DataError("is empty: give at least one object with a text", file=path)
    names = dict.fromkeys(name for record in records for name in record)
    if not names:
        raise DataError("holds objects without any field: a text is needed", file=path)
    columns = {name: [record.get(name) for record in records] for name in names}
    if lines is None:
        return Cells(columns, fspath(path))
    return Cells(columns, fspath(path), lines.__getitem__, lambda: lines)


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
