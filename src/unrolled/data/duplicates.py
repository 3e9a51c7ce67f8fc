"""Rows that stand twice: the same ones are kept once and noted, others are errors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unrolled.data.groups import Groups
from unrolled.data.notes import Note
from unrolled.data.regular import shown
from unrolled.data.tables import Table


def find_duplicates(
    table: Table,
    groups: Groups,
    times: np.ndarray,
    columns: Mapping[str, np.ndarray],
    column: str,
) -> tuple[np.ndarray | None, tuple[Note, ...]]:
    """Which places to keep so that no row of a series stands twice, and what to tell of it.

    Args:
        table: where the rows stand, for the error.
        groups: `N` places.
        times: datetime64 `(N,)`, in the order of the places.
        columns: every column that was read, each `(N,)`.
        column: name of the time column.

    Returns:
        bool `(N,)`, or None where all stay; a `Note` for each series with such rows.

    Raises: DataError for two rows of one series and time that hold different values.
    """
    suspects = np.flatnonzero((times[1:] <= times[:-1]) & ~groups.firsts[1:])
    if not len(suspects):
        return None, ()
    keep = np.ones(len(times), dtype=bool)
    notes = []
    for group in dict.fromkeys(groups.group(int(place)) for place in suspects):
        begin, end = groups.starts[group : group + 2]
        order = begin + np.argsort(times[begin:end], kind="stable")
        first, second = order[:-1], order[1:]
        twice = times[first] == times[second]
        if not twice.any():
            continue
        differs = twice & ~np.logical_and.reduce([_same(one, order) for one in columns.values()])
        if differs.any():
            pair = int(np.argmax(differs))
            raise table.error(
                f"{groups.told(int(second[pair]))}the time {shown(times[second[pair]])} stands "
                f"here and in {table.place(groups.row(int(first[pair])))} with other values: keep "
                "one of them",
                row=groups.row(int(second[pair])),
                column=column,
            )
        keep[second[twice]] = False
        time = times[second[twice][0]]
        notes.append(
            Note(
                "duplicate",
                None if groups.names is None else groups.names[group],
                time,
                f"{_rows(int(twice.sum()))} again with the same values, the first for "
                f"{shown(time)}: one of each was kept",
            )
        )
    return (keep if notes else None), tuple(notes)


def _same(column: np.ndarray, order: np.ndarray) -> np.ndarray:
    one, other = column[order[:-1]], column[order[1:]]
    return (one == other) | (np.isnan(one) & np.isnan(other))


def _rows(count: int) -> str:
    return "1 row stands" if count == 1 else f"{count:,} rows stand"
