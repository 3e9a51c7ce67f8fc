"""Forecasts that repeat what was last seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.baselines.histories import (
    Floats,
    check_horizon,
    checked_history,
    checked_origins,
    filled,
)
from unrolled.baselines.rival import EmpiricalRival, impossible, needed
from unrolled.errors import ConfigError


class SeasonalNaive(EmpiricalRival):
    """Forecasts each step as the last known value one or more whole seasons before it.

        y_hat[n + h] = y[n + h - m (floor((h - 1) / m) + 1)],   h = 1, 2, ..., season m

    Where that value is NaN the season before it is asked, and so on; where none is known, the last
    known value of all stands in. Forecasting needs no `fit`.

    `fit` learns how wrong such forecasts were (`EmpiricalRival`), in units of the mean absolute
    error one season ahead. Steps further ahead than were measured take the last measured step of
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
        super().__init__()
        if season < 1:
            raise ConfigError(f"season is {season}; give the number of steps per season, 1 or more")
        self.season = int(season)

    @property
    def name(self) -> str:
        """`last value`, or `same as 7 steps ago`."""
        return "last value" if self.season == 1 else f"same as {self.season} steps ago"

    def rolling(self, history: ArrayLike, origins: ArrayLike, horizon: int) -> Floats:
        """`(O, horizon)`: one forecast from each origin; see `EmpiricalRival.rolling`."""
        known = checked_history(history)
        starts = checked_origins(origins, len(known))
        check_horizon(horizon)
        sources = starts[:, None] - self.season + np.arange(horizon) % self.season
        # Before the first season there is nothing to repeat: place -1 reads the NaN at the end.
        by_season = np.append(filled(known, self.season), np.nan)
        seasonal = by_season[np.maximum(sources, -1)]
        last = filled(known, 1)[starts - 1][:, None]
        return np.where(np.isnan(seasonal), last, seasonal)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted model as named arrays."""
        return {"season": np.array([self.season], dtype=np.int64), **super().to_arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_arrays` wrote; it gives the same forecasts and quantiles, bit for bit.

        Raises:
            ModelFileError: an array is missing or has another shape than `to_arrays` gives it.
        """
        needed(arrays, ("season",), cls.__name__)
        season = np.asarray(arrays["season"])
        if season.shape != (1,) or season[0] < 1:
            raise impossible(arrays, ("season",), cls.__name__)
        model = cls.__new__(cls)
        SeasonalNaive.__init__(model, int(season[0]))
        return model._restore(arrays)


class Naive(SeasonalNaive):
    """Forecasts every step as the last known value: `SeasonalNaive` with a season of one step."""

    def __init__(self) -> None:
        super().__init__(1)
