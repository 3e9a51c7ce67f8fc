"""Repair of intervals by what came true: offsets learnt once, or followed value by value."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.errors import ConfigError, DataError, ModelFileError, ShapeError

Array = NDArray[np.float64]

# A side that is narrower than this share of the series' unit is repaired in that unit instead.
_FLOOR = 0.05
# Scores that a tail needs beyond its quantile; where a step has fewer, its neighbours lend theirs.
_BEYOND = 8
# By how many standard errors the share above the median must be off one half, to move the median.
_CLEARLY = 4.0
# Rolling: how far one value moves an offset, in usual errors.
RATE = 0.1
# Rolling: by what share the usual error follows the last one. Were it quick, moves would be large
# after misses and small after hits, and leave too many values outside.
_SLOWLY = 0.01
# Rolling: how much alike steps ahead k and j are taken to be fades as log(k / j) passes this.
_ALIKE = 0.5


def _checked_levels(levels: ArrayLike) -> Array:
    numbers = np.asarray(levels, dtype=np.float64)
    ascend = numbers.ndim == 1 and bool((np.diff(numbers) > 0).all())
    if not ascend or not ((numbers > 0) & (numbers < 1)).all() or 0.5 not in numbers:
        raise ConfigError(
            f"levels are {numbers.tolist()}; expected ascending ones in (0, 1), 0.5 among them"
        )
    return numbers


def _units(fans: Array, levels: Array, unit: Array | float) -> Array:
    """`(..., Q)`: the half width of each level's side, and at least a share of the series' unit.

    The median's is the mean of its neighbours'.
    """
    middle = int(np.searchsorted(levels, 0.5))
    widths = np.abs(fans - fans[..., middle : middle + 1])
    beside = [place for place in (middle - 1, middle + 1) if 0 <= place < len(levels)]
    if beside:
        widths[..., middle] = widths[..., beside].mean(axis=-1)
    floor = _FLOOR * np.reshape(unit, (*np.shape(unit), *([1] * (fans.ndim - np.ndim(unit)))))
    return np.maximum(widths, floor)


def _moved(fans: Array, offsets: Array, units: Array, levels: Array) -> Array:
    """Fans plus offsets times units, ascending: away from the median nothing turns back."""
    middle = int(np.searchsorted(levels, 0.5))
    moved = fans + offsets * units
    upper = np.maximum.accumulate(moved[..., middle:], axis=-1)
    lower = np.minimum.accumulate(moved[..., middle::-1], axis=-1)[..., ::-1]
    return np.concatenate([lower[..., :-1], upper], axis=-1)


@dataclass(frozen=True)
class Repair:
    """Moves each quantile of a forecast so that it holds the share that it names.

        q'_tau(k) = q_tau(k) + delta_tau(k) u_tau(k),   u_tau = max(|q_tau - q_.5|, .05 unit)

    `delta_tau(k)` is the conformal quantile of the scores `(y - q_tau) / u_tau` of past forecasts
    `k` steps ahead, that of level `(1 + k / n) tau` of `n` scores, from the other end below the
    median: forecasts from neighbouring origins share most of what they missed, so that `n` of them
    count as `n / k`, and few scores make the repair cautious, up to their most extreme. So the
    repair widens or narrows each side of each interval in proportion to what the model itself gave,
    and a wide forecast stays wider than a narrow one. Where a step has too few scores for its tail,
    those of the neighbouring steps join. The median moves only where it is clearly biased. The
    quantiles ascend.

    Shapes: `N` forecasts, `K` steps ahead, `Q` levels.

    Attributes:
        levels: `(Q,)`, ascending, 0.5 among them.
        offsets: `(K, Q)`, delta.

    Source: Romano, Patterson and Candes, "Conformalized quantile regression", NeurIPS 2019, per
    level and side, the score taken relative to the width as in Kivaranovic, Johnson and Leeb,
    AISTATS 2020.
    """

    levels: Array
    offsets: Array

    @classmethod
    def fit(
        cls, actual: ArrayLike, fans: ArrayLike, levels: ArrayLike, unit: ArrayLike = 0.0
    ) -> Repair:
        """Learns the offsets from forecasts of values that the model has not learnt from.

        Args:
            actual: `(N, K)`, what came true; NaN where it is not known.
            fans: `(N, K, Q)`, what was forecast.
            levels: `(Q,)`, ascending, 0.5 among them.
            unit: `(N,)` or one number: a usual change of the series of each forecast, such as
                `seasonal_scale`; 0 for no floor.

        Raises:
            ConfigError: levels that do not ascend inside (0, 1), or without 0.5.
            ShapeError: the shapes do not fit each other.
            DataError: no value is known.
        """
        checked = _checked_levels(levels)
        came, given = np.asarray(actual, np.float64), np.asarray(fans, np.float64)
        if came.ndim != 2 or given.shape != (*came.shape, len(checked)):
            raise ShapeError(
                f"actual has the shape {came.shape} and fans {given.shape}; expected (N, K) and "
                f"(N, K, {len(checked)})"
            )
        if not np.isfinite(came).any():
            raise DataError("no forecast came true yet; repair needs past forecasts with values")
        units = _units(given, checked, np.asarray(unit, np.float64))
        distance = came[..., None] - given
        # A unit of 0 is a fan without width, of a series without change: right, or far off.
        scores = np.divide(distance, units, out=np.zeros_like(distance), where=units > 0)
        offsets = np.empty(given.shape[1:])
        for place, level in enumerate(checked):
            offsets[:, place] = _by_step(scores[..., place], float(level))
        offsets = np.clip(offsets, *_farthest(distance, units))
        middle = int(np.searchsorted(checked, 0.5))
        offsets[:, middle] *= _biased(scores[..., middle])
        return cls(checked, offsets)

    def apply(self, fans: ArrayLike, unit: ArrayLike = 0.0) -> Array:
        """`(..., K, Q)`: forecasts repaired; `unit` `(...)` or one number, as for `fit`.

        Raises:
            ShapeError: another number of steps or levels than was fitted.
        """
        given = np.asarray(fans, np.float64)
        if given.shape[-2:] != self.offsets.shape:
            raise ShapeError(
                f"fans have the shape {given.shape}; expected (..., {len(self.offsets)}, "
                f"{len(self.levels)}), as the repair was fitted"
            )
        units = _units(given, self.levels, np.asarray(unit, np.float64))
        return _moved(given, self.offsets, units, self.levels)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The repair as named arrays."""
        return {"levels": self.levels, "offsets": self.offsets}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Repair:
        """The repair that `to_arrays` wrote; else ModelFileError."""
        return cls(*_taken(arrays, ("levels", "offsets")))


class RollingRepair:
    """A repair of one stream that goes on learning from each value, in constant memory.

        delta_tau(k) += rate / sqrt(k) pace_tau(k) (1[y > q'_tau(k)] - (1 - tau))

    for the forecast of `y` that was made `k` values ago: a quantile that is passed too often moves
    out, one that is passed too rarely moves in, and over a long time each is passed as often as it
    names, whatever the series does. The pace is the usual size of `(y - q'_tau) / u_tau`, followed
    slowly; a forecast further ahead hears later, and of overlapping misses, and so moves less.
    Steps ahead that are alike share what they learn. The median stays where the start has it.

    A forecast `k` steps ahead counts only once its value is there: call `observe` for each new
    value, then `repair` for the forecast made after it.

    Shapes: `K` steps ahead, `Q` levels.

    Args:
        start: the repair to begin with: `Repair.fit` on past forecasts.
        unit: a usual change of the series, the floor's unit as in `Repair`.
        rate: how far one value moves an offset, in usual errors; 0.1 was chosen on calibration
            parts, where less followed too slowly and more swung.

    Raises:
        ConfigError: a rate that is not above 0.

    Source: Gibbs and Candes, "Adaptive conformal inference under distribution shift", NeurIPS 2021;
    quantile tracking of Angelopoulos, Candes and Tibshirani, "Conformal PID control for time series
    prediction", NeurIPS 2023.
    """

    def __init__(self, start: Repair, unit: float = 0.0, rate: float = RATE) -> None:
        if not rate > 0:
            raise ConfigError(f"rate is {rate}; give a number above 0")
        self.levels = start.levels
        self.offsets = start.offsets.copy()
        self.unit = float(unit)
        self.rate = float(rate)
        horizon, size = self.offsets.shape
        # Row j: the forecast made j values ago, and its units; NaN where none was.
        self._issued = np.full((horizon, horizon, size), np.nan)
        self._units = self._issued.copy()
        self._pace = np.maximum(np.abs(1 + np.sign(self.levels - 0.5) * self.offsets), 0.1)

    def repair(self, fan: ArrayLike) -> Array:
        """`(K, Q)`: the forecast made after the last observed value, repaired.

        Raises:
            ShapeError: another number of steps or levels than was fitted.
        """
        given = np.asarray(fan, np.float64)
        if given.shape != self.offsets.shape:
            raise ShapeError(f"the fan has the shape {given.shape}; expected {self.offsets.shape}")
        self._units[0] = _units(given, self.levels, self.unit)
        self._issued[0] = _moved(given, self.offsets, self._units[0], self.levels)
        return self._issued[0].copy()

    def observe(self, value: float) -> None:
        """Takes in the next value of the stream, NaN if it is not known."""
        steps = np.arange(len(self.offsets))
        due, units = self._issued[steps, steps], self._units[steps, steps]
        known = np.isfinite(due).all(axis=1) & np.isfinite(value)
        if known.any():
            excess = np.where(known[:, None], (value > due) - (1 - self.levels), 0.0)
            self._follow(excess, known)
            error = np.divide(np.abs(value - due), units, out=np.zeros_like(due), where=units > 0)
            self._pace += _SLOWLY * np.where(known[:, None], error - self._pace, 0.0)
        for waiting in (self._issued, self._units):
            waiting[1:] = waiting[:-1].copy()
            waiting[0] = np.nan

    def _follow(self, excess: Array, known: NDArray[np.bool_]) -> None:
        """Moves the offsets by the excess `(K, Q)`, each step's with those of steps like it."""
        steps = np.arange(1, len(known) + 1)
        alike = np.exp(-0.5 * np.square(np.log(steps[:, None] / steps) / _ALIKE)) * known
        # A step that is like none of those that came true learns that much less.
        shared = alike @ excess / np.maximum(alike.sum(axis=1, keepdims=True), 1.0)
        moved = self.rate / np.sqrt(steps[:, None]) * self._pace * shared
        self.offsets += np.where(self.levels == 0.5, 0.0, moved)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The state as named arrays: it goes on as if it had never stopped."""
        return {
            "levels": self.levels,
            "offsets": self.offsets,
            "issued": self._issued,
            "units": self._units,
            "pace": self._pace,
            "settings": np.array([self.unit, self.rate]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The state that `to_arrays` wrote; else ModelFileError."""
        names = ("levels", "offsets", "issued", "units", "pace", "settings")
        levels, offsets, issued, units, pace, settings = _taken(arrays, names)
        waiting = (len(offsets), *offsets.shape)
        shapes_fit = issued.shape == units.shape == waiting and pace.shape == offsets.shape
        if not shapes_fit or settings.shape != (2,):
            raise ModelFileError(
                f"the repair's arrays have the shapes {issued.shape}, {units.shape} and "
                f"{pace.shape}; expected two of {waiting} and one of {offsets.shape}"
            )
        repair = cls(Repair(levels, offsets), float(settings[0]), float(settings[1]))
        repair._issued, repair._units, repair._pace = issued, units, pace
        return repair


def roll(repair: RollingRepair, history: Array, origins: NDArray[np.int64], fans: Array) -> Array:
    """`(O, K, Q)`: the fans of one series, each repaired with what was known at its origin.

    Args:
        repair: goes on from where it is: its last value is `history[origins[0] - 1]`.
        history: `(n,)`, NaN for gaps.
        origins: `(O,)`, ascending: fan `i` has seen `history[:origins[i]]`.
        fans: `(O, K, Q)`.
    """
    found = np.empty_like(fans)
    for place, origin in enumerate(origins):
        if place:
            for value in history[origins[place - 1] : origin]:
                repair.observe(float(value))
        found[place] = repair.repair(fans[place])
    return found


def _farthest(distance: Array, units: Array) -> tuple[Array, Array]:
    """The least and the largest offset `(K, Q)` that any miss asks for of a usual width.

    One forecast that was far too narrow has a score that would throw all others far out.
    """
    usual = np.median(units, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a step of which nothing came true
        most = np.nanmax(np.abs(distance), axis=0)
    bound = np.divide(most, usual, out=np.full_like(usual, np.inf), where=usual > 0)
    bound = np.where(np.isnan(bound), np.inf, bound)
    return -bound, bound


def _by_step(scores: Array, level: float) -> Array:
    """`(K,)`: the conformal quantile of scores `(N, K)`, neighbouring steps joined where few."""
    horizon = scores.shape[1]
    columns = [column[np.isfinite(column)] for column in scores.T]
    counts = np.array([len(column) for column in columns])
    enough = min(_BEYOND / min(level, 1 - level), counts.sum())
    found = np.empty(horizon)
    for step in range(horizon):
        reach = 0
        near = slice(step, step + 1)
        while counts[near].sum() < enough:
            reach += 1
            near = slice(max(0, step - reach), step + reach + 1)
        pooled = np.concatenate(columns[near])
        found[step] = _conformal_quantile(pooled, level, len(pooled) / (step + 1))
    return found


def _conformal_quantile(scores: Array, level: float, independent: float) -> float:
    """The (1 + 1 / independent) level quantile, counted from the top below one half."""
    if level < 0.5:
        return -_conformal_quantile(-scores, 1 - level, independent)
    share = min(level * (1 + 1 / independent), 1.0) if level > 0.5 else 0.5
    rank = max(int(np.ceil(len(scores) * share - 1e-9)), 1)
    return float(np.partition(scores, rank - 1)[rank - 1])


def _biased(scores: Array) -> Array:
    """`(K,)`: 1 where the share of positive scores is clearly off one half, else 0.

    Forecasts `k` steps ahead from neighbouring origins share most of what they missed: they count
    as `N / k` independent ones.
    """
    known = np.isfinite(scores)
    count = known.sum(axis=0)
    above = (np.where(known, scores, 0) > 0).sum(axis=0) + 0.5 * (scores == 0).sum(axis=0)
    share = np.divide(above, count, out=np.full(len(count), 0.5), where=count > 0)
    independent = count / np.arange(1, len(count) + 1)
    clearly: Array = (np.abs(share - 0.5) * 2 * np.sqrt(independent) > _CLEARLY).astype(np.float64)
    return clearly


def _taken(arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...]) -> list[Array]:
    """Copies of the arrays; ModelFileError where one is missing or levels and offsets differ."""
    for name in names:
        if name not in arrays:
            raise ModelFileError(
                f"the repair lacks the array {name!r}; the file is truncated or of another kind"
            )
    found = [np.array(arrays[name], np.float64) for name in names]
    if found[1].ndim != 2 or found[0].shape != found[1].shape[1:]:
        raise ModelFileError(
            f"the repair has levels of the shape {found[0].shape} and offsets of "
            f"{found[1].shape}; expected (Q,) and (K, Q)"
        )
    return found
