"""Covariates for the network that answers at every step: one row of numbers for each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecasting.reading import Floats, Reading


@dataclass(frozen=True)
class Beside:
    """The covariates of one series.

    Attributes:
        past: `(n, P)`, NaN where not known.
        future: `(n + a, F)`; the last row stands in where more are asked for.
        static: `(S,)`.
    """

    past: np.ndarray
    future: np.ndarray
    static: np.ndarray

    @classmethod
    def of(cls, series: SeriesSet, place: int) -> Beside:
        """Those of the series at `place` of a set."""
        steps = len(series.values[place])
        none = np.empty((steps, 0))
        return cls(
            none if series.past is None else series.past[place],
            none if series.future is None else series.future[place],
            np.empty(0) if series.static is None else series.static[place],
        )


@dataclass(frozen=True)
class StepCovariates:
    """Turns covariates into columns of the network's input.

    The columns: past covariates and whether they are known; what is known of the next `K` steps,
    one after the other; what does not change. Numbers are in standard deviations, categories are
    a column each, 1 for the one that is there.

    Attributes:
        reading: how covariates are read.
        horizon: `K`.
    """

    reading: Reading
    horizon: int

    @property
    def size(self) -> int:
        """Number of columns."""
        reading = self.reading
        past = self._width(reading.past_names) + (1 if reading.past_names else 0)
        future = self._width(reading.future_names) * self.horizon
        return past + future + self._width(reading.static_names)

    def rows(self, beside: Beside, steps: int) -> Floats:
        """`(n, size)` for the `n` steps of a series."""
        reading = self.reading
        columns = []
        if reading.past_names:
            columns.append(self._told(beside.past, reading.past_names))
            columns.append(np.isfinite(beside.past).all(axis=1, keepdims=True))
        if reading.future_names:
            told = self._told(beside.future, reading.future_names)
            ahead = np.arange(steps)[:, None] + np.arange(1, self.horizon + 1)
            columns.append(told[np.minimum(ahead, len(told) - 1)].reshape(steps, -1))
        if reading.static_names:
            told = self._told(beside.static[None], reading.static_names)
            columns.append(np.repeat(told, steps, axis=0))
        if not columns:
            return np.empty((steps, 0), dtype=np.float32)
        return np.concatenate(columns, axis=1).astype(np.float32)

    def _width(self, names: tuple[str, ...]) -> int:
        categories = self.reading.categories
        return sum(len(categories[name]) if name in categories else 1 for name in names)

    def _told(self, rows: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
        scaled = self.reading.scaled(rows, names)
        parts = []
        for place, name in enumerate(names):
            column = scaled[:, place : place + 1]
            if name in self.reading.categories:
                column = (column == np.arange(len(self.reading.categories[name]))).astype(float)
            parts.append(column)
        return np.concatenate(parts, axis=1)
