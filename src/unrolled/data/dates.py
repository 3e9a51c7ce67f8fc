"""From what stands in a time column to datetime64[us]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from unrolled.data.tables import Table

# In the order in which they are tried. Two-digit years come before four-digit ones, which would
# read "20" as the year 20; month/day before day/month, so that the latter needs a day beyond 12.
_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z", "%Y-%m-%dT%H:%M%#z",
    "%Y-%m",
    "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%m/%d/%y", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%y", "%d/%m/%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
    "%d.%m.%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%B %d %Y", "%d %B %Y", "%b %Y",
)  # fmt: skip
_DATED_NAMES = frozenset({"ds", "date", "day", "month", "time", "timestamp", "datetime", "year"})
# a whole number is a year within these, else a count
_YEARS = (1500, 2200)
# beyond this a whole number is no count of steps but seconds since 1970
_LARGEST_COUNT = 100_000_000


def holds_dates(column: pl.Series) -> bool:
    """Whether a column reads as dates, by its type, or by its first text.

    Numbers do only where they are years under a name such as "year".
    """
    if column.dtype in (pl.Date, pl.Datetime):
        return True
    if column.dtype.is_integer():
        return column.name.lower() in _DATED_NAMES and _are_years(column)
    if column.dtype != pl.String:
        return False
    present = _present(column)
    if not len(present):
        return False
    if _whole_numbers(present.head(1)) is not None:
        numbers = _whole_numbers(present)
        return column.name.lower() in _DATED_NAMES and numbers is not None and _are_years(numbers)
    return bool(_formats_of(present[0]))


def parse_dates(table: Table, name: str) -> tuple[np.ndarray, bool]:
    """The times of a column, and whether they are dates (False: whole numbers that count steps).

    Counts become microseconds since 1970. Times with an offset are turned into UTC; those of one
    with a time zone too.

    Raises: DataError at the first cell that is empty or reads differently from the first.
    """
    column = table.frame[name]
    if column.dtype in (pl.Date, pl.Datetime):
        return _checked(table, _without_zone(column)), True
    text = column.dtype == pl.String
    if text:
        column = column.str.strip_chars()
        column = column.set(column == "", None)
    numbers = _whole_numbers(column) if text else column if column.dtype.is_integer() else None
    if numbers is not None and numbers.len() > numbers.null_count():
        return _counts(table, numbers)
    if not text:
        raise table.error(
            f"holds {column.dtype} where dates are needed: name another with time_column (--time)",
            column=name,
        )
    present = _present(column)
    formats = _formats_of(present[0]) if len(present) else []
    if not formats:
        shown = f"{present[0]!r}" if len(present) else "nothing"
        raise table.error(
            f"holds {shown}, which is not a date: write 2024-12-31 or 2024-12-31 18:00, or name "
            "another column with time_column (--time)",
            row=_first_row(column.is_not_null()),
            column=name,
        )
    best = None
    for form in formats:
        parsed = _parse(column, form)
        if best is None or parsed.null_count() < best.null_count():
            best = parsed
        if best.null_count() == column.null_count():
            break
    assert best is not None
    failed = _first_row(best.is_null() & column.is_not_null())
    if failed is not None:
        raise table.error(
            f"{column[failed]!r} is not a date like the first one, {present[0]!r}: correct it",
            row=failed,
            column=name,
        )
    return _checked(table, best), True


def _counts(table: Table, numbers: pl.Series) -> tuple[np.ndarray, bool]:
    missing = _first_row(numbers.is_null())
    if missing is not None:
        raise table.error("the time is missing: fill it in", row=missing, column=numbers.name)
    whole = numbers.cast(pl.Int64).to_numpy()
    if _are_years(numbers):
        return (whole - 1970).astype("datetime64[Y]").astype("datetime64[us]"), True
    if _YEARS[0] * 10_000 <= whole.min() and whole.max() < (_YEARS[1] + 1) * 10_000:
        # 20241231
        compact = _parse(numbers.cast(pl.String), "%Y%m%d")
        if not compact.null_count():
            return _checked(table, compact), True
    if np.abs(whole).max() > _LARGEST_COUNT:
        raise table.error(
            f"holds the number {whole[0]}: write dates such as 2024-12-31 18:00",
            column=numbers.name,
        )
    return whole.astype("datetime64[us]"), False


def _checked(table: Table, column: pl.Series) -> np.ndarray:
    missing = _first_row(column.is_null())
    if missing is not None:
        raise table.error("the time is missing: fill it in", row=missing, column=column.name)
    return column.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")


def _formats_of(text: str) -> list[str]:
    one = pl.Series([text.strip()])
    fitting = []
    for form in _FORMATS:
        parsed = _parse(one, form)[0]
        if parsed is not None and 1000 <= parsed.year <= 2999:
            fitting.append(form)
    return fitting


def _parse(column: pl.Series, form: str) -> pl.Series:
    if form == "%Y-%m" or form == "%b %Y":
        column, form = column + " 1", form + " %d"
    return _without_zone(column.str.to_datetime(form, time_unit="us", strict=False))


def _without_zone(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return column


def _present(column: pl.Series) -> pl.Series:
    column = column.drop_nulls().str.strip_chars()
    return column.filter(column != "")


def _whole_numbers(column: pl.Series) -> pl.Series | None:
    numbers = column.cast(pl.Int64, strict=False)
    return numbers if numbers.null_count() == column.null_count() else None


def _are_years(column: pl.Series) -> bool:
    low, high = column.min(), column.max()
    return low is not None and _YEARS[0] <= int(low) and int(high) <= _YEARS[1]  # type: ignore[arg-type]


def _first_row(mask: pl.Series) -> int | None:
    return int(place) if (place := mask.arg_max()) is not None and mask[place] else None
