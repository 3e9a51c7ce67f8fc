"""The loss of a large vocabulary, a few rows at a time, is torch's, and so is its gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.training import readout_loss as module
from unrolled.training.readout_loss import readout_loss


def made(rows: int = 7, size: int = 5, symbols: int = 11) -> tuple[torch.Tensor, ...]:
    hidden = torch.randn(rows, size, requires_grad=True)
    weight = torch.randn(symbols, size, requires_grad=True)
    bias = torch.randn(symbols, requires_grad=True)
    targets = torch.randint(0, symbols, (rows,))
    targets[2] = IGNORED_TARGET
    return hidden, weight, bias, targets


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("at_once", [2, 512])
def test_it_is_cross_entropy_with_its_gradients(
    smoothing: float, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_AT_ONCE", at_once)
    hidden, weight, bias, targets = made()
    own = readout_loss(hidden, weight, bias, targets, smoothing=smoothing)
    (3 * own).backward()
    found = [one.grad.clone() for one in (hidden, weight, bias)]
    for one in (hidden, weight, bias):
        one.grad = None
    scores = linear(hidden, weight, bias)
    right = cross_entropy(scores, targets, ignore_index=IGNORED_TARGET, label_smoothing=smoothing)
    (3 * right).backward()
    torch.testing.assert_close(own, right)
    for gradient, one in zip(found, (hidden, weight, bias), strict=True):
        torch.testing.assert_close(gradient, one.grad)


def test_in_bfloat16_it_is_near() -> None:
    hidden, weight, bias, targets = made(40, 32, 50)
    exact = readout_loss(hidden, weight, bias, targets, smoothing=0.1)
    exact.backward()
    right = hidden.grad.clone()
    hidden.grad = None
    near = readout_loss(hidden, weight, bias, targets, smoothing=0.1, precision="bf16")
    near.backward()
    assert near.dtype == torch.float32
    assert abs((near - exact).item()) < 0.05
    assert not torch.equal(near, exact), "nothing was multiplied in bfloat16"
    assert float((hidden.grad - right).abs().max()) < 0.01


def test_without_a_target_it_is_zero_and_has_no_gradient() -> None:
    hidden, weight, bias, targets = made()
    loss = readout_loss(hidden, weight, bias, torch.full_like(targets, IGNORED_TARGET))
    loss.backward()
    assert loss.item() == 0.0
    assert not hidden.grad.any()
    assert not weight.grad.any()


def test_large_scores_do_not_overflow() -> None:
    hidden, weight, bias, targets = made()
    loss = readout_loss(hidden * 1e4, weight, bias, targets)
    right = cross_entropy(linear(hidden * 1e4, weight, bias), targets, ignore_index=IGNORED_TARGET)
    torch.testing.assert_close(loss, right)
