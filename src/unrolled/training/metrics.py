"""Held-out scores of forecasts, in plain NumPy. Unknown values (NaN) count for nothing.

Shapes: `...` any, alike for `actual` and forecast; `Q` quantile levels on the last axis. Lower is
better, coverage and width apart. Where nothing is known a score is NaN.
"""

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


def mase(actual: Array, forecast: Array, scale: Array | float) -> float:
    """Mean absolute scaled error: mean |actual - forecast| / scale of the known.

    `scale` is one number, or one that broadcasts for each row.
    """
    return float(np.nanmean(np.abs(actual - forecast) / scale))


def mae(actual: Array, forecast: Array) -> float:
    """Mean absolute error: mean |actual - forecast| of the known."""
    return mase(actual, forecast, 1.0)


def mse(actual: Array, forecast: Array) -> float:
    """Mean squared error: mean (actual - forecast)^2 of the known."""
    return float(np.nanmean(np.square(actual - forecast)))


def rmse(actual: Array, forecast: Array) -> float:
    """Root of the mean squared error, in the unit of the data."""
    return float(np.sqrt(mse(actual, forecast)))


def smape(actual: Array, forecast: Array) -> float:
    """Symmetric mean absolute percentage error, from 0 to 200.

        sMAPE = mean of 200 |y - f| / (|y| + |f|)

    Where both are 0 the forecast is right, and counts 0.

    Source: Makridakis, Spiliotis and Assimakopoulos, "The M4 competition", International Journal of
    Forecasting 36, 2020.
    """
    size = np.abs(actual) + np.abs(forecast)
    share = np.divide(np.abs(actual - forecast), size, out=np.zeros_like(size), where=size != 0)
    return float(200 * np.nanmean(share))


def owa(smape_: float, mase_: float, reference_smape: float, reference_mase: float) -> float:
    """Overall weighted average: 1 is as good as the reference (in M4, Naive2), 0 is perfect.

        OWA = (sMAPE / sMAPE_reference + MASE / MASE_reference) / 2

    All four are means over the series. Source: as `smape`.
    """
    return (smape_ / reference_smape + mase_ / reference_mase) / 2


def pinball_losses(actual: Array, quantile_forecasts: Array, quantiles: Array) -> Array:
    """`(..., Q)`: the pinball loss of each quantile forecast; NaN where the actual is unknown.

    loss = tau (y - q) if y >= q else (1 - tau) (q - y)
    """
    error = actual[..., None] - quantile_forecasts
    losses: Array = np.maximum(quantiles * error, (quantiles - 1) * error)
    return losses


def pinball(actual: Array, quantile_forecasts: Array, quantiles: Array) -> float:
    """Mean pinball loss, times two: the average is an estimate of the CRPS.

    Args:
        actual: `(...)`.
        quantile_forecasts: `(..., Q)`.
        quantiles: `(Q,)`.
    """
    return float(2 * np.nanmean(pinball_losses(actual, quantile_forecasts, quantiles)))


def weighted_quantile_loss(actual: Array, quantile_forecasts: Array, quantiles: Array) -> float:
    """Pinball loss in units of the size of the data, pooled over everything, mean over the levels.

        wQL = mean over tau of  2 sum of loss_tau(y, q_tau) / sum of |y|

    Args as for `pinball`. NaN where all that is known is 0.

    Source: GluonTS, `mean_wQuantileLoss`; Park et al., arXiv 2111.06581, section 2.
    """
    losses = np.nansum(pinball_losses(actual, quantile_forecasts, quantiles))
    size = np.nansum(np.abs(actual))
    return float(2 * losses / (size * len(quantiles))) if size > 0 else float("nan")


def coverage(actual: Array, lower: Array, upper: Array) -> float:
    """Share of the known `actual` that lie between `lower` and `upper`, ends included."""
    known = np.isfinite(actual)
    inside = (actual[known] >= lower[known]) & (actual[known] <= upper[known])
    return float(inside.mean())


def interval_width(actual: Array, lower: Array, upper: Array) -> float:
    """Mean of `upper - lower` where the actual is known, so that it stands beside `coverage`."""
    return float(np.nanmean(np.where(np.isfinite(actual), upper - lower, np.nan)))


def interval_score(actual: Array, lower: Array, upper: Array, nominal: float) -> float:
    """Mean score of a central interval that is to hold the share `nominal`: narrow, but right.

        score = (u - l) + 2 / alpha ((l - y) [y < l] + (y - u) [y > u]),   alpha = 1 - nominal

    In the unit of the data. Source: Gneiting and Raftery, "Strictly proper scoring rules,
    prediction, and estimation", Journal of the American Statistical Association 102, 2007, eq. 43.
    """
    outside = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return float(np.nanmean(upper - lower + 2 / (1 - nominal) * outside))


def central_intervals(quantiles: Array) -> list[tuple[float, int, int]]:
    """The central intervals among ascending levels: (nominal share, lower, upper place), wide last.

    .1 and .9 give (.8, 0, Q - 1). A level without its mirror image gives none.
    """
    pairs = [
        (float(quantiles[upper] - quantiles[lower]), lower, upper)
        for lower in range(len(quantiles))
        for upper in range(lower + 1, len(quantiles))
        if abs(quantiles[lower] + quantiles[upper] - 1) < 1e-9
    ]
    return [(round(nominal, 9), lower, upper) for nominal, lower, upper in reversed(pairs)]
