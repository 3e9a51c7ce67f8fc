"""A forecaster is traced as it predicts, whatever its architecture."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, UnrolledError
from unrolled.lens import trace
from unrolled.tasks.forecasting.asker import Asker

DAYS, HORIZON, PLACE = 150, 5, 139
HEADS = {
    "steps": "auto",
    "segments": "auto",
    "autoregressive": "auto",
    "counted": "negative-binomial",
}

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")


def sales(seed: int = 0) -> SeriesSet:
    t = np.arange(DAYS)
    noise = np.random.default_rng(seed).normal(size=DAYS)
    values = (20 + 5 * np.sin(2 * np.pi * t / 7) + noise).round(1)
    times = np.datetime64("2024-01-01") + t
    return SeriesSet.from_arrays({"sales": values}, times=times)


def fitted(architecture: str, series: SeriesSet, **options: Any) -> Any:
    if architecture == "counted":
        architecture, options["head"] = "autoregressive", "negative-binomial"
    options = {"hidden_size": 6, "members": 2, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return unrolled.Forecaster(architecture, horizon=HORIZON, **options).fit(
            series, budget=15, progress=False
        )


@pytest.fixture(scope="module")
def series() -> SeriesSet:
    return sales()


@pytest.fixture(scope="module")
def forecasters(series: SeriesSet) -> dict[str, Any]:
    counts = SeriesSet.from_arrays({"sales": series.values[0].round()}, times=series.times[0])
    return {
        name: fitted(name, counts if name == "counted" else series)
        for name in ("steps", "segments", "autoregressive", "counted")
    }


def predicted(model: Any, history: Any) -> np.ndarray:
    frame = model.predict(history, progress=False)
    levels: np.ndarray = frame.select([f"q{one:g}" for one in model.quantiles]).to_numpy()
    return levels


@pytest.mark.parametrize("name", HEADS)
def test_the_fan_is_what_predict_gives(
    name: str, forecasters: dict[str, Any], series: SeriesSet
) -> None:
    model = forecasters[name]
    whole = trace(model, series)
    np.testing.assert_array_equal(whole.fan.quantiles, predicted(model, series))
    assert whole.fan.levels == model.quantiles
    assert whole.fan.times[0] == "2024-05-30"
    assert np.isnan(whole.fan.truth).all()
    assert whole.fan.coverage == {}
    known = trace(model, series, origin="2024-05-19")
    np.testing.assert_array_equal(known.fan.quantiles, predicted(model, series.until([PLACE + 1])))
    np.testing.assert_array_equal(known.fan.truth, series.values[0][PLACE + 1 : PLACE + 6])
    assert known.series.times[-1] == "2024-05-19"
    assert set(known.fan.coverage) == {0.95, 0.9, 0.8, 0.5}


@pytest.mark.parametrize("name", HEADS)
def test_a_step_says_which_values_it_read(
    name: str, forecasters: dict[str, Any], series: SeriesSet
) -> None:
    found = trace(forecasters[name], series)
    reads = found.series.reads
    assert (reads[1:, 0] == reads[:-1, 1]).all()
    assert (reads[0, 0], reads[-1, 1]) == (0, len(found.series.values))
    np.testing.assert_array_equal(
        found.series.values, series.values[0][-len(found.series.values) :]
    )
    width = forecasters[name].model.members[0].segment if name == "segments" else 1
    assert (np.diff(reads, axis=1) == width).all()
    first, last = found.series.times[reads[-1, 0]], found.series.times[-1]
    assert found.inputs[-1] == (last if width == 1 else f"{first} to {last}")
    assert found.fan.times[0] == "2024-05-30"
    assert found.series.name == "sales"


@pytest.mark.parametrize("name", HEADS)
def test_states_are_those_of_the_network_that_predicts(
    name: str, forecasters: dict[str, Any], series: SeriesSet
) -> None:
    model = forecasters[name]
    seen: list[torch.Tensor] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        seen.append(output[0])

    handle = model.model.members[0].recurrent.register_forward_hook(keep)
    try:
        model.predict(series, progress=False)
    finally:
        handle.remove()
    # The windows of the errors that are followed come first, this one last.
    whole = [one for one in seen if len(one) == max(map(len, seen))][-1][:, -1].float()
    (layer,) = trace(model, series).layers
    np.testing.assert_allclose(layer.states["h"], whole[-layer.steps :], rtol=1e-4, atol=1e-5)


def test_nothing_later_than_the_origin_is_read(
    forecasters: dict[str, Any], series: SeriesSet
) -> None:
    values = series.values[0].copy()
    values[PLACE + 1 :] = 1000.0
    other = SeriesSet.from_arrays({"sales": values}, times=series.times[0])
    for name, model in forecasters.items():
        one, changed = (trace(model, given, origin="2024-05-19") for given in (series, other))
        np.testing.assert_array_equal(one.fan.quantiles, changed.fan.quantiles, err_msg=name)
        for mine, theirs in zip(one.layers, changed.layers, strict=True):
            np.testing.assert_array_equal(mine.states["h"], theirs.states["h"])
            assert (mine.gradients["h"] != theirs.gradients["h"]).any(), name


@pytest.mark.parametrize("name", HEADS)
def test_gradients_are_of_the_loss_or_where_nothing_came_of_the_median(
    name: str, forecasters: dict[str, Any], series: SeriesSet
) -> None:
    for origin, told in ((None, "median"), ("2024-05-19", "by what came")):
        found = trace(forecasters[name], series, origin=origin)
        assert told in found.loss
        assert found.layers[0].gradients["h"][-1].any()
        assert found.losses is None


def test_the_gradient_of_the_last_step_is_that_of_the_readout(series: SeriesSet) -> None:
    """By hand: out_k = (A x)_k + (B h + b)_k, so the gradient by h is the sum of B's rows."""
    model = fitted("steps", series, members=1)
    found = trace(model, series)
    member = model.model.members[0]
    rows = member.readout.weight.unflatten(0, member.shape)[:, model.quantiles.index(0.5)]
    np.testing.assert_allclose(
        found.layers[0].gradients["h"][-1], rows.sum(0).detach(), rtol=1e-4, atol=1e-7
    )


def test_a_window_begins_with_its_series(forecasters: dict[str, Any], series: SeriesSet) -> None:
    for name in ("segments", "autoregressive"):
        found = trace(forecasters[name], series.until([8]))
        assert found.series.times[0] == "2024-01-01"
        assert (found.series.reads[0, 0], found.series.reads[-1, 1]) == (0, 8)
        assert found.layers[0].before["h"].any()  # what came of an empty beginning


def test_of_a_long_series_the_last_steps_are_kept(
    forecasters: dict[str, Any], series: SeriesSet
) -> None:
    for name, note in (
        ("steps", "Of 150 values the last 6 are shown; the gradient stops where they begin."),
        ("autoregressive", "the last 6 are shown"),
    ):
        whole = trace(forecasters[name], series)
        part = trace(forecasters[name], series, steps=6)
        assert part.inputs == whole.inputs[-6:]
        np.testing.assert_allclose(
            part.layers[0].states["h"], whole.layers[0].states["h"][-6:], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_array_equal(part.fan.quantiles, whole.fan.quantiles)
        np.testing.assert_array_equal(part.series.values, series.values[0][-6:])
        assert any(note in one for one in part.notes)


def test_missing_values_stay_missing_where_they_are_shown(series: SeriesSet) -> None:
    values = series.values[0].copy()
    values[-3] = values[-20] = np.nan
    gone = SeriesSet.from_arrays({"sales": values}, times=series.times[0])
    model = fitted("segments", series)
    found = trace(model, gone)
    np.testing.assert_array_equal(
        np.isnan(found.series.values), np.isnan(values[-len(found.series.values) :])
    )
    known = trace(model, gone, origin="2024-05-24")
    assert np.isnan(known.fan.truth).tolist() == [False, False, True, False, False]


def test_what_is_not_shown_is_told(forecasters: dict[str, Any], series: SeriesSet) -> None:
    assert trace(forecasters["steps"], series).notes == (
        "The forecast is the mean of 2 networks; the states shown are the first one\u2019s.",
    )
    beside = SeriesSet.from_arrays(
        series.values[0], times=series.times[0], past={"rain": np.arange(DAYS) % 3}
    )
    model = fitted("segments", beside, members=1)
    assert trace(model, beside).notes == (
        "The covariates, which are read beside the series, are not shown.",
    )


def test_a_file_of_a_forecaster_will_do(
    forecasters: dict[str, Any], series: SeriesSet, tmp_path: Path
) -> None:
    for name, model in forecasters.items():
        found = trace(model.save(tmp_path / name), series)
        np.testing.assert_array_equal(found.fan.quantiles, predicted(model, series))


def test_the_rival_that_answers_is_told(
    forecasters: dict[str, Any], series: SeriesSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = forecasters["segments"]
    rival = next(iter(model.rivals.values())).name
    network = trace(model, series)
    monkeypatch.setattr(Asker, "answers", property(lambda _: rival))
    found = trace(model, series)
    np.testing.assert_array_equal(found.fan.quantiles, predicted(model, series))
    assert (found.fan.quantiles != network.fan.quantiles).any()
    assert found.notes[-1] == f"The forecast is that of {rival}, which answers for the network."


def test_a_frame_and_counted_steps_will_do() -> None:
    values = sales().values[0]
    model = fitted("segments", SeriesSet.from_arrays(values), members=1)
    frame = SeriesSet.from_arrays(values).to_frame()
    found = trace(model, frame, origin=139)
    np.testing.assert_array_equal(found.fan.truth, values[140:145])
    assert (found.series.times[-1], found.fan.times[0]) == ("139", "140")


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("2023-01-01", "expected a time of the series, which goes from 2024-01-01 to 2024-05-29"),
        ("soon", "expected a time such as"),
        (7, "expected a time such as"),
        ("NaT", "expected a time of the series"),
    ],
)
def test_an_origin_that_is_none_is_told(
    origin: Any, message: str, forecasters: dict[str, Any], series: SeriesSet
) -> None:
    with pytest.raises(ConfigError, match=message):
        trace(forecasters["steps"], series, origin=origin)


def test_what_can_not_be_traced_is_told(forecasters: dict[str, Any], series: SeriesSet) -> None:
    several = SeriesSet.from_arrays(
        {"a": series.values[0], "b": series.values[0]}, times=series.times[0]
    )
    with pytest.raises(ConfigError, match="got 2 series, expected one; keep the rows of one"):
        trace(forecasters["steps"], several)
    with pytest.raises(UnrolledError):
        trace(forecasters["steps"], "no/such/file.csv")
    with pytest.raises(ConfigError, match="origin: is that of a Forecaster, not of a module"):
        trace(unrolled.GRU(2, 3), torch.zeros(2, 1, 2), origin="2024-01-01")
