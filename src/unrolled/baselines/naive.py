"""Forecasts that repeat what was last seen, with intervals from the errors they made before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError, ShapeError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The quantile function of the errors is kept at these levels and read off between them.
_LEVELS = np.linspace(0.0, 1.0, 201)
# A step ahead counts as measured from this many errors on; beyond it the theory takes over.
_ENOUGH = 20
# How many past forecasts a fit looks at, over all series; more would not move the quantiles.
_MOST_ORIGINS = 20_000


class SeasonalNaive:
    """Forecasts each step as the last known value one or more whole seasons before it.

        y_hat[n + h] = y[n + h - m (floor((h - 1) / m) + 1)],   h = 1, 2, ..., season m

    Where that value is NaN the season before it is asked, and so on; where none is known, the last
    known value of all stands in. Forecasting needs no `fit`.

    `fit` learns how wrong such forecasts were: per step ahead, the quantiles of the errors, each
    divided by its series' scale (the mean absolute error one season ahead). An interval is the
    forecast plus those quantiles times the scale of the history at hand, so that series of any size
    share one set of errors. Steps further ahead than were measured take the last measured step of
    the same phase, widened as the standard deviation of a seasonal random walk grows, by
    `sqrt(floor((h - 1) / m) + 1)`.

    Shapes: `n` steps of history, `O` origins, `Q` quantiles. NaN marks a value that is not known.

    Args:
        season: `m`, steps per season; 7 for daily data with a weekly pattern. At least 1.

    Raises:
        ConfigError: a season below 1.

    Source: Hyndman and Athanasopoulos, "Forecasting: principles and practice", 3rd edition, 2021,
    sections 5.2 and 5.5.
    """

    def __init__(self, season: int) -> None:
        if season < 1:
            raise ConfigError(f"season is {season}; give the number of steps per season, 1 or more")
        self.season = int(season)
        self._errors: Floats | None = None
        self._scale = 0.0

    def fit(self, values: Iterable[ArrayLike], horizon: int = 64) -> Self:
        """Measures the errors of past forecasts on every series.

        Args:
            values: one `(n,)` array per series; lengths may differ.
            horizon: how many steps ahead to measure.

        Raises:
            ConfigError: a horizon below 1.
            DataError: no series has two known values a season apart, so that there is no error to
                learn from.
        """
        _check_horizon(horizon)
        histories = [_checked_history(series) for series in values]
        share = max(1, _MOST_ORIGINS // max(1, len(histories)))
        scales = np.array([self._scales(history)[-1] for history in histories if len(history)])
        if np.isnan(scales).all():
            raise DataError(
                f"no series has two known values {self.season} steps apart; give longer series, "
                "or a shorter season"
            )
        errors = [
            self._relative_errors(history, horizon, share) for history in histories if len(history)
        ]
        self._errors = _quantiles_by_step(np.concatenate(errors))
        self._scale = float(np.nanmean(scales))
        return self

    def forecast(self, history: ArrayLike, horizon: int) -> Floats:
        """`(horizon,)`: what follows `history`, a `(n,)` array.

        Raises:
            ConfigError: a horizon below 1.
            DataError: the history holds no known value.
        """
        known = _known_history(history)
        return self.rolling(known, [len(known)], horizon)[0]

    def forecast_quantiles(self, history: ArrayLike, horizon: int, quantiles: ArrayLike) -> Floats:
        """`(horizon, Q)`: the values that the future stays below with these probabilities.

        Raises:
            ConfigError: a horizon below 1, or a quantile outside (0, 1).
            DataError: the history holds no known value.
            NotFittedError: before `fit`.
        """
        known = _known_history(history)
        return self.rolling_quantiles(known, [len(known)], horizon, quantiles)[0]

    def rolling(self, history: ArrayLike, origins: ArrayLike, horizon: int) -> Floats:
        """`(O, horizon)`: one forecast from each origin, all at once.

        Args:
            history: `(n,)` values.
            origins: `(O,)` integers from 1 to `n`: forecast `k` has seen `history[:origins[k]]` and
                its first step stands for `history[origins[k]]`.
            horizon: steps ahead.

        A row is NaN where nothing was known before its origin.

        Raises:
            ConfigError: a horizon below 1, or an origin outside 1 to `n`.
        """
        known = _checked_history(history)
        starts = _checked_origins(origins, len(known))
        _check_horizon(horizon)
        sources = starts[:, None] - self.season + np.arange(horizon) % self.season
        # Before the first season there is nothing to repeat: place -1 reads the NaN at the end.
        seasonal = np.append(_filled(known, self.season), np.nan)[np.maximum(sources, -1)]
        last = _filled(known, 1)[starts - 1][:, None]
        return np.where(np.isnan(seasonal), last, seasonal)

    def rolling_quantiles(
        self, history: ArrayLike, origins: ArrayLike, horizon: int, quantiles: ArrayLike
    ) -> Floats:
        """`(O, horizon, Q)`: the quantiles of each rolling forecast; no origin sees later values.

        Arguments as for `rolling` and `forecast_quantiles`.
        """
        if self._errors is None:
            raise NotFittedError(
                f"this {type(self).__name__} knows no errors yet; call fit(values) first"
            )
        levels = _checked_quantiles(quantiles)
        known = _checked_history(history)
        points = self.rolling(known, origins, horizon)
        scales = self._scales(known)[_checked_origins(origins, len(known)) - 1]
        scales = np.where(np.isnan(scales), self._scale, scales)
        rows, growth = self._steps(horizon)
        spread = np.stack([np.interp(levels, _LEVELS, self._errors[row]) for row in rows])
        return points[:, :, None] + scales[:, None, None] * growth[:, None] * spread

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted model as named arrays."""
        if self._errors is None:
            raise NotFittedError(f"this {type(self).__name__} knows no errors yet; call fit first")
        return {
            "season": np.array([self.season], dtype=np.int64),
            "errors": self._errors,
            "scale": np.array([self._scale]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_arrays` wrote; it gives the same forecasts and quantiles, bit for bit.

        Raises:
            ModelFileError: an array is missing or has another shape than `to_arrays` gives it.
        """
        missing = {"season", "errors", "scale"} - set(arrays)
        if missing:
            raise ModelFileError(
                f"the naive model lacks the array {min(missing)!r}; "
                "the file is truncated or of another kind"
            )
        season, scale = np.asarray(arrays["season"]), np.asarray(arrays["scale"])
        errors = np.asarray(arrays["errors"], dtype=np.float64)
        shapes_fit = season.shape == scale.shape == (1,) and errors.shape[1:] == _LEVELS.shape
        if not shapes_fit or not len(errors) or not np.isfinite(errors).all() or season[0] < 1:
            raise ModelFileError(
                f"the naive model's arrays have the shapes {season.shape}, {scale.shape} and "
                f"{errors.shape} or values that can't be; save the model again"
            )
        model = cls.__new__(cls)
        SeasonalNaive.__init__(model, int(season[0]))
        model._errors = errors
        model._scale = float(scale[0])
        return model

    def _scales(self, history: Floats) -> Floats:
        """`(n,)`: the mean absolute error one season ahead, over all steps up to each."""
        before = np.append(np.full(self.season, np.nan), _filled(history, self.season))
        errors = np.abs(history - before[: len(history)])
        known = ~np.isnan(errors)
        total, count = np.cumsum(np.where(known, errors, 0.0)), np.cumsum(known)
        return np.divide(total, count, out=np.full(len(history), np.nan), where=count > 0)

    def _relative_errors(self, history: Floats, horizon: int, most: int) -> Floats:
        """`(O, horizon)`: errors of up to `most` past forecasts, in units of the scale."""
        scale = self._scales(history)[-1]
        if not scale > 0:
            # Nothing to compare, or constant: errors of zero would narrow everybody's intervals.
            return np.empty((0, horizon))
        # Before one full season the forecasts are only stand-ins; after the end nothing came true.
        first = self.season
        span = np.linspace(first, len(history) - 1, min(most, len(history) - first))
        origins = np.unique(span.astype(np.int64))
        came = np.append(history, np.full(horizon, np.nan))[origins[:, None] + np.arange(horizon)]
        return (came - self.rolling(history, origins, horizon)) / scale

    def _steps(self, horizon: int) -> tuple[Integers, Floats]:
        """Which measured step each step reads, and by what factor its errors are widened."""
        assert self._errors is not None
        measured = len(self._errors)
        steps = np.arange(horizon)
        period = self.season if measured >= self.season else 1
        rows = np.where(steps < measured, steps, measured - period + (steps - measured) % period)
        growth = np.sqrt((steps // self.season + 1) / (rows // self.season + 1))
        return rows, growth


class Naive(SeasonalNaive):
    """Forecasts every step as the last known value: `SeasonalNaive` with a season of one step."""

    def __init__(self) -> None:
        super().__init__(1)


def _filled(history: Floats, season: int) -> Floats:
    """`(n,)`: each NaN replaced by the last known value a whole number of seasons before it."""
    rows = -(-len(history) // season)
    padded = np.full(rows * season, np.nan)
    padded[: len(history)] = history
    table = padded.reshape(rows, season)
    known = np.where(np.isnan(table), 0, np.arange(rows)[:, None])
    source = np.maximum.accumulate(known, axis=0)
    return np.take_along_axis(table, source, axis=0).reshape(-1)[: len(history)]


def _quantiles_by_step(errors: Floats) -> Floats:
    """`(S, levels)`: quantiles of the errors of the leading steps that have enough of them.

    Step 1 always counts; series too short for more leave the rest to the theory.
    """
    counts = (~np.isnan(errors)).sum(axis=0)
    if not counts[0]:
        return np.zeros((1, len(_LEVELS)))  # Every series is constant.
    enough = counts >= min(_ENOUGH, counts[0])
    measured = len(enough) if enough.all() else int(np.argmin(enough))
    return np.nanquantile(errors[:, :measured], _LEVELS, axis=0).T.copy()


def _checked_history(history: ArrayLike) -> Floats:
    try:
        values = np.asarray(history, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "the history holds something that is not a number; give floats, NaN for gaps"
        ) from None
    if values.ndim != 1:
        raise ShapeError(f"a history has the shape {values.shape}; expected one dimension, (n,)")
    if np.isinf(values).any():
        step = int(np.flatnonzero(np.isinf(values))[0])
        raise DataError(f"the history is infinite at step {step}; give a number, or NaN for a gap")
    return values


def _known_history(history: ArrayLike) -> Floats:
    values = _checked_history(history)
    if np.isnan(values).all():
        raise DataError(
            f"the history of {len(values)} values holds no known one; give one at least"
        )
    return values


def _checked_origins(origins: ArrayLike, length: int) -> Integers:
    starts = np.asarray(origins)
    if starts.ndim != 1:
        raise ShapeError(f"origins have the shape {starts.shape}; expected one dimension, (O,)")
    if starts.size and (starts.dtype.kind not in "iu" or starts.min() < 1 or starts.max() > length):
        raise ConfigError(
            f"origins run from {starts.min()} to {starts.max()}; "
            f"expected integers from 1 to the length of the history, {length}"
        )
    return starts.astype(np.int64)


def _checked_quantiles(quantiles: ArrayLike) -> Floats:
    levels = np.asarray(quantiles, dtype=np.float64)
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ConfigError(
            f"quantiles are {levels.tolist()}; give a list of numbers between 0 and 1"
        )
    return levels


def _check_horizon(horizon: int) -> None:
    if horizon < 1:
        raise ConfigError(f"horizon is {horizon}; give 1 step or more")
