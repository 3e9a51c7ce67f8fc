"""Scores of forecasts against values computed by hand; the unknown counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.training.metrics import (
    central_intervals,
    coverage,
    interval_score,
    interval_width,
    mae,
    mase,
    mse,
    owa,
    pinball,
    pinball_losses,
    rmse,
    seasonal_scale,
    smape,
    weighted_quantile_loss,
)

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


def test_the_unit_of_mase_may_differ_from_row_to_row() -> None:
    actual, forecast = np.array([[1.0, 2.0], [10.0, NAN]]), np.array([[2.0, 2.0], [30.0, 0.0]])
    assert mase(actual, forecast, np.array([[1.0], [10.0]])) == pytest.approx((1 + 0 + 2) / 3)


def test_squared_and_absolute_errors_are_means_over_the_known() -> None:
    actual, forecast = np.array([1.0, NAN, 5.0]), np.array([4.0, 0.0, 1.0])
    assert mae(actual, forecast) == pytest.approx(3.5)
    assert mse(actual, forecast) == pytest.approx(12.5)
    assert rmse(actual, forecast) == pytest.approx(np.sqrt(12.5))


def test_smape_runs_from_0_to_200_and_two_zeros_are_no_error() -> None:
    assert smape(np.array([1.0, 3.0]), np.array([1.0, 1.0])) == pytest.approx(50.0)
    assert smape(np.array([2.0, NAN]), np.array([0.0, 1.0])) == pytest.approx(200.0)
    assert smape(np.array([-1.0]), np.array([1.0])) == pytest.approx(200.0)
    assert smape(np.array([0.0, 4.0]), np.array([0.0, 12.0])) == pytest.approx(50.0)


def test_the_overall_weighted_average_of_the_reference_is_one() -> None:
    assert owa(18.4, 2.4, 18.4, 2.4) == pytest.approx(1.0)
    assert owa(9.2, 3.6, 18.4, 2.4) == pytest.approx(1.0)
    assert owa(0.0, 0.0, 18.4, 2.4) == 0.0


def test_the_weighted_quantile_loss_is_pooled_and_has_no_unit() -> None:
    actual = np.array([10.0, -20.0, NAN])
    fans = np.array([[8.0, 13.0], [-22.0, -15.0], [0.0, 0.0]])
    levels = np.array([0.1, 0.9])
    # tau .1: 2 (.1 2 + .1 2) / 30; tau .9: 2 (.1 3 + .1 5) / 30
    assert weighted_quantile_loss(actual, fans, levels) == pytest.approx((0.8 + 1.6) / 30 / 2)
    scaled = weighted_quantile_loss(7 * actual, 7 * fans, levels)
    assert scaled == pytest.approx(weighted_quantile_loss(actual, fans, levels))
    assert np.isnan(weighted_quantile_loss(np.array([0.0]), np.array([[1.0]]), np.array([0.5])))


def test_at_the_median_alone_the_weighted_quantile_loss_is_the_error_by_the_size() -> None:
    rng = np.random.default_rng(0)
    actual, median = rng.normal(5, 1, 50), rng.normal(5, 1, 50)
    found = weighted_quantile_loss(actual, median[:, None], np.array([0.5]))
    assert found == pytest.approx(np.abs(actual - median).sum() / np.abs(actual).sum())


def test_the_pinball_loss_is_least_at_the_true_quantile() -> None:
    draws, levels = np.random.default_rng(1).normal(size=20_000), np.array([0.2])
    losses = [
        pinball(draws, np.full((20_000, 1), value), levels)
        for value in np.quantile(draws, [0.1, 0.2, 0.3])
    ]
    assert losses[1] < min(losses[0], losses[2])


def test_the_width_is_that_of_intervals_whose_actual_is_known() -> None:
    lower, upper = np.zeros(3), np.array([1.0, 3.0, 90.0])
    assert interval_width(np.array([5.0, 5.0, NAN]), lower, upper) == pytest.approx(2.0)


def test_the_interval_score_adds_to_the_width_what_lies_outside() -> None:
    actual = np.array([5.0, 0.0, 14.0, NAN])
    lower, upper = np.array([4.0, 1.0, 8.0, 0.0]), np.array([6.0, 3.0, 12.0, 0.0])
    # widths 2, 2, 4; outside 0, 1, 2, each times 2 / .2
    assert interval_score(actual, lower, upper, 0.8) == pytest.approx((8 + 10 * 3) / 3)


def test_the_interval_score_is_the_pinball_loss_of_both_ends() -> None:
    rng = np.random.default_rng(2)
    actual, fans = rng.normal(size=30), np.sort(rng.normal(size=(30, 2)), axis=1)
    losses = pinball_losses(actual, fans, np.array([0.1, 0.9])).sum(axis=1).mean()
    found = interval_score(actual, fans[:, 0], fans[:, 1], 0.8)
    assert found == pytest.approx(losses / (0.2 / 2))


def test_central_intervals_are_the_mirrored_levels_narrow_first() -> None:
    levels = np.array([0.025, 0.1, 0.3, 0.5, 0.9, 0.975])
    assert central_intervals(levels) == [(0.8, 1, 4), (0.95, 0, 5)]
    assert central_intervals(np.array([0.5])) == []
