"""Readings at irregular times: the time since the last one is an input that nobody has to give."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled import Forecaster
from unrolled.data.elapsed import elapsed_features, elapsed_names
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecasting.irregular import with_elapsed

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")
START = np.datetime64("2024-01-01T08:00", "us")
MINUTE = np.timedelta64(1, "m").astype("timedelta64[us]")


def readings(count: int = 60, seed: int = 0) -> SeriesSet:
    """A reading lies as far from 0 as the time since the last one was long."""
    random = np.random.default_rng(seed)
    minutes = random.integers(10, 2000, size=(2, count))
    times = [START + np.cumsum(one) * MINUTE for one in minutes]
    return SeriesSet.from_arrays({"a": minutes[0] / 100, "b": minutes[1] / 100}, times=times)


def fitted(architecture: str) -> Forecaster:
    model = Forecaster(architecture, horizon=2, members=1, hidden_size=8, lookback=8)
    return model.fit(readings(), budget="2 steps", progress=False, diagnose=False)


def test_the_columns_are_those_of_elapsed_features_in_usual_steps() -> None:
    series = readings()
    told = with_elapsed(series, series.frequency)
    assert told.past_names == elapsed_names()
    assert told.past is not None
    unit = np.timedelta64(series.frequency.multiple, "us")
    np.testing.assert_allclose(told.past[1], elapsed_features(series.times[1], unit), atol=1e-6)


def test_they_come_after_the_covariates_that_were_given_and_only_once() -> None:
    series = readings()
    dosed = SeriesSet.from_arrays(
        dict(zip(series.ids, series.values, strict=True)),
        times=list(series.times),
        past={"dose": np.arange(60)},
    )
    once = with_elapsed(dosed, dosed.frequency)
    assert once.past_names == ("dose", *elapsed_names())
    assert once.past is not None
    np.testing.assert_array_equal(once.past[0][:, 0], np.arange(60))
    assert with_elapsed(once, once.frequency) is once


def test_series_on_a_grid_and_counted_ones_stay_as_they_are() -> None:
    for frequency in ("h", "B", None):
        series = SeriesSet.from_arrays(np.arange(30.0), frequency=frequency)
        assert with_elapsed(series, series.frequency) is series


@pytest.mark.parametrize("architecture", ["steps", "segments", "autoregressive"])
def test_a_forecaster_reads_them_by_itself(architecture: str) -> None:
    model = fitted(architecture)
    assert model.reading.past_names == elapsed_names()
    assert model.predict(readings()).height == 4


@pytest.mark.parametrize("architecture", ["steps", "segments"])
def test_a_stream_that_is_told_the_times_gives_the_numbers_of_the_whole(
    architecture: str,
) -> None:
    model = fitted(architecture)
    series = readings().select(["a"])
    begun = SeriesSet.from_arrays(
        {"a": series.values[0][:50]}, times=series.times[0][:50], frequency=series.frequency
    )
    state = model.start(begun)
    for value, time in zip(series.values[0][50:55], series.times[0][50:55], strict=True):
        fan, state = model.step(value, state, time)
    whole = model.backtest(series, origins={"a": [54]}).fans["a"][0]
    np.testing.assert_allclose(fan, whole, rtol=1e-4, atol=1e-4)
    later, _ = model.step(3.0, state, series.times[0][55] + 500 * MINUTE)
    sooner, _ = model.step(3.0, state, series.times[0][54] + MINUTE)
    assert not np.allclose(later, sooner)


def test_a_history_that_looks_regular_is_measured_in_the_steps_of_the_training() -> None:
    model = fitted("segments")
    series = SeriesSet.from_arrays(np.arange(12.0), times=START + np.arange(12) * 60 * MINUTE)
    told = model._read_alike(series)
    unit = np.timedelta64(model.reading.frequency.multiple, "us")
    assert told.past is not None
    np.testing.assert_allclose(told.past[0][1, 0], np.log1p(60 * MINUTE / unit), rtol=1e-6)


def test_a_reading_before_the_last_one_is_named() -> None:
    model = fitted("segments")
    series = readings().select(["a"])
    state = model.start(series)
    with pytest.raises(DataError, match="expected ascending times"):
        model.step(1.0, state, series.times[0][-1] - MINUTE)
    with pytest.raises(ConfigError, match="without 'time'"):
        model.step(1.0, {}, START)
