"""Masks: the rates that were asked for, from torch's generator, the same for the same seed."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.masks import recurrent_mask, zoneout_mask

N = 1 << 18


def assert_share(drawn: Tensor, rate: float) -> None:
    """The share of true units is within six standard deviations of the rate."""
    n = drawn.numel()
    spread = math.sqrt(rate * (1 - rate) / n)
    assert abs(drawn.double().mean().item() - rate) <= 6 * spread + 2**-17


@settings(max_examples=20)
@given(rate=st.floats(0.001, 0.999), seed=st.integers(0, 1000))
def test_the_share_of_kept_units_is_the_rate(rate: float, seed: int) -> None:
    torch.manual_seed(seed)
    drawn = zoneout_mask((N,), rate)
    assert drawn.dtype == torch.bool
    assert_share(drawn, rate)


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_every_unit_has_the_rate_and_neighbours_know_nothing_of_each_other(rate: float) -> None:
    drawn = zoneout_mask((N // 4, 4), rate)
    for place in range(4):  # four units come from one 64-bit number
        assert_share(drawn[:, place], rate)
        for other in range(place):
            assert_share(drawn[:, place] & drawn[:, other], rate**2)
    assert_share(drawn[1:] & drawn[:-1], rate**2)


@pytest.mark.parametrize("shape", [(7, 3, 5), (1, 1, 1), (2, 2, 2), (3, 0, 4)])
def test_rates_0_and_1_are_exact_and_draw_nothing(shape: tuple[int, ...]) -> None:
    before = torch.get_rng_state()
    for rate in (0, 0.0, 1, 1.0):
        drawn = zoneout_mask(shape, rate)
        assert drawn.shape == shape
        assert drawn.dtype == torch.bool
        assert (drawn == bool(rate)).all()
        kept = recurrent_mask(3, 4, rate, torch.ones(1))
        assert (kept == 1 - rate).all()
    assert torch.equal(torch.get_rng_state(), before)
    assert zoneout_mask(shape, 0.5).shape == shape


def test_the_same_seed_draws_the_same_masks_with_any_number_of_threads() -> None:
    def draw() -> tuple[Tensor, Tensor]:
        torch.manual_seed(3)
        return zoneout_mask((50, 10, 101), 0.3), recurrent_mask(500, 101, 0.3, torch.ones(1))

    first, threads = draw(), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        second = draw()
    finally:
        torch.set_num_threads(threads)
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(zoneout_mask((50, 10, 101), 0.3), first[0])


def test_a_generator_of_ones_own_leaves_torchs_alone() -> None:
    before = torch.get_rng_state()
    own = [torch.Generator().manual_seed(5) for _ in range(2)]
    masks = [zoneout_mask((9, 9), 0.5, generator=g) for g in own]
    assert torch.equal(*masks)
    kept = [recurrent_mask(9, 9, 0.5, torch.ones(1), generator=g) for g in own]
    assert torch.equal(*kept)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_recurrent_dropout_keeps_the_mean(dtype: torch.dtype) -> None:
    rate = 0.375
    drawn = recurrent_mask(512, 512, rate, torch.ones(1, dtype=dtype))
    assert drawn.dtype == dtype
    kept = drawn != 0
    assert_share(kept, 1 - rate)
    assert torch.equal(drawn[kept], torch.full_like(drawn[kept], 1 / (1 - rate)))


@pytest.mark.parametrize("rate", [-0.1, 1.01, math.nan])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match=r"rate: got .*, expected 0 to 1"):
        zoneout_mask((2,), rate)
    with pytest.raises(ConfigError, match=r"rate: got"):
        recurrent_mask(2, 2, rate, torch.ones(1))


def test_masks_differ_from_row_to_row_of_a_vmap_and_keep_their_rate() -> None:
    def drawn(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return zoneout_mask((50, 40), 0.3), recurrent_mask(50, 40, 0.3, x)

    torch.manual_seed(0)
    x = torch.zeros(4, 2, dtype=torch.float64)
    kept, factors = torch.func.vmap(drawn, randomness="different")(x)
    assert kept.dtype == torch.bool
    assert factors.dtype == torch.float64
    for masks in (kept, factors):
        assert masks.shape == (4, 50, 40)
        assert not torch.equal(masks[0], masks[1])
    assert abs(kept.double().mean() - 0.3) < 0.03
    assert set(factors.unique().tolist()) == {0.0, 1 / 0.7}
    assert abs((factors == 0).double().mean() - 0.3) < 0.03
