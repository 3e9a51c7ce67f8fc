"""What the forecasting network reads at each step, and what it should answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import calendar_features, calendar_names
from unrolled.data.frequency import Frequency
from unrolled.data.holiday import holiday_features, holiday_names
from unrolled.tasks.forecasting.scaling import Array, Scale, fill_forward, squash
from unrolled.tasks.forecasting.step_covariates import Beside, StepCovariates

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
        beside     covariates, where there are any (see `StepCovariates`)
        lags       squash((z_{t+k-m} - z_t) / step, 5) for k = 1 .. min(K, m), if there is a season

    `squash(x, s) = s tanh(x / s)` keeps a level that was never seen in training within bounds.

    Attributes:
        frequency: of the series.
        horizon: `K`.
        season: `m`, or None where the same time one season ago tells less than the last value.
        covariates: what else is read, or None.
        holidays: the country whose holidays are read after the calendar, or None.
    """

    frequency: Frequency
    horizon: int
    season: int | None
    covariates: StepCovariates | None = None
    holidays: str | None = None

    @property
    def size(self) -> int:
        """Number of columns."""
        beside = 0 if self.covariates is None else self.covariates.size
        calendar = len(calendar_names(self.frequency))
        if self.holidays is not None:
            calendar += len(holiday_names(self.frequency))
        return OWN_COLUMNS + 1 + calendar + beside + self.lags

    @property
    def lags(self) -> int:
        """Number of lag columns."""
        return 0 if self.season is None else min(self.horizon, self.season)

    @property
    def memory(self) -> int:
        """How many of the last values a next row depends on."""
        return max(1, self.season or 1)

    def inputs(
        self, values: Array, times: np.ndarray, scale: Scale, beside: Beside | None = None
    ) -> Features:
        """Rows `(n, F)` of a series `(n,)` from its beginning."""
        return self._rows(scale.transform(values), times, scale, self._beside(beside, len(values)))

    def next_input(
        self,
        value: float,
        time: np.datetime64,
        past: Array,
        scale: Scale,
        beside: Beside | None = None,
    ) -> Features:
        """The row `(F,)` of one more value, given the `memory` last (log) values.

        `beside` holds the covariates of this one step, and those known ahead of it.
        """
        level = np.append(past, scale.transform(np.array([value])))
        times = np.full(len(level), time)
        rows = np.repeat(self._beside(beside, 1), len(level), axis=0)
        return self._rows(level, times, scale, rows)[-1]

    def _beside(self, beside: Beside | None, steps: int) -> Features:
        if self.covariates is None or beside is None:
            return np.empty((steps, 0), dtype=np.float32)
        return self.covariates.rows(beside, steps)

    def _rows(self, raw: Array, times: np.ndarray, scale: Scale, beside: Features) -> Features:
        level = fill_forward(raw, scale.centre)
        columns = [
            squash((level - scale.centre) / scale.spread, 3.0),
            squash(np.diff(level, prepend=level[:1]) / scale.step, 5.0),
            (~np.isfinite(raw)).astype(np.float64),
        ]
        lags = [self._lag(level, k, scale) for k in range(1, self.lags + 1)]
        calendar = calendar_features(times, self.frequency)
        if self.holidays is not None:
            near = holiday_features(times, self.frequency, self.holidays)
            calendar = np.concatenate([calendar, near], axis=1)
        rows = [np.stack(columns, axis=1), calendar, beside, *[lag[:, None] for lag in lags]]
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
