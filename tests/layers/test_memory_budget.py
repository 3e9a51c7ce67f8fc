"""From `checkpoint="512MB"` to the steps of a segment."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import native, reference
from unrolled.layers.kernel_calls import kept_widths
from unrolled.layers.memory_budget import (
    AMPLE,
    Checkpoint,
    bytes_kept,
    least_budget,
    parse_checkpoint,
    planned_steps,
)

from .native_calls import layer_of
from .segment_calls import parameters_of, stack


@pytest.mark.parametrize(
    ("given_", "budget"),
    [
        ("512MB", 512_000_000),
        ("1GB", 10**9),
        ("300MiB", 300 << 20),
        ("1.5 GiB", 3 << 29),
        (" 7 kb ", 7000),
        ("64kib", 65536),
        ("12B", 12),
        ("2TB", 2 * 10**12),
    ],
)
def test_a_budget_is_a_number_and_a_unit(given_: str, budget: int) -> None:
    assert parse_checkpoint(given_) == Checkpoint(budget=budget)


def test_a_number_is_steps_and_none_is_none() -> None:
    assert parse_checkpoint(100) == Checkpoint(steps=100)
    assert parse_checkpoint(None) is None


@pytest.mark.parametrize(
    "wrong", [0, -3, True, False, 2.5, "512", "MB", "-1MB", "1e3MB", "0MB", "5 XB", "", "nanMB", []]
)
def test_anything_else_is_refused_with_examples(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"checkpoint: got .*'512MB' or '1\.5GiB'"):
        parse_checkpoint(wrong)


def kept(k: int, steps: int, per_step: int, state: int) -> int:
    return k * per_step + (math.ceil(steps / k) - 1) * state


sizes = {
    "steps": st.integers(1, 300),
    "per_step": st.integers(1, 500) | st.integers(1, 1 << 22),
    "state": st.integers(0, 500) | st.integers(0, 1 << 22),
}


@given(**sizes)
def test_the_least_budget_is_the_least_and_works(steps: int, per_step: int, state: int) -> None:
    least = min(kept(k, steps, per_step, state) for k in range(1, steps + 1))
    assert least_budget(steps, per_step, state) == least
    k = planned_steps(least, steps, per_step, state)
    assert kept(k, steps, per_step, state) <= least
    with pytest.raises(ConfigError, match=r"got a budget of .*, and \d+ steps need at least"):
        planned_steps(least - 1, steps, per_step, state)


@given(**sizes, budget=st.integers(1, 1 << 28))
def test_a_plan_fits_and_no_longer_segment_does(
    steps: int, per_step: int, state: int, budget: int
) -> None:
    least = least_budget(steps, per_step, state)
    budget += least
    k = planned_steps(budget, steps, per_step, state)
    assert 1 <= k <= steps
    assert kept(k, steps, per_step, state) <= budget
    if steps * per_step <= budget:
        assert k == steps
    else:
        limit = max(min(budget, AMPLE), least)
        assert kept(k, steps, per_step, state) <= limit
        assert all(kept(j, steps, per_step, state) > limit for j in range(k + 1, steps + 1))


def test_the_error_names_a_budget_that_works() -> None:
    with pytest.raises(ConfigError) as error:
        planned_steps(1000, 20_000, 98_304, 32_768)
    text = str(error.value)
    named = text.split("at least ")[1].split(";")[0]
    assert named == "16.1 MB"
    budget = parse_checkpoint(named)
    assert budget is not None
    assert budget.budget is not None
    assert planned_steps(budget.budget, 20_000, 98_304, 32_768) >= 1


@pytest.mark.skipif(not kernels.available(), reason="needs the kernels")
@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN_TANH"])
@pytest.mark.parametrize("layers", [1, 2])
def test_what_the_kernels_keep_is_counted_as_the_table_says(mode: str, layers: int) -> None:
    batch, hidden = 3, 7
    layer = layer_of(mode, 5, hidden, num_layers=layers)
    x = torch.randn(9, batch, 5, dtype=torch.float64)
    per_step, state = bytes_kept(stack(layer, native.run), x, None, parameters_of(layer))
    widths = sum(kept_widths(mode, hidden, False, False)) + hidden
    assert per_step == 8 * batch * widths * layers
    assert state == 8 * batch * hidden * layers * (2 if mode == "LSTM" else 1)


def test_the_reference_path_keeps_more_and_short_sequences_are_counted_by_step() -> None:
    layer = layer_of("LSTM", 5, 7)
    x = torch.randn(9, 3, 5, dtype=torch.float64)
    run = stack(layer, reference.run)
    per_step, _ = bytes_kept(run, x, None, parameters_of(layer))
    assert 8 * 3 * 7 * 6 < per_step < 8 * 3 * 7 * 60
    for steps in (2, 3):
        few, _ = bytes_kept(run, x[:steps], None, parameters_of(layer))
        assert 0.8 * per_step <= few <= 1.25 * per_step
