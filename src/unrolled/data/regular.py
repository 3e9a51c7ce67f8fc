"""Checks of a series' values and times, and the grid that gaps are filled on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unrolled.data.frequency import Frequency
from unrolled.data.tables import Table


@dataclass(frozen=True)
class Rows:
    """The rows of a table that make up one series, in the order of time."""

    name: str
    column: str
    rows: np.ndarray
    grouped: bool

    @property
    def told(self) -> str:
        """ "series 'AAPL': " in long form, where the column does not name the series."""
        return f"series {self.name!r}: " if self.grouped else ""


_MASK = "fill it in, or train around it with missing='mask' (--missing mask)"


def check_times(table: Table, series: Rows, times: np.ndarray, column: str) -> None:
    """DataError for a time that comes twice or before the one above it."""
    back = np.diff(times) <= np.timedelta64(0, "us")
    if not back.any():
        return
    order = np.argsort(times, kind="stable")
    twice = np.flatnonzero(np.diff(times[order]) == np.timedelta64(0, "us"))
    if len(twice):
        first, second = (int(series.rows[order[twice[0] + i]]) for i in (0, 1))
        raise table.error(
            f"{series.told}the time {shown(times[order[twice[0]]])} stands here and in "
            f"{table.place(first)}: keep one of them",
            row=second,
            column=column,
        )
    row = int(np.argmax(back)) + 1
    raise table.error(
        f"{series.told}the time {shown(times[row])} comes after {shown(times[row - 1])}: "
        "sort the rows by time",
        row=int(series.rows[row]),
        column=column,
    )


def check_grid(table: Table, series: Rows, times: np.ndarray, column: str, unit: Frequency) -> None:
    """DataError for a time that lies between two points of the grid."""
    off = ~unit.on_grid(times)
    if off.any():
        row = int(np.argmax(off))
        raise table.error(
            f"{series.told}the time {shown(times[row])} does not fit the others, which are {unit} "
            f"from {shown(times[0])}: correct it",
            row=int(series.rows[row]),
            column=column,
        )


def check_values(table: Table, series: Rows, values: np.ndarray, *, mask: bool) -> None:
    """DataError for infinite values, no value at all, and, unless `mask`, a missing one."""
    if np.isfinite(values).all():
        return
    infinite = np.isinf(values)
    if infinite.any():
        row = int(series.rows[np.argmax(infinite)])
        raise table.error(
            f"{series.told}the value is infinite: correct it or leave it empty",
            row=row,
            column=series.column,
        )
    unknown = np.isnan(values)
    if unknown.all():
        raise table.error(f"{series.told}holds no value: leave it out", column=series.column)
    if not mask:
        first = int(np.argmax(unknown))
        run = int(np.argmin(unknown[first:])) or len(values) - first
        amount = "the value is missing" if run == 1 else f"{run} values in a row are missing"
        raise table.error(
            f"{series.told}{amount}: {_MASK}",
            row=int(series.rows[first]),
            column=series.column,
        )


def check_gaps(table: Table, series: Rows, times: np.ndarray, column: str, unit: Frequency) -> None:
    """DataError for the first gap in the times."""
    missing = unit.missing_between(times)
    if not missing.any():
        return
    place = int(np.argmax(missing > 0))
    count = int(missing[place])
    raise table.error(
        f"{series.told}the times are {unit}, but between {shown(times[place])} and "
        f"{shown(times[place + 1])} {count} {'is' if count == 1 else 'are'} missing: {_MASK}",
        row=int(series.rows[place + 1]),
        column=column,
    )


def filler(times: np.ndarray, unit: Frequency) -> tuple[np.ndarray, Callable] | None:
    """Times without gaps, and what spreads values over them (NaN between); None: no gap."""
    missing = unit.missing_between(times)
    if not missing.any():
        return None
    places = np.arange(len(times)) + np.concatenate([[0], np.cumsum(missing)])
    filled = np.empty(int(places[-1]) + 1, dtype=times.dtype)
    filled[places] = times
    for gap in np.flatnonzero(missing):
        begin = int(places[gap]) + 1
        filled[begin : begin + int(missing[gap])] = unit.future(times[gap], int(missing[gap]))

    def spread(values: np.ndarray) -> np.ndarray:
        wide = np.full((len(filled), *values.shape[1:]), np.nan)
        wide[places] = values
        return wide

    return filled, spread


def shown(time: np.datetime64) -> str:
    """A time as a person writes it: without the parts that are zero."""
    if abs(time.astype(np.int64)) <= 100_000_000 and time.astype(np.int64) % 1_000_000:
        return str(int(time.astype(np.int64)))
    text = str(time.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(" 00:00:00")
