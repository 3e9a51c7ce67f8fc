"""What a `Forecaster` is trained and measured with: inputs, answers, roles, and the rival."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from unrolled.baselines import SeasonalNaive
from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import like
from unrolled.tasks.forecast_features import FeatureMaker, season_that_helps
from unrolled.tasks.forecast_model import ForecastModel, MemberLoss, assign_members
from unrolled.tasks.scaling import Array, Scale

# Share of the training part that a single member is tested on.
VALIDATION_SHARE = 0.15


def lessons(
    series: SeriesSet,
    cuts: list[int],
    scales: dict[str, Scale],
    features: FeatureMaker,
    members: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each series up to its cut: inputs `(n, F)`, and answers with roles `(n, K + 2)`."""
    inputs, targets = [], []
    for name, times, values, cut in zip(series.ids, series.times, series.values, cuts, strict=True):
        inputs.append(features.inputs(values[:cut], times[:cut], scales[name]))
        answers = features.targets(values[:cut], scales[name])
        roles = assign_members(cut, members, features.horizon, VALIDATION_SHARE)
        targets.append(np.concatenate([answers, roles.numpy()], axis=1))
    return inputs, targets


def choose_naive(past: tuple[Array, ...], frequency: Frequency, horizon: int) -> SeasonalNaive:
    """The better of "as the last value" and "as one season ago" inside the training part."""
    season = season_that_helps(past, frequency, horizon) or 1
    return SeasonalNaive(season).fit(past, horizon=horizon)


def validator(
    model: ForecastModel, loss: MemberLoss, inputs: list[np.ndarray], targets: list[np.ndarray]
) -> Callable[[], float]:
    """Scores each member on the parts of the past that it was kept from, one series at a time."""
    tested = [int((roles[:, -2] >= 0).sum()) for roles in targets]

    def score() -> float:
        device = like(model).device
        total = 0.0
        for rows, answers, weight in zip(inputs, targets, tested, strict=True):
            outputs, _ = model(torch.from_numpy(rows).unsqueeze(1).to(device))
            expected = torch.from_numpy(answers).unsqueeze(1).to(device)
            total += weight * float(loss.held_out(outputs, expected))
        return total / max(1, sum(tested))

    return score
