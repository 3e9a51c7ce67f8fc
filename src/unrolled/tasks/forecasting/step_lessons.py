"""What a network that answers at every step is taught and tested with: inputs, answers, roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unrolled.data.batching import BucketedBatches
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import like
from unrolled.tasks.forecasting.member_loss import TEST, MemberLoss, assign_roles
from unrolled.tasks.forecasting.scaling import Scale
from unrolled.tasks.forecasting.step_covariates import Beside
from unrolled.tasks.forecasting.step_features import FeatureMaker
from unrolled.tasks.forecasting.step_model import ForecastModel
from unrolled.tasks.forecasting.step_rolling import rows_at_once

# Share of the training part that a single member is tested on.
VALIDATION_SHARE = 0.15


def lessons(
    series: SeriesSet,
    cuts: Sequence[int],
    scales: Sequence[Scale],
    features: FeatureMaker,
    members: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each series up to its cut: inputs `(n, F)`, and answers with roles `(n, K + M)`."""
    inputs, targets = [], []
    for place, (times, values, cut) in enumerate(
        zip(series.times, series.values, cuts, strict=True)
    ):
        beside = Beside.of(series, place)
        known = Beside(beside.past[:cut], beside.future, beside.static)
        inputs.append(features.inputs(values[:cut], times[:cut], scales[place], known))
        answers = features.targets(values[:cut], scales[place])
        roles = assign_roles(cut, members, features.horizon, VALIDATION_SHARE)
        targets.append(np.concatenate([answers, roles.numpy()], axis=1))
    return inputs, targets


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
