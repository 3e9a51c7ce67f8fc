"""Heads: their laws, against PyTorch's and SciPy's distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.testing import assert_close

from unrolled.errors import ConfigError
from unrolled.tasks.forecasting.heads import HEADS, Mean, NegativeBinomial, make_head

LEVELS = (0.05, 0.1, 0.4, 0.5, 0.8, 0.95)
GRID = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)
ZERO, ONE = torch.zeros(()), torch.ones(())

heads = pytest.mark.parametrize("head", [make_head(name, LEVELS) for name in HEADS], ids=HEADS)
continuous = pytest.mark.parametrize(
    "head", [make_head(name, LEVELS) for name in HEADS if name != "negative-binomial"]
)


def some_raw(head, *shape, spread=2.0, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(*shape, head.size, generator=generator, dtype=torch.float64)


def raws(size):
    """Any raw numbers of a network, as float32."""
    number = st.floats(-50, 50, width=32)
    return st.lists(number, min_size=size, max_size=size).map(torch.tensor)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"head: got 'gauss', expected one of 'quantiles', 'nor"):
        make_head("gauss", LEVELS)


@pytest.mark.parametrize("levels", [(), (0.5, 0.1), (0.1, 0.1), (0.0, 0.5), (0.5, 1.0)])
def test_levels_that_can_be_no_quantiles_are_refused(levels):
    with pytest.raises(ConfigError, match=r"levels: got .*, expected ascending numbers"):
        make_head("quantiles", levels)


@heads
@given(data=st.data())
def test_quantiles_ascend_whatever_the_network_says(head, data):
    raw = data.draw(raws(head.size))
    scale = torch.tensor(data.draw(st.sampled_from([1e-3, 1.0, 1e4])))
    quantiles = head.quantiles(raw, GRID, ZERO, scale)
    assert quantiles.isfinite().all()
    assert (quantiles.diff() >= 0).all()


@continuous
def test_the_cdf_undoes_the_quantiles(head):
    raw, location, scale = some_raw(head, 7), torch.linspace(-9, 9, 7), torch.linspace(0.1, 30, 7)
    quantiles = head.quantiles(raw, GRID, location, scale)
    reached = head.cdf(raw[:, None], quantiles, location[:, None], scale[:, None])
    assert_close(reached, GRID.expand(7, -1), atol=1e-6, rtol=0)


def test_a_quantile_of_counts_is_the_least_count_that_is_reached():
    head = make_head("negative-binomial", LEVELS)
    raw, scale = some_raw(head, 9), torch.logspace(-1, 4, 9)
    counts = head.quantiles(raw, GRID, ZERO, scale)
    assert (counts == counts.round()).all()
    assert (counts >= 0).all()
    inside = (raw[:, None], counts, ZERO, scale[:, None])
    below = (raw[:, None], counts - 1, ZERO, scale[:, None])
    assert (head.cdf(*inside) >= GRID - 1e-9).all()
    assert (head.cdf(*below) < GRID + 1e-9).all()


@heads
def test_the_samples_are_as_frequent_as_the_cdf_says(head):
    raw, location, scale = some_raw(head, 3, spread=1.0), torch.tensor(2.0), torch.tensor(5.0)
    generator = torch.Generator().manual_seed(1)
    drawn = head.sample(raw.expand(20_000, 3, -1), location, scale, generator)
    assert drawn.shape == (20_000, 3)
    for value in (-10.0, -1.0, 0.0, 1.0, 3.0, 8.0, 20.0):
        said = head.cdf(raw, torch.tensor(value), location, scale)
        # Four standard errors of a share of 20,000.
        assert_close((drawn <= value).double().mean(0), said, atol=0.0145, rtol=0)


@heads
def test_samples_repeat_by_the_generator(head):
    draws = [
        head.sample(some_raw(head, 8), ZERO, ONE, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@heads
@pytest.mark.parametrize("drawn", [0.0, 1.0])
def test_a_random_level_at_the_end_of_its_range_is_no_infinite_sample(head, drawn, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, drawn))
    assert head.sample(torch.zeros(3, head.size), ZERO, ONE).isfinite().all()


def test_raw_zeros_are_a_spread_of_one_scale():
    # Standard normal; t with 6 degrees of freedom; a mean of one scale, of 10 here.
    normal = stats.norm.ppf(LEVELS)
    levels, ten = torch.tensor(LEVELS, dtype=torch.float64), torch.tensor(10.0)
    for name, expected in {
        "normal": 10 * normal,
        "quantiles": 10 * normal,
        "student-t": 10 * stats.t.ppf(LEVELS, 6),
        "negative-binomial": stats.nbinom.ppf(LEVELS, 1, 1 / 11),
    }.items():
        head = make_head(name, LEVELS)
        quantiles = head.quantiles(torch.zeros(head.size).double(), levels, ZERO, ten)
        assert_close(quantiles, torch.tensor(expected), msg=name)


def test_the_loss_of_normal_and_student_is_torchs():
    target = torch.linspace(-4, 4, 9, dtype=torch.float64)
    location, scale = torch.tensor(0.5), torch.tensor(2.0)
    softplus = torch.nn.functional.softplus
    spread = lambda raw: 0.001 + 0.999 * softplus(raw + math.log(math.e - 1))  # noqa: E731
    raw = some_raw(make_head("normal", LEVELS), 9)
    normal = torch.distributions.Normal(raw[:, 0], spread(raw[:, 1]))
    standard = (target - location) / scale
    loss = make_head("normal", LEVELS).loss(raw, target, location, scale)
    assert_close(loss, -normal.log_prob(standard))
    raw = some_raw(make_head("student-t", LEVELS), 9)
    freedom = 2 + 4 * softplus(raw[:, 2] + math.log(math.e - 1))
    student = torch.distributions.StudentT(freedom, raw[:, 0], spread(raw[:, 1]))
    loss = make_head("student-t", LEVELS).loss(raw, target, location, scale)
    assert_close(loss, -student.log_prob(standard))


def test_the_loss_of_counts_is_scipys():
    head = make_head("negative-binomial", LEVELS)
    raw, target = some_raw(head, 8), torch.tensor([0.0, 1, 2, 3, 10, 50, 300, 9000]).double()
    scale = torch.tensor(20.0)
    positive = torch.nn.functional.softplus(raw + math.log(math.e - 1))
    mean, dispersion = 20 * positive[:, 0].numpy(), positive[:, 1].numpy()
    expected = -stats.nbinom.logpmf(target.numpy(), 1 / dispersion, 1 / (1 + dispersion * mean))
    assert_close(head.loss(raw, target, ZERO, scale), torch.tensor(expected), rtol=2e-3, atol=0)
    # From the probabilities of two neighbours too, without the other library.
    steps = head.cdf(raw, target, ZERO, scale) - head.cdf(raw, target - 1, ZERO, scale)
    assert_close(head.loss(raw, target, ZERO, scale)[:6], -steps.log()[:6], rtol=1e-6, atol=0)


def test_the_loss_of_the_median_is_the_absolute_error():
    head = make_head("quantiles", [0.5])
    loss = head.loss(torch.tensor([1.0]), torch.tensor(-5.0), torch.tensor(1.0), torch.tensor(2.0))
    assert_close(loss, torch.tensor(abs(-3.0 - 1.0)))


def test_the_loss_of_quantiles_is_the_pinball_loss_of_their_mean():
    head = make_head("quantiles", LEVELS)
    raw, target = some_raw(head, 5), some_raw(head, 5)[:, 0]
    places = head.quantiles(raw, torch.tensor(LEVELS).double(), ZERO, ONE)
    expected = sum(
        2 * torch.where(target >= place, level * (target - place), (1 - level) * (place - target))
        for level, place in zip(LEVELS, places.T, strict=True)
    ) / len(LEVELS)
    assert_close(head.loss(raw, target, ZERO, ONE), expected, atol=1e-6, rtol=1e-6)


def test_the_pinball_loss_is_least_at_the_true_quantiles():
    head = make_head("quantiles", LEVELS)
    sample = torch.tensor(stats.expon.ppf((np.arange(4000) + 0.5) / 4000))
    raw = torch.zeros(head.size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([raw], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = head.loss(raw, sample, ZERO, ONE).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert_close(
        head.places(raw.detach()), torch.tensor(stats.expon.ppf(LEVELS)), atol=2e-2, rtol=0
    )


@heads
def test_the_gradient_is_that_of_finite_differences(head):
    if isinstance(head, Mean):
        pytest.skip("its mean is taught by another loss than its spread, see below")
    raw = some_raw(head, 6).requires_grad_()
    target = torch.tensor([0.0, 1, 2, 3, 7, 30], dtype=torch.float64)
    scale = torch.tensor(4.0, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda r: head.loss(r, target, ZERO, scale), raw)


def test_the_mean_is_taught_by_the_squared_error_and_its_spread_by_the_likelihood():
    target = torch.tensor([0.0, 1, 2, 3, 7, 30], dtype=torch.float64)
    raw, same = (some_raw(make_head("mean", []), 6).requires_grad_() for _ in range(2))
    with torch.no_grad():
        same.copy_(raw)
    make_head("mean", []).loss(raw, target, ZERO, ONE).sum().backward()
    make_head("normal", []).loss(same, target, ZERO, ONE).sum().backward()
    assert_close(raw.grad[:, 0], raw.detach()[:, 0] - target, check_dtype=False)
    assert_close(raw.grad[:, 1], same.grad[:, 1])


@heads
@given(data=st.data())
def test_loss_and_gradient_stay_finite_in_float32(head, data):
    raw = data.draw(raws(head.size)).requires_grad_()
    least = 0 if isinstance(head, NegativeBinomial) else -10_000
    target = torch.tensor(float(data.draw(st.integers(least, 10_000))))
    loss = head.loss(raw, target, ZERO, ONE)
    loss.backward()
    assert loss.isfinite()
    assert raw.grad.isfinite().all()


@heads
def test_an_unknown_target_counts_for_nothing(head):
    raw = some_raw(head, 2).float().requires_grad_()
    loss = head.loss(raw, torch.tensor([3.0, torch.nan]), ZERO, ONE)
    loss.sum().backward()
    assert loss[1] == 0
    assert torch.equal(raw.grad[1], torch.zeros(head.size))
    assert raw.grad[0].isfinite().all()
    assert raw.grad[0].any()


@continuous
def test_the_forecast_moves_and_stretches_with_its_series(head):
    raw, value = some_raw(head, 5), torch.linspace(-2, 2, 5, dtype=torch.float64)
    location, scale = torch.tensor(-3.0), torch.tensor(7.0)
    moved = -3 + 7 * value
    assert_close(head.loss(raw, moved, location, scale), head.loss(raw, value, ZERO, ONE))
    assert_close(head.cdf(raw, moved, location, scale), head.cdf(raw, value, ZERO, ONE))
    quantiles = head.quantiles(raw, GRID, ZERO, ONE)
    assert_close(head.quantiles(raw, GRID, location, scale), -3 + 7 * quantiles)


def test_the_mean_of_counts_stretches_with_the_scale():
    head = make_head("negative-binomial", LEVELS)
    raw, scale = torch.tensor([0.3, -1.0]), torch.tensor([5.0, 50.0])
    drawn = head.sample(raw.expand(40_000, 2, -1), ZERO, scale, torch.Generator().manual_seed(4))
    mean = float(torch.nn.functional.softplus(raw[0] + math.log(math.e - 1)))
    assert_close(drawn.mean(0), mean * scale, rtol=0.02, atol=0)


def test_one_level_alone_has_tails_as_the_normal_there():
    head = make_head("quantiles", [0.5])
    raw = torch.zeros(1, dtype=torch.float64)
    near = torch.tensor([-1e-4, 1e-4], dtype=torch.float64)
    low, high = head.cdf(raw, near, ZERO, ONE)
    assert_close((high - low) / 2e-4, torch.tensor(stats.norm.pdf(0)), rtol=1e-3, atol=0)
