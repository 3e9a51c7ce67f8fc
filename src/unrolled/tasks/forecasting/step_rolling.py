"""Rolling forecasts of a network that answers at every step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import like
from unrolled.tasks.forecasting.engine import Places
from unrolled.tasks.forecasting.scaling import Array, Scale, fill_forward
from unrolled.tasks.forecasting.step_covariates import Beside
from unrolled.tasks.forecasting.step_features import FeatureMaker
from unrolled.tasks.forecasting.step_model import ForecastModel

# Numbers that the answers of one pass may hold: 64 MB of float32.
MOST_ANSWERS = 2**24


def rows_at_once(length: int, answers: int) -> int:
    """How many series of `length` steps with `answers` numbers a step fit into one pass."""
    return max(1, MOST_ANSWERS // (length * answers))


def rolling_forecasts(
    model: ForecastModel,
    features: FeatureMaker,
    series: SeriesSet,
    scales: Sequence[Scale],
    origins: Sequence[Places],
) -> list[Array]:
    """Forecasts made at every origin, in one pass over each series, like lengths together.

    Args:
        model, features: the network, and what it reads.
        series, scales: of what, and in which scale.
        origins: for each series the places (from 0) of the last value known.

    Returns:
        For each series `(len(origins), K, Q)` in the unit of the series; the quantiles of a step
        ascend (rearranged, Chernozhukov et al. 2010).
    """
    order = sorted(range(len(series)), key=lambda i: len(series.values[i]))
    longest = len(series.values[order[-1]])
    size = rows_at_once(longest, model.answers)
    found: list[Array] = [np.empty(0)] * len(series)
    for begin in range(0, len(order), size):
        chosen = order[begin : begin + size]
        parts = _one_pass(model, features, series, scales, origins, chosen)
        for place, fans in zip(chosen, parts, strict=True):
            found[place] = fans
    return found


def _one_pass(
    model: ForecastModel,
    features: FeatureMaker,
    series: SeriesSet,
    scales: Sequence[Scale],
    origins: Sequence[Places],
    chosen: Sequence[int],
) -> list[Array]:
    lengths = torch.tensor([len(series.values[i]) for i in chosen])
    rows = torch.zeros(int(lengths.max()), len(chosen), features.size)
    for place, i in enumerate(chosen):
        beside = Beside.of(series, i)
        made = features.inputs(series.values[i], series.times[i], scales[i], beside)
        rows[: len(made), place] = torch.from_numpy(made)
    ragged = bool((lengths != lengths[0]).any())
    with torch.no_grad():
        outputs, _ = model(rows.to(like(model)), lengths=lengths if ragged else None)
    fans = []
    for place, i in enumerate(chosen):
        at, scale = origins[i], scales[i]
        ahead = outputs[:, at.tolist(), place].mean(dim=0).cpu().numpy().astype(np.float64)
        now = fill_forward(scale.transform(series.values[i]), scale.centre)[at, None, None]
        fans.append(scale.restore(now + scale.step * np.sort(ahead, axis=-1)))
    return fans
