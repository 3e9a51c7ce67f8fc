"""Columns of covariates: numbers, or categories with a code each."""

from __future__ import annotations

import numpy as np
import polars as pl

from unrolled.data.groups import Groups
from unrolled.data.numbers import parse_numbers, without_blanks
from unrolled.data.tables import Table

# What stands for an unknown category; "none" and "-" may well be categories.
_UNKNOWN = ("", "na", "n/a", "nan", "null")
_ADVICE = (
    "most of the column is, so correct it, leave it empty, or name the column in category_columns"
)


def parse_covariate(
    table: Table, name: str, *, as_text: bool = False
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """A column as float64 `(rows,)`, NaN where nothing stands, and its categories (None: numbers).

    Numbers are numbers. Booleans and categorical columns are categories. Text is numbers where
    more than half of what stands there reads as numbers (the rest is then an error), and else
    categories. Categories are sorted by their text; the column holds the index of each.

    Args:
        table: what was read.
        name: of the column.
        as_text: read categories whatever stands there.

    Raises: DataError at the first cell that is text among numbers, or for a column of dates.
    """
    column = table.frame[name]
    if as_text and column.dtype.is_float():
        # pandas holds whole numbers as floats where one of them is missing: 1.0 is the category 1
        told = column.cast(pl.String)
        return _encode(told.str.strip_suffix(".0"))
    if column.dtype in (pl.Boolean, pl.Categorical, pl.Enum, pl.Object) or (
        as_text and (column.dtype.is_numeric() or column.dtype == pl.Null)
    ):
        return _encode(column.cast(pl.String, strict=False))
    if column.dtype != pl.String or not (as_text or _is_text(column)):
        return parse_numbers(table, name, picked=True, advice=_ADVICE), None
    return _encode(column)


def first_known(groups: Groups, values: np.ndarray) -> np.ndarray:
    """The first value that stands in each group, `(G,)`; NaN where none does."""
    place = np.where(np.isnan(values), len(values), np.arange(len(values)))
    first = np.minimum.reduceat(place, groups.starts[:-1])
    return np.append(values, np.nan)[first]


def check_static(
    table: Table,
    groups: Groups,
    values: np.ndarray,
    column: str,
    categories: tuple[str, ...] | None,
    *,
    mask: bool,
) -> np.ndarray:
    """The one value of each series, `(G,)`; empty cells beside it are none.

    Raises: DataError for a value that changes within a series, or, unless `mask`, for a series
    without one.
    """
    static = first_known(groups, values)
    changed = ~np.isnan(values) & (values != groups.spread(static))
    if changed.any():
        place = int(np.argmax(changed))
        group = groups.group(place)
        first = int(
            groups.starts[group] + np.argmax(values[groups.starts[group] :] == static[group])
        )
        one, other = (told_value(float(values[i]), categories) for i in (first, place))
        raise table.error(
            f"{groups.told(place)}{other} stands here and {one} in "
            f"{table.place(groups.row(first))}: a static column must be the same in all rows of a "
            "series; make it so, or name it in past_columns",
            row=groups.row(place),
            column=column,
        )
    unknown = np.isnan(static)
    if unknown.any() and not mask:
        place = int(groups.starts[np.argmax(unknown)])
        raise table.error(
            f"{groups.told(place)}holds no value: fill it in, or read it as unknown with "
            "missing='mask' (--missing mask)",
            row=groups.row(place),
            column=column,
        )
    return static


def told_value(value: float, categories: tuple[str, ...] | None) -> str:
    """A value of a covariate as a person wrote it."""
    return f"{value:g}" if categories is None else repr(categories[int(value)])


def _is_text(column: pl.Series) -> bool:
    """Whether no more than half of the cells, blanks not counted, read as numbers."""
    numbers = column.cast(pl.Float64, strict=False)
    found = numbers.len() - numbers.null_count()
    if found * 2 > column.len() - column.null_count():
        return False
    cells = column.value_counts(name="times")
    text, times = without_blanks(cells[column.name]), cells["times"]
    present = int(times.filter(text.is_not_null()).sum())
    numeric = int(times.filter(text.cast(pl.Float64, strict=False).is_not_null()).sum())
    return present > 0 and numeric * 2 <= present


def _encode(column: pl.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    names = column.unique().drop_nulls()
    # the cells are looked up as they are, and only their few different texts are cleaned
    clean = without_blanks(names, _UNKNOWN)
    lower = clean.str.to_lowercase()
    if lower.drop_nulls().is_in(["true", "false"]).all():
        # what pandas writes as True is true elsewhere
        clean = lower
    categories = sorted(set(clean.drop_nulls()))
    codes = clean.replace_strict(
        categories, range(len(categories)), default=None, return_dtype=pl.Float64
    )
    found = column.replace_strict(names, codes, default=None, return_dtype=pl.Float64)
    return found.fill_null(np.nan).to_numpy(), tuple(categories)
