"""Losses agree with a plain loop, and what is not known counts for nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.training.losses import quantile_loss, token_loss

NUMBERS = st.floats(-100, 100, width=32)


@settings(max_examples=40)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), st.integers(1, 4))
def test_quantile_loss_is_the_plain_sum_over_what_is_known(
    data: st.DataObject, shape: tuple[int, ...], levels: int
) -> None:
    targets = data.draw(hnp.arrays(np.float64, shape, elements=st.one_of(NUMBERS, st.just(np.nan))))
    predictions = data.draw(hnp.arrays(np.float64, (*shape, levels), elements=NUMBERS))
    quantiles = np.linspace(0.1, 0.9, levels)
    total, count = 0.0, 0
    for place in np.ndindex(shape):
        if math.isnan(targets[place]):
            continue
        for j, q in enumerate(quantiles):
            error = targets[place] - predictions[(*place, j)]
            total += 2 * q * error if error > 0 else 2 * (1 - q) * -error
            count += 1
    expected = total / count if count else 0.0
    got = quantile_loss(*(torch.from_numpy(a) for a in (predictions, targets, quantiles)))
    assert float(got) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_loss_of_the_median_is_the_absolute_error() -> None:
    loss = quantile_loss(
        torch.tensor([[3.0], [1.0]]), torch.tensor([1.0, 5.0]), torch.tensor([0.5])
    )
    assert float(loss) == pytest.approx(3.0)


def test_an_unknown_target_gives_no_gradient_and_no_nan() -> None:
    predictions = torch.randn(4, 2, 3, requires_grad=True)
    targets = torch.randn(4, 2)
    targets[1, 0] = targets[3, 1] = torch.nan
    quantile_loss(predictions, targets, torch.tensor([0.1, 0.5, 0.9])).backward()
    gradient = predictions.grad
    assert gradient is not None
    unknown = targets.isnan()
    assert (gradient[unknown] == 0).all()
    assert (gradient[~unknown] != 0).all()
    assert gradient.isfinite().all()


def test_a_batch_without_any_known_target_has_loss_zero_and_no_gradient() -> None:
    predictions = torch.randn(2, 3, requires_grad=True)
    loss = quantile_loss(predictions, torch.full((2,), torch.nan), torch.tensor([0.1, 0.5, 0.9]))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert predictions.grad is not None
    assert (predictions.grad == 0).all()


def test_token_loss_is_the_mean_over_the_tokens_that_are_not_ignored() -> None:
    logits = torch.randn(3, 2, 5, requires_grad=True)
    targets = torch.tensor([[0, 4], [IGNORED_TARGET, 2], [1, IGNORED_TARGET]])
    parts = []
    for t, b in [(0, 0), (0, 1), (1, 1), (2, 0)]:
        row = logits[t, b].detach().double()
        parts.append(-math.log(float(row.exp()[targets[t, b]] / row.exp().sum())))
    loss = token_loss(logits, targets)
    assert float(loss.detach()) == pytest.approx(sum(parts) / 4, rel=1e-5)
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[targets == IGNORED_TARGET] == 0).all()
    assert (logits.grad[targets != IGNORED_TARGET] != 0).all()
