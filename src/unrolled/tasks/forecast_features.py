"""What the forecasting network reads at each step, and what it should answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import calendar_features, calendar_names
from unrolled.data.frequency import Frequency
from unrolled.tasks.scaling import Array, Scale

Features = NDArray[np.float32]

# The first columns are the series itself; noise may be added to them in training.
OWN_COLUMNS = 2


@dataclass(frozen=True)
class FeatureMaker:
    """Turns a series into the network's inputs, one row for each time.

    The columns, with `z` the (log) value, `m` the season and `K` the horizon:

        level      squash((z_t - centre) / spread, 3)
        change     squash((z_t - z_{t-1}) / step, 5)
        missing    1 where the value is not known (the last known one then stands in for it)
        calendar   sine and cosine of the day of the year, of the week, of the hour
        lags       squash((z_{t+k-m} - z_t) / step, 5) for k = 1 .. min(K, m), if there is a season

    `squash(x, s) = s tanh(x / s)` keeps a level that was never seen in training within bounds.

    Attributes:
        frequency: of the series.
        horizon: `K`.
        season: `m`, or None where the same time one season ago tells less than the last value.
    """

    frequency: Frequency
    horizon: int
    season: int | None

    @property
    def size(self) -> int:
        """Number of columns."""
        return OWN_COLUMNS + 1 + len(calendar_names(self.frequency)) + self.lags

    @property
    def lags(self) -> int:
        """Number of lag columns."""
        return 0 if self.season is None else min(self.horizon, self.season)

    @property
    def memory(self) -> int:
        """How many of the last values a next row depends on."""
        return max(1, self.season or 1)

    def inputs(self, values: Array, times: np.ndarray, scale: Scale) -> Features:
        """Rows `(n, F)` of a series `(n,)` from its beginning."""
        return self._rows(scale.transform(values), times, scale)

    def next_input(self, value: float, time: np.datetime64, past: Array, scale: Scale) -> Features:
        """The row `(F,)` of one more value, given the `memory` last (log) values."""
        level = np.append(past, scale.transform(np.array([value])))
        times = np.full(len(level), time)
        return self._rows(level, times, scale)[-1]

    def _rows(self, raw: Array, times: np.ndarray, scale: Scale) -> Features:
        level = fill_forward(raw, scale.centre)
        columns = [
            squash((level - scale.centre) / scale.spread, 3.0),
            squash(np.diff(level, prepend=level[:1]) / scale.step, 5.0),
            (~np.isfinite(raw)).astype(np.float64),
        ]
        lags = [self._lag(level, k, scale) for k in range(1, self.lags + 1)]
        calendar = calendar_features(times, self.frequency)
        rows = [np.stack(columns, axis=1), calendar, *[lag[:, None] for lag in lags]]
        return np.concatenate(rows, axis=1).astype(np.float32)

    def _lag(self, level: Array, k: int, scale: Scale) -> Array:
        """The value one season before step `t + k` as a change from now; not known yet: 0."""
        assert self.season is not None
        back = min(self.season - k, len(level))
        then = np.concatenate([level[:back], level[: len(level) - back]])
        return squash((then - level) / scale.step, 5.0)

    def targets(self, values: Array, scale: Scale) -> Features:
        """`(n, K)`: (z_{t+k} - z_t) / step for k = 1 .. K, NaN where not known."""
        raw = scale.transform(values)
        level = fill_forward(raw, scale.centre)
        ahead = np.full((len(raw), self.horizon), np.nan)
        for k in range(1, min(self.horizon, len(raw) - 1) + 1):
            ahead[:-k, k - 1] = (raw[k:] - level[:-k]) / scale.step
        return ahead.astype(np.float32)


def squash(x: Array, size: float) -> Array:
    """`size * tanh(x / size)`: the same near zero, never beyond `size`."""
    return size * np.tanh(x / size)


def fill_forward(level: Array, first: float) -> Array:
    """Each unknown value replaced by the last known one, or by `first` before there is one."""
    known = np.isfinite(level)
    if known.all():
        return level
    place = np.maximum.accumulate(np.where(known, np.arange(len(level)), -1))
    return np.where(place >= 0, level[np.maximum(place, 0)], first)


def season_that_helps(values: tuple[Array, ...], frequency: Frequency, horizon: int) -> int | None:
    """The frequency's season, if the same time a season ago beats the last value there.

    The errors of a series count in units of its own mean absolute change, so that all series have
    an equal say.
    """
    season = frequency.season
    if season < 2:
        return None
    differences = []
    for series in values:
        unit = _mean(np.abs(np.diff(series)))
        for k in range(1, min(horizon, season) + 1):
            if len(series) > season + k and unit > 0:
                ahead = series[season:]
                seasonal = _mean(np.abs(ahead - series[:-season]))
                last = _mean(np.abs(ahead - series[season - k : len(series) - k]))
                differences.append((seasonal - last) / unit)
    return season if np.nansum(differences) < 0 else None


def _mean(errors: Array) -> float:
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if len(known) else float("nan")
