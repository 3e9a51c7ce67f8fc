"""`attach_future`: future covariates from a table of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unrolled.data.columns import parse_covariate
from unrolled.data.covariates import unseen_category
from unrolled.data.dates import parse_dates
from unrolled.data.duplicates import find_duplicates
from unrolled.data.groups import Groups, group_rows
from unrolled.data.regular import check_times, shown
from unrolled.data.roles import find_time
from unrolled.data.series_set import SeriesSet
from unrolled.data.tables import Table, listed, read_table
from unrolled.errors import ConfigError, DataError


def attach_future(
    series: SeriesSet,
    source: Any,
    *,
    ahead: int | None = None,
    id_column: str | None = None,
    time_column: str | None = None,
) -> SeriesSet:
    """The series with the future covariates that a table of their own holds for the steps ahead.

    Args:
        series: read with future covariates, which the table must have too. What they know ahead
            already is replaced.
        source: as for `read_series`. Rows up to the end of a series, and of other series, are left
            out.
        ahead: how many steps must be known; default: as many as the table has for each series.
        id_column: names the series of each row. Default: `unique_id` if there; else the rows hold
            for every series.
        time_column: as for `read_series`.

    Raises: DataError for a column that is missing, and, naming series, time and column, for a step
    that is missing, a value that is missing or infinite, or a category that the series don't have.
    """
    if not series.future_names or series.future is None:
        raise DataError(
            "the series have no future covariates to go on with: read them with future_columns",
            file=series.source,
        )
    if ahead is not None and ahead < 1:
        raise ConfigError(f"ahead={ahead} is not possible: ask for at least 1 step")
    table = read_table(source, rows=1)
    for name in series.future_names:
        if name not in table.frame.columns:
            raise table.error(
                f"future covariate {name!r} is missing: the columns are "
                f"{listed(table.frame.columns)}; add it"
            )
    identity = id_column or ("unique_id" if "unique_id" in table.frame.columns else None)
    if identity is not None:
        table.require(identity)
    time = find_time(table, time_column, {identity, *series.future_names})
    steps = _Steps.read(table, series, identity, time)
    places = {name: place for place, name in enumerate(steps.groups.names or ())}
    future = []
    for name, stamps, values, known in zip(
        series.ids, series.times, series.values, series.future, strict=True
    ):
        # several values of one series are called "name/value"
        place = places.get(name, places.get(name.rpartition("/")[0])) if places else 0
        beyond = steps.beyond(series, name, place, stamps[-1], ahead)
        future.append(np.concatenate([known[: len(values)], beyond]))
    return replace(series, future=tuple(future))


@dataclass(frozen=True)
class _Steps:
    """The rows of the table, series after series.

    `times` `(N,)` is the column `time`; `rows` `(N, F)` are the covariates. A category that the
    series don't have is kept as -1 - its index in `own`, for it matters only in rows that are used.
    """

    table: Table
    groups: Groups
    time: str
    times: np.ndarray
    rows: np.ndarray
    own: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, table: Table, series: SeriesSet, identity: str | None, time: str) -> _Steps:
        stamps, dated = parse_dates(table, time)
        if dated != series.frequency.dated:
            raise table.error(
                f"the times are {'dates' if dated else 'counted'}, those of the series are "
                f"{'counted' if dated else 'dates'}: write them alike",
                column=time,
            )
        groups = group_rows(table, identity)
        stamps = groups.take(stamps)
        columns, own = {}, {}
        for name in series.future_names:
            column, own[name] = _codes(table, name, series.categories.get(name))
            columns[name] = groups.take(column)
        keep, _ = find_duplicates(table, groups, stamps, columns, time)
        if keep is not None:
            groups, stamps = groups.kept(keep), stamps[keep]
            columns = {name: one[keep] for name, one in columns.items()}
        check_times(table, groups, stamps, time)
        return cls(table, groups, time, stamps, np.stack(list(columns.values()), axis=1), own)

    def beyond(
        self,
        series: SeriesSet,
        name: str,
        place: int | None,
        last: np.datetime64,
        ahead: int | None,
    ) -> np.ndarray:
        """What is known after `last`, `(ahead, F)`."""
        begin, end = (0, 0) if place is None else self.groups.starts[place : place + 2]
        begin += np.searchsorted(self.times[begin:end], last, side="right")
        end = end if ahead is None else min(end, begin + ahead)
        times, unit = self.times[begin:end], series.frequency
        off = ~unit.on_grid(times, last)
        if off.any():
            row = int(np.argmax(off))
            raise self.table.error(
                f"series {name!r}: the time {shown(times[row])} does not fit the series, which is "
                f"{unit} and ends at {shown(last)}: correct it",
                row=self.groups.row(int(begin) + row),
                column=self.time,
            )
        skipped = unit.skipped(np.diff(unit.positions(times, last), prepend=0)) > 0
        count = int(np.argmax(skipped)) if skipped.any() else len(times)
        if skipped.any() or (ahead is not None and count < ahead):
            before = times[count - 1] if count else last
            raise DataError(
                f"series {name!r}: there is no row for {shown(unit.future(before, 1)[0])}, step "
                f"{count + 1} ahead: add it",
                file=self.table.file,
                column=series.future_names[0],
            )
        rows = self.rows[begin:end]
        for column, covariate in enumerate(series.future_names):
            values, own = rows[:, column], self.own[covariate]
            unseen = values < 0 if own else np.zeros(len(values), dtype=bool)
            wrong = ~np.isfinite(values) | unseen
            if not wrong.any():
                continue
            row = int(np.argmax(wrong))
            if unseen[row]:
                category = own[-1 - int(values[row])]
                told = unseen_category(category, series.categories[covariate])
            elif np.isnan(values[row]):
                told = f"nothing stands here, step {row + 1} ahead: fill it in"
            else:
                told = "the value is infinite: correct it"
            raise self.table.error(
                f"series {name!r}, {shown(times[row])}: {told}",
                row=self.groups.row(int(begin) + row),
                column=covariate,
            )
        return rows


def _codes(
    table: Table, name: str, known: tuple[str, ...] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """A column by the codes of the series, and its own categories (none: numbers)."""
    column, own = parse_covariate(table, name, as_text=known is not None)
    if known is None and own is None:
        return column, ()
    if known is None or own is None:
        raise table.error(
            "holds text, and the series have numbers here: write numbers", column=name
        )
    places = {category: place for place, category in enumerate(known)}
    codes = [places.get(category, -1 - place) for place, category in enumerate(own)]
    every = np.array([*codes, np.nan])
    return every[np.where(np.isnan(column), len(own), column).astype(np.int64)], own
