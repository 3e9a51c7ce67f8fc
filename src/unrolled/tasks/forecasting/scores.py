"""All scores of a set of forecasts at once, overall and by step ahead: one form for every model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.errors import ConfigError, ShapeError
from unrolled.tasks.forecasting.calibration import checked_fans
from unrolled.training.metrics import (
    central_intervals,
    coverage,
    interval_score,
    interval_width,
    mase,
    pinball,
    rmse,
    smape,
    weighted_quantile_loss,
)

if TYPE_CHECKING:
    import polars

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Scores by name.

    Attributes:
        overall: over all forecasts and steps.
        by_step: `(K,)` of each name: at each step ahead; NaN where nothing is known.
        count: how many values came true.
    """

    overall: dict[str, float]
    by_step: dict[str, tuple[float, ...]]
    count: int

    def __getitem__(self, name: str) -> float:
        """One overall score; ConfigError where there is none of that name."""
        if name not in self.overall:
            raise ConfigError(f"got the score {name!r}, expected one of {', '.join(self.overall)}")
        return self.overall[name]

    def __str__(self) -> str:
        width = max(map(len, self.overall))
        return "\n".join(f"{name:<{width}}  {value:10.4g}" for name, value in self.overall.items())

    def to_frame(self) -> polars.DataFrame:
        """A polars frame: the column `step`, null for overall, then one column for each score."""
        import polars as pl

        steps = len(next(iter(self.by_step.values())))
        columns = {name: [value, *self.by_step[name]] for name, value in self.overall.items()}
        return pl.DataFrame({"step": [None, *range(1, steps + 1)], **columns})


def score(
    actual: ArrayLike, fans: ArrayLike, levels: ArrayLike, *, unit: ArrayLike = 1.0
) -> Scores:
    """Scores forecasts against what came true.

    `MASE`, `sMAPE` and `RMSE` are those of the median, `RMSE` in the unit of the data; `wQL` is
    pooled and has no unit; `CRPS` is estimated by the quantiles. Then for each central interval its
    coverage, mean width and interval score. MASE, CRPS, width and interval score are in units of
    `unit`. The equations stand in `unrolled.training.metrics`.

    Args:
        actual: `(N, K)`, NaN where it is not known.
        fans: `(N, K, Q)`, ascending along the last axis.
        levels: `(Q,)`, ascending, 0.5 among them.
        unit: `(N,)` or one number above 0: the `seasonal_scale` of each forecast's series.

    Raises:
        ConfigError: levels that do not ascend inside (0, 1), or without 0.5; a unit not above 0.
        ShapeError: the shapes do not fit each other.
        DataError: no value is known, or a forecast of a known one is not finite.
    """
    came, given, shares = checked_fans(actual, fans, levels)
    if 0.5 not in shares:
        raise ConfigError(f"levels are {shares.tolist()}; expected 0.5 among them")
    units = np.asarray(unit, np.float64)
    if units.shape not in ((), (len(came),)):
        raise ShapeError(f"unit has the shape {units.shape}; expected () or ({len(came)},)")
    if not (units > 0).all():
        raise ConfigError("a unit is not above 0; give the usual change of each series")
    rows = np.broadcast_to(units[..., None] if units.ndim else units, came.shape)
    overall = _all(came, given, shares, rows)
    steps = [
        _all(came[:, [k]], given[:, [k]], shares, rows[:, [k]])
        if np.isfinite(came[:, k]).any()
        else dict.fromkeys(overall, float("nan"))
        for k in range(came.shape[1])
    ]
    by_step = {name: tuple(one[name] for one in steps) for name in overall}
    return Scores(overall, by_step, int(np.isfinite(came).sum()))


def _all(actual: Array, fans: Array, levels: Array, unit: Array) -> dict[str, float]:
    median = fans[..., int(np.searchsorted(levels, 0.5))]
    scaled, scaled_fans = actual / unit, fans / unit[..., None]
    scores = {
        "MASE": mase(actual, median, unit),
        "sMAPE": smape(actual, median),
        "RMSE": rmse(actual, median),
        "wQL": weighted_quantile_loss(actual, fans, levels),
        "CRPS": pinball(scaled, scaled_fans, levels),
    }
    for nominal, lower, upper in central_intervals(levels):
        ends = scaled_fans[..., lower], scaled_fans[..., upper]
        scores[f"coverage {nominal:.0%}"] = coverage(scaled, *ends)
        scores[f"width {nominal:.0%}"] = interval_width(scaled, *ends)
        scores[f"interval score {nominal:.0%}"] = interval_score(scaled, *ends, nominal)
    return scores
