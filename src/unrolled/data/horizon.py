"""Where the values of each series end and the rows ahead, of future covariates only, begin."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unrolled.data.frequency import Frequency
from unrolled.data.groups import Groups
from unrolled.data.regular import gap, shown
from unrolled.data.roles import Roles
from unrolled.data.tables import Table

_AHEAD = "what is known ahead must be known for every step: fill it in, or cut the rows from there"


def history_ends(groups: Groups, columns: Mapping[str, np.ndarray], roles: Roles) -> np.ndarray:
    """The place after the last row of each series' history, int64 `(G,)`.

    The rows behind are ahead: no value stands in any of them, and a future covariate does in at
    least one. Without future columns all rows are history.
    """
    ends = groups.starts[1:]
    if not roles.future:
        return ends
    places = np.arange(int(ends[-1]))
    known = ~np.logical_and.reduce([np.isnan(columns[one]) for one in roles.values])
    last = np.maximum.reduceat(np.where(known, places, -1), groups.starts[:-1])
    # a series without any value is all history, and refused for that
    after = np.where(last < 0, ends, last + 1)
    told = ~np.logical_and.reduce([np.isnan(columns[one]) for one in roles.future])
    told &= places >= groups.spread(after)
    return np.where(np.logical_or.reduceat(told, groups.starts[:-1]), after, ends)


def check_ahead(
    table: Table,
    groups: Groups,
    times: np.ndarray,
    columns: Mapping[str, np.ndarray],
    missing: np.ndarray,
    unit: Frequency,
    roles: Roles,
    ends: np.ndarray,
) -> None:
    """DataError for a future covariate, or a whole step, that is missing ahead of a series.

    Args:
        table, groups, times, columns: what was read, in the order of the places.
        missing: how many points are missing before each place.
        unit: the distance from point to point.
        roles: which columns are future ones.
        ends: as `history_ends` gives them.
    """
    ahead = np.arange(len(times)) >= groups.spread(ends)
    if not ahead.any():
        return
    for name in roles.future:
        empty = ahead & np.isnan(columns[name])
        if empty.any():
            place = int(np.argmax(empty))
            raise table.error(
                f"{groups.told(place)}nothing stands for {shown(times[place])}: {_AHEAD}",
                row=groups.row(place),
                column=name,
            )
    skipped = ahead & (missing > 0)
    if skipped.any():
        place = int(np.argmax(skipped))
        raise table.error(
            f"{groups.told(place)}the rows ahead are {unit}, but {gap(times, place, missing)}: "
            f"{_AHEAD}",
            row=groups.row(place),
            column=roles.future[0],
        )
