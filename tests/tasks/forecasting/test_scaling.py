"""Scales of single series, and the choice between plain values and logarithms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.tasks.forecasting.scaling import Scale, changes_in_percent

POSITIVE = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(1e-6, 1e9))
ANY = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e9, 1e9))


@given(POSITIVE)
def test_restore_undoes_transform_in_logarithms(values: np.ndarray) -> None:
    scale = Scale.of(values, log=True)
    np.testing.assert_allclose(scale.restore(scale.transform(values)), values, rtol=1e-12)


@given(ANY)
def test_restore_undoes_transform_in_plain_values(values: np.ndarray) -> None:
    scale = Scale.of(values, log=False)
    np.testing.assert_array_equal(scale.restore(scale.transform(values)), values)


@given(ANY, st.booleans())
def test_a_scale_can_always_be_divided_by(values: np.ndarray, log: bool) -> None:
    scale = Scale.of(values, log=log)
    assert np.isfinite([scale.centre, scale.spread, scale.step]).all()
    assert scale.spread > 0
    assert scale.step > 0


def test_centre_spread_and_step_are_mean_deviation_and_mean_absolute_change() -> None:
    scale = Scale.of(np.array([1.0, 3.0, np.nan, 2.0]), log=False)
    assert scale == Scale(False, 2.0, float(np.sqrt(2 / 3)), 1.5, 2.0, 0.0)


def test_in_logarithms_the_figures_are_those_of_the_logarithms() -> None:
    values = np.array([1.0, 4.0, 2.0, 9.0])
    plain, log = Scale.of(np.log(values), log=False), Scale.of(values, log=True)
    assert log == Scale(True, plain.centre, plain.spread, plain.step, plain.swing, 0.0)


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 0.1, 3.3])
def test_a_constant_series_gets_spread_and_step_of_one(value: float) -> None:
    scale = Scale.of(np.full(77, value), log=False)
    assert (scale.spread, scale.step) == (1.0, 1.0)
    assert scale.centre == pytest.approx(value)


@pytest.mark.parametrize("log", [False, True])
def test_nothing_known_gives_a_scale_that_changes_nothing(log: bool) -> None:
    scale = Scale.of(np.full(5, np.nan), log=log)
    assert (scale.centre, scale.spread, scale.step) == (0.0, 1.0, 1.0)


def test_one_value_is_a_constant_series() -> None:
    assert Scale.of(np.array([4.0]), log=False) == Scale(False, 4.0, 1.0, 1.0, 1.0, 0.0)


def test_a_value_without_a_logarithm_becomes_unknown() -> None:
    scale = Scale(True, 0.0, 1.0, 1.0)
    np.testing.assert_array_equal(
        scale.transform(np.array([1.0, 0.0, -2.0, np.nan])), [0.0, np.nan, np.nan, np.nan]
    )


@pytest.mark.parametrize("values", [[-5.0, -4.0, -6.0], [0.0, 3.0, 5.0, 0.0], [2.0, -1.0, 3.0]])
def test_a_series_that_is_not_positive_is_read_by_a_logarithm_that_goes_through_zero(
    values: list[float],
) -> None:
    scale = Scale.of(np.array(values), log=True)
    assert scale.offset > 0
    assert scale.centre == pytest.approx(np.mean(np.arcsinh(np.array(values) / scale.offset)))
    np.testing.assert_allclose(scale.restore(scale.transform(np.array(values))), values, atol=1e-12)
    assert np.isfinite(scale.restore(np.array([1e4, -1e4]))).all()


def test_restore_stays_finite_far_out() -> None:
    assert np.isfinite(Scale(True, 0.0, 1.0, 1.0).restore(np.array([1e4]))).all()


def test_a_scale_survives_as_plain_values() -> None:
    scale = Scale.of(np.array([1.0, 2.0, 4.0]), log=True)
    raw = scale.to_dict()
    assert {type(value) for value in raw.values()} == {bool, float}
    assert Scale(**raw) == scale


def _prices(seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0.003, 0.03, 800)
    return 20 * np.exp(np.cumsum(drawn))


def _temperatures(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return 20 + 8 * np.sin(2 * np.pi * np.arange(800) / 365) + random.normal(0, 1.5, 800)


def test_prices_change_in_percent() -> None:
    assert changes_in_percent(tuple(_prices(seed) for seed in range(5)))


def test_temperatures_do_not_change_in_percent() -> None:
    positive = tuple(np.maximum(_temperatures(seed), 1.0) for seed in range(5))
    assert not changes_in_percent(positive)


def test_the_majority_of_the_series_decides() -> None:
    prices, degrees = _prices(1), _temperatures(1)
    assert changes_in_percent((prices, prices, degrees))
    assert not changes_in_percent((prices, degrees, degrees))
    assert not changes_in_percent((prices, degrees))


@pytest.mark.parametrize("lowest", [0.0, -1.0])
def test_one_value_without_a_logarithm_is_a_vote_against(lowest: float) -> None:
    prices = _prices(2)
    prices[100] = lowest
    assert not changes_in_percent((prices,))


@pytest.mark.parametrize(
    "values", [np.full(50, 3.0), np.array([1.0, 2.0, 4.0]), np.full(20, np.nan), np.array([])]
)
def test_too_little_to_go_by_is_a_vote_against(values: np.ndarray) -> None:
    assert not changes_in_percent((values,))


def test_missing_values_do_not_change_the_vote() -> None:
    prices = _prices(3)
    prices[::7] = np.nan
    assert changes_in_percent((prices,))


def test_the_swing_is_the_mean_change_over_a_season_where_both_values_are_known() -> None:
    values = np.array([1.0, 5.0, 2.0, np.nan, 7.0, 9.0, 2.5])
    assert Scale.of(values, log=False, season=3).swing == pytest.approx((2.0 + 7.0) / 2)
    # Too short for a season: the mean change from one value to the next.
    short = Scale.of(np.array([1.0, 4.0, 2.0]), log=False, season=7)
    assert short.swing == short.step == 2.5


@pytest.mark.parametrize("values", [[3.0, 0.0, 5.0], [3.0, -1.0, 5.0], [2.0, 4.0, 8.0]])
@pytest.mark.parametrize("log", [False, True])
def test_a_scale_survives_as_an_array(values: list[float], log: bool) -> None:
    scale = Scale.of(np.array(values), log=log)
    assert Scale.from_array(scale.to_array()) == scale
    assert scale.least == (0.0 if min(values) >= 0 else -np.inf)


def test_a_tiny_typical_value_beside_a_large_one_divides_without_overflow() -> None:
    scale = Scale.of(np.array([-1.0, 2.2e-313]), log=True)
    assert np.isfinite(scale.transform(np.array([-1.0, 0.0, 1.0]))).all()
