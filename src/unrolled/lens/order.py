"""Where each unit of a layer is drawn: in a grid in which units that behave alike are neighbours.

The page computes the same in `web/src/heat.ts`.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import NamedTuple

import numpy as np


class Grid(NamedTuple):
    columns: int
    rows: int


def grid_of(units: int) -> Grid:
    """A near-square grid, without a ragged last row where the count of units allows it."""
    root = max(1, ceil(sqrt(units)))
    columns = next((c for c in range(root, 2 * root + 1) if units % c == 0), root)
    return Grid(columns, ceil(units / columns))


def alike_together(hidden: np.ndarray, grid: Grid) -> np.ndarray:
    """Unit numbers in reading order of the grid, from the states `hidden` (T, H).

    Each unit is a point with T coordinates. Units are sorted by their first principal component
    into the grid's columns, and within each column by the second, so that the map changes smoothly
    in both directions.
    """
    units = hidden.shape[1]
    points = hidden.T - hidden.T.mean(axis=0)
    directions = np.linalg.svd(points, full_matrices=False)[2]
    # The sign of a component is arbitrary; fixed here: the same trace gives the same picture.
    directions = directions * np.where(directions.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    along = points @ directions[0]
    across = points @ directions[1] if len(directions) > 1 else np.zeros(units)

    by_first = np.argsort(along, kind="stable")
    order = np.empty(units, dtype=np.int64)
    full = units - (grid.rows - 1) * grid.columns
    taken = 0
    for column in range(grid.columns):
        # The last row may be short: the columns beyond its end hold one unit less.
        size = grid.rows if column < full else grid.rows - 1
        part = by_first[taken : taken + size]
        order[np.arange(size) * grid.columns + column] = part[
            np.argsort(across[part], kind="stable")
        ]
        taken += size
    return order
