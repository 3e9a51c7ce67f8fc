"""The fading average of squared changes: by hand, in logarithms and plainly, and what it covers."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from unrolled.baselines import EWMAVolatility
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError

NAN = float("nan")


def prices(length: int, seed: int) -> np.ndarray:
    """Log returns whose variance itself wanders (GARCH(1, 1))."""
    rng = np.random.default_rng(seed)
    variance, returns = 1e-4, np.empty(length)
    for step in range(length):
        returns[step] = np.sqrt(variance) * rng.standard_normal()
        variance = 2e-6 + 0.08 * returns[step] ** 2 + 0.9 * variance
    return 50 * np.exp(returns.cumsum())


def test_the_interval_is_the_formula_worked_by_hand() -> None:
    history = np.array([100.0, 110.0, 99.0])
    first, second = np.log(1.1) ** 2, np.log(0.9) ** 2
    variance = (0.06 * second + 0.94 * 0.06 * first) / (0.06 + 0.94 * 0.06)
    score = NormalDist().inv_cdf(0.9)
    expected = 99 * np.exp(score * np.sqrt(variance * np.array([1, 2, 3])))
    model = EWMAVolatility().fit([history])
    np.testing.assert_allclose(model.forecast_quantiles(history, 3, [0.9])[:, 0], expected)
    np.testing.assert_array_equal(model.forecast(history, 3), 99.0)


def test_after_many_changes_the_recursion_is_riskmetrics_own() -> None:
    history = prices(2000, 0)
    squares = np.square(np.diff(np.log(history)))
    variance = squares[0]
    for square in squares[1:]:
        variance = 0.94 * variance + 0.06 * square
    fan = EWMAVolatility().fit([history]).forecast_quantiles(history, 1, [0.05])[0, 0]
    expected = history[-1] * np.exp(NormalDist().inv_cdf(0.05) * np.sqrt(variance))
    assert fan == pytest.approx(expected, rel=1e-9)


def test_a_series_that_is_not_positive_is_read_plainly() -> None:
    history = np.random.default_rng(1).standard_normal(300).cumsum()
    model = EWMAVolatility().fit([history])
    fan = model.forecast_quantiles(history, 4, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(fan[:, 1], history[-1])
    np.testing.assert_allclose(fan[:, 2] - fan[:, 1], fan[:, 1] - fan[:, 0])
    np.testing.assert_allclose(np.diff(fan[[0, 3]], axis=1)[1] / np.diff(fan[0]), 2.0)
    scaled = model.forecast_quantiles(7 * history, 4, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(scaled, 7 * fan)


def test_prices_in_another_currency_get_the_same_interval_in_it() -> None:
    history = prices(200, 2)
    model = EWMAVolatility().fit([history])
    np.testing.assert_allclose(
        model.forecast_quantiles(3.5 * history, 5, [0.1, 0.9]),
        3.5 * model.forecast_quantiles(history, 5, [0.1, 0.9]),
    )


def test_no_interval_sees_what_comes_after_its_origin() -> None:
    history = prices(60, 3)
    history[[0, 7, 30]] = NAN
    model = EWMAVolatility().fit([history])
    origins = np.arange(1, 61)
    alone = [model.rolling_quantiles(history[:o], [o], 3, [0.1, 0.9])[0] for o in origins]
    np.testing.assert_array_equal(model.rolling_quantiles(history, origins, 3, [0.1, 0.9]), alone)


def test_an_interval_covers_the_share_of_futures_that_it_names_while_the_variance_wanders() -> None:
    history = prices(6000, 4)
    model = EWMAVolatility().fit([history[:3000]])
    origins = np.arange(3000, 5995)
    fans = model.rolling_quantiles(history, origins, 5, [0.1, 0.9])
    actual = history[origins[:, None] + np.arange(5)]
    held = ((fans[..., 0] <= actual) & (actual <= fans[..., 1])).mean()
    assert held == pytest.approx(0.8, abs=0.03)


def test_a_gap_counts_as_one_change_spread_over_its_steps() -> None:
    model = EWMAVolatility().fit([[1.0, 2.0]])
    wide = model.forecast_quantiles([1.0, 2.0], 1, [0.9])
    gap = model.forecast_quantiles([1.0, NAN, NAN, NAN, 2.0], 1, [0.9])
    np.testing.assert_allclose(np.log(gap / 2), np.log(wide / 2) / 2)


def test_a_history_without_a_change_borrows_the_fitted_variance() -> None:
    history = prices(100, 5)
    model = EWMAVolatility().fit([history])
    variance = np.square(np.diff(np.log(history))).mean()
    expected = 5 * np.exp(NormalDist().inv_cdf(0.9) * np.sqrt(variance))
    np.testing.assert_allclose(model.forecast_quantiles([5.0], 1, [0.9]), [[expected]])


def test_a_saved_model_gives_the_same_quantiles_and_a_broken_one_is_refused() -> None:
    history = prices(100, 6)
    for values in (history, history - 50):
        model = EWMAVolatility(0.9).fit([values])
        again = EWMAVolatility.from_arrays(model.to_arrays())
        np.testing.assert_array_equal(
            model.forecast_quantiles(values, 3, [0.1, 0.9]),
            again.forecast_quantiles(values, 3, [0.1, 0.9]),
        )
    arrays = model.to_arrays()
    for change in ({"decay": np.array([1.5])}, {"variance": np.array([NAN])}, {"log": np.ones(2)}):
        with pytest.raises(ModelFileError, match="the baseline EWMAVolatility"):
            EWMAVolatility.from_arrays(arrays | change)
    del arrays["log"]
    with pytest.raises(ModelFileError, match="lacks the array 'log'"):
        EWMAVolatility.from_arrays(arrays)


def test_a_later_value_without_a_logarithm_is_not_known_and_costs_no_earlier_forecast() -> None:
    model = EWMAVolatility().fit([[1.0, 2.0, 1.5]])
    history = np.array([1.0, 2.0, 1.5, -3.0, 0.0, 2.0])
    unknown = np.where(history > 0, history, NAN)
    origins = np.arange(1, 7)
    fans = model.rolling_quantiles(history, origins, 2, [0.1, 0.5, 0.9])
    np.testing.assert_array_equal(
        fans, model.rolling_quantiles(unknown, origins, 2, [0.1, 0.5, 0.9])
    )
    assert (fans > 0).all()
    assert (np.diff(fans, axis=-1) > 0)[1:].all()


def test_bad_input_is_named_in_one_plain_line() -> None:
    with pytest.raises(ConfigError, match=r"decay is 1\.0"):
        EWMAVolatility(1.0)
    with pytest.raises(DataError, match="two known values"):
        EWMAVolatility().fit([[1.0], []])
    with pytest.raises(NotFittedError, match="fit"):
        EWMAVolatility().forecast_quantiles([1.0, 2.0], 1, [0.5])
    with pytest.raises(NotFittedError, match="fit"):
        EWMAVolatility().to_arrays()
