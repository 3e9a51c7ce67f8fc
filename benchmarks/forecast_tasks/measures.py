"""How forecasts of a contest are scored; lower is better. Unknown values count for nothing."""

from __future__ import annotations

import numpy as np

from forecast_tasks.contest import Array, Contest
from unrolled.training.metrics import mae, pinball, weighted_quantile_loss


def quantile_loss(contest: Contest, fans: list[Array], points: list[Array]) -> dict[str, float]:
    """Mean quantile loss (twice the pinball loss) and mean absolute error, in the unit of the data.

    The mean over the series.
    """
    levels = np.array(contest.levels)
    losses = [pinball(y, fan, levels) for y, fan in zip(contest.actual, fans, strict=True)]
    errors = [mae(y, f) for y, f in zip(contest.actual, points, strict=True)]
    return {"QL": float(np.mean(losses)), "MAE": float(np.mean(errors))}


def pooled_loss(contest: Contest, fans: list[Array]) -> float:
    """The weighted quantile loss of all series together (`weighted_quantile_loss`)."""
    actual = np.concatenate([one.ravel() for one in contest.actual])
    rows = np.concatenate([fan.reshape(-1, fan.shape[-1]) for fan in fans])
    return weighted_quantile_loss(actual, rows, np.array(contest.levels))
