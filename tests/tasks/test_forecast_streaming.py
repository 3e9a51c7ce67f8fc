"""One value at a time gives the numbers of the whole series; states are plain, separate arrays."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from torch import nn

import unrolled
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, NotFittedError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")


Fans = Callable[..., dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def models(small: Callable[..., Forecaster], gaps: SeriesSet) -> Callable[..., Forecaster]:
    """A forecaster of each kind, fitted once; no weight is zero, so that the state matters."""
    made: dict[str, Forecaster] = {}

    def model(cell: str = "lstm", **options: Any) -> Forecaster:
        key = f"{cell} {options}"
        if key not in made:
            made[key] = small(cell=cell, **options).fit(gaps, budget="2 steps", progress=False)
            for parameter in made[key].model.parameters():
                nn.init.normal_(parameter, std=0.3)
        return made[key]

    return model


def _head(series: SeriesSet, count: int) -> SeriesSet:
    if count == len(series.values[0]):
        return series
    return series.split(len(series.values[0]) - count)[0]


@pytest.mark.parametrize("name", ["gaps", "whole"])
@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("lstm", {}),
        ("gru", {}),
        ("rnn", {}),
        ("lstm", {"layers": 2, "members": 1}),
        ("gru", {"horizon": 9}),
    ],
)
def test_a_step_gives_the_numbers_of_the_whole_series(
    models: Callable[..., Forecaster],
    gaps: SeriesSet,
    cell: str,
    options: dict[str, Any],
    name: str,
    fans_at: Fans,
) -> None:
    model = models(cell, **options)
    assert model._fitted.engine.features.lags == min(model.horizon, 7)
    one = gaps.select([name])
    values = one.values[0]
    # The repair follows what came from the first origin on: that of the start.
    origins = list(range(2, len(values)))
    whole = fans_at(model, one, {name: origins})[name]
    state = model.start(_head(one, 3))
    for origin, expected in zip(origins[1:], whole[1:], strict=True):
        fan, state = model.step(float(values[origin]), state)
        near = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(fan, expected, rtol=1e-4, atol=near, err_msg=f"origin {origin}")


def test_the_forecasts_move_from_step_to_step(
    models: Callable[..., Forecaster], gaps: SeriesSet
) -> None:
    """Else the test above would compare constants."""
    model = models()
    state = model.start(gaps.select(["whole"]))
    first, after = model.step(250.0, state)
    second, _ = model.step(250.0, after)
    assert np.abs(first - second).max() > 1e-2


@pytest.mark.parametrize("known", [1, 2, 5, 6, 7, 8])
def test_a_start_shorter_than_a_season_is_no_special_case(
    models: Callable[..., Forecaster], gaps: SeriesSet, known: int, fans_at: Fans
) -> None:
    model, one = models(), gaps.select(["whole"])
    whole = fans_at(model, one, {"whole": list(range(known - 1, 20))})["whole"]
    state = model.start(_head(one, known))
    for origin, expected in zip(range(known, 20), whole[1:], strict=True):
        fan, state = model.step(float(one.values[0][origin]), state)
        near = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(fan, expected, rtol=1e-4, atol=near, err_msg=f"origin {origin}")


def test_predict_says_what_the_last_step_said(
    models: Callable[..., Forecaster], gaps: SeriesSet
) -> None:
    model, one = models(), gaps.select(["whole"])
    state = model.start(_head(one, 149))
    fan, _ = model.step(float(one.values[0][149]), state)
    told = model.predict(one).select([f"q{level:g}" for level in model.quantiles]).to_numpy()
    np.testing.assert_allclose(told, fan, rtol=2e-5)


def test_a_holiday_among_weekdays_is_told_by_its_time(
    small: Callable[..., Forecaster], weekly: Callable[..., np.ndarray], fans_at: Fans
) -> None:
    days = np.busday_offset("2024-01-01", np.arange(81)).astype("datetime64[us]")
    one = SeriesSet.from_arrays({"price": weekly(80)}, times=np.delete(days, 60))
    assert str(one.frequency) == "daily on weekdays"
    model = small().fit(one, budget="2 steps", progress=False)
    for parameter in model.model.parameters():
        nn.init.normal_(parameter, std=0.3)
    whole = fans_at(model, one, {"price": [59, 60, 61]})["price"][1:]
    state = model.start(_head(one, 60))
    value = float(one.values[0][60])
    guessed, _ = model.step(value, state)
    told, state = model.step(value, state, time=one.times[0][60])
    np.testing.assert_allclose(told, whole[0], rtol=2e-5)
    assert np.abs(guessed - told).max() > 1e-4
    after, _ = model.step(float(one.values[0][61]), state)
    np.testing.assert_allclose(after, whole[1], rtol=2e-5)


def _equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def test_a_step_leaves_the_state_that_it_was_given(
    models: Callable[..., Forecaster], gaps: SeriesSet
) -> None:
    model = models()
    state = model.start(gaps.select(["whole"]))
    before = {name: array.copy() for name, array in state.items()}
    first, after = model.step(250.0, state)
    assert _equal(state, before)
    assert not _equal(state, after)
    # Going back is starting from the older state again.
    model.step(9.0, after)
    again, _ = model.step(250.0, state)
    np.testing.assert_array_equal(again, first)


def test_a_state_shares_no_memory_with_the_data_or_another_state(
    models: Callable[..., Forecaster], gaps: SeriesSet
) -> None:
    model = models()
    one = _head(gaps.select(["whole"]), 150)
    state = model.start(one)
    _, after = model.step(250.0, state)
    assert not np.shares_memory(state["past"], one.values[0])
    assert not np.shares_memory(state["time"], one.times[0])
    for name in state:
        assert not np.shares_memory(state[name], after[name]), name


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_state_survives_a_file_of_arrays(
    models: Callable[..., Forecaster], gaps: SeriesSet, cell: str
) -> None:
    model = models(cell)
    state = model.start(gaps.select(["gaps"]))
    file = io.BytesIO()
    np.savez(file, **state)  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as loaded:
        read = dict(loaded)
    assert _equal(read, state)
    fan, after = model.step(11.0, state)
    again, too = model.step(11.0, read)
    np.testing.assert_array_equal(again, fan)
    assert _equal(after, too)


def test_a_state_goes_on_in_a_loaded_model(
    models: Callable[..., Forecaster], gaps: SeriesSet, tmp_path: Any
) -> None:
    model = models()
    state = model.start(gaps.select(["whole"]))
    other = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert isinstance(other, Forecaster)
    np.testing.assert_array_equal(other.step(250.0, state)[0], model.step(250.0, state)[0])


def test_an_unknown_value_is_a_step_too(models: Callable[..., Forecaster], gaps: SeriesSet) -> None:
    model = models()
    fan, after = model.step(float("nan"), model.start(gaps.select(["whole"])))
    assert np.isfinite(fan).all()
    assert np.isfinite(after["past"]).all()


def test_the_quantiles_of_a_step_ascend(models: Callable[..., Forecaster], gaps: SeriesSet) -> None:
    model = models()
    state = model.start(gaps.select(["whole"]))
    for value in (250.0, -1e6, 1e9, float("nan")):
        fan, state = model.step(value, state)
        assert fan.shape == (3, len(model.quantiles))
        assert (np.diff(fan, axis=-1) >= 0).all()


def test_a_series_that_was_never_seen_can_be_followed(
    models: Callable[..., Forecaster], weekly: Callable[..., np.ndarray]
) -> None:
    model = models()
    new = SeriesSet.from_arrays({"new": 1e6 * weekly(60)}, frequency="D")
    fan, _ = model.step(1e7, model.start(new))
    assert (fan[:, len(model.quantiles) // 2] > 1e6).all()
    assert np.isfinite(fan).all()


def test_several_series_are_started_one_by_one(
    models: Callable[..., Forecaster], gaps: SeriesSet
) -> None:
    with pytest.raises(ConfigError, match=r"got 2 series, expected one; use select"):
        models().start(gaps)


@pytest.mark.parametrize("state", [None, {}, {"h": np.zeros((1, 1, 8))}])
def test_a_foreign_state_is_named(models: Callable[..., Forecaster], state: Any) -> None:
    with pytest.raises(ConfigError, match="state"):
        models().step(1.0, state)


def test_nothing_streams_before_fit(small: Callable[..., Forecaster], gaps: SeriesSet) -> None:
    with pytest.raises(NotFittedError, match="call fit"):
        small().start(gaps.select(["whole"]))
    with pytest.raises(NotFittedError, match="call fit"):
        small().step(1.0, {})


@pytest.mark.parametrize("wrong", ["12", None, float("inf"), -float("inf")])
def test_a_value_that_is_no_finite_number_is_refused(
    models: Callable[..., Forecaster], gaps: SeriesSet, wrong: Any
) -> None:
    state = models().start(gaps.select(["whole"]))
    for ask in (models().step, models().surprise):
        with pytest.raises(ConfigError, match="expected a finite number"):
            ask(wrong, state)
