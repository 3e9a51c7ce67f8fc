"""Ridge regression on the lags: each step ahead a linear map of the last values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.baselines.histories import (
    Floats,
    Integers,
    check_horizon,
    checked_history,
    checked_origins,
    running_change,
    running_mean,
)
from unrolled.baselines.lag_moments import LagMoments, lag_windows, lessons
from unrolled.baselines.rival import (
    MOST_ORIGINS,
    EmpiricalRival,
    StepErrors,
    impossible,
    mean_scale,
    needed,
)
from unrolled.errors import ConfigError, DataError, NotFittedError

# Penalties tried, in units of the mean variance of an input.
_PENALTIES = np.array([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0])
# The penalty where nothing can be held out to choose on.
_CAUTIOUS = 0.1
# The longest history that is tried of itself; a month of hours, two years of days.
_LONGEST = 720
# Values, over all series, for each lag: fewer let the map learn one short series by heart.
_VALUES_PER_LAG = 6
# How many windows a fit looks at, over all series: seconds at 720 lags.
_MOST_WINDOWS = 2**16
# How many series a fit looks at; the windows of more would only be fewer for each.
_MOST_SERIES = 2**12
# The last share of the windows of each series, on which lags and penalty are chosen.
_HELD_OUT = 0.2
# Numbers in the windows that are forecast at once: 32 MB of float64.
_AT_ONCE = 2**22


class Ridge(EmpiricalRival):
    """One linear map for all series, from the last `L` values to each of the next `K`.

        y_{t+k} - z_t = sum_l W[l, k] (z_{t-l} - z_t) + r_k (m_t - z_t) + b_k s_t

    for lags `l = 0 .. L-1` and steps `k = 1 .. K`. `z` is the history with each gap filled by the
    last known value (what lies before the first known value is that value), `m_t` the mean of the
    known values so far, to which a series may return, and `s_t` the mean absolute change from step
    to step so far. A series in another unit, or shifted, gets the same forecast in its own unit.

    `fit` solves the ridge regression in closed form over windows of all series, each divided by its
    standard deviation so that large series count no more than small ones. Windows are taken evenly,
    65,536 at most of 4,096 series at most; the memory is bounded (`LagMoments`). Lags, penalty and
    whether to use the mean are those of the least squared error on the last fifth of each series,
    of a map fitted on what lies before it; that map's errors there give the intervals
    (`EmpiricalRival`); then the map is fitted on everything. A horizon beyond the fitted one goes
    on from the map's own forecasts.

    Shapes: `L` lags, `K` steps ahead, `n` steps of history.

    Args:
        lags: `L`; None chooses among 2, 8, the horizon and its doubles, whole seasons, and the
            longest that half of a typical series and six values a lag allow, 720 at most.
        level: whether the mean so far is an input; None chooses. False leaves a map of the window
            alone (and of `s_t`), for who has nothing but the window.
        seasons: steps per season, a hint for the choice of lags; None for no season.

    Attributes:
        lags: `L`, given or chosen; None before a `fit` that is to choose.
        weights: `(L, K)`; row `l` belongs to `z_{t-l}`, the value `l` steps before the last. Row 0
            is zero, since `z_t - z_t` says nothing: of plain values, the last one has the weight
            `1 - weights[:, k].sum() - reversion[k]`.
        reversion: `(K,)`, the weight of the mean so far; zero where it is not used.
        intercept: `(K,)`, the drift, in units of `s_t`.
        penalty: the chosen penalty, in units of the mean square of an input.
        tried: the held-out mean squared error, in units of the variance, by (lags, level, penalty).

    Raises:
        ConfigError: lags or seasons below 1.

    Source: Hoerl and Kennard, "Ridge regression", Technometrics 12, 1970; the last value taken off
    as in NLinear, Zeng et al., arXiv 2205.13504; beside networks: Toner and Darlow, "An analysis of
    linear time series forecasting models", arXiv 2403.14587.
    """

    def __init__(
        self, lags: int | None = None, *, level: bool | None = None, seasons: int | None = None
    ) -> None:
        super().__init__()
        for what, value in (("lags", lags), ("seasons", seasons)):
            if value is not None and value < 1:
                raise ConfigError(f"{what} is {value}; give a number of steps, 1 or more")
        self.lags = lags
        self.weights = np.empty((0, 0))
        self.reversion = self.intercept = np.empty(0)
        self.penalty = _CAUTIOUS
        self.tried: dict[tuple[int, bool, float], float] = {}
        self._asked, self._asked_level, self._seasons = lags, level, seasons

    @property
    def name(self) -> str:
        """`ridge on the last 336`."""
        return "ridge on the lags" if self.lags is None else f"ridge on the last {self.lags}"

    def fit(self, values: Iterable[ArrayLike], horizon: int = 64) -> Self:
        """Fits the map, and measures its errors on what it had not seen.

        Args:
            values: one `(n,)` array per series; lengths may differ.
            horizon: `K`, the steps ahead that are mapped directly.

        Raises:
            ConfigError: a horizon below 1.
            DataError: no series changes, or none is longer than the horizon by a step.
        """
        check_horizon(horizon)
        histories = [checked_history(series) for series in values]
        histories = [series for series in histories if len(series)]
        self._scale = mean_scale(histories, 1)
        # A constant or unknown series has no unit to be counted in, and nothing to teach; one whose
        # squares are too small for a number has none either.
        usable = [
            series
            for series in histories
            if len(series) > horizon and running_change(series, 1)[-1] > 0 < np.nanstd(series)
        ]
        if not usable:
            raise DataError(
                f"no series that changes is longer than the horizon, {horizon}; give longer "
                "series, or a shorter horizon"
            )
        usable = usable[:: -(-len(usable) // _MOST_SERIES)]
        candidates = self._candidates([len(series) for series in usable], horizon)
        self._choose_and_solve(usable, candidates, horizon)
        return self

    def rolling(self, history: ArrayLike, origins: ArrayLike, horizon: int) -> Floats:
        """`(O, horizon)`: one forecast from each origin; see `EmpiricalRival.rolling`.

        Raises:
            NotFittedError: before `fit`.
        """
        if not self.weights.size:
            raise NotFittedError("this Ridge has no weights yet; call fit(values, horizon) first")
        known = checked_history(history)
        starts = checked_origins(origins, len(known))
        check_horizon(horizon)
        rows = _AT_ONCE // len(self.weights) + 1
        found = np.empty((len(starts), horizon))
        change, level = running_change(known, 1), running_mean(known)
        change = np.where(np.isnan(change), self._scale, change)
        for begin in range(0, len(starts), rows):
            part = starts[begin : begin + rows]
            window = lag_windows(known, part, len(self.weights))
            at = (part - 1)[:, None]
            found[begin : begin + rows] = self._mapped(window, level[at], change[at], horizon)
        return found

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted model as named arrays."""
        return {
            **super().to_arrays(),
            "weights": self.weights,
            "reversion": self.reversion,
            "intercept": self.intercept,
            "penalty": np.array([self.penalty]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_arrays` wrote; it gives the same forecasts and quantiles, bit for bit.

        Raises:
            ModelFileError: an array is missing or has another shape than `to_arrays` gives it.
        """
        names = ("weights", "reversion", "intercept", "penalty")
        needed(arrays, names, cls.__name__)
        weights, *rows, penalty = (np.asarray(arrays[name], np.float64) for name in names)
        shapes_fit = weights.ndim == 2 and weights.size and penalty.shape == (1,)
        if not shapes_fit or any(row.shape != weights.shape[1:] for row in rows):
            raise impossible(arrays, names, cls.__name__)
        if not all(np.isfinite(numbers).all() for numbers in (weights, *rows, penalty)):
            raise impossible(arrays, names, cls.__name__)
        model = cls(len(weights))
        model.weights, (model.reversion, model.intercept) = weights, rows
        model.penalty = float(penalty[0])
        return model._restore(arrays)

    def _candidates(self, lengths: list[int], horizon: int) -> list[int]:
        """Numbers of lags to try, ascending: those that the lengths allow."""
        if self._asked is not None:
            return [self._asked]
        allowed = min((np.median(lengths) - horizon) // 2, sum(lengths) // _VALUES_PER_LAG)
        longest = int(np.clip(allowed, 1, _LONGEST))
        season = self._seasons or 1
        sizes = {2, 8, *(horizon * np.array([1, 2, 4, 8])), *(season * np.array([1, 2, 4, 7, 14]))}
        return sorted({int(size) for size in sizes if size < longest} | {longest})

    def _choose_and_solve(self, usable: list[Floats], candidates: list[int], horizon: int) -> None:
        longest = candidates[-1]
        share = max(1, _MOST_WINDOWS // len(usable))
        # Answered before the cut, across it, and after it.
        parts = [LagMoments.empty(longest, horizon) for _ in range(3)]
        for series in usable:
            cut = _cut(len(series), longest, horizon)
            origins = _spread(_first(len(series), longest, horizon), len(series) - horizon, share)
            for seen, inputs, answers in lessons(series, origins, longest, horizon):
                place = np.where(seen >= cut, 2, np.where(seen + horizon <= cut, 0, 1))
                for index, part in enumerate(parts):
                    part.add(inputs[place == index], answers[place == index])
        for part in parts:
            part.finish()
        before, between, held = parts
        every = before + between + held
        if not every.windows:
            raise DataError(
                f"no series changes before {horizon} values that are mostly known; give longer "
                "series, or a shorter horizon"
            )
        level = bool(self._asked_level)
        self.tried, self.lags, self.penalty = {}, candidates[0], _CAUTIOUS
        if before.windows and held.windows:
            self.lags, level, self.penalty = self._choose(before, held, candidates)
            self._take(before.of(self.lags, level=level))
        else:
            self._take(every.of(self.lags, level=level))
        most = max(1, MOST_ORIGINS // len(usable))
        errors = [
            self._errors_at(
                series, _spread(_cut(len(series), longest, horizon), len(series) - 1, most), horizon
            )
            for series in usable
        ]
        self._errors = StepErrors.of(np.concatenate(errors))
        self._take(every.of(self.lags, level=level))

    def _choose(
        self, before: LagMoments, held: LagMoments, candidates: list[int]
    ) -> tuple[int, bool, float]:
        """The lags, level and penalty of the least held-out error."""
        levels = [False, True] if self._asked_level is None else [self._asked_level]
        for lags, level in product(candidates, levels):
            maps = before.of(lags, level=level).solve(_PENALTIES)
            errors = held.of(lags, level=level).error(maps)
            for penalty, error in zip(_PENALTIES, errors, strict=True):
                self.tried[lags, level, float(penalty)] = float(error)
        return min(self.tried, key=self.tried.__getitem__)

    def _take(self, moments: LagMoments) -> None:
        """Sets the map that these moments give with the chosen penalty."""
        solved = moments.solve(np.array([self.penalty]))[0]
        self.weights = np.concatenate([np.zeros((1, solved.shape[1])), solved[:-2]])
        self.reversion, self.intercept = solved[-2], solved[-1]

    def _mapped(self, window: Floats, level: Floats, change: Floats, horizon: int) -> Floats:
        """`(O, horizon)` from windows `(O, L)`, the last value first; mean and change `(O, 1)`."""
        found: list[Floats] = []
        while sum(part.shape[1] for part in found) < horizon:
            last = window[:, :1]
            moved = (window - last) @ self.weights + (level - last) * self.reversion
            found.append(last + moved + change * self.intercept)
            window = np.append(found[-1][:, ::-1], window, axis=1)[:, : len(self.weights)]
        return np.concatenate(found, axis=1)[:, :horizon]


def _first(length: int, lags: int, horizon: int) -> int:
    """The first origin: a whole window lies before it, or half of a series that is short."""
    return max(1, min(lags, length // 2, length - horizon))


def _cut(length: int, lags: int, horizon: int) -> int:
    """Where the held-out part begins: it holds one whole horizon at least."""
    held = int(_HELD_OUT * (length - _first(length, lags, horizon)))
    return length - max(horizon, held)


def _spread(first: int, last: int, most: int) -> Integers:
    """Up to `most` origins from `first` to `last`, evenly spread."""
    return np.unique(np.linspace(first, last, min(most, last - first + 1)).astype(np.int64))
