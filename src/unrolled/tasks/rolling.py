"""Rolling forecasts of a trained network, and its errors beside a naive forecast's."""

from __future__ import annotations

from collections.abc import Sequence

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


def rolling_forecasts(
    model: ForecastModel,
    features: FeatureMaker,
    values: Array,
    times: np.ndarray,
    scale: Scale,
    origins: Sequence[int],
) -> Array:
    """Forecasts made at each origin, in one pass over the series.

    Args:
        origins: places (from 0) of the last value known.

    Returns:
        `(len(origins), K, Q)` in the unit of the series; the quantiles of a step ascend
        (rearranged, Chernozhukov et al. 2010).
    """
    rows = torch.from_numpy(features.inputs(values, times, scale))
    with torch.no_grad():
        outputs, _ = model(rows.unsqueeze(1).to(like(model)))
        # Only the origins leave the device: all steps of a long series would be large.
        ahead = outputs[:, list(origins), 0].mean(dim=0).cpu().numpy().astype(np.float64)
    level = fill_forward(scale.transform(values), scale.centre)[list(origins), None, None]
    return scale.restore(level + scale.step * np.sort(ahead, axis=-1))


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
    Koehler 2006); the mean over the series counts.
    """
    horizon, levels = features.horizon, np.array(quantiles)
    scores: list[list[float]] = []
    inside: list[tuple[Array, Array, Array]] = []
    season = features.frequency.season
    for times, values, cut, scale in zip(series.times, series.values, cuts, scales, strict=True):
        origins = np.arange(cut - 1, len(values) - horizon)
        actual = np.stack([values[origin + 1 : origin + 1 + horizon] for origin in origins])
        if not np.isfinite(actual).any():
            continue
        unit = seasonal_scale(values[:cut], season)
        fans = rolling_forecasts(model, features, values, times, scale, origins.tolist())
        median = fans[..., quantiles.index(0.5)]
        naive = baseline.rolling(values, origins + 1, horizon)
        naive_fans = baseline.rolling_quantiles(values, origins + 1, horizon, levels)
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
    ends = [np.concatenate(parts) for parts in zip(*inside, strict=True)]
    nominal = quantiles[-1] - quantiles[0]
    return Evaluation(
        (
            Comparison("MASE of the median", float(network_mase), float(naive_mase), name),
            Comparison("CRPS, scaled", float(network_crps), float(naive_crps), name),
        ),
        {f"coverage of the {nominal:.0%} interval": coverage(*ends)},
        held_out,
    )
