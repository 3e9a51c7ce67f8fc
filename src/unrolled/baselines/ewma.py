"""Prices whose changes have mean zero and a variance that is remembered with fading weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.baselines.histories import (
    Floats,
    check_horizon,
    checked_history,
    checked_origins,
    checked_quantiles,
    filled,
    known_history,
    normal_quantiles,
)
from unrolled.baselines.naive import Naive
from unrolled.baselines.rival import impossible, needed
from unrolled.errors import ConfigError, DataError, NotFittedError


class EWMAVolatility:
    """The last value goes on; how far it may move comes from an average of past squared changes.

        sigma_t^2 = decay sigma_{t-1}^2 + (1 - decay) r_t^2,   r_t = log y_t - log y_{t-1}
        log y_{t+h} ~ Normal(log y_t, h sigma_t^2)

    The average begins with the first change: its weights are divided by their sum, which tends to
    1. Where not all values that `fit` saw are positive, `r_t = y_t - y_{t-1}` and `y_{t+h}` itself
    is normal. A change over a gap of `g` steps counts once, as `r^2 / g`. Read in logarithms, a
    later value that is not positive counts as not known.

    Shapes: `n` steps of history, `O` origins, `Q` quantiles. NaN marks a value that is not known.

    Args:
        decay: the weight of what was known before; .94 is RiskMetrics' for daily data.

    Raises:
        ConfigError: a decay outside (0, 1).

    Source: J.P. Morgan and Reuters, "RiskMetrics technical document", 4th edition, 1996, chapter 5.
    """

    def __init__(self, decay: float = 0.94) -> None:
        if not 0 < decay < 1:
            raise ConfigError(f"decay is {decay}; give a number between 0 and 1")
        self.decay = float(decay)
        self._log = True
        self._variance: float | None = None

    @property
    def name(self) -> str:
        """`EWMA(0.94) volatility`."""
        return f"EWMA({self.decay:g}) volatility"

    def fit(self, values: Iterable[ArrayLike], horizon: int = 64) -> Self:
        """Sees whether to read in logarithms, and what variance a series without changes borrows.

        Args:
            values: one `(n,)` array per series; lengths may differ.
            horizon: of no weight: the variance grows by the formula.

        Raises:
            ConfigError: a horizon below 1.
            DataError: no series has two known values.
        """
        check_horizon(horizon)
        histories = [checked_history(series) for series in values]
        self._log = not any(bool((series <= 0).any()) for series in histories)
        squares = [np.square(self._changes(series)[0]) for series in histories]
        means = [float(row.mean()) for row in squares if len(row)]
        if not means:
            raise DataError("no series has two known values; give longer series")
        self._variance = float(np.mean(means))
        return self

    def forecast(self, history: ArrayLike, horizon: int) -> Floats:
        """`(horizon,)`: the last known value; the median of what follows."""
        return Naive().forecast(self._readable(known_history(history)), horizon)

    def forecast_quantiles(self, history: ArrayLike, horizon: int, quantiles: ArrayLike) -> Floats:
        """`(horizon, Q)`: the values that the future stays below with these probabilities."""
        known = known_history(history)
        return self.rolling_quantiles(known, [len(known)], horizon, quantiles)[0]

    def rolling(self, history: ArrayLike, origins: ArrayLike, horizon: int) -> Floats:
        """`(O, horizon)`: the last known value before each origin; `Naive.rolling`."""
        return Naive().rolling(self._readable(checked_history(history)), origins, horizon)

    def rolling_quantiles(
        self, history: ArrayLike, origins: ArrayLike, horizon: int, quantiles: ArrayLike
    ) -> Floats:
        """`(O, horizon, Q)`: the quantiles of each rolling forecast; no origin sees later values.

        Raises:
            ConfigError: a horizon below 1, an origin outside 1 to `n`, a quantile outside (0, 1).
            NotFittedError: before `fit`.
        """
        variance = self._fitted()
        levels = checked_quantiles(quantiles)
        known = self._readable(checked_history(history))
        starts = checked_origins(origins, len(known))
        points = self.rolling(known, starts, horizon)
        variances = self._variances(known)
        variances = np.where(np.isnan(variances), variance, variances)[starts - 1]
        deviation = np.sqrt(variances)[:, None] * np.sqrt(np.arange(1, horizon + 1))
        moves = deviation[:, :, None] * normal_quantiles(levels)
        return points[:, :, None] * np.exp(moves) if self._log else points[:, :, None] + moves

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted model as named arrays."""
        variance = self._fitted()
        return {
            "decay": np.array([self.decay]),
            "log": np.array([int(self._log)]),
            "variance": np.array([variance]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_arrays` wrote; it gives the same quantiles, bit for bit.

        Raises:
            ModelFileError: an array is missing or has another shape than `to_arrays` gives it.
        """
        names = ("decay", "log", "variance")
        needed(arrays, names, cls.__name__)
        decay, log, variance = (np.asarray(arrays[name]) for name in names)
        if not decay.shape == log.shape == variance.shape == (1,):
            raise impossible(arrays, names, cls.__name__)
        if not (0 < decay[0] < 1 and 0 <= variance[0] < np.inf and log[0] in (0, 1)):
            raise impossible(arrays, names, cls.__name__)
        model = cls(float(decay[0]))
        model._log, model._variance = bool(log[0]), float(variance[0])
        return model

    def _fitted(self) -> float:
        if self._variance is None:
            raise NotFittedError("this EWMAVolatility knows no variance yet; call fit(values)")
        return self._variance

    def _readable(self, history: Floats) -> Floats:
        """The history without what has no logarithm, where it is read so.

        An error would take every earlier forecast of the series with it, and say what comes later.
        """
        logs = self._log and self._variance is not None
        return np.where(history > 0, history, np.nan) if logs else history

    def _changes(self, history: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """The changes between known values, per root of the steps between; and where each ends."""
        places = np.flatnonzero(~np.isnan(history))
        level = np.log(history[places]) if self._log else history[places]
        return np.diff(level) / np.sqrt(np.diff(places)), places[1:]

    def _variances(self, history: Floats) -> Floats:
        """`(n,)`: sigma^2 once each value is known; NaN before the first change."""
        changes, places = self._changes(history)
        variances = np.full(len(history), np.nan)
        total = weight = 0.0
        for place, square in zip(places.tolist(), np.square(changes).tolist(), strict=True):
            total = self.decay * total + (1 - self.decay) * square
            weight = self.decay * weight + (1 - self.decay)
            variances[place] = total / weight
        return filled(variances, 1)
