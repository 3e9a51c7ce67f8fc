"""Pairs in tables: CSV, JSON lines, JSON, Parquet and frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unrolled.data.labelled_cells import Cells, Expected, read_cells
from unrolled.data.labelled_columns import mostly_text
from unrolled.data.pairs_columns import Sides, columns_taken, is_sentence, pick, two_sides
from unrolled.errors import DataError

TABLES = frozenset({".csv", ".jsonl", ".ndjson", ".json", ".parquet"})

_NESTED = "translation"
_EXPECTED = Expected(
    '{"de": "...", "en": "..."}',
    "pairs are text with tabs, .csv, .jsonl or .parquet (.gz too), or two files",
    "two files (source, target), or a list of (sentence, translation)",
)


def read_sides(
    data: Any, source: str | int | None, target: str | int | None, encoding: str
) -> Sides:
    """Both sides from two columns: as named, else the two that are called by languages, else the
    first two that hold text.

    Objects of JSON may hold them in an object of their own, `{"translation": {"de": ...}}`.

    Raises: DataError for fewer than two columns of text, and what is no text in one.
    """
    cells = read_cells(data, encoding, _EXPECTED)
    cells = _unnested(cells)
    names = list(cells.columns)
    if len(names) < 2:
        raise cells.error(
            f"has one column ({names[0]!r}), expected two: a sentence, its translation"
        )
    _check_names(cells, names)
    notes = []
    usual = (0, 1)
    if len(names) > 2:
        text = [place for place, name in enumerate(names) if mostly_text(cells.columns[name])]
        usual = two_sides(names) or ((text[0], text[1]) if len(text) >= 2 else usual)
    chosen = pick(names, len(names), source, target, usual=usual, file=cells.file)
    columns = names[chosen[0]], names[chosen[1]]
    if len(names) > 2 and (source is None or target is None):
        notes.append(columns_taken(columns, len(names)))
    return Sides(
        _texts(cells, columns[0]),
        _texts(cells, columns[1]),
        None if cells.lines is None else cells.lines(),
        columns,
        tuple(notes),
        cells.file,
    )


def _unnested(cells: Cells) -> Cells:
    values = cells.columns.get(_NESTED)
    if values is None or not any(isinstance(value, dict) for value in values):
        return cells
    names: dict[str, None] = {}
    for row, value in enumerate(values):
        if not isinstance(value, dict):
            raise cells.error(
                f"holds {type(value).__name__} where an object such as {_EXPECTED.record} is "
                "expected",
                row=row,
                column=_NESTED,
            )
        names.update(dict.fromkeys(value))
    inner = {name: [value.get(name) for value in values] for name in names}
    return Cells(inner, cells.file, cells.line, cells.lines)


def _check_names(cells: Cells, names: list[str]) -> None:
    """DataError where the first line of a CSV is a pair and not the names of the columns."""
    if cells.file is None or Path(cells.file.removesuffix(".gz")).suffix.lower() != ".csv":
        return
    for name in names[:2]:
        if is_sentence(name):
            raise DataError(
                f"{name[:60]!r} looks like a sentence and not like the name of a column: put a line"
                " with names before it, such as de,en",
                file=cells.file,
                line=1,
            )


def _texts(cells: Cells, column: str) -> list[str]:
    texts = []
    for row, value in enumerate(cells.columns[column]):
        if value is None or value != value:
            value = ""
        elif not isinstance(value, str):
            raise cells.error(
                f"holds {type(value).__name__} where a sentence is expected: name another "
                "column with source= or target=",
                row=row,
                column=column,
            )
        texts.append(value)
    return texts
