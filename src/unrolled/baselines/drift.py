"""The forecast that goes on along the line from the first value to the last."""

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
from unrolled.baselines.rival import EmpiricalRival


class Drift(EmpiricalRival):
    """Forecasts the last known value plus `h` times the mean change so far.

        y_hat[n + h] = y_n + h (y_n - y_1) / (n - 1)

    `y_1` and `y_n` are the first and the last known value, `n - 1` the steps between them; where
    only one is known the change is 0. Forecasting needs no `fit`; `fit` learns how wrong such
    forecasts were (`EmpiricalRival`). Steps beyond the measured are widened as a random walk's, by
    `sqrt(h)`.

    Source: Hyndman and Athanasopoulos, "Forecasting: principles and practice", 3rd edition, 2021,
    section 5.2.
    """

    @property
    def name(self) -> str:
        """`drift`."""
        return "drift"

    def rolling(self, history: ArrayLike, origins: ArrayLike, horizon: int) -> Floats:
        """`(O, horizon)`: one forecast from each origin; see `EmpiricalRival.rolling`."""
        known = checked_history(history)
        starts = checked_origins(origins, len(known))
        check_horizon(horizon)
        places = np.flatnonzero(~np.isnan(known))
        if not len(places):
            return np.full((len(starts), horizon), np.nan)
        last_place = filled(np.where(np.isnan(known), np.nan, np.arange(len(known))), 1)
        last = filled(known, 1)[starts - 1]
        gone = last_place[starts - 1] - places[0]
        change = np.divide(last - known[places[0]], gone, out=np.zeros_like(last), where=gone > 0)
        # The last known value may lie before the origin: the line goes on from where it was seen.
        ahead = (starts - 1 - last_place[starts - 1])[:, None] + np.arange(1, horizon + 1)
        return last[:, None] + change[:, None] * ahead

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_arrays` wrote; it gives the same forecasts and quantiles, bit for bit.

        Raises:
            ModelFileError: an array is missing or has another shape than `to_arrays` gives it.
        """
        return cls()._restore(arrays)
