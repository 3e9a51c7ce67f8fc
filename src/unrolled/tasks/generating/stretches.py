"""Rows of tokens cut into stretches, on each of which what rows have in common is read once.

The hypotheses of a search begin alike: of 20 with 45 letters each, one in five prefixes differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# What it costs to begin a stretch, and a step of it, in rows that are read for a step: weights come
# from memory once a step, whatever the number of rows.
_BEGIN, _STEP = 40.0, 10.0


@dataclass(frozen=True)
class Stretch:
    """Some places of rows, read side by side in columns.

    Attributes:
        begin, end: the places, `end` not among them.
        rows: `(C,)` of each column the row that it reads.
        parents: `(C,)` of each column the one of the stretch before that it goes on from; 0 on the
            first stretch.
        columns: `(R,)` of each row its column; -1: it is over, and has none.
    """

    begin: int
    end: int
    rows: NDArray[np.int64]
    parents: NDArray[np.int64]
    columns: NDArray[np.int64]


def side_by_side(rows: Sequence[np.ndarray], most: int) -> list[Stretch]:
    """Every row in a column of its own, in stretches of `most` places.

    Args:
        rows: token numbers, `(n,)` each.
        most: places of a stretch.
    """
    every = np.arange(len(rows))
    longest = max(map(len, rows), default=0)
    return [
        Stretch(begin, min(begin + most, longest), every, every if begin else every * 0, every)
        for begin in range(0, longest, most)
    ]


def read_once(rows: Sequence[np.ndarray], most: int) -> tuple[list[Stretch], float]:
    """Rows that begin alike in one column until they differ, and what it costs to read them so.

    A stretch has as many columns as there are different rows up to its end; where one ends and the
    next begins is chosen so that the cost is least.

    Args:
        rows: as above, sorted by their tokens or bytes: those that begin alike stand together, and
            one that others go on from before them.
        most: as above.
    """
    lengths = np.array([len(row) for row in rows], np.int64)
    # Up to where a row is the same as the next, and where they part: a row that the next one goes
    # on from never does.
    same = np.array([_same(one, other) for one, other in pairwise(rows)], np.int64)
    parts = np.where(same < lengths[:-1], same, lengths.max(initial=0))
    edges = np.unique([0, *parts.tolist(), lengths.max(initial=0)])
    columns = [1 + np.count_nonzero(parts < edge) for edge in edges.tolist()]
    least, before = [0.0], [0]
    for at in range(1, len(edges)):
        costs = [
            least[begin] + _BEGIN + (edges[at] - edges[begin]) * (_STEP + columns[at])
            for begin in range(at)
        ]
        before.append(int(np.argmin(costs)))
        least.append(float(costs[before[-1]]))
    chosen = [len(edges) - 1]
    while chosen[-1]:
        chosen.append(before[chosen[-1]])
    found: list[Stretch] = []
    for begin, end in pairwise(edges[chosen[::-1]].tolist()):
        for first in range(begin, end, most):
            last = min(first + most, end)
            found.append(_stretch(first, last, lengths, parts, found[-1] if found else None))
    return found, least[-1]


def cost_side_by_side(rows: int, steps: float) -> float:
    """What it costs to read so many rows of so many tokens, each in a column of its own."""
    return _BEGIN + steps * (_STEP + rows)


def _stretch(
    begin: int,
    end: int,
    lengths: NDArray[np.int64],
    parts: NDArray[np.int64],
    before: Stretch | None,
) -> Stretch:
    group = np.concatenate([[0], np.cumsum(parts < end)])
    # The last of a group is as long as any.
    last = np.append(np.flatnonzero(np.diff(group)), len(group) - 1)
    going = lengths[last] > begin
    rows = last[going]
    number = np.where(going, np.cumsum(going) - 1, -1)
    columns = np.where(lengths > begin, number[group], -1)
    parents = np.zeros(len(rows), np.int64) if before is None else before.columns[rows]
    return Stretch(begin, end, rows, parents, columns)


def _same(one: np.ndarray, other: np.ndarray) -> int:
    """How many tokens two rows begin with are the same."""
    shorter = min(len(one), len(other))
    differ = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differ[0]) if len(differ) else shorter
