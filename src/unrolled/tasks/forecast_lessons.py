"""What a `Forecaster` is trained and measured with: inputs, answers, roles, and the rival."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unrolled.baselines import SeasonalNaive
from unrolled.data.batching import BucketedBatches
from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import like
from unrolled.tasks.forecast_features import FeatureMaker, season_that_helps
from unrolled.tasks.forecast_model import ForecastModel
from unrolled.tasks.member_loss import TEST, MemberLoss, assign_roles
from unrolled.tasks.rolling import rows_at_once
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
    """For each series up to its cut: inputs `(n, F)`, and answers with roles `(n, K + M)`."""
    inputs, targets = [], []
    for name, times, values, cut in zip(series.ids, series.times, series.values, cuts, strict=True):
        inputs.append(features.inputs(values[:cut], times[:cut], scales[name]))
        answers = features.targets(values[:cut], scales[name])
        roles = assign_roles(cut, members, features.horizon, VALIDATION_SHARE)
        targets.append(np.concatenate([answers, roles.numpy()], axis=1))
    return inputs, targets


def choose_naive(past: tuple[Array, ...], frequency: Frequency, horizon: int) -> SeasonalNaive:
    """The better of "as the last value" and "as one season ago" inside the training part."""
    season = season_that_helps(past, frequency, horizon) or 1
    return SeasonalNaive(season).fit(past, horizon=horizon)


def validator(
    model: ForecastModel, loss: MemberLoss, inputs: list[np.ndarray], targets: list[np.ndarray]
) -> Callable[[], float]:
    """Scores each member on the parts of the past that it was kept from, like lengths together."""
    longest = max(len(rows) for rows in inputs)
    answers = targets[0].shape[1] * len(loss.quantiles)
    batches = BucketedBatches(inputs, targets, batch_size=rows_at_once(longest, answers), seed=None)

    def score() -> float:
        total = weights = 0.0
        for step in range(len(batches)):
            batch = batches[step].to(like(model).device)
            assert batch.targets is not None
            tested = float((batch.targets[..., -len(model.members) :] == TEST).sum())
            outputs, _ = model(batch.inputs, lengths=batch.lengths)
            total += tested * float(loss.held_out(outputs, batch.targets))
            weights += tested
        return total / max(1.0, weights)

    return score
