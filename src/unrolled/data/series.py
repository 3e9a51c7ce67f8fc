"""`read_series`: from a table in a file or frame to a `SeriesSet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from unrolled.data.dates import holds_dates, parse_dates
from unrolled.data.frequency import Frequency, infer_frequency
from unrolled.data.numbers import parse_numbers
from unrolled.data.regular import Rows, check_gaps, check_grid, check_times, check_values, filler
from unrolled.data.series_set import SeriesSet
from unrolled.data.tables import Table, listed, read_table
from unrolled.errors import ConfigError, DataError

__all__ = ["SeriesSet", "read_series"]


def read_series(
    source: Any,
    *,
    id_column: str | None = None,
    time_column: str | None = None,
    value_columns: str | Sequence[str] | None = None,
    past_columns: str | Sequence[str] | None = None,
    missing: Literal["error", "mask"] = "error",
) -> SeriesSet:
    """Reads time series from a table.

    Two forms are known. *Long*: a row for each series and time, with columns `unique_id`, `ds` and
    `y`, or those that the arguments name. *Wide*: a time column, and every other column one series.

    Args:
        source: name of a .csv, .csv.gz, .tsv or .parquet file, or a pandas, polars or pyarrow
            frame.
        id_column: names the series of each row; makes the table long. Default: `unique_id` if
        there.
        time_column: default: `ds` if there, else the first column that reads as dates. Dates are
            written 2024-12-31, 2024-12-31 18:00, 2024/12/31, 12/31/2024, 31.12.2024, Dec 31 2024,
            or as a year. Times with an offset become UTC. Plain whole numbers count steps.
        value_columns: what to forecast. Default: `y` in long form, every other column in wide form.
        past_columns: numbers known up to now but not ahead, kept beside each series.
        missing: "error" names the first missing value or gap; "mask" keeps missing values as NaN
            and fills gaps with NaN, for training around them.

    Raises: DataError, naming file, line and column, for whatever can't be used; ConfigError for
    arguments that contradict each other.
    """
    if isinstance(source, SeriesSet):
        return source
    if missing not in ("error", "mask"):
        raise ConfigError(f"missing={missing!r} is not known: use 'error' or 'mask'")
    table = read_table(source)
    form = _form(table, id_column, time_column, _names(value_columns), _names(past_columns))
    times, dated = parse_dates(table, form.time)
    groups = _groups(table, form.id)
    columns = {
        name: parse_numbers(table, name, picked=form.picked or name in form.past)
        for name in (*form.values, *form.past)
    }

    stamps = [times if group is None else times[group.rows] for group in groups]
    every = np.arange(len(times))
    for group, stamp in zip(groups, stamps, strict=True):
        series = Rows("", form.time, every, False) if group is None else group
        check_times(table, series, stamp, form.time)
    frequency = infer_frequency(stamps) if dated else Frequency("step")

    found = _Found([], [], [], [])
    for group, stamp in zip(groups, stamps, strict=True):
        rows = every if group is None else group.rows
        found.add(table, form, group, rows, stamp, columns, frequency, mask=missing == "mask")
    return SeriesSet(
        tuple(found.ids),
        tuple(found.times),
        tuple(found.values),
        frequency,
        table.file,
        tuple(found.past) if form.past else None,
        form.past,
    )


@dataclass(frozen=True)
class _Form:
    """Which column is what; `id` is None in wide form."""

    id: str | None
    time: str
    values: tuple[str, ...]
    past: tuple[str, ...]
    picked: bool


@dataclass
class _Found:
    ids: list[str]
    times: list[np.ndarray]
    values: list[np.ndarray]
    past: list[np.ndarray]

    def add(
        self,
        table: Table,
        form: _Form,
        group: Rows | None,
        rows: np.ndarray,
        times: np.ndarray,
        columns: dict[str, np.ndarray],
        frequency: Frequency,
        *,
        mask: bool,
    ) -> None:
        """Checks and takes the series (one for each value column) that stand in these rows."""
        name = "" if group is None else group.name

        def series(column: str) -> Rows:
            return Rows(name, column, rows, group is not None)

        for column in (*form.values, *form.past):
            check_values(table, series(column), columns[column][rows], mask=mask)
        check_grid(table, series(form.time), times, form.time, frequency)
        if not mask:
            check_gaps(table, series(form.time), times, form.time, frequency)
        filling = filler(times, frequency)
        stamps, spread = (times, np.asarray) if filling is None else filling
        past = np.stack([columns[one][rows] for one in form.past], axis=1) if form.past else None
        for column in form.values:
            several = group is not None and len(form.values) > 1
            self.ids.append(column if group is None else f"{name}/{column}" if several else name)
            self.times.append(stamps)
            self.values.append(spread(columns[column][rows]))
            if past is not None:
                self.past.append(spread(past))


def _names(given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return None if given is None else (given,) if isinstance(given, str) else tuple(given)


def _form(
    table: Table,
    id_column: str | None,
    time_column: str | None,
    value_columns: tuple[str, ...] | None,
    past_columns: tuple[str, ...] | None,
) -> _Form:
    columns = table.frame.columns
    identity = (
        table.require(id_column) if id_column else "unique_id" if "unique_id" in columns else None
    )
    past = tuple(table.require(name) for name in past_columns or ())
    picked = tuple(table.require(name) for name in value_columns or ())
    taken = {identity, *past, *picked}
    time = table.require(time_column) if time_column else _time_column(table, taken)
    for name in picked:
        if name in past or name in (identity, time):
            raise ConfigError(f"column {name!r} is named twice: it can have one role only")
    if not picked:
        rest = [name for name in columns if name not in taken and name != time]
        if identity is not None and "y" in rest:
            rest = ["y"]
        if not rest:
            raise table.error("no column is left to forecast: add one with numbers")
        if identity is not None and len(rest) > 1:
            raise table.error(
                "which column holds the values is not said: name it with value_columns "
                f"(--target), one of {listed(rest)}"
            )
        picked = tuple(rest)
    return _Form(identity, time, picked, past, bool(value_columns))


def _time_column(table: Table, taken: set[str | None]) -> str:
    if "ds" in table.frame.columns:
        return "ds"
    for column in table.frame.iter_columns():
        if column.name not in taken and holds_dates(column):
            if holds_dates(pl.Series([column.name])):
                raise DataError(
                    f"the first line holds data ({column.name!r}) where names are needed: "
                    "add a header",
                    file=table.file,
                    line=1 if table.text else None,
                )
            return column.name
    raise table.error(
        f"no column reads as dates (they are {listed(table.frame.columns)}): name the one with the "
        "times with time_column (--time), or write dates such as 2024-12-31"
    )


def _groups(table: Table, identity: str | None) -> Sequence[Rows | None]:
    """The rows of each series in the order in which the series appear; [None] in wide form."""
    if identity is None:
        return [None]
    ids = table.frame[identity]
    if ids.null_count():
        row = int(ids.is_null().arg_max() or 0)
        raise table.error("the name of the series is missing: fill it in", row=row, column=identity)
    ids = ids.cast(pl.String)
    names = ids.unique(maintain_order=True)
    codes = ids.replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64).to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    parts = np.split(order, ends[:-1])
    if max(len(part) for part in parts) < 2:
        raise table.error(
            f"every series ({listed(names.to_list())}) has one row only: at least two are needed",
            column=identity,
        )
    return [Rows(name, "", part, True) for name, part in zip(names, parts, strict=True)]
