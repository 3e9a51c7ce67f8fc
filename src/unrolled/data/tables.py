"""`Table`: a file or frame as columns, that still knows the line of each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from unrolled.data.files import not_decodable, read_bytes
from unrolled.errors import DataError

_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
_LONGEST_HEADER = 1 << 22


@dataclass(frozen=True)
class Table:
    """Columns and where they came from.

    Attributes:
        frame: the columns; all text where it was read from CSV.
        file: name of the file; None for a frame.
        text: where each row stands in a CSV file; None for a frame or Parquet.
    """

    frame: pl.DataFrame
    file: str | None = None
    text: CsvText | None = None

    def error(
        self, message: str, *, row: int | None = None, column: str | None = None
    ) -> DataError:
        """A DataError about a row (counted from 0) and column, with its line where it has one."""
        line = None
        if row is not None and self.text is not None:
            line = self.text.line(row)
        elif row is not None:
            message = f"row {row} (counted from 0): {message}"
        return DataError(message, file=self.file, line=line, column=column)

    def place(self, row: int) -> str:
        """ "line 17" or "row 15", for a second place in a message."""
        return f"row {row}" if self.text is None else f"line {self.text.line(row)}"

    def without(self, *names: str) -> Table:
        """The table without columns that are no longer needed, so that their memory is free."""
        return replace(self, frame=self.frame.drop(names))

    def require(self, name: str) -> str:
        """`name` if there is such a column, else DataError with the closest ones."""
        columns = self.frame.columns
        if name in columns:
            return name
        folded = {column.lower(): column for column in columns}
        close = get_close_matches(name.lower(), folded, n=1)
        guess = f"did you mean {folded[close[0]]!r}? " if close else ""
        raise DataError(
            f"there is no column {name!r}: {guess}the columns are {listed(columns)}", file=self.file
        )


@dataclass(frozen=True)
class CsvText:
    """The bytes of a CSV file and which of its records the rows of the frame are.

    `quoted` says whether quotation marks hold cells together; else they are marks as any other.
    """

    raw: bytes
    separator: str
    records: np.ndarray | None
    quoted: bool = True

    def line(self, row: int) -> int:
        """Line of a row, counted from 1; the header is a line too."""
        record = int(row if self.records is None else self.records[row])
        if not self.quoted or b'"' not in self.raw:
            return record + 2
        # a quoted cell may span lines: count them only now that an error needs the number
        for place, (line, _) in enumerate(csv_records(self.raw, self.separator)):
            if place == record + 1:
                return line
        return record + 2

    def lines(self, rows: int) -> list[int]:
        """Lines of the first `rows` rows, in one pass."""
        records = range(rows) if self.records is None else self.records[:rows].tolist()
        if not self.quoted or b'"' not in self.raw:
            return [record + 2 for record in records]
        begins = [line for line, _ in csv_records(self.raw, self.separator)]
        return [begins[record + 1] for record in records]


def read_table(source: Any, *, rows: int = 2) -> Table:
    """A CSV, TSV or Parquet file (also gzipped CSV), or a pandas, polars or pyarrow frame.

    Raises: DataError for what is no table, or one of less than `rows` rows.
    """
    table = _read_file(Path(source)) if isinstance(source, (str, PathLike)) else _read_frame(source)
    found = len(table.frame)
    if found < rows:
        needed = "at least two rows are needed" if rows == 2 else "at least one row is needed"
        if table.file is None:
            raise DataError(f"the frame has {found} row{'s' * (found != 1)}: {needed}")
        held = "only a header" if found == 0 else "only one row"
        raise DataError(f"holds {held}: {needed}", file=table.file)
    return table


def listed(names: Sequence[str]) -> str:
    """The first names of many, for a message."""
    return ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")


def csv_records(raw: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """First line and cells of every record of a CSV file, whatever its bytes; slow."""
    # cells of more than 131,072 characters are refused otherwise, and texts may be longer
    csv.field_size_limit(max(csv.field_size_limit(), len(raw)))
    reader = csv.reader(
        io.StringIO(raw.decode("utf-8", "replace"), newline=""), delimiter=separator
    )
    begin = 1
    for cells in reader:
        yield begin, cells
        begin = reader.line_num + 1


def _read_file(path: Path) -> Table:
    name = path.name.lower()
    kind = Path(name.removesuffix(".gz")).suffix
    if not path.is_dir() and path.exists() and kind not in _SUFFIXES:
        raise DataError(
            f"ends in {kind or 'nothing'!r}: a file of series ends in .csv, .csv.gz, .tsv or "
            ".parquet",
            file=path,
        )
    raw = read_bytes(path)
    if not raw or raw.isspace():
        raise DataError("is empty: give a header and at least two rows", file=path)
    if kind == ".parquet":
        try:
            table = Table(pl.read_parquet(io.BytesIO(raw)), fspath(path))
        except Exception:  # polars raises several kinds for damaged bytes
            raise DataError(
                "is not a whole Parquet file (damaged, cut short, or of another kind)", file=path
            ) from None
    else:
        table = read_csv(raw.removeprefix(b"\xef\xbb\xbf"), path, kind)
    return table


def read_csv(raw: bytes, path: Path, kind: str) -> Table:
    """The table in the bytes of a CSV file (`kind` ".tsv": its cells are separated by tabs).

    Raises: DataError with the line of a row of another width, an open quotation mark, bytes that
    are not UTF-8, or a column without a name of its own.
    """
    header = raw[: raw.find(b"\n")] if b"\n" in raw else raw
    if not header.strip():
        raise DataError("begins with a blank line: remove it", file=path, line=1)
    separator = "\t" if kind == ".tsv" else max(",;\t", key=lambda one: header.count(one.encode()))
    if not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise not_decodable(raw, error.start, path) from None
    quoted = not (kind == ".tsv" and _bare_quotes(raw))
    try:
        frame = pl.read_csv(
            io.BytesIO(raw),
            separator=separator,
            infer_schema=False,
            quote_char='"' if quoted else None,
        )
    except pl.exceptions.PolarsError as error:
        raise _csv_error(raw, separator, path, str(error)) from None
    frame = _named(frame, raw, separator, path)
    # cells that a short row lacks come as empty, so only then are the rows looked at one by one
    if quoted and frame.width > 1 and frame.to_series(frame.width - 1).null_count():
        _check_widths(raw, separator, path)
    blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    records = None
    if blank.any():
        records = np.flatnonzero(~blank.to_numpy())
        frame = frame.filter(~blank)
    unnamed = frame.columns[0] == ""
    if unnamed and frame.width > 1:
        # the row numbers that R and pandas write
        frame = frame.drop("")
    return Table(frame, fspath(path), CsvText(raw, separator, records, quoted))


def _bare_quotes(raw: bytes) -> bool:
    """Whether quotation marks stand in the cells of a TSV file as they do in any text.

    So where a cell holds some and is not one quoted whole, and yet every line has as many tabs:
    where a cell was quoted and went on in the next line, that line would have fewer.
    """
    if b'"' not in raw:
        return False
    lines = [line.rstrip(b"\r") for line in raw.split(b"\n")]
    tabs = lines[0].count(b"\t")
    if not tabs or any(line and line.count(b"\t") != tabs for line in lines):
        return False
    return any(
        b'"' in cell and not (len(cell) > 1 and cell.startswith(b'"') and cell.endswith(b'"'))
        for line in lines
        if b'"' in line
        for cell in line.split(b"\t")
    )


def _named(frame: pl.DataFrame, raw: bytes, separator: str, path: Path) -> pl.DataFrame:
    _, header = next(csv_records(raw[:_LONGEST_HEADER], separator))
    names = [" ".join(name.split()) for name in header]
    if len(names) != frame.width:
        raise DataError("the header can't be read: give each column one name", file=path, line=1)
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            what = f"two columns are called {name!r}" if name else "two columns have no name"
            raise DataError(f"{what}: name each once", file=path, line=1)
        if not name and place > 0:
            raise DataError(f"column {place + 1} has no name: name it", file=path, line=1)
        seen.add(name)
    frame.columns = names
    return frame


def _check_widths(raw: bytes, separator: str, path: Path) -> None:
    width = None
    for line, cells in csv_records(raw, separator):
        width = width or len(cells)
        if cells and len(cells) != width:
            raise DataError(
                f"has {len(cells)} cells where the header has {width}: add or remove some, or put "
                "quotation marks around text with commas",
                file=path,
                line=line,
            )


def _csv_error(raw: bytes, separator: str, path: Path, said: str) -> DataError:
    try:
        _check_widths(raw, separator, path)
    except DataError as error:
        opened = raw.split(b"\n", error.line or 1)[(error.line or 1) - 1].count(b'"') % 2
        if not (opened and raw.count(b'"') % 2):
            return error
        return DataError(
            "a quotation mark is opened here and never closed: close it, or write it twice where "
            "it stands inside quoted text",
            file=path,
            line=error.line,
        )
    except csv.Error as error:
        said = str(error)
    line = None
    if raw.count(b'"') % 2:
        said = "a quotation mark is opened and never closed"
        odd = [at for at, one in enumerate(raw.split(b"\n"), 1) if one.count(b'"') % 2]
        line = odd[0] if len(odd) == 1 else None
    return DataError(
        f"can't be read as CSV ({said.splitlines()[0]}): correct it", file=path, line=line
    )


def _read_frame(source: Any) -> Table:
    import narwhals as nw

    if type(source).__module__.split(".")[0] == "pandas":
        source = _pandas_columns(source)
    try:
        frame = nw.from_native(source, eager_only=True).to_polars()
    except TypeError:
        raise DataError(
            f"got {type(source).__name__}: give a file name, a pandas, polars or pyarrow frame, "
            "or make a SeriesSet.from_arrays"
        ) from None
    except Exception as error:  # each library has its own for columns of mixed types
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"the frame can't be read ({said}): give columns of one type each"
        ) from None
    return Table(frame)


def _pandas_columns(source: Any) -> Any:
    """A pandas frame whose index of dates is a column too, and whose columns are named by text."""
    if hasattr(source, "to_frame"):
        source = source.to_frame(source.name or "y") if source.ndim == 1 else source
    if type(source.index).__name__ == "PeriodIndex":
        source = source.set_axis(source.index.to_timestamp(), axis=0)
    if type(source.index).__name__ == "DatetimeIndex":
        name = source.index.name or ("ds" if "ds" not in source.columns else "index")
        source = source.rename_axis(name).reset_index()
    source = source.rename(columns=str)
    twice = source.columns[source.columns.duplicated()]
    if len(twice):
        raise DataError(f"two columns are called {twice[0]!r}: name each once")
    for name in source.columns:
        if source[name].dtype == object:
            _check_zones(source[name].to_numpy(), name)
    return source


def _check_zones(cells: np.ndarray, name: str) -> None:
    """DataError for datetimes of which some have a time zone; polars would take it off silently."""
    zones = [(row, cell) for row, cell in enumerate(cells) if hasattr(cell, "tzinfo")]
    for row, cell in zones:
        if (cell.tzinfo is None) != (zones[0][1].tzinfo is None):
            has = "no" if cell.tzinfo is None else "a"
            raise DataError(
                f"row {row} (counted from 0): {str(cell)!r} has {has} time zone, and "
                f"{str(zones[0][1])!r} in row {zones[0][0]} has {'one' if has == 'no' else 'none'}:"
                " write all times of a column with a zone, or all without",
                column=name,
            )
