"""Scores of forecasts against values computed by hand; the unknown counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.training.metrics import coverage, mase, pinball, seasonal_scale

NAN = np.nan


def test_the_scale_is_the_mean_seasonal_change() -> None:
    assert seasonal_scale(np.array([1.0, 5.0, 2.0, 9.0]), 2) == pytest.approx(2.5)  # 1 and 4
    assert seasonal_scale(np.array([1.0, 5.0, 2.0]), 1) == pytest.approx(3.5)  # 4 and 3


def test_unknown_values_are_left_out_of_the_scale() -> None:
    assert seasonal_scale(np.array([1.0, NAN, 4.0, 6.0]), 1) == pytest.approx(2.0)


def test_a_history_no_longer_than_a_season_is_measured_step_by_step() -> None:
    assert seasonal_scale(np.array([1.0, 2.0, 5.0]), 3) == pytest.approx(2.0)


@pytest.mark.parametrize("history", [[3.0, 3.0, 3.0], [3.0], [], [NAN, NAN, NAN], [1.0, NAN]])
def test_a_history_without_change_has_the_scale_one(history: list[float]) -> None:
    assert seasonal_scale(np.array(history), 1) == 1.0


def test_mase_is_the_mean_error_in_units_of_the_scale() -> None:
    actual, forecast = np.array([1.0, 4.0, NAN, 2.0]), np.array([2.0, 2.0, 7.0, 2.0])
    assert mase(actual, forecast, 2.0) == pytest.approx(0.5)  # (1 + 2 + 0) / 3 / 2


def test_pinball_is_twice_the_mean_loss_over_the_known() -> None:
    actual = np.array([10.0, NAN])
    fans = np.array([[8.0, 13.0], [0.0, 0.0]])
    # 2 * (0.1 * 2 + 0.1 * 3) / 2 levels
    assert pinball(actual, fans, np.array([0.1, 0.9])) == pytest.approx(0.5)


def test_coverage_is_the_share_of_the_known_inside_ends_included() -> None:
    actual = np.array([1.0, 2.0, 3.0, NAN, 9.0])
    lower, upper = np.array([1.0, 0.0, 4.0, 0.0, 0.0]), np.array([2.0, 2.0, 5.0, 9.0, 8.0])
    assert coverage(actual, lower, upper) == pytest.approx(0.5)


def test_scores_of_nothing_known_are_nan_and_not_a_number_that_looks_good() -> None:
    with np.errstate(all="ignore"):
        unknown = np.array([NAN, NAN])
        with pytest.warns(RuntimeWarning):
            assert np.isnan(mase(unknown, np.zeros(2), 1.0))
        with pytest.warns(RuntimeWarning):
            assert np.isnan(pinball(unknown, np.zeros((2, 1)), np.array([0.5])))
        with pytest.warns(RuntimeWarning):
            assert np.isnan(coverage(unknown, np.zeros(2), np.zeros(2)))
