"""One value at a time gives the numbers of the whole series: every architecture, all covariates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import unrolled
from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")

Taught = Callable[..., Forecaster]
EVERY = pytest.mark.parametrize("architecture", ["steps", "segments", "autoregressive"])
HEADS = [
    ("steps", {}),
    ("segments", {}),
    ("segments", {"head": "normal", "normalise": "window"}),
    ("segments", {"lookback": (14, 7)}),
    ("autoregressive", {}),
    ("autoregressive", {"head": "normal", "cell": "gru"}),
]


def _told(series: SeriesSet, role: str, rows: slice) -> dict[str, list[Any]]:
    """The covariates of the first series in these rows, categories as text."""
    names = {"past": series.past_names, "future": series.future_names}[role]
    arrays = {"past": series.past, "future": series.future}[role]
    assert arrays is not None
    told: dict[str, list[Any]] = {}
    for column, name in enumerate(names):
        values = arrays[0][rows, column].tolist()
        kinds = series.categories.get(name)
        if kinds is not None:
            values = [None if np.isnan(one) else kinds[int(one)] for one in values]
        told[name] = values
    return told


def _streamed(
    model: Forecaster, one: SeriesSet, begin: int, times: bool = False
) -> list[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
    """Start on the first `begin` points, then a step for each of the others."""
    values = one.values[0]
    state = model.start(one.split(len(values) - begin)[0])
    found = []
    for place in range(begin, len(values)):
        beside = {name: told[0] for name, told in _told(one, "past", slice(place, None)).items()}
        ahead = _told(one, "future", slice(place + 1, place + 1 + model.settings.horizon))
        fan, state = model.step(
            float(values[place]),
            state,
            one.times[0][place] if times else None,
            past=beside,
            future=ahead,
        )
        found.append((place, fan, state))
    return found


def _check(model: Forecaster, one: SeriesSet, begin: int, fans_at: Any, **how: Any) -> None:
    name, n = one.ids[0], len(one.values[0])
    # The repair follows what came from the first origin on: that of the start.
    whole = fans_at(model, one, {name: range(begin - 1, n)})[name]
    streamed = _streamed(model, one, begin, **how)
    assert len(streamed) == n - begin
    for place, fan, _ in streamed:
        expected = whole[place - begin + 1]
        near = 1e-4 * np.abs(expected).max()
        np.testing.assert_allclose(fan, expected, atol=near, rtol=1e-4, err_msg=f"place {place}")
    assert np.ptp(whole[:, 0, 4]) > 1e-2, "it would compare constants"


@pytest.mark.parametrize(("architecture", "options"), HEADS)
@pytest.mark.parametrize(("name", "begin"), [("one", 4), ("one", 30), ("two", 43)])
def test_a_step_gives_the_numbers_of_the_whole_series(
    taught: Taught,
    beside: SeriesSet,
    fans_at: Any,
    architecture: str,
    options: dict[str, Any],
    name: str,
    begin: int,
) -> None:
    """Also across gaps, some of which are as long as a segment (`two` from 40 to 44)."""
    _check(taught(architecture, **options), beside.select([name]), begin, fans_at)


@EVERY
@pytest.mark.parametrize("frequency", ["MS", "MS@31", "h", "B"])
def test_a_step_stands_in_its_month_and_on_its_weekday(
    each: Taught,
    weekly: Callable[..., np.ndarray],
    fans_at: Any,
    architecture: str,
    frequency: str,
) -> None:
    unit = Frequency.parse(frequency)
    first = np.datetime64("2024-01-31" if unit.day else "2024-01-01", "us")
    times = unit.grid(first, 60)
    one = SeriesSet.from_arrays({"one": weekly(60, noise=1.0)}, times=times)
    assert one.frequency == unit
    model = each(architecture).fit(one, budget="2 steps", progress=False)
    _moved(model)
    _check(model, _with_nothing_beside(one), 20, fans_at)


@EVERY
def test_a_holiday_is_told_by_the_time_of_a_step(
    each: Taught, weekly: Callable[..., np.ndarray], fans_at: Any, architecture: str
) -> None:
    days = np.busday_offset("2024-01-01", np.arange(83)).astype("datetime64[us]")
    times = np.delete(days, [24, 45, 70])
    one = SeriesSet.from_arrays({"one": weekly(80, noise=1.0)}, times=times)
    assert one.frequency.code == "B"
    model = each(architecture).fit(one, budget="2 steps", progress=False)
    _moved(model)
    _check(model, _with_nothing_beside(one), 30, fans_at, times=True)


def _with_nothing_beside(one: SeriesSet) -> SeriesSet:
    n = len(one.values[0])
    return replace(one, past=(np.empty((n, 0)),), future=(np.empty((n, 0)),))


def _moved(model: Forecaster) -> None:
    import torch

    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.model.parameters():
            parameter += 0.15 * torch.randn(parameter.shape, generator=generator)


@EVERY
def test_predict_says_what_the_last_step_said(
    taught: Taught, beside: SeriesSet, architecture: str
) -> None:
    model, one = taught(architecture), beside.select(["two"])
    _, fan, _ = _streamed(model, one, 60)[-1]
    table = model.predict(one).select([f"q{level:g}" for level in model.quantiles]).to_numpy()
    # From the training part's end on, as `predict` follows the errors.
    assert model.trained_until["two"] == one.times[0][59]
    np.testing.assert_allclose(fan, table, rtol=1e-4, atol=1e-3)


@EVERY
def test_the_state_keeps_its_size(taught: Taught, beside: SeriesSet, architecture: str) -> None:
    sizes = [
        sum(array.size for array in state.values())
        for _, _, state in _streamed(taught(architecture), beside.select(["two"]), 10)
    ]
    assert sizes[-1] == sizes[10], "constant once the window is full"
    assert len(set(sizes[5:])) == 1
    assert sizes[-1] < 1500


@EVERY
def test_a_state_of_plain_arrays_is_left_alone_and_goes_on_in_a_loaded_model(
    taught: Taught, beside: SeriesSet, architecture: str, tmp_path: Any
) -> None:
    model, one = taught(architecture), beside.select(["one"])
    state = model.start(one)
    before = {name: array.copy() for name, array in state.items()}
    assert all(isinstance(array, np.ndarray) for array in state.values())
    told = {"past": {"rain": 1.0, "sky": "clear"}, "future": {"offer": [1.0] * 3}}
    told["future"]["shop"] = ["open"] * 3
    fan, after = model.step(11.0, state, **told)
    for name, array in state.items():
        np.testing.assert_array_equal(array, before[name])
        assert not np.shares_memory(array, after[name]), name
        assert not np.shares_memory(array, one.values[0])
    loaded = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert isinstance(loaded, Forecaster)
    np.testing.assert_array_equal(loaded.step(11.0, state, **told)[0], fan)


@EVERY
def test_what_is_known_ahead_and_beside_moves_the_next_forecast(
    taught: Taught, beside: SeriesSet, architecture: str
) -> None:
    model = taught(architecture)
    state = model.start(beside.select(["one"]))
    told = {
        "past": {"rain": 1.0, "sky": "clear"},
        "future": {"offer": [1.0] * 3, "shop": ["open"] * 3},
    }
    fan, _ = model.step(11.0, state, **told)
    for role, name, other in (
        ("past", "rain", 4.0),
        ("past", "sky", "rainy"),
        ("future", "offer", [1.0, -2.0, 1.0]),
        ("future", "shop", ["open", "open", "shut"]),
    ):
        changed = {**told, role: {**told[role], name: other}}
        assert (model.step(11.0, state, **changed)[0] != fan).any(), name


@EVERY
def test_a_step_without_its_covariates_is_refused(
    taught: Taught, beside: SeriesSet, architecture: str
) -> None:
    model = taught(architecture)
    state = model.start(beside.select(["one"]))
    past, future = {"rain": 1.0, "sky": "clear"}, {"offer": [1.0] * 3, "shop": ["open"] * 3}
    with pytest.raises(ConfigError, match=r"past: '(rain|sky)' is missing"):
        model.step(11.0, state, future=future)
    with pytest.raises(ConfigError, match="future: got 2 values of 'offer', expected 3"):
        model.step(11.0, state, past=past, future={**future, "offer": [1.0] * 2})
    with pytest.raises(DataError, match="category 'closed' was not seen in training"):
        model.step(11.0, state, past=past, future={**future, "shop": ["closed"] * 3})


@EVERY
def test_the_surprise_of_an_outlier_is_near_0_and_of_nothing_is_nothing(
    taught: Taught, beside: SeriesSet, architecture: str
) -> None:
    model = taught(architecture)
    state = model.start(beside.select(["two"]))
    for outlier in (1e6, -1e6):
        assert 0 <= model.surprise(outlier, state) < 1e-3
    assert np.isnan(model.surprise(float("nan"), state))
    assert model.surprise(float(state["next"][4]), state) == pytest.approx(1.0)
    shares = [model.surprise(value, state) for value in np.linspace(0, 400, 50)]
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize("architecture", ["steps", "segments"])
def test_the_surprise_of_ordinary_values_is_spread_evenly(each: Taught, architecture: str) -> None:
    noise = np.random.default_rng(3).normal(20.0, 2.0, 700)
    one = SeriesSet.from_arrays({"one": noise})
    model = each(architecture, horizon=1, members=1, learning_rate=0.01)
    model.fit(one, budget="60 steps", progress=False)
    state = model.start(one.split(140)[0])
    shares = []
    for value in noise[560:]:
        shares.append(model.surprise(float(value), state))
        _, state = model.step(float(value), state)
    # Kolmogorov and Smirnov's distance, of 140 values and an honest network below .14 nearly always
    distance = np.abs(np.sort(shares) - (np.arange(140) + 0.5) / 140).max()
    assert distance < 0.17


def test_a_step_is_told_categories_as_a_table_tells_them(taught: Taught) -> None:
    reading = replace(
        taught("segments").reading, future_names=("open", "shop"), past_names=(), static_names=()
    )
    reading = replace(reading, categories={"open": ("false", "true"), "shop": ("1", "2")})
    told = {"open": [True, np.False_, "true"], "shop": [2.0, np.float64(1), 2]}
    np.testing.assert_array_equal(reading.rows("future", told, 3), [[1, 1], [0, 0], [1, 1]])


def test_a_step_takes_no_time_but_the_next(beside: SeriesSet, each: Any) -> None:
    days = beside.select(["one"])
    plain = SeriesSet.from_arrays(days.values, times=list(days.times), frequency="D")
    model = each("segments").fit(plain, budget="1 steps", progress=False)
    state, last = model.start(plain), plain.times[0][-1]
    day = np.timedelta64(1, "D")
    for wrong, words in (
        (last, "expected ascending times"),
        (last - 3 * day, "expected ascending times"),
        (last + np.timedelta64(5, "h"), "expected a series that is daily"),
        (last + 3 * day, "read NaN for each of the 2 that are missing"),
    ):
        with pytest.raises(DataError, match=words) as caught:
            model.step(11.0, state, time=wrong)
        assert "\n" not in str(caught.value)
    told, _ = model.step(11.0, state, time=last + day)
    np.testing.assert_array_equal(told, model.step(11.0, state)[0])
