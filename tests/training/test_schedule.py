"""The learning rate rises, falls, and ends at its floor."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.training.schedule import warmup_cosine

TOTALS = st.integers(1, 5000)
WARMUPS = st.integers(1, 200)


@given(TOTALS, WARMUPS, st.floats(0.0, 0.5))
def test_the_last_step_has_the_floor(total: int, warmup: int, floor: float) -> None:
    last = warmup_cosine(total, total, warmup=warmup, floor=floor)
    assert last == pytest.approx(floor, abs=1e-12)


@given(TOTALS, WARMUPS)
def test_the_factor_rises_in_the_warm_up_and_falls_after_it(total: int, warmup: int) -> None:
    rise = max(1, min(warmup, total // 10))
    factors = [warmup_cosine(step, total, warmup=warmup) for step in range(1, total + 1)]
    assert all(0 < factor <= 1 for factor in factors)
    after = factors[rise - 1 :]
    assert all(earlier >= later for earlier, later in pairwise(after))
    before = factors[: max(1, rise // 2)]
    assert all(earlier < later for earlier, later in pairwise(before))


def test_half_way_the_factor_is_half_way_between_peak_and_floor() -> None:
    assert warmup_cosine(500, 1000, warmup=50, floor=0.1) == pytest.approx(0.55)
    early = 0.5 * (0.02 + 0.98 * (1 + math.cos(math.pi * 25 / 1000)) / 2)
    assert warmup_cosine(25, 1000, warmup=50) == pytest.approx(early)


def test_the_warm_up_takes_at_most_a_tenth_of_a_known_run() -> None:
    assert warmup_cosine(2, 20, warmup=50) == pytest.approx(
        0.02 + 0.98 * (1 + math.cos(math.pi / 10)) / 2
    )


@given(st.integers(1, 1000), WARMUPS)
def test_without_a_plan_there_is_the_warm_up_alone(step: int, warmup: int) -> None:
    assert warmup_cosine(step, None, warmup=warmup) == min(1.0, step / warmup)


@pytest.mark.parametrize("total", [None, 100])
def test_no_warm_up_begins_at_the_peak(total: int | None) -> None:
    assert warmup_cosine(1, total, warmup=0) == pytest.approx(1.0, abs=1e-3)
