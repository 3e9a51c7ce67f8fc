"""A forecast as a person takes it away: a frame, a probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecasting.columns import Columns
from unrolled.tasks.forecasting.scaling import Array

if TYPE_CHECKING:
    import polars


def forecast_frame(
    series: SeriesSet,
    fans: Sequence[Array],
    learnt: tuple[float, ...],
    levels: tuple[float, ...],
    horizon: int,
    columns: Columns,
) -> polars.DataFrame:
    """`horizon` rows a series: its name, the time, the median, a column for each level.

    Args:
        series: what was forecast.
        fans: for each of them `(K, Q)`.
        learnt: the levels of the fans.
        levels: those that are asked for.
        horizon: `K`.
        columns: what the first two columns are called.
    """
    import polars as pl

    ahead = np.concatenate([series.frequency.future(one[-1], horizon) for one in series.times])
    table = np.concatenate(fans)
    found: dict[str, Any] = {
        columns.identity: pl.Series(series.ids, dtype=pl.String).gather(
            np.repeat(np.arange(len(series)), horizon)
        ),
        columns.time: ahead if series.frequency.dated else ahead.astype(np.int64),
        "forecast": table[:, learnt.index(0.5)],
    }
    found |= {f"q{level:g}": table[:, learnt.index(level)] for level in levels}
    return pl.DataFrame(found)


def share_below(value: float, quantiles: Array, levels: Sequence[float]) -> float:
    """The probability of at most `value`, read off quantiles `(Q,)`; NaN for NaN.

    Between two levels the distribution is uniform; outside of them it falls off exponentially, from
    the least mean density between the outermost level and one on its way to the median.
    """
    if not np.isfinite(value):
        return float("nan")
    shares = np.asarray(levels)
    if quantiles[0] <= value <= quantiles[-1]:
        return float(np.interp(value, quantiles, shares))
    if value > quantiles[-1]:
        return 1 - share_below(-value, -quantiles[::-1], tuple(1 - shares[::-1]))
    # A repair may have brought the outermost ones (nearly) into one place.
    inner = (shares > shares[0]) & (shares <= 0.5)
    gaps = (quantiles[inner] - quantiles[0]) / (shares[inner] - shares[0])
    reach = shares[0] * gaps.max(initial=0.0)
    return float(shares[0] * np.exp((value - quantiles[0]) / reach)) if reach > 0 else 0.0
