"""Ridge on the lags: its closed form, its laws, and what it reaches on public data."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.baselines import Naive, Ridge
from unrolled.baselines.lag_moments import LagMoments, lag_windows, lessons
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError

NAN = float("nan")
FAN = [0.1, 0.5, 0.9]


def swing(length: int, seed: int, noise: float = 0.1) -> np.ndarray:
    """A season of 12 steps, with noise."""
    drawn = np.random.default_rng(seed).standard_normal(length)
    return np.sin(np.arange(length) * 2 * np.pi / 12) + noise * drawn


def gappy(length: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal(length).cumsum()
    values[np.random.default_rng(seed + 1).random(length) < 0.2] = NAN
    return values


def slow_windows(history: np.ndarray, origins: list[int], lags: int) -> list[list[float]]:
    """What `lag_windows` says, one value after the other."""
    rows = []
    for origin in origins:
        known = [float(value) for value in history[:origin] if value == value]
        row = []
        for lag in range(lags):
            seen = [float(value) for value in history[: max(0, origin - lag)] if value == value]
            row.append(seen[-1] if seen else known[0] if known else NAN)
        rows.append(row)
    return rows


@given(
    history=st.lists(st.one_of(st.just(NAN), st.integers(-9, 9).map(float)), min_size=1),
    lags=st.integers(1, 8),
)
def test_a_window_holds_the_last_known_values_and_before_the_first_that_one(
    history: list[float], lags: int
) -> None:
    values, origins = np.array(history), list(range(1, len(history) + 1))
    np.testing.assert_array_equal(
        lag_windows(values, np.array(origins), lags), slow_windows(values, origins, lags)
    )


def test_the_closed_form_has_no_slope_in_its_penalised_squared_error() -> None:
    moments = LagMoments.empty(5, 3)
    parts = list(lessons(swing(200, 0), np.arange(5, 190), 5, 3))
    for _, inputs, answers in parts:
        moments.add(inputs, answers)
    moments.finish()
    inputs, answers = parts[0][1], parts[0][2]
    drift = inputs[:, -1:]
    unit = np.square(inputs - drift * (drift.T @ inputs) / (drift.T @ drift))[:, :-1].sum() / 5
    for penalty, found in zip([1e-3, 1.0], moments.solve(np.array([1e-3, 1.0])), strict=True):
        slope = inputs.T @ (inputs @ found - answers)
        slope[:-1] += penalty * unit * found[:-1]
        np.testing.assert_allclose(slope, 0, atol=1e-9)
        error = np.square(inputs @ found - answers).mean()
        np.testing.assert_allclose(moments.error(found[None]), error, rtol=1e-9)


@pytest.mark.parametrize("level", [False, True])
def test_moments_of_fewer_lags_are_those_of_shorter_windows(level: bool) -> None:
    history, origins = swing(120, 1), np.arange(9, 110)
    long, short = LagMoments.empty(9, 4), LagMoments.empty(3, 4)
    for moments, lags in ((long, 9), (short, 3)):
        for _, inputs, answers in lessons(history, origins, lags, 4):
            inputs[:, -2] *= level
            moments.add(inputs, answers)
        moments.finish()
    found = long.of(3, level=level)
    np.testing.assert_allclose(found.inputs, short.inputs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.cross, short.cross, rtol=1e-9, atol=1e-12)
    assert (found.answers, found.windows) == (pytest.approx(short.answers), short.windows)


def test_a_forecast_is_the_formula_of_the_docstring() -> None:
    history = swing(300, 2)
    model = Ridge(7).fit([history], 5)
    z, change = history[::-1][:7], np.abs(np.diff(history)).mean()
    expected = (
        z[0]
        + model.weights.T @ (z - z[0])
        + model.reversion * (history.mean() - z[0])
        + model.intercept * change
    )
    assert model.weights.shape == (7, 5)
    np.testing.assert_array_equal(model.weights[0], 0)
    np.testing.assert_allclose(model.forecast(history, 5), expected, rtol=1e-12)


def test_it_finds_a_season_and_a_trend_that_hold_exactly() -> None:
    trend = 0.1 * np.arange(240) + swing(240, 0, noise=0)
    model = Ridge(24).fit([trend[:200]], 12)
    np.testing.assert_allclose(model.forecast(trend[:200], 12), trend[200:212], atol=0.02)
    # Past the fitted horizon it goes on from its own forecasts.
    np.testing.assert_allclose(model.forecast(trend[:200], 40), trend[200:240], atol=0.1)


@settings(max_examples=30)
@given(factor=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_a_series_in_another_unit_gets_the_same_forecast_in_its_unit(
    factor: float, shift: float
) -> None:
    model = Ridge(8).fit([swing(200, 3)], 6)
    history = swing(90, 4)
    np.testing.assert_allclose(
        model.rolling_quantiles(factor * history + shift, [40, 90], 6, FAN),
        factor * model.rolling_quantiles(history, [40, 90], 6, FAN) + shift,
        rtol=1e-6,
        atol=1e-6 * (factor + abs(shift)),
    )


def test_every_series_counts_alike_whatever_its_size() -> None:
    small, large = swing(200, 5), np.random.default_rng(5).standard_normal(200).cumsum()
    model, scaled = Ridge(6).fit([small, large], 4), Ridge(6).fit([small, 1e6 * large], 4)
    np.testing.assert_allclose(scaled.weights, model.weights, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("history", [swing(120, 6), gappy(120, 7)])
def test_no_forecast_or_interval_sees_what_comes_after_its_origin(history: np.ndarray) -> None:
    model = Ridge(10, level=True).fit([swing(200, 6)], 5)
    assert model.reversion.any()
    origins = np.arange(1, 121)
    alone = [model.rolling_quantiles(history[:o], [o], 5, FAN)[0] for o in origins]
    # Quantiles near 0 are differences of values near 0.1, which round by 1e-17.
    found = model.rolling_quantiles(history, origins, 5, FAN)
    np.testing.assert_allclose(found, alone, rtol=1e-12, atol=1e-15)


def test_the_choice_finds_the_lags_that_matter_and_says_so() -> None:
    model = Ridge(seasons=12).fit([swing(600, seed, noise=0.3) for seed in range(4)], 12)
    assert model.lags >= 12
    assert model.name == f"ridge on the last {model.lags}"
    best = min(model.tried.values())
    assert min(e for (lags, _, _), e in model.tried.items() if lags == model.lags) == best
    assert Ridge(9).fit([swing(300, 8)], 4).lags == 9
    assert not Ridge(9, level=False).fit([swing(300, 8)], 4).reversion.any()


def test_one_short_series_is_not_learnt_by_heart() -> None:
    alone, many = [swing(120, 0)], [swing(120, seed) for seed in range(9)]
    assert max(lags for lags, _, _ in Ridge().fit(alone, 6).tried) == 20
    assert max(lags for lags, _, _ in Ridge().fit(many, 6).tried) == 57


def test_on_a_random_walk_it_learns_to_repeat_the_last_value() -> None:
    walks = np.random.default_rng(9).standard_normal((40, 400)).cumsum(axis=1)
    ridge, naive = Ridge().fit(walks[:, :300], 10), Naive()
    errors = [
        np.mean([np.abs(row[300:310] - m.forecast(row[:300], 10)).mean() for row in walks])
        for m in (ridge, naive)
    ]
    assert errors[0] < 1.1 * errors[1]


def test_an_interval_covers_the_share_of_futures_that_it_names() -> None:
    series = np.stack([swing(400, seed, noise=0.5) for seed in range(60)])
    model = Ridge(24).fit(series[:, :388], 12)
    fans = np.stack([model.forecast_quantiles(row[:388], 12, FAN) for row in series])
    below = (series[:, 388:, None] <= fans).mean(axis=(0, 1))
    np.testing.assert_allclose(below, FAN, atol=0.05)


def test_windows_that_lie_in_parts_and_all_at_once_sum_to_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    series = [swing(200, seed) for seed in range(3)]
    whole = Ridge(6).fit(series, 4)
    for module in ("lag_moments", "ridge"):
        monkeypatch.setattr(f"unrolled.baselines.{module}._AT_ONCE", 100)
    parts = Ridge(6).fit(series, 4)
    np.testing.assert_allclose(parts.weights, whole.weights, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(parts.forecast(series[0], 4), whole.forecast(series[0], 4))


def test_series_with_gaps_of_unequal_length_and_without_change_can_be_learnt_from() -> None:
    some = [gappy(200, 1), gappy(30, 2), [], [NAN] * 40, np.ones(50), [1.0, 2.0]]
    model = Ridge().fit(some, 8)
    for history in (gappy(200, 3), [1.0], [3.0, 3.0, 3.0], [NAN, 2.0, NAN]):
        fan = model.forecast_quantiles(history, 20, FAN)
        assert np.isfinite(fan).all()
        assert (np.diff(fan, axis=1) >= 0).all()


def test_a_series_barely_longer_than_the_horizon_is_enough() -> None:
    model = Ridge().fit([[1.0, 2.0, 3.0, 4.0, 5.0]], 3)
    assert np.isfinite(model.forecast_quantiles([1.0, 2.0], 3, FAN)).all()


def test_a_saved_model_gives_the_same_quantiles() -> None:
    history = swing(150, 11)
    model = Ridge().fit([history], 6)
    again = Ridge.from_arrays(model.to_arrays())
    assert (again.name, again.penalty) == (model.name, model.penalty)
    np.testing.assert_array_equal(
        model.rolling_quantiles(history, [20, 150], 20, FAN),
        again.rolling_quantiles(history, [20, 150], 20, FAN),
    )


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("weights", lambda a: a[:, :-1]),
        ("weights", lambda a: a * np.nan),
        ("reversion", lambda a: a[:-1]),
        ("intercept", lambda a: a * np.inf),
        ("penalty", lambda a: a[:0]),
        ("errors", lambda a: a[:, :-1]),
        ("intercept", None),
    ],
)
def test_arrays_that_can_not_be_are_refused(name: str, change: object) -> None:
    arrays = Ridge(3).fit([swing(60, 0)], 4).to_arrays()
    if callable(change):
        with np.errstate(invalid="ignore"):
            arrays[name] = change(arrays[name])
    else:
        del arrays[name]
    with pytest.raises(ModelFileError, match="the baseline Ridge"):
        Ridge.from_arrays(arrays)


def test_bad_input_is_named_in_one_plain_line() -> None:
    with pytest.raises(ConfigError, match="lags is 0"):
        Ridge(0)
    with pytest.raises(ConfigError, match="seasons is 0"):
        Ridge(seasons=0)
    with pytest.raises(NotFittedError, match="call fit"):
        Ridge(3).forecast([1.0], 1)
    with pytest.raises(DataError, match="longer than the horizon, 5"):
        Ridge().fit([[1.0, 2.0, 3.0]], 5)
    with pytest.raises(DataError, match="steps apart"):
        Ridge().fit([[NAN, 2.0, NAN]], 1)
    with pytest.raises(DataError, match="mostly known"):
        Ridge().fit([[1.0, 2.0, NAN, NAN, NAN, NAN, 3.0]], 4)
    with pytest.raises(ConfigError, match="horizon is 0"):
        Ridge().fit([[1.0, 2.0]], 0)


@pytest.mark.data
def test_on_etth1_it_reaches_what_linear_models_are_known_to_reach() -> None:
    path = Path(os.environ["UNROLLED_DATA"], "ett", "ETTh1.csv.gz")
    with gzip.open(path, "rt") as lines:
        values = np.genfromtxt(lines, delimiter=",", skip_header=1)[:14400, 1:]
    values = (values - values[:8640].mean(axis=0)) / values[:8640].std(axis=0)
    model = Ridge(336).fit(values[:8640].T, 96)
    origins = np.arange(11520, 14400 - 96 + 1)
    assert len(origins) == 2785
    errors = np.stack(
        [
            model.rolling(channel, origins, 96) - channel[origins[:, None] + np.arange(96)]
            for channel in values.T
        ]
    )
    assert np.square(errors).mean() < 0.375
    assert np.abs(errors).mean() < 0.40


def test_a_series_too_small_to_be_squared_teaches_nothing_and_breaks_nothing() -> None:
    tiny = 1e-200 * np.random.default_rng(0).normal(size=60)
    with pytest.raises(DataError, match="no series that changes"):
        Ridge().fit([tiny], 3)
    other = np.random.default_rng(1).normal(size=60)
    together, alone = Ridge().fit([tiny, other], 3), Ridge().fit([other], 3)
    np.testing.assert_allclose(together.weights, alone.weights, rtol=1e-9)
