"""From what stands in a column of values to float64."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from unrolled.data.tables import Table
from unrolled.errors import DataError

_NO_VALUE = ("", "na", "n/a", "nan", "null", "none", ".", "-")
_PICK = (
    "pick the columns to forecast with value_columns (--target), "
    "or name it with id_column (--id) if it tells the series apart"
)


def parse_numbers(
    table: Table,
    name: str,
    *,
    picked: bool = False,
    advice: str = "correct it, or leave it empty",
) -> np.ndarray:
    """A column as float64, NaN where nothing stands ("", NA, NaN, null, none, "." or "-").

    Args:
        table: what was read.
        name: of the column.
        picked: whether a person asked for this column; if not, one that holds text is answered with
            how to pick others.
        advice: what to do about a cell that is not a number.

    Raises: DataError at the first cell that is not a number.
    """
    column = table.frame[name]
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        return column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if column.dtype in (pl.Categorical, pl.Enum, pl.Object):
        column = column.cast(pl.String, strict=False)
    if column.dtype != pl.String:
        raise table.error(f"holds {column.dtype}, not numbers: {_PICK}", column=name)
    numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count() > column.null_count():
        column = without_blanks(column)
        numbers = column.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() & column.is_not_null()
    if wrong.any():
        raise _not_a_number(table, column, wrong, picked, advice)
    return numbers.fill_null(np.nan).to_numpy()


def without_blanks(column: pl.Series, blanks: Sequence[str] = _NO_VALUE) -> pl.Series:
    """Text without spaces around it, null where nothing stands or what stands for nothing."""
    column = column.str.strip_chars()
    return column.set(column.str.to_lowercase().is_in(blanks), None)


def _not_a_number(
    table: Table, column: pl.Series, wrong: pl.Series, picked: bool, advice: str
) -> DataError:
    row = int(wrong.arg_max() or 0)
    if re.fullmatch(r"[-+]?\d[\d., ']*,[\d., ']*", column[row]):
        advice = "write it with a decimal point and without separators, as 1234.5"
    elif int(wrong.sum() or 0) * 2 > column.len() - column.null_count() and not picked:
        advice = _PICK
    return table.error(f"{column[row]!r} is not a number: {advice}", row=row, column=column.name)
