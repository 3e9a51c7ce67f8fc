"""Held-out scores of forecasts, in plain NumPy. Unknown values (NaN) count for nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def seasonal_scale(history: Array, season: int) -> float:
    """Mean absolute error of "the same as a season ago" inside `history` `(n,)`: the unit of MASE.

        scale = mean over t of |y_t - y_{t-season}|

    A history no longer than a season is measured from step to step. A constant history has no scale
    of its own; it gets 1, so that its errors count in the unit of the data.

    Source: Hyndman & Koehler 2006.
    """
    lag = season if len(history) > season else 1
    steps = np.abs(history[lag:] - history[:-lag])
    scale = float(np.nanmean(steps)) if np.isfinite(steps).any() else 0.0
    return scale if scale > 0 else 1.0


def mase(actual: Array, forecast: Array, scale: float) -> float:
    """Mean absolute scaled error: mean |actual - forecast| of the known, in units of `scale`."""
    return float(np.nanmean(np.abs(actual - forecast)) / scale)


def pinball(actual: Array, quantile_forecasts: Array, quantiles: Array) -> float:
    """Mean pinball loss, times two: the average is an estimate of the CRPS.

    Args:
        actual: `(...)`.
        quantile_forecasts: `(..., Q)`.
        quantiles: `(Q,)`.
    """
    error = actual[..., None] - quantile_forecasts
    return float(2 * np.nanmean(np.maximum(quantiles * error, (quantiles - 1) * error)))


def coverage(actual: Array, lower: Array, upper: Array) -> float:
    """Share of the known `actual` that lie between `lower` and `upper`, ends included."""
    known = np.isfinite(actual)
    inside = (actual[known] >= lower[known]) & (actual[known] <= upper[known])
    return float(inside.mean())
