"""The sampled cross-entropy is the full one where every token is drawn once."""

from __future__ import annotations

import pytest
import torch

from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.errors import ConfigError
from unrolled.training.losses import token_loss
from unrolled.training.sampled_softmax import NegativeSampling, sampled_softmax_loss

V, E = 11, 5


def _parts(seed: int = 0) -> tuple[torch.Tensor, ...]:
    draws = torch.Generator().manual_seed(seed)
    hidden, weight, bias = (
        torch.randn(*shape, generator=draws, dtype=torch.float64, requires_grad=True)
        for shape in ((4, 3, E), (V, E), (V,))
    )
    targets = torch.randint(V, (4, 3), generator=draws)
    targets[1, 2] = IGNORED_TARGET
    return hidden, weight, bias, targets


class _Each(NegativeSampling):
    """Every token once: each is expected once, and nothing is corrected."""

    def log_chances(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.zeros(ids.shape, dtype=torch.float64)


def test_with_every_token_drawn_once_value_and_gradients_are_those_of_the_full_softmax():
    hidden, weight, bias, targets = _parts()
    sampling = _Each(torch.ones(V), V)
    found = sampled_softmax_loss(hidden, weight, bias, targets, torch.arange(V), sampling)
    wanted = token_loss(hidden @ weight.T + bias, targets)
    assert abs((found - wanted).item()) <= 1e-12
    parts = (hidden, weight, bias)
    for one, other in zip(
        torch.autograd.grad(found, parts), torch.autograd.grad(wanted, parts), strict=True
    ):
        assert float((one - other).abs().max()) <= 1e-12


def test_the_more_are_drawn_the_closer_it_comes():
    hidden, weight, bias, targets = (one.detach() for one in _parts(1))
    counts = torch.tensor([100.0, 50, 20, 10, 5, 3, 2, 1, 1, 0, 0])
    wanted = float(token_loss(hidden @ weight.T + bias, targets))
    errors = []
    torch.manual_seed(0)
    for negatives in (20, 20_000):
        sampling = NegativeSampling(counts, negatives)
        found = sampled_softmax_loss(hidden, weight, bias, targets, sampling.draw(), sampling)
        errors.append(abs(float(found) - wanted))
    assert errors[1] <= 0.02
    assert errors[1] <= errors[0]


def test_few_drawn_tokens_estimate_the_sum_over_all_without_bias():
    hidden, weight, bias, _ = (one.detach() for one in _parts(2))
    one, target = hidden[0, :1], torch.tensor([4])
    scores = one[0] @ weight.T + bias
    wanted = scores.exp().sum() - scores[4].exp()
    counts = torch.tensor([100.0, 50, 20, 10, 5, 3, 2, 1, 1, 0, 0])
    sampling = NegativeSampling(counts, 3)
    torch.manual_seed(4)
    sums = []
    for _ in range(6000):
        loss = sampled_softmax_loss(one, weight, bias, target, sampling.draw(), sampling)
        sums.append((loss.exp() - 1) * scores[4].exp())
    assert abs(torch.stack(sums).mean().item() / wanted.item() - 1) <= 0.08


def test_a_token_is_drawn_with_the_probability_that_is_told():
    sampling = NegativeSampling(torch.tensor([300.0, 30, 3, 0]), 3)
    torch.manual_seed(3)
    seen = torch.zeros(4)
    for _ in range(4000):
        seen[sampling.draw()] += 1
    told = sampling.log_chances(torch.arange(4)).exp()
    assert float((seen / 4000 - told).abs().max()) <= 0.02


def test_a_number_below_one_is_refused():
    with pytest.raises(ConfigError, match="negatives: got 0"):
        NegativeSampling(torch.ones(3), 0)
