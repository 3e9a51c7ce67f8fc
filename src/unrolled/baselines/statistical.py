"""Exponential smoothing and MSTL, through statsforecast (the extra `bench`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
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
from unrolled.baselines.rival import impossible, needed
from unrolled.errors import ConfigError, MissingExtra

# Fewer values than this leave statsforecast nothing to estimate from.
_FEWEST = 12
# statsforecast's own normal intervals are asked for at this level to read off the deviation.
_LEVEL = 80


class StatisticalRival(ABC):
    """A model of one series at a time, with its own intervals, by statsforecast.

    The parameters are estimated on what the first origin of a call has seen, and again after every
    `refit` origins; in between only the state goes on with the values. No origin sees later values.
    An origin that has seen too few values gets NaN. Gaps hold the last known value.

    Args:
        refit: origins that share one estimation of the parameters; None estimates once a call.
        most: how many of the last values an origin looks at, so that long series cost no more.

    Raises:
        ConfigError: refit below 1, or most below 12.
        MissingExtra: statsforecast is not installed.
    """

    def __init__(self, *, refit: int | None = None, most: int = 2000) -> None:
        if refit is not None and refit < 1:
            raise ConfigError(f"refit is {refit}; give a number of origins, or None")
        if most < _FEWEST:
            raise ConfigError(f"most is {most}; give {_FEWEST} values or more")
        self.refit = refit
        self.most = most
        _models()

    @property
    @abstractmethod
    def name(self) -> str:
        """What a table calls it."""

    @abstractmethod
    def _new(self) -> Any:
        """A fresh model of statsforecast."""

    @property
    @abstractmethod
    def _seasons(self) -> tuple[int, ...]:
        """The lengths of the seasons, ascending."""

    def fit(self, values: Iterable[ArrayLike], horizon: int = 64) -> Self:
        """Checks the series; parameters are those of one series and are estimated in `rolling`."""
        check_horizon(horizon)
        for series in values:
            checked_history(series)
        return self

    def forecast(self, history: ArrayLike, horizon: int) -> Floats:
        """`(horizon,)`: what follows `history`, a `(n,)` array."""
        known = known_history(history)
        return self.rolling(known, [len(known)], horizon)[0]

    def forecast_quantiles(self, history: ArrayLike, horizon: int, quantiles: ArrayLike) -> Floats:
        """`(horizon, Q)`: the values that the future stays below with these probabilities."""
        known = known_history(history)
        return self.rolling_quantiles(known, [len(known)], horizon, quantiles)[0]

    def rolling(self, history: ArrayLike, origins: ArrayLike, horizon: int) -> Floats:
        """`(O, horizon)`: one forecast from each origin; see `Rival.rolling`."""
        return self._rolled(history, origins, horizon)[0]

    def rolling_quantiles(
        self, history: ArrayLike, origins: ArrayLike, horizon: int, quantiles: ArrayLike
    ) -> Floats:
        """`(O, horizon, Q)`: normal quantiles with the model's own deviation at each step."""
        levels = checked_quantiles(quantiles)
        points, deviations = self._rolled(history, origins, horizon)
        return points[:, :, None] + deviations[:, :, None] * normal_quantiles(levels)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The settings; there is nothing else to keep."""
        return {
            "seasons": np.array(self._seasons, dtype=np.int64),
            "refit": np.array([self.refit or 0], dtype=np.int64),
            "most": np.array([self.most], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote.

        Raises:
            ModelFileError: an array is missing or has another shape than `to_arrays` gives it.
            MissingExtra: statsforecast is not installed.
        """
        names = ("seasons", "refit", "most")
        needed(arrays, names, cls.__name__)
        seasons, refit, most = (np.asarray(arrays[name]) for name in names)
        if seasons.ndim != 1 or not seasons.size or not refit.shape == most.shape == (1,):
            raise impossible(arrays, names, cls.__name__)
        if seasons.min() < 1 or refit[0] < 0 or most[0] < _FEWEST:
            raise impossible(arrays, names, cls.__name__)
        return cls._built(seasons.tolist(), refit=int(refit[0]) or None, most=int(most[0]))

    @classmethod
    @abstractmethod
    def _built(cls, seasons: list[int], *, refit: int | None, most: int) -> Self:
        """The rival of these settings."""

    def _rolled(
        self, history: ArrayLike, origins: ArrayLike, horizon: int
    ) -> tuple[Floats, Floats]:
        """Means and standard deviations `(O, horizon)`."""
        known = checked_history(history)
        starts = checked_origins(origins, len(known))
        check_horizon(horizon)
        held = filled(known, 1)
        points = np.full((len(starts), horizon), np.nan)
        deviations = points.copy()
        fewest = max(_FEWEST, 2 * self._seasons[-1] + 1)
        model, used = None, 0
        for row in np.argsort(starts, kind="stable"):
            seen = held[max(0, starts[row] - self.most) : starts[row]]
            seen = seen[~np.isnan(seen)]  # What lies before the first known value.
            if len(seen) < fewest:
                continue
            if model is None or used == self.refit:
                model, used = self._new().fit(seen), 0
            used += 1
            found = model.forward(y=seen, h=horizon, level=[_LEVEL])
            points[row] = found["mean"]
            deviations[row] = (found[f"hi-{_LEVEL}"] - found[f"lo-{_LEVEL}"]) / 2
        return points, deviations / normal_quantiles(np.array([0.5 + _LEVEL / 200]))


class ExponentialSmoothing(StatisticalRival):
    """Exponential smoothing whose error, trend and season are chosen by AICc (AutoETS).

    Args:
        season: steps per season; above 24 the model has no season (the library's own limit).
        refit, most: see `StatisticalRival`.

    Source: Hyndman, Koehler, Snyder and Grose, "A state space framework for automatic forecasting
    using exponential smoothing methods", International Journal of Forecasting 18, 2002.
    """

    def __init__(self, season: int = 1, *, refit: int | None = None, most: int = 2000) -> None:
        self.season = _checked_seasons([season])[0]
        super().__init__(refit=refit, most=most)

    @property
    def name(self) -> str:
        """`exponential smoothing`, with the season if there is one."""
        return "exponential smoothing" + (f" ({self.season})" if self.season > 1 else "")

    @property
    def _seasons(self) -> tuple[int, ...]:
        return (self.season,)

    def _new(self) -> Any:
        return _models().AutoETS(season_length=self.season)

    @classmethod
    def _built(cls, seasons: list[int], *, refit: int | None, most: int) -> Self:
        return cls(seasons[0], refit=refit, most=most)


class MSTL(StatisticalRival):
    """Several seasons taken off by loess, the rest by exponential smoothing.

    Args:
        seasons: the lengths of the seasons, such as (24, 168) for hours.
        refit, most: see `StatisticalRival`.

    Source: Bandara, Hyndman and Bergmeir, "MSTL: a seasonal-trend decomposition algorithm for time
    series with multiple seasonal patterns", arXiv 2107.13462.
    """

    def __init__(
        self, seasons: Sequence[int], *, refit: int | None = None, most: int = 2000
    ) -> None:
        self.seasons = tuple(sorted(_checked_seasons(seasons)))
        super().__init__(refit=refit, most=most)

    @property
    def name(self) -> str:
        """`MSTL (24, 168)`."""
        return f"MSTL ({', '.join(map(str, self.seasons))})"

    @property
    def _seasons(self) -> tuple[int, ...]:
        return self.seasons

    def _new(self) -> Any:
        return _models().MSTL(season_length=list(self.seasons))

    @classmethod
    def _built(cls, seasons: list[int], *, refit: int | None, most: int) -> Self:
        return cls(seasons, refit=refit, most=most)


def _models() -> Any:
    try:
        from statsforecast import models
    except ImportError:
        raise MissingExtra("bench", "exponential smoothing") from None
    return models


def _checked_seasons(seasons: Sequence[int]) -> list[int]:
    if not len(seasons) or min(seasons) < 1:
        raise ConfigError(
            f"seasons are {list(seasons)}; give the numbers of steps per season, 1 or more"
        )
    return [int(season) for season in seasons]
