"""What each window is measured against: reversible instance normalisation."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Normalise = Literal["last", "season", "window", "volatility", "mean"]

# The smallest scale of a window, in units of its series: a flat stretch must not blow up.
_LEAST_SCALE = 0.05
# RiskMetrics' decay of daily data.
_FADING = 0.94


def normalisation(
    value: Tensor, known: Tensor, how: Normalise, season: int
) -> tuple[Tensor, Tensor]:
    """Location and scale `(B,)` of windows.

        last        the last value; 1, the unit of the series
        season      the mean of the last season; 1
        window      the last value; the standard deviation of the window
        volatility  the last value; the root of the fading mean of squared changes (RiskMetrics)
        mean        0; the mean size of the window, and 1 more: for counts in their own unit

    Args:
        value: `(L, B)`, the last known value where one is not known.
        known: `(L, B)`, 1 where the value is known; only those count.
        how: which of them.
        season: steps per season.

    `growth` has how the scale grows with the steps ahead.

    Source: Kim et al. 2022 (reversible instance normalisation); the last value as in Lin et al.
    2023 (SegRNN); the mean of counts as in Salinas et al. 2020 (DeepAR); RiskMetrics, J.P. Morgan
    1996.
    """
    last, one = value[-1], torch.ones_like(value[-1])
    if how == "last":
        return last, one
    if how == "volatility":
        return last, _volatility(value, known)
    if how == "season":
        value, known = value[-season:], known[-season:]
    count = known.sum(dim=0).clamp(min=1.0)
    mean = (value * known).sum(dim=0) / count
    if how == "mean":
        return torch.zeros_like(last), (value.abs() * known).sum(dim=0) / count + 1
    if how == "season":
        return torch.where(known.sum(dim=0) > 0, mean, last), one
    variance = (((value - mean) * known) ** 2).sum(dim=0) / count
    return last, variance.sqrt().clamp(min=_LEAST_SCALE)


def growth(horizon: int, how: Normalise) -> Tensor:
    """`(K,)`: the scale of each step ahead in that of the window: `sqrt(k)` for a random walk."""
    steps = torch.arange(1, horizon + 1, dtype=torch.float32)
    return steps.sqrt() if how == "volatility" else torch.ones_like(steps)


def _volatility(value: Tensor, known: Tensor) -> Tensor:
    """Root of the mean of squared changes, each counting `_FADING` times the one after it."""
    both = known[1:] * known[:-1]
    ages = torch.arange(len(both) - 1, -1, -1).to(value)
    weights = both * (_FADING**ages).unsqueeze(-1)
    total = weights.sum(dim=0)
    mean = (weights * value.diff(dim=0) ** 2).sum(dim=0) / total.clamp(min=1e-6)
    return torch.where(total > 0, mean.sqrt(), 1.0).clamp(min=_LEAST_SCALE)
