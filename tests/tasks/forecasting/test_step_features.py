"""What the forecasting network reads, against columns worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.data.calendar import calendar_features
from unrolled.data.frequency import Frequency
from unrolled.tasks.forecasting.scaling import Scale, fill_forward, squash
from unrolled.tasks.forecasting.step_features import (
    FeatureMaker,
    season_that_helps,
)

DAILY, STEPS = Frequency("D"), Frequency("step")
PLAIN = Scale(False, 10.0, 2.0, 0.5)
VALUES = hnp.arrays(
    np.float64, st.integers(2, 40), elements=st.one_of(st.floats(-100, 100), st.just(np.nan))
)


def _days(count: int) -> np.ndarray:
    return DAILY.grid(np.datetime64("2024-02-27", "us"), count)


def test_the_columns_are_level_change_missing_calendar_and_lags() -> None:
    values = np.array([10.0, 11.0, np.nan, 9.0, 12.0, 10.0])
    maker = FeatureMaker(DAILY, horizon=2, season=3)
    rows = maker.inputs(values, _days(6), PLAIN)

    filled = np.array([10.0, 11.0, 11.0, 9.0, 12.0, 10.0])
    level = [3 * np.tanh((z - 10) / 2 / 3) for z in filled]
    change = [0.0] + [5 * np.tanh((b - a) / 0.5 / 5) for a, b in pairwise(filled)]
    # Of the step t + k, one season before: the value at t + k - 3.
    lag_1 = [0.0, 0.0] + [5 * np.tanh((filled[t - 2] - filled[t]) / 0.5 / 5) for t in range(2, 6)]
    lag_2 = [0.0] + [5 * np.tanh((filled[t - 1] - filled[t]) / 0.5 / 5) for t in range(1, 6)]

    assert rows.shape == (6, maker.size)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[:, 0], level, rtol=1e-6)
    np.testing.assert_allclose(rows[:, 1], change, rtol=1e-6)
    np.testing.assert_array_equal(rows[:, 2], [0, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(rows[:, 3:-2], calendar_features(_days(6), DAILY))
    np.testing.assert_allclose(rows[:, -2], lag_1, rtol=1e-6)
    np.testing.assert_allclose(rows[:, -1], lag_2, rtol=1e-6)


def test_in_logarithms_the_columns_are_those_of_the_logarithms() -> None:
    values = np.array([1.0, 2.0, 8.0, 4.0])
    maker = FeatureMaker(STEPS, horizon=1, season=2)
    times = STEPS.grid(np.datetime64(0, "us"), 4)
    log = maker.inputs(values, times, Scale(True, 1.0, 0.7, 0.3))
    plain = maker.inputs(np.log(values), times, Scale(False, 1.0, 0.7, 0.3))
    np.testing.assert_array_equal(log, plain)


@given(VALUES, st.integers(1, 9), st.sampled_from([None, 2, 3, 7]), st.data())
def test_a_row_never_depends_on_later_values(
    values: np.ndarray, horizon: int, season: int | None, data: st.DataObject
) -> None:
    now = data.draw(st.integers(0, len(values) - 2))
    other = values.copy()
    other[now + 1 :] = 1e6
    maker = FeatureMaker(DAILY, horizon, season)
    times = _days(len(values))
    before = maker.inputs(values, times, PLAIN)[: now + 1]
    np.testing.assert_array_equal(before, maker.inputs(other, times, PLAIN)[: now + 1])
    # Nor on how much of the series is there at all.
    short = maker.inputs(values[: now + 1], times[: now + 1], PLAIN)
    np.testing.assert_array_equal(before, short)


@given(VALUES, st.integers(1, 9), st.sampled_from([None, 2, 3, 7]))
def test_the_rows_are_finite_and_bounded(
    values: np.ndarray, horizon: int, season: int | None
) -> None:
    maker = FeatureMaker(DAILY, horizon, season)
    rows = maker.inputs(values, _days(len(values)), Scale(False, 0.0, 1e-3, 1e-6))
    assert (np.abs(rows) <= 5.0).all()


@given(VALUES, st.integers(1, 9), st.sampled_from([None, 2, 3, 7]))
def test_rows_made_one_by_one_are_the_rows_of_the_whole(
    values: np.ndarray, horizon: int, season: int | None
) -> None:
    maker = FeatureMaker(DAILY, horizon, season)
    times = _days(len(values))
    level = fill_forward(PLAIN.transform(values), PLAIN.centre)
    whole = maker.inputs(values, times, PLAIN)
    for t in range(1, len(values)):
        past = level[:t][-maker.memory :]
        np.testing.assert_array_equal(
            maker.next_input(values[t], times[t], past, PLAIN), whole[t], err_msg=f"row {t}"
        )


@given(VALUES, st.integers(1, 9))
def test_an_answer_is_the_change_from_the_last_known_value(
    values: np.ndarray, horizon: int
) -> None:
    answers = FeatureMaker(DAILY, horizon, None).targets(values, PLAIN)
    assert answers.shape == (len(values), horizon)
    expected = np.full(answers.shape, np.nan)
    last = PLAIN.centre
    for t, value in enumerate(values):
        last = last if np.isnan(value) else value
        for k in range(1, horizon + 1):
            if t + k < len(values):
                expected[t, k - 1] = (values[t + k] - last) / 0.5
    np.testing.assert_allclose(answers, expected, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize(
    ("horizon", "season", "lags"), [(3, 7, 3), (7, 7, 7), (9, 7, 7), (3, None, 0)]
)
def test_there_are_as_many_lags_as_fit_into_a_season(
    horizon: int, season: int | None, lags: int
) -> None:
    maker = FeatureMaker(DAILY, horizon, season)
    assert maker.lags == lags
    assert maker.size == 3 + 8 + lags  # two harmonics of year and week


@given(st.floats(-1e12, 1e12), st.floats(0.1, 10))
def test_squash_is_bounded_odd_and_rising(x: float, size: float) -> None:
    assert abs(squash(x, size)) <= size
    assert squash(-x, size) == -squash(x, size)
    assert squash(x, size) <= squash(x + 1.0, size)


def test_squash_is_the_identity_near_zero() -> None:
    assert squash(1e-3, 3.0) == pytest.approx(1e-3, rel=1e-6)


def test_fill_forward_keeps_the_last_known_value() -> None:
    nan = np.nan
    level = np.array([nan, nan, 1.0, nan, 2.0, nan, nan])
    np.testing.assert_array_equal(fill_forward(level, 7.0), [7, 7, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(fill_forward(np.full(3, nan), 7.0), [7, 7, 7])


def test_a_season_helps_where_the_series_repeats() -> None:
    week = np.tile([0.0, 5.0, 1.0, 7.0, 2.0, 9.0, 3.0], 8)
    noise = np.random.default_rng(3).normal(0, 0.5, len(week))
    assert season_that_helps((week + noise,), DAILY, 3) == 7


def test_a_season_does_not_help_a_random_walk() -> None:
    walk = np.cumsum(np.random.default_rng(4).normal(size=300))
    assert season_that_helps((walk,), DAILY, 3) is None


def test_the_answer_of_a_season_depends_on_how_far_ahead_is_asked() -> None:
    """A slow wave over a week: the last value is better one step ahead, the season at seven."""
    slow = 10 * np.sin(2 * np.pi * np.arange(70) / 7)
    slow += np.cumsum(np.random.default_rng(5).normal(0, 2.5, 70))
    assert season_that_helps((slow,), DAILY, 1) is None
    assert season_that_helps((slow,), DAILY, 5) == 7


@pytest.mark.parametrize("frequency", [STEPS, Frequency("YS")])
def test_a_frequency_without_a_season_has_none_that_helps(frequency: Frequency) -> None:
    assert season_that_helps((np.tile([0.0, 9.0], 40),), frequency, 1) is None


@pytest.mark.parametrize("length", [1, 6, 7])
def test_a_series_shorter_than_a_season_says_nothing_about_it(length: int) -> None:
    assert season_that_helps((np.arange(float(length)),), DAILY, 3) is None


def test_unknown_values_do_not_decide_about_the_season() -> None:
    week = np.tile([0.0, 5.0, 1.0, 7.0, 2.0, 9.0, 3.0], 8)
    week[::5] = np.nan
    assert season_that_helps((week,), DAILY, 3) == 7
    assert season_that_helps((np.full(50, np.nan),), DAILY, 3) is None


def test_every_series_counts_alike_for_the_season_whatever_its_unit() -> None:
    random = np.random.default_rng(6)
    weeks = [np.tile(random.normal(size=7), 10) for _ in range(4)]
    walk = 1e9 * np.cumsum(random.normal(size=70))
    assert season_that_helps((*weeks, walk), DAILY, 3) == 7
