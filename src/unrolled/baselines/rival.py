"""What every rival of a forecaster can do, and intervals from the errors that a rival made before.

`Rival` is the protocol; `EmpiricalRival` gives everything but the forecast itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.baselines.histories import (
    Floats,
    Integers,
    check_horizon,
    checked_history,
    checked_origins,
    checked_quantiles,
    known_history,
    running_change,
)
from unrolled.errors import DataError, ModelFileError, NotFittedError

# The quantile function of the errors is kept at these levels and read off between them.
_LEVELS = np.linspace(0.0, 1.0, 201)
# A step ahead counts as measured from this many errors on; beyond it the theory takes over.
_ENOUGH = 20
# How many past forecasts a fit looks at, over all series; more would not move the quantiles.
MOST_ORIGINS = 20_000


@runtime_checkable
class Rival(Protocol):
    """A simple forecaster that a network is measured against.

    Shapes: `n` steps of history, `O` origins, `K` steps ahead, `Q` quantiles. NaN marks a value
    that is not known. An origin `o` has seen `history[:o]`; its first step is `history[o]`.
    """

    @property
    def name(self) -> str:
        """What a table calls it."""

    def fit(self, values: Iterable[ArrayLike], horizon: int = 64) -> Self:
        """Learns from one `(n,)` array per series, to answer `horizon` steps ahead."""

    def rolling(self, history: ArrayLike, origins: ArrayLike, horizon: int) -> Floats:
        """`(O, K)`: one forecast from each origin."""

    def rolling_quantiles(
        self, history: ArrayLike, origins: ArrayLike, horizon: int, quantiles: ArrayLike
    ) -> Floats:
        """`(O, K, Q)`: the values that the future stays below with these probabilities."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted rival as named arrays."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote."""


@dataclass(frozen=True)
class StepErrors:
    """The quantile function of a rival's errors at each step ahead, in units of a series' scale.

    Attributes:
        table: `(S, 201)`, row `h - 1` the quantiles of the errors `h` steps ahead at the
            probabilities 0, .005, ..., 1.
    """

    table: Floats

    @classmethod
    def of(cls, errors: Floats) -> StepErrors:
        """Measured errors `(O, K)`, NaN where nothing came true; leading steps with enough of them.

        Step 1 always counts; series too short for more leave the rest to the theory.
        """
        counts = (~np.isnan(errors)).sum(axis=0)
        if not counts[0]:
            return cls(np.zeros((1, len(_LEVELS))))  # Every series is constant.
        enough = counts >= min(_ENOUGH, counts[0])
        measured = len(enough) if enough.all() else int(np.argmin(enough))
        return cls(np.nanquantile(errors[:, :measured], _LEVELS, axis=0).T.copy())

    def at(self, levels: Floats, horizon: int, season: int) -> tuple[Floats, Integers]:
        """`(K, Q)` quantiles as measured, and which measured step `(K,)` each step reads.

        A step beyond the measured reads the last measured one of the same phase of the season.
        """
        measured, steps = len(self.table), np.arange(horizon)
        period = season if measured >= season else 1
        rows = np.where(steps < measured, steps, measured - period + (steps - measured) % period)
        return np.stack([np.interp(levels, _LEVELS, self.table[row]) for row in rows]), rows


class EmpiricalRival(ABC):
    """A rival whose intervals are its forecast plus the quantiles of the errors that it made.

        q_tau[n + h] = y_hat[n + h] + scale_n * E_tau(h)

    `fit` runs the forecast over the past of every series and keeps, per step ahead, the quantiles
    `E_tau(h)` of the errors, each divided by its series' scale: the mean absolute change from one
    season to the next (`season` 1 unless a rival has another). Series of any size so share one set
    of errors. A step further ahead than was measured takes the errors of the last measured step of
    the same phase, widened by the root of the ratio of the variances that theory gives the two.

    A rival gives `name`, `rolling`, and, where it learns or keeps more, `fit`, `to_arrays` and
    `from_arrays`.
    """

    season: int = 1

    def __init__(self) -> None:
        self._errors: StepErrors | None = None
        self._scale = 0.0

    @property
    @abstractmethod
    def name(self) -> str:
        """What a table calls it."""

    @abstractmethod
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
        check_horizon(horizon)
        histories = [checked_history(series) for series in values]
        self._measure([series for series in histories if len(series)], horizon)
        return self

    def forecast(self, history: ArrayLike, horizon: int) -> Floats:
        """`(horizon,)`: what follows `history`, a `(n,)` array.

        Raises:
            ConfigError: a horizon below 1.
            DataError: the history holds no known value.
        """
        known = known_history(history)
        return self.rolling(known, [len(known)], horizon)[0]

    def forecast_quantiles(self, history: ArrayLike, horizon: int, quantiles: ArrayLike) -> Floats:
        """`(horizon, Q)`: the values that the future stays below with these probabilities.

        Raises:
            ConfigError: a horizon below 1, or a quantile outside (0, 1).
            DataError: the history holds no known value.
            NotFittedError: before `fit`.
        """
        known = known_history(history)
        return self.rolling_quantiles(known, [len(known)], horizon, quantiles)[0]

    def rolling_quantiles(
        self, history: ArrayLike, origins: ArrayLike, horizon: int, quantiles: ArrayLike
    ) -> Floats:
        """`(O, horizon, Q)`: the quantiles of each rolling forecast; no origin sees later values.

        Arguments as for `rolling` and `forecast_quantiles`.
        """
        errors = self._fitted()
        levels = checked_quantiles(quantiles)
        known = checked_history(history)
        points = self.rolling(known, origins, horizon)
        scales = running_change(known, self.season)[checked_origins(origins, len(known)) - 1]
        scales = np.where(np.isnan(scales), self._scale, scales)
        spread, rows = errors.at(levels, horizon, self.season)
        growth = np.sqrt(self._variance(np.arange(1, horizon + 1)) / self._variance(rows + 1))
        return points[:, :, None] + scales[:, None, None] * growth[:, None] * spread

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted rival as named arrays."""
        return {"errors": self._fitted().table, "scale": np.array([self._scale])}

    def _variance(self, steps: Integers) -> NDArray[Any]:
        """How the variance of the error grows with the steps (from 1) ahead, up to a factor.

        In theory, as a seasonal random walk's: floor((h - 1) / m) + 1.
        """
        return (steps - 1) // self.season + 1

    def _fitted(self) -> StepErrors:
        if self._errors is None:
            raise NotFittedError(
                f"this {type(self).__name__} knows no errors yet; call fit(values) first"
            )
        return self._errors

    def _measure(self, histories: list[Floats], horizon: int) -> None:
        """Sets the errors and the scale that a history too short for one of its own borrows."""
        self._scale = mean_scale(histories, self.season)
        share = max(1, MOST_ORIGINS // max(1, len(histories)))
        errors = [self._relative_errors(history, horizon, share) for history in histories]
        self._errors = StepErrors.of(np.concatenate(errors))

    def _relative_errors(self, history: Floats, horizon: int, most: int) -> Floats:
        """`(O, horizon)`: errors of up to `most` past forecasts, in units of the scale."""
        # Before one full season the forecasts are only stand-ins; after the end nothing came true.
        first = self.season
        span = np.linspace(first, len(history) - 1, max(0, min(most, len(history) - first)))
        return self._errors_at(history, np.unique(span.astype(np.int64)), horizon)

    def _errors_at(self, history: Floats, origins: Integers, horizon: int) -> Floats:
        """`(O, horizon)`: errors of the forecasts at these origins, in units of the scale."""
        scale = running_change(history, self.season)[-1]
        if not scale > 0:
            # Nothing to compare, or constant: errors of zero would narrow everybody's intervals.
            return np.empty((0, horizon))
        came = np.append(history, np.full(horizon, np.nan))[origins[:, None] + np.arange(horizon)]
        return (came - self.rolling(history, origins, horizon)) / scale

    def _restore(self, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Takes back `errors` and `scale`.

        Raises:
            ModelFileError: an array is missing or has another shape than `to_arrays` gives it.
        """
        needed(arrays, ("errors", "scale"), type(self).__name__)
        scale, errors = np.asarray(arrays["scale"]), np.asarray(arrays["errors"], dtype=np.float64)
        shapes_fit = scale.shape == (1,) and errors.shape[1:] == _LEVELS.shape
        if not shapes_fit or not len(errors) or not np.isfinite(errors).all():
            raise impossible(arrays, ("scale", "errors"), type(self).__name__)
        self._errors, self._scale = StepErrors(errors), float(scale[0])
        return self


def mean_scale(histories: list[Floats], season: int) -> float:
    """The mean over the series of their mean absolute change over a season; else DataError."""
    scales = np.array([running_change(series, season)[-1] for series in histories])
    if np.isnan(scales).all():
        raise DataError(
            f"no series has two known values {season} steps apart; give longer series, "
            "or a shorter season"
        )
    return float(np.nanmean(scales))


def needed(arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...], model: str) -> None:
    """ModelFileError unless all the arrays are there."""
    missing = set(names) - set(arrays)
    if missing:
        raise ModelFileError(
            f"the baseline {model} lacks the array {min(missing)!r}; "
            "the file is truncated or of another kind"
        )


def impossible(
    arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...], model: str
) -> ModelFileError:
    """The error of arrays that `to_arrays` can't have written."""
    shapes = ", ".join(f"{name} {np.shape(arrays[name])}" for name in names)
    return ModelFileError(
        f"the baseline {model} has arrays of the shapes {shapes}, or values that can't be; "
        "save the model again"
    )
