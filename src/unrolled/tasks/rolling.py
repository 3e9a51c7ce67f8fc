"""Rolling forecasts of a trained network, and its errors beside a naive forecast's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from unrolled.baselines import SeasonalNaive
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import like
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.forecast_features import FeatureMaker, fill_forward
from unrolled.tasks.forecast_model import ForecastModel
from unrolled.tasks.scaling import Array, Scale
from unrolled.training.metrics import coverage, mase, pinball, seasonal_scale

# Numbers that the answers of one pass may hold: 64 MB of float32.
MOST_ANSWERS = 2**24


@dataclass(frozen=True)
class Request:
    """Forecasts wanted of one series.

    Attributes:
        values, times: the series `(n,)`.
        scale: its scale.
        origins: places (from 0) of the last value known, one for each forecast.
    """

    values: Array
    times: np.ndarray
    scale: Scale
    origins: Sequence[int]


def rows_at_once(length: int, answers: int) -> int:
    """How many series of `length` steps with `answers` numbers a step fit into one pass."""
    return max(1, MOST_ANSWERS // (length * answers))


def rolling_forecasts(
    model: ForecastModel, features: FeatureMaker, requests: Sequence[Request]
) -> list[Array]:
    """Forecasts made at every origin, in one pass over each series, like lengths together.

    Returns:
        For each request `(len(origins), K, Q)` in the unit of the series; the quantiles of a step
        ascend (rearranged, Chernozhukov et al. 2010).
    """
    order = sorted(range(len(requests)), key=lambda i: len(requests[i].values))
    longest = len(requests[order[-1]].values)
    size = rows_at_once(longest, model.answers)
    found: list[Array] = [np.empty(0)] * len(requests)
    for begin in range(0, len(order), size):
        chosen = order[begin : begin + size]
        parts = _one_pass(model, features, [requests[i] for i in chosen])
        for place, fans in zip(chosen, parts, strict=True):
            found[place] = fans
    return found


def _one_pass(
    model: ForecastModel, features: FeatureMaker, requests: Sequence[Request]
) -> list[Array]:
    lengths = torch.tensor([len(one.values) for one in requests])
    rows = torch.zeros(int(lengths.max()), len(requests), features.size)
    for place, one in enumerate(requests):
        made = features.inputs(one.values, one.times, one.scale)
        rows[: len(made), place] = torch.from_numpy(made)
    ragged = bool((lengths != lengths[0]).any())
    with torch.no_grad():
        outputs, _ = model(rows.to(like(model)), lengths=lengths if ragged else None)
    fans = []
    for place, one in enumerate(requests):
        origins = list(one.origins)
        ahead = outputs[:, origins, place].mean(dim=0).cpu().numpy().astype(np.float64)
        level = fill_forward(one.scale.transform(one.values), one.scale.centre)
        now = level[origins, None, None]
        fans.append(one.scale.restore(now + one.scale.step * np.sort(ahead, axis=-1)))
    return fans


def compare(
    model: ForecastModel,
    features: FeatureMaker,
    baseline: SeasonalNaive,
    series: SeriesSet,
    cuts: list[int],
    scales: list[Scale],
    quantiles: tuple[float, ...],
    held_out: str,
) -> Evaluation:
    """Score network and baseline from every origin whose `K` answers lie behind the cut.

    The scores of a series are in units of its own seasonal change before the cut (Hyndman &
    Koehler 2006); the mean over the series counts. At least one series has a known answer.
    """
    horizon, levels = features.horizon, np.array(quantiles)
    scores: list[list[float]] = []
    inside: list[tuple[Array, Array, Array]] = []
    requests = [
        Request(values, times, scale, range(cut - 1, len(values) - horizon))
        for times, values, cut, scale in zip(series.times, series.values, cuts, scales, strict=True)
    ]
    forecasts = rolling_forecasts(model, features, requests)
    for one, fans, cut in zip(requests, forecasts, cuts, strict=True):
        origins = np.array(one.origins)
        actual = one.values[origins[:, None] + np.arange(1, horizon + 1)]
        if not np.isfinite(actual).any():
            continue
        unit = seasonal_scale(one.values[:cut], features.frequency.season)
        median = fans[..., quantiles.index(0.5)]
        naive = baseline.rolling(one.values, origins + 1, horizon)
        naive_fans = baseline.rolling_quantiles(one.values, origins + 1, horizon, levels)
        scores.append(
            [
                mase(actual, median, unit),
                mase(actual, naive, unit),
                pinball(actual, fans, levels) / unit,
                pinball(actual, naive_fans, levels) / unit,
            ]
        )
        inside.append((actual.ravel(), fans[..., 0].ravel(), fans[..., -1].ravel()))
    network_mase, naive_mase, network_crps, naive_crps = np.mean(scores, axis=0)
    name = "last value" if baseline.season == 1 else f"same as {baseline.season} steps ago"
    comparisons = (
        Comparison("MASE of the median", float(network_mase), float(naive_mase), name),
        Comparison("CRPS, scaled", float(network_crps), float(naive_crps), name),
    )
    details = {}
    if len(quantiles) > 1:
        ends = [np.concatenate(parts) for parts in zip(*inside, strict=True)]
        nominal = quantiles[-1] - quantiles[0]
        details[f"coverage of the {nominal:.0%} interval"] = coverage(*ends)
    return Evaluation(comparisons, details, held_out)
