"""`Groups`: which rows of a table are which series, as flat arrays over all series at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from unrolled.data.tables import Table


@dataclass(frozen=True)
class Groups:
    """The rows of a table, series after series.

    A *place* counts through all series in that order; `N` places, `G` groups. Ten thousand series
    are checked by a few operations on `(N,)` arrays instead of by ten thousand loops.

    Attributes:
        names: of the groups; None in wide form, where all rows are one group.
        rows: the row of the table at each place, `(N,)`; None where they stand in that order.
        starts: first place of each group and, last, `N`: int64 `(G + 1,)`.
    """

    names: tuple[str, ...] | None
    rows: np.ndarray | None
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> np.ndarray:
        """Places of each group, `(G,)`."""
        return np.diff(self.starts)

    @property
    def firsts(self) -> np.ndarray:
        """Whether a group begins at each place, bool `(N,)`."""
        mask = np.zeros(int(self.starts[-1]), dtype=bool)
        mask[self.starts[:-1]] = True
        return mask

    def take(self, column: np.ndarray) -> np.ndarray:
        """A column of the table in the order of the places."""
        return column if self.rows is None else column[self.rows]

    def spread(self, of_groups: np.ndarray) -> np.ndarray:
        """What belongs to each group, `(G,)`, at every place of it, `(N,)`."""
        return np.repeat(of_groups, self.sizes)

    def row(self, place: int) -> int:
        """The row of the table at a place."""
        return int(place if self.rows is None else self.rows[place])

    def group(self, place: int) -> int:
        """The group that a place belongs to."""
        return int(np.searchsorted(self.starts, place, side="right")) - 1

    def told(self, place: int) -> str:
        """ "series 'AAPL': " in long form, where the column does not name the series."""
        return "" if self.names is None else f"series {self.names[self.group(place)]!r}: "

    def kept(self, mask: np.ndarray) -> Groups:
        """The groups without the places where `mask` is false; none may become empty."""
        counts = np.add.reduceat(mask, self.starts[:-1], dtype=np.int64)
        rows = np.flatnonzero(mask) if self.rows is None else self.rows[mask]
        return Groups(self.names, rows, np.concatenate([[0], np.cumsum(counts)]))


def group_rows(table: Table, identity: str | None) -> Groups:
    """The rows of each series, in the order in which the series appear; one group in wide form.

    Raises: DataError for a row without a name.
    """
    if identity is None:
        return Groups(None, None, np.array([0, len(table.frame)]))
    ids = table.frame[identity]
    if ids.null_count():
        row = int(ids.is_null().arg_max() or 0)
        raise table.error("the name of the series is missing: fill it in", row=row, column=identity)
    runs = ids.rle().struct.unnest()
    names, sizes, rows = runs["value"], runs["len"].to_numpy(), None
    # the rows of the series are mixed; where runs are short that is seen without counting names
    if len(names) * 2 > len(ids) or names.n_unique() < len(names):
        parts = (
            table.frame.lazy()
            .select(pl.col(identity), pl.int_range(pl.len(), dtype=pl.Int64).alias("row number"))
            .group_by(identity, maintain_order=True)
            .agg(pl.col("row number"))
            .collect()
        )
        names = parts[identity]
        sizes = parts["row number"].list.len().to_numpy()
        rows = parts["row number"].explode().to_numpy()
    told = tuple(names.cast(pl.String).to_list())
    return Groups(told, rows, np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]))
