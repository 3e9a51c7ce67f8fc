"""Checks of times and values of all series at once, and the grid that gaps are filled on."""

from __future__ import annotations

import numpy as np

from unrolled.data.frequency import Frequency
from unrolled.data.groups import Groups
from unrolled.data.tables import Table

_MASK = "fill it in, or train around it with missing='mask' (--missing mask)"


def check_times(table: Table, groups: Groups, times: np.ndarray, column: str) -> None:
    """DataError for a time that does not come after the one above it."""
    back = (times[1:] <= times[:-1]) & ~groups.firsts[1:]
    if back.any():
        place = int(np.argmax(back)) + 1
        raise table.error(
            f"{groups.told(place)}the time {shown(times[place])} comes after "
            f"{shown(times[place - 1])}: sort the rows by time",
            row=groups.row(place),
            column=column,
        )


def check_finite(table: Table, groups: Groups, values: np.ndarray, column: str) -> None:
    """DataError for an infinite value."""
    infinite = np.isinf(values)
    if infinite.any():
        place = int(np.argmax(infinite))
        raise table.error(
            f"{groups.told(place)}the value is infinite: correct it or leave it empty",
            row=groups.row(place),
            column=column,
        )


def check_present(
    table: Table,
    groups: Groups,
    values: np.ndarray,
    column: str,
    inside: np.ndarray | None = None,
) -> None:
    """DataError for the first missing value; `inside`, `(N,)`: at these places only."""
    unknown = np.isnan(values)
    if inside is not None:
        unknown &= inside
    if not unknown.any():
        return
    first = int(np.argmax(unknown))
    rest = unknown[first : groups.starts[groups.group(first) + 1]]
    run = int(np.argmin(rest)) or len(rest)
    amount = "the value is missing" if run == 1 else f"{run} values in a row are missing"
    raise table.error(
        f"{groups.told(first)}{amount}: {_MASK}", row=groups.row(first), column=column
    )


def check_some(table: Table, groups: Groups, values: np.ndarray, column: str) -> None:
    """DataError for a series without any value."""
    known = np.logical_or.reduceat(~np.isnan(values), groups.starts[:-1])
    if not known.all():
        place = int(groups.starts[np.argmin(known)])
        raise table.error(f"{groups.told(place)}holds no value: leave it out", column=column)


def missing_before(
    table: Table, groups: Groups, times: np.ndarray, column: str, unit: Frequency
) -> np.ndarray:
    """How many points of the grid are missing before each place, int64 `(N,)`; 0 at the firsts.

    Raises: DataError for a time that lies between two points of the grid.
    """
    begin = groups.spread(times[groups.starts[:-1]])
    off = ~unit.on_grid(times, begin)
    if off.any():
        place = int(np.argmax(off))
        raise table.error(
            f"{groups.told(place)}the time {shown(times[place])} does not fit the others, which "
            f"are {unit} from {shown(begin[place])}: correct it",
            row=groups.row(place),
            column=column,
        )
    missing = np.zeros(len(times), dtype=np.int64)
    missing[1:] = unit.skipped(np.diff(unit.positions(times, begin)))
    missing[groups.starts[:-1]] = 0
    return missing


def check_gaps(
    table: Table,
    groups: Groups,
    times: np.ndarray,
    column: str,
    unit: Frequency,
    missing: np.ndarray,
) -> None:
    """DataError for the first gap in the times; `missing` as `missing_before` gives it."""
    if not missing.any():
        return
    place = int(np.argmax(missing > 0))
    raise table.error(
        f"{groups.told(place)}the times are {unit}, but {gap(times, place, missing)}: {_MASK}",
        row=groups.row(place),
        column=column,
    )


def gap(times: np.ndarray, place: int, missing: np.ndarray) -> str:
    """ "between 2024-01-03 and 2024-01-07 3 are missing"."""
    count = int(missing[place])
    return (
        f"between {shown(times[place - 1])} and {shown(times[place])} {count} "
        f"{'is' if count == 1 else 'are'} missing"
    )


class Filling:
    """Where the `N` places stand on the `M` points of a grid without gaps.

    Args:
        missing: as `missing_before` gives it.
    """

    def __init__(self, missing: np.ndarray) -> None:
        self.gaps = np.flatnonzero(missing)
        self.counts = missing[self.gaps]
        self.places = np.arange(len(missing)) + np.cumsum(missing)
        self.size = int(self.places[-1]) + 1

    def times(self, times: np.ndarray, unit: Frequency) -> np.ndarray:
        """The times of all points: datetime64 `(M,)`."""
        filled = np.empty(self.size, dtype=times.dtype)
        filled[self.places] = times
        before = np.repeat(self.gaps - 1, self.counts)
        ends = np.cumsum(self.counts)
        steps = np.arange(len(before)) - np.repeat(ends - self.counts, self.counts) + 1
        filled[self.places[before] + steps] = unit.at(times[before], steps)
        return filled

    def values(self, values: np.ndarray) -> np.ndarray:
        """The values of all points, NaN in the gaps: `(M,)`."""
        filled = np.full(self.size, np.nan)
        filled[self.places] = values
        return filled

    def bounds(self, starts: np.ndarray) -> np.ndarray:
        """Where on the grid each series begins and the last ends, for `starts` of the places."""
        return np.append(self.places[starts[:-1]], self.size)


def shown(time: np.datetime64) -> str:
    """A time as a person writes it: without the parts that are zero."""
    if abs(time.astype(np.int64)) <= 100_000_000 and time.astype(np.int64) % 1_000_000:
        return str(int(time.astype(np.int64)))
    text = str(time.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(" 00:00:00")
