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
# cells at a time in which the first text is looked for
_LOOKED_AT = 1024


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
    first = _first_text(column)
    if first is None:
        return False
    if _whole_numbers(pl.Series([first])) is None:
        return bool(_formats_of(first))
    if column.name.lower() not in _DATED_NAMES:
        return False
    numbers = _whole_numbers(_stripped(column))
    return numbers is not None and _are_years(numbers)


def parse_dates(table: Table, name: str) -> tuple[np.ndarray, bool]:
    """The times of a column, and whether they are dates (False: whole numbers that count steps).

    Counts become microseconds since 1970. Times with an offset are turned into UTC, whatever the
    offset of each (daylight saving changes it); those of a column with a time zone too, but for
    whole days, which stay the days of that zone. Of dates that read both as month/day and as
    day/month the order counts that leaves fewer gaps.

    Raises: DataError at the first cell that is empty, reads differently from the first, or has an
    offset where the first has none, or none where it has one.
    """
    column = table.frame[name]
    if column.dtype in (pl.Date, pl.Datetime):
        return _checked(table, _without_zone(column)), True
    text = column.dtype == pl.String
    first = _first_text(column) if text else None
    whole = column.dtype.is_integer()
    if first is not None and _whole_numbers(pl.Series([first])) is not None:
        column = _stripped(column)
        whole = _whole_numbers(column) is not None
    if whole and column.len() > column.null_count():
        return _counts(table, column.cast(pl.Int64))
    if not text:
        raise table.error(
            f"holds {column.dtype} where dates are needed: name another with time_column (--time)",
            column=name,
        )
    formats = _formats_of(first) if first is not None else []
    if not formats:
        shown = "nothing" if first is None else repr(first)
        raise table.error(
            f"holds {shown}, which is not a date: write 2024-12-31 or 2024-12-31 18:00, or name "
            "another column with time_column (--time)",
            row=_first_row(_stripped(column).is_not_null()),
            column=name,
        )
    best = _best(column, formats)
    if best.null_count() > column.null_count():
        # spaces and empty text, which most tables have none of
        column = _stripped(column)
        best = _best(column, formats)
    failed = _first_row(best.is_null() & column.is_not_null())
    if failed is not None:
        zoned = _has_offset(formats)
        other = _has_offset(_formats_of(column[failed]))
        if zoned is not None and other is not None and zoned != other:
            place = table.place(int(column.is_not_null().arg_max() or 0))
            raise table.error(
                f"{column[failed]!r} has {'an' if other else 'no'} offset from UTC, and "
                f"{first!r} in {place} has {'one' if zoned else 'none'}: "
                "write all times of a column with an offset, or all without",
                row=failed,
                column=name,
            )
        raise table.error(
            f"{column[failed]!r} is not a date like the first one, {first!r}: correct it",
            row=failed,
            column=name,
        )
    return _checked(table, best), True


def _best(column: pl.Series, formats: list[str]) -> pl.Series:
    """What the format that reads most cells makes of them."""
    best = _parse(column, formats[0])
    for form in formats[1:]:
        if best.null_count() == column.null_count():
            break
        parsed = _parse(column, form)
        if parsed.null_count() < best.null_count():
            best = parsed
    if formats[0].startswith("%m/%d"):
        day_first = _parse(column, formats[0].replace("%m/%d", "%d/%m"))
        if day_first.null_count() == best.null_count() and 2 * _gaps(day_first) < _gaps(best):
            return day_first
    return best


def _gaps(stamps: pl.Series) -> float:
    """How many times longer than in steps of its smallest one a column of times lasts.

    Of days and months in either order this tells which is which: 01/01, 01/02, 01/03 of five years
    are 60 months, or days with gaps of 354 between them.
    """
    times = stamps.drop_nulls().unique().sort()
    if len(times) < 3:
        return 1.0
    steps = times.diff().drop_nulls()
    return float((times[-1] - times[0]) / (steps.min() * (len(times) - 1)))  # type: ignore[operator]


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


def _has_offset(formats: list[str]) -> bool | None:
    """Whether dates of these formats have an offset from UTC; None where there is no format."""
    return formats[0].endswith("z") if formats else None


def _parse(column: pl.Series, form: str) -> pl.Series:
    if form == "%Y-%m" or form == "%b %Y":
        column, form = column + " 1", form + " %d"
    return _without_zone(column.str.to_datetime(form, time_unit="us", strict=False))


def _without_zone(column: pl.Series) -> pl.Series:
    """Days of a time zone stay the days that they are there; other times are turned into UTC.

    Midnight in Berlin is 23:00 in UTC in winter and 22:00 in summer: no grid of days.
    """
    if not isinstance(column.dtype, pl.Datetime) or column.dtype.time_zone is None:
        return column
    local = column.dt.replace_time_zone(None)
    if bool((local.dt.truncate("1d") == local).all()):
        return local
    return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def _stripped(column: pl.Series) -> pl.Series:
    """Text without spaces around it, null where nothing is left."""
    column = column.str.strip_chars()
    return column.set(column == "", None)


def _first_text(column: pl.Series) -> str | None:
    """The first cell that holds text."""
    for begin in range(0, len(column), _LOOKED_AT):
        present = _stripped(column[begin : begin + _LOOKED_AT]).drop_nulls()
        if len(present):
            return str(present[0])
    return None


def _whole_numbers(column: pl.Series) -> pl.Series | None:
    numbers = column.cast(pl.Int64, strict=False)
    return numbers if numbers.null_count() == column.null_count() else None


def _are_years(column: pl.Series) -> bool:
    low, high = column.min(), column.max()
    return low is not None and _YEARS[0] <= int(low) and int(high) <= _YEARS[1]  # type: ignore[arg-type]


def _first_row(mask: pl.Series) -> int | None:
    return int(place) if (place := mask.arg_max()) is not None and mask[place] else None
