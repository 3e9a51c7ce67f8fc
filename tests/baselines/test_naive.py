"""Naive forecasts against one-line definitions, and intervals against what came true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.baselines import Naive, SeasonalNaive
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError, ShapeError

NAN = float("nan")
GAPPY = st.lists(st.one_of(st.just(NAN), st.integers(-50, 50).map(float)), min_size=1, max_size=30)


def slow_forecast(history: list[float], season: int, step: int) -> float:
    """The last known value a whole number of seasons back, else the last known one."""
    place = len(history) + step
    while place >= 0:
        if place < len(history) and history[place] == history[place]:
            return history[place]
        place -= season
    known = [value for value in history if value == value]
    return known[-1] if known else NAN


@settings(max_examples=80, deadline=None)
@given(history=GAPPY, season=st.integers(1, 9), horizon=st.integers(1, 20))
def test_rolling_forecasts_are_the_definition_at_every_origin(
    history: list[float], season: int, horizon: int
) -> None:
    origins = range(1, len(history) + 1)
    expected = [
        [slow_forecast(history[:origin], season, step) for step in range(horizon)]
        for origin in origins
    ]
    rolled = SeasonalNaive(season).rolling(history, list(origins), horizon)
    np.testing.assert_array_equal(rolled, expected)


@settings(max_examples=40, deadline=None)
@given(history=GAPPY, season=st.integers(1, 9), later=GAPPY)
def test_no_forecast_or_interval_sees_what_comes_after_its_origin(
    history: list[float], season: int, later: list[float]
) -> None:
    model = SeasonalNaive(season).fit([np.sin(np.arange(60.0))], 12)
    origin = [len(history)]
    for quantiles in ([0.5], [0.1, 0.9]):
        np.testing.assert_array_equal(
            model.rolling_quantiles(history + later, origin, 12, quantiles),
            model.rolling_quantiles(history, origin, 12, quantiles),
        )


def test_naive_repeats_the_last_known_value() -> None:
    np.testing.assert_array_equal(Naive().forecast([1, 5, 3, NAN], 3), [3, 3, 3])


def test_seasonal_naive_repeats_the_last_known_season() -> None:
    history = [1, 2, 3, 4, NAN, 6]
    np.testing.assert_array_equal(SeasonalNaive(3).forecast(history, 5), [4, 2, 6, 4, 2])


def random_walks(rng: np.random.Generator, count: int, length: int, season: int) -> np.ndarray:
    """`(count, length)`: seasonal random walks, each on a scale of its own."""
    steps = rng.standard_normal((count, length // season, season))
    walks = steps.cumsum(axis=1).reshape(count, -1)
    return walks * rng.uniform(0.1, 100, (count, 1))


@pytest.mark.parametrize("season", [1, 7])
def test_an_interval_covers_the_share_of_futures_that_it_names(season: int) -> None:
    walks = random_walks(np.random.default_rng(5), 300, 420, season)
    past, future = walks[:, :378], walks[:, 378:]
    model = SeasonalNaive(season).fit(past, 21)
    fans = np.stack([model.forecast_quantiles(row, 42, [0.1, 0.5, 0.9]) for row in past])
    for steps in (slice(0, 21), slice(21, 42)):  # Measured, and widened by the theory.
        below = (future[:, steps, None] <= fans[:, steps]).mean(axis=(0, 1))
        np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.05)


def test_intervals_grow_with_the_square_root_of_the_seasons_ahead() -> None:
    history = np.random.default_rng(0).standard_normal(400).cumsum()
    model = Naive().fit([history], horizon=4)
    width = np.diff(model.forecast_quantiles(history, 64, [0.1, 0.9]), axis=1)[:, 0]
    np.testing.assert_allclose(width[63] / width[3], np.sqrt(64 / 4), rtol=1e-12)
    assert (np.diff(width) > 0).all()


def test_the_quantiles_of_one_series_are_those_of_its_past_errors() -> None:
    history = np.random.default_rng(1).standard_normal(200).cumsum()
    fan = Naive().fit([history], horizon=1).forecast_quantiles(history, 1, [0.05, 0.5, 0.95])
    expected = history[-1] + np.quantile(np.diff(history), [0.05, 0.5, 0.95])
    np.testing.assert_allclose(fan[0], expected, rtol=1e-9)


def test_a_series_ten_times_as_large_gets_an_interval_ten_times_as_wide() -> None:
    history = np.random.default_rng(2).standard_normal(100).cumsum()
    model = SeasonalNaive(4).fit([history, 3 * history])
    np.testing.assert_allclose(
        model.forecast_quantiles(10 * history, 8, [0.2, 0.8]),
        10 * model.forecast_quantiles(history, 8, [0.2, 0.8]),
        rtol=1e-9,
    )


def test_a_constant_series_gets_no_width_and_narrows_no_other() -> None:
    walk = np.random.default_rng(3).standard_normal(100).cumsum()
    alone, both = Naive().fit([walk], 2), Naive().fit([walk, np.full(500, 2.0)], 2)
    np.testing.assert_array_equal(
        alone.forecast_quantiles(walk, 2, [0.1, 0.9]), both.forecast_quantiles(walk, 2, [0.1, 0.9])
    )
    np.testing.assert_array_equal(both.forecast_quantiles([2, 2, 2], 2, [0.1, 0.9]), 2.0)
    np.testing.assert_array_equal(
        Naive().fit([[2, 2, 2]], 2).forecast_quantiles([2, 2], 1, [0.1]), [[2]]
    )


def test_a_history_too_short_for_a_scale_borrows_the_fitted_one() -> None:
    walk = np.random.default_rng(4).standard_normal(100).cumsum()
    model = SeasonalNaive(7).fit([walk], 3)
    width = np.diff(model.forecast_quantiles(walk[:2], 3, [0.1, 0.9]), axis=1)
    np.testing.assert_allclose(
        width, np.diff(model.forecast_quantiles(walk, 3, [0.1, 0.9]), axis=1), rtol=1e-9
    )


@pytest.mark.parametrize("build", [Naive, lambda: SeasonalNaive(5)])
def test_a_saved_model_gives_the_same_quantiles(build: object) -> None:
    history = np.random.default_rng(6).standard_normal(90).cumsum()
    model = build().fit([history], 11)
    again = type(model).from_arrays(model.to_arrays())
    assert type(again) is type(model)
    assert again.season == model.season
    for probe in (history, history[:1]):
        np.testing.assert_array_equal(
            model.forecast_quantiles(probe, 30, [0.05, 0.5, 0.95]),
            again.forecast_quantiles(probe, 30, [0.05, 0.5, 0.95]),
        )


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("errors", lambda a: a[:, :-1]),
        ("errors", lambda a: a[:0]),
        ("errors", lambda a: a * np.nan),
        ("season", lambda a: a * 0),
        ("season", lambda a: a[:0]),
        ("scale", None),
    ],
)
def test_arrays_that_can_not_be_are_refused(name: str, change: object) -> None:
    arrays = SeasonalNaive(2).fit([[1, 2, 3, 5, 2]]).to_arrays()
    if callable(change):
        arrays[name] = change(arrays[name])
    else:
        del arrays[name]
    with pytest.raises(ModelFileError, match="SeasonalNaive"):
        SeasonalNaive.from_arrays(arrays)


def test_series_with_gaps_and_of_unequal_length_can_be_learnt_from() -> None:
    rng = np.random.default_rng(7)
    long = rng.standard_normal(200).cumsum()
    long[rng.random(200) < 0.3] = NAN
    model = SeasonalNaive(7).fit([long, [1.0], [], [NAN] * 9, [1, 2, 3]], 10)
    assert np.isfinite(model.forecast_quantiles(long, 40, [0.1, 0.9])).all()


def test_bad_input_is_named_in_one_plain_line() -> None:
    fitted = Naive().fit([[1, 2, 4]])
    with pytest.raises(ConfigError, match="season is 0"):
        SeasonalNaive(0)
    with pytest.raises(ConfigError, match="horizon is 0"):
        Naive().forecast([1], 0)
    with pytest.raises(ConfigError, match="horizon is -1"):
        Naive().fit([[1, 2]], -1)
    with pytest.raises(DataError, match="no known one"):
        Naive().forecast([NAN, NAN], 1)
    with pytest.raises(DataError, match="no known one"):
        fitted.forecast_quantiles([], 1, [0.5])
    with pytest.raises(DataError, match="infinite at step 1"):
        Naive().forecast([1, float("inf")], 1)
    with pytest.raises(DataError, match="not a number"):
        Naive().forecast(["warm"], 1)
    with pytest.raises(ShapeError, match="one dimension"):
        Naive().forecast([[1, 2]], 1)
    with pytest.raises(DataError, match="7 steps apart"):
        SeasonalNaive(7).fit([[1, 2, 3]])
    with pytest.raises(DataError, match="1 steps apart"):
        Naive().fit([])
    with pytest.raises(NotFittedError, match="fit"):
        Naive().forecast_quantiles([1], 1, [0.5])
    with pytest.raises(NotFittedError, match="fit"):
        Naive().to_arrays()
    with pytest.raises(ConfigError, match=r"quantiles are \[1.0\]"):
        fitted.forecast_quantiles([1], 1, [1.0])
    with pytest.raises(ConfigError, match="origins run from 0 to 3"):
        Naive().rolling([1, 2], [0, 3], 1)
    with pytest.raises(ShapeError, match="origins"):
        Naive().rolling([1, 2], [[1]], 1)
