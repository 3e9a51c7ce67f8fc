"""`read_series`: from a table in a file or frame to a `SeriesSet`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np

from unrolled.data.columns import check_static, parse_covariate
from unrolled.data.dates import parse_dates
from unrolled.data.duplicates import find_duplicates
from unrolled.data.frequency import Frequency, infer_frequency
from unrolled.data.groups import Groups, group_rows
from unrolled.data.horizon import check_ahead, history_ends
from unrolled.data.numbers import parse_numbers
from unrolled.data.regular import (
    Filling,
    check_finite,
    check_gaps,
    check_present,
    check_some,
    check_times,
    missing_before,
)
from unrolled.data.roles import Names, Roles, find_roles
from unrolled.data.series_set import SeriesSet
from unrolled.data.tables import Table, listed, read_table
from unrolled.errors import ConfigError

__all__ = ["SeriesSet", "read_series"]

Columns = dict[str, np.ndarray]


def read_series(
    source: Any,
    *,
    id_column: str | None = None,
    time_column: str | None = None,
    value_columns: Names = None,
    past_columns: Names = None,
    future_columns: Names = None,
    static_columns: Names = None,
    category_columns: Names = None,
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
        past_columns: known up to now but not ahead, kept beside each series.
        future_columns: known ahead too. Rows at the end of a series in which they stand and no
            value does are ahead of it.
        static_columns: one value for a whole series; in long form only.
        category_columns: which of these covariates are categories although they read as numbers.
            Others are numbers or categories by what they hold (see `parse_covariate`). In wide
            form past and future covariates hold for every series.
        missing: "error" names the first missing value or gap; "mask" keeps missing values as NaN
            and fills gaps with NaN, for training around them. What is missing ahead is always an
            error.

    A row that stands twice is kept once and told in `SeriesSet.notes`.

    Raises: DataError, naming file, line and column, for whatever can't be used; ConfigError for
    arguments that contradict each other.
    """
    if isinstance(source, SeriesSet):
        return source
    if missing not in ("error", "mask"):
        raise ConfigError(f"missing={missing!r} is not known: use 'error' or 'mask'")
    mask = missing == "mask"
    table = read_table(source)
    roles = find_roles(
        table,
        id_column=id_column,
        time_column=time_column,
        value_columns=value_columns,
        past_columns=past_columns,
        future_columns=future_columns,
        static_columns=static_columns,
        category_columns=category_columns,
    )
    times, dated = parse_dates(table, roles.time)
    groups = group_rows(table, roles.id)
    if groups.names is not None and groups.sizes.max() < 2:
        raise table.error(
            f"every series ({listed(groups.names)}) has one row only: at least two are needed",
            column=roles.id,
        )
    # text takes far more room than numbers: what was read is let go as soon as it can be
    named = {*roles.values, *roles.covariates}
    table = table.without(*(one for one in table.frame.columns if one not in named))
    columns = {name: parse_numbers(table, name, picked=roles.picked) for name in roles.values}
    table = table.without(*roles.values)
    categories = {}
    for name in roles.covariates:
        columns[name], known = parse_covariate(table, name, as_text=name in roles.as_text)
        if known is not None:
            categories[name] = known
        table = table.without(name)
    times = groups.take(times)
    columns = {name: groups.take(one) for name, one in columns.items()}
    keep, notes = find_duplicates(table, groups, times, columns, roles.time)
    if keep is not None:
        groups, times = groups.kept(keep), times[keep]
        columns = {name: one[keep] for name, one in columns.items()}
    check_times(table, groups, times, roles.time)
    frequency = (
        infer_frequency(np.split(times, groups.starts[1:-1])) if dated else Frequency("step")
    )
    ends = history_ends(groups, columns, roles)
    _check(table, groups, columns, roles, ends, mask=mask)
    static = [
        check_static(table, groups, columns.pop(name), name, categories.get(name), mask=mask)
        for name in roles.static
    ]
    absent = missing_before(table, groups, times, roles.time, frequency)
    check_ahead(table, groups, times, columns, absent, frequency, roles, ends)
    if not mask:
        check_gaps(table, groups, times, roles.time, frequency, absent)
    starts = groups.starts
    if absent.any():
        filling = Filling(absent)
        times = filling.times(times, frequency)
        columns = {name: filling.values(one) for name, one in columns.items()}
        starts, ends = filling.bounds(starts), filling.places[ends - 1] + 1

    # several values of one group are a series each and share the rest
    several = range(len(roles.values))
    history = [slice(begin, end) for begin, end in zip(starts[:-1], ends, strict=True)]
    whole = [slice(begin, end) for begin, end in pairwise(starts)]
    past = _beside(columns, roles.past)
    future = _beside(columns, roles.future)
    return SeriesSet(
        _ids(groups, roles),
        tuple(times[one] for one in history for _ in several),
        tuple(columns[name][one] for one in history for name in roles.values),
        frequency,
        table.file,
        None if past is None else tuple(past[one] for one in history for _ in several),
        roles.past,
        None if future is None else tuple(future[one] for one in whole for _ in several),
        roles.future,
        np.repeat(np.stack(static, axis=1), len(several), axis=0) if static else None,
        roles.static,
        categories,
        notes,
    )


def _check(
    table: Table,
    groups: Groups,
    columns: Columns,
    roles: Roles,
    ends: np.ndarray,
    *,
    mask: bool,
) -> None:
    """DataError for what is infinite, and, unless `mask`, for what is missing in the history."""
    ahead = bool((ends < groups.starts[1:]).any())
    inside = np.arange(int(groups.starts[-1])) < groups.spread(ends) if ahead else None
    for name, column in columns.items():
        check_finite(table, groups, column, name)
        if name in roles.values:
            check_some(table, groups, column, name)
        if not mask and name not in roles.static:
            check_present(table, groups, column, name, inside)


def _beside(columns: Columns, names: tuple[str, ...]) -> np.ndarray | None:
    return np.stack([columns[name] for name in names], axis=1) if names else None


def _ids(groups: Groups, roles: Roles) -> tuple[str, ...]:
    if groups.names is None:
        return roles.values
    if len(roles.values) == 1:
        return groups.names
    return tuple(f"{name}/{value}" for name in groups.names for value in roles.values)
