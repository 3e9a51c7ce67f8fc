"""The forecaster's contract: what it learns from, what it answers, what its file holds."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from sklearn.base import clone

import unrolled
from unrolled.data.batching import WindowBatches
from unrolled.data.series import read_series
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster
from unrolled.tasks.forecasting import asker as module
from unrolled.tasks.forecasting import settings

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")

Make = Callable[..., Forecaster]
Values = Callable[..., np.ndarray]
Fans = Callable[..., dict[str, np.ndarray]]


def _fit(model: Forecaster, data: Any, budget: str | int = "4 steps", **options: Any) -> Forecaster:
    return model.fit(data, budget=budget, progress=False, **options)


def _same_weights(one: Forecaster, other: Forecaster) -> bool:
    first, second = one.model.state_dict(), other.model.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def _changed(series: SeriesSet, after: dict[str, int]) -> SeriesSet:
    """The same series with other values from the given places on."""
    values = [one.copy() for one in series.values]
    for name, one in zip(series.ids, values, strict=True):
        one[after[name] :] = 1e4 * np.random.default_rng(1).normal(size=len(one) - after[name])
    return SeriesSet(series.ids, series.times, tuple(values), series.frequency)


@pytest.fixture(scope="module")
def learnt(small: Make, gaps: SeriesSet) -> Forecaster:
    """Fitted on `gaps` (with values that are not known); its weights are moved about."""
    model = _fit(small(), gaps)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


# What is learnt from


def test_nothing_is_learnt_from_the_held_out_end(small: Make, gaps: SeriesSet) -> None:
    model = _fit(small(), gaps)
    other = _fit(small(), _changed(gaps, {"gaps": 96, "whole": 120}))
    assert _same_weights(model, other)
    assert model._fitted.scales == other._fitted.scales
    assert model.trained_until == other.trained_until
    kept, kept_too = model._baseline_arrays(), other._baseline_arrays()
    assert {"ridge", "seasonal", "repair"} <= {name.split(".")[0] for name in kept}
    for name, array in kept.items():
        np.testing.assert_array_equal(array, kept_too[name], err_msg=name)
    assert model.evaluation != other.evaluation
    assert model.trained_until["gaps"] == gaps.times[0][95]


def test_the_last_value_before_the_held_out_end_is_learnt(small: Make, gaps: SeriesSet) -> None:
    """So that the test above proves something."""
    other = _fit(small(), _changed(gaps, {"gaps": 95, "whole": 120}))
    assert not _same_weights(_fit(small(), gaps), other)


def test_the_share_held_out_is_the_users(small: Make, gaps: SeriesSet) -> None:
    model = _fit(small(), gaps, holdout=0.5)
    assert model.trained_until["gaps"] == gaps.times[0][59]
    assert model.evaluation is not None
    assert model.evaluation.held_out == "the last 50% of each series"


def test_the_same_seed_gives_the_same_weights(small: Make, gaps: SeriesSet) -> None:
    assert _same_weights(_fit(small(seed=3), gaps), _fit(small(seed=3), gaps))
    assert not _same_weights(_fit(small(seed=3), gaps), _fit(small(seed=4), gaps))


def test_fit_leaves_the_callers_random_numbers_alone(small: Make, gaps: SeriesSet) -> None:
    before = torch.get_rng_state()
    _fit(small(), gaps, "2 steps")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_file_and_frames_of_every_kind_give_the_same_fit(
    small: Make, weekly: Values, tmp_path: Path
) -> None:
    first = datetime.date(2024, 1, 1)
    table = {
        "ds": [first + datetime.timedelta(days=day) for day in range(60)],
        "a": np.round(weekly(60, 1), 3).tolist(),
        "b": np.round(weekly(60, 2), 3).tolist(),
    }
    file = tmp_path / "table.csv"
    pl.DataFrame(table).write_csv(file)
    reference = _fit(small(), read_series(file))
    sources = [file, str(file), pl.DataFrame(table), pd.DataFrame(table), pa.table(table)]
    for source in sources:
        model = _fit(small(), source)
        assert _same_weights(model, reference), type(source)
        told = model.predict(source)
        if isinstance(source, (pd.DataFrame, pa.Table)):  # a frame of the same kind comes back
            assert type(told) is type(source)
        assert pl.DataFrame(told).equals(reference.predict(file)), type(source)


def test_a_large_series_and_a_small_one_of_the_same_shape_are_learnt_alike(
    small: Make, weekly: Values
) -> None:
    values = weekly(100) - 10.0
    data = SeriesSet.from_arrays({"small": values, "large": 1e9 * values}, frequency="D")
    table = _fit(small(), data).predict(data)
    small_one, large_one = (
        table.filter(pl.col("unique_id") == name).select(pl.selectors.float()).to_numpy()
        for name in ("small", "large")
    )
    np.testing.assert_allclose(large_one, 1e9 * small_one, rtol=1e-4, atol=1e4)


@pytest.mark.filterwarnings("ignore:warning. constant:unrolled.errors.DataWarning")
@pytest.mark.parametrize(
    "values",
    [
        np.full(60, 0.1),
        np.full(60, 0.0),
        -50 - np.arange(60.0),
        np.where(np.arange(60) % 5, 0.0, 7.0),
        np.concatenate([np.zeros(59), [1.0]]),
        1e-12 * np.arange(1.0, 61.0),
        1e12 + np.arange(60.0),
    ],
    ids=["constant", "zero", "negative", "sparse counts", "late", "tiny", "huge"],
)
def test_odd_series_are_learnt_and_forecast_near_where_they_stand(
    small: Make, weekly: Values, values: np.ndarray, fans_at: Fans
) -> None:
    data = SeriesSet.from_arrays({"odd": values, "usual": weekly(60)}, frequency="D")
    model = _fit(small(), data)
    fans = fans_at(model, data, {"odd": [30, 59]})["odd"]
    assert np.isfinite(fans).all()
    near = max(float(np.ptp(values)), 1.0)
    assert np.abs(fans[1] - values[-1]).max() <= 5 * near
    assert model.evaluation is not None
    assert np.isfinite([one.network for one in model.evaluation.comparisons]).all()


def test_a_negative_series_among_prices_stays_negative(small: Make, fans_at: Fans) -> None:
    random = np.random.default_rng(1)
    data = {f"p{i}": np.exp(np.cumsum(random.normal(0, 0.05, 200)) + i) for i in range(3)}
    data["below"] = -5 + random.normal(0, 1, 200)
    series = SeriesSet.from_arrays(data, frequency="D")
    model = _fit(small(), series)
    assert model._fitted.scales["p0"].log
    assert model._fitted.scales["p0"].offset == 0
    assert model._fitted.scales["below"].offset > 0
    fan = fans_at(model, series, {"below": [190]})["below"]
    assert (fan[..., :5] < -1).all()
    # A series that comes later is read by the same rule.
    new = SeriesSet.from_arrays({"new": data["below"]}, frequency="D")
    assert (fans_at(model, new, {"new": [190]})["new"][..., :5] < -1).all()


def test_unknown_values_and_gaps_are_trained_around(small: Make, tmp_path: Path) -> None:
    file = tmp_path / "gaps.csv"
    lines = [f"2024-01-{day:02},{day % 7 + 1}" for day in range(1, 32) if day not in (9, 10)]
    lines += [f"2024-02-{day:02},{'' if day == 12 else day % 7 + 1}" for day in range(1, 30)]
    file.write_text("ds,y\n" + "\n".join(lines) + "\n")
    series = read_series(file, missing="mask")
    assert np.isnan(series.values[0]).sum() == 3
    model = _fit(small(), series)
    assert np.isfinite(model.predict(series)["forecast"].to_numpy()).all()
    assert all(np.isfinite(one["loss"]) for one in model.outcome.records if "loss" in one)


def test_many_short_series_are_learnt_together(small: Make) -> None:
    random = np.random.default_rng(2)
    arrays = {f"s{i}": random.normal(size=12 + i % 9) for i in range(200)}
    data = SeriesSet.from_arrays(arrays, frequency="MS")
    model = _fit(small(horizon=2), data)
    table = model.predict(data)
    assert table.height == 400
    assert table["unique_id"].unique(maintain_order=True).to_list() == list(arrays)


def test_few_values_get_four_members_and_many_get_one(
    small: Make, weekly: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = SeriesSet.from_arrays(weekly(60), frequency="D")
    assert len(_fit(small(members="auto"), data, 1).model.members) == 4
    monkeypatch.setattr(settings, "FEW_VALUES", 48)  # what is left of 60 in training
    assert len(_fit(small(members="auto"), data, 1).model.members) == 1


def test_mixed_precision_trains_too(small: Make, gaps: SeriesSet) -> None:
    model = _fit(small(precision="bf16"), gaps, "2 steps")
    assert np.isfinite(model.predict(gaps)["forecast"].to_numpy()).all()


# What is answered


def test_predict_gives_the_horizon_of_each_series_after_its_end(
    learnt: Forecaster, gaps: SeriesSet
) -> None:
    table = learnt.predict(gaps)
    levels = [f"q{level:g}" for level in learnt.quantiles]
    assert table.columns == ["unique_id", "ds", "forecast", *levels]
    assert table["unique_id"].to_list() == ["gaps"] * 3 + ["whole"] * 3
    for place, times in enumerate(gaps.times):
        days = table["ds"].to_numpy()[3 * place : 3 * place + 3]
        np.testing.assert_array_equal(days, times[-1] + np.arange(1, 4) * np.timedelta64(1, "D"))
    assert table["forecast"].equals(table["q0.5"].alias("forecast"))


def test_the_quantiles_ascend(learnt: Forecaster, gaps: SeriesSet, fans_at: Fans) -> None:
    # Of "gaps" the first two values are not known, and nobody can answer there.
    origins = {"gaps": range(2, 120), "whole": range(150)}
    for fans in fans_at(learnt, gaps, origins).values():
        assert (np.diff(fans, axis=-1) >= 0).all()
        assert (np.diff(fans, axis=-1) > 0).any()


def test_only_the_asked_levels_are_told(learnt: Forecaster, gaps: SeriesSet) -> None:
    table = learnt.predict(gaps, quantiles=[0.9, 0.1])
    assert table.columns == ["unique_id", "ds", "forecast", "q0.9", "q0.1"]
    whole = learnt.predict(gaps)
    assert table.equals(whole.select(table.columns))


def test_points_without_dates_are_counted_on(small: Make, weekly: Values) -> None:
    data = SeriesSet.from_arrays(weekly(60))
    assert _fit(small(), data).predict(data)["ds"].to_list() == [60, 61, 62]


def test_predictions_of_several_series_are_those_of_each_alone(
    learnt: Forecaster, gaps: SeriesSet
) -> None:
    together = learnt.predict(gaps).select(pl.selectors.float()).to_numpy()
    alone = [learnt.predict(gaps.select([name])) for name in gaps.ids]
    parts = np.concatenate([one.select(pl.selectors.float()).to_numpy() for one in alone])
    np.testing.assert_allclose(together, parts, rtol=1e-5)


@pytest.mark.parametrize("places", [range(50, 53), (50, 51, 52), np.arange(50, 53)])
def test_origins_may_be_any_sequence(
    learnt: Forecaster, gaps: SeriesSet, places: Any, fans_at: Fans
) -> None:
    expected = fans_at(learnt, gaps, {"whole": [50, 51, 52]})["whole"]
    np.testing.assert_array_equal(fans_at(learnt, gaps, {"whole": places})["whole"], expected)


@pytest.mark.parametrize("name", ["whole", "new"])
def test_a_forecast_is_not_moved_by_what_comes_after_its_origin(
    learnt: Forecaster, gaps: SeriesSet, name: str, fans_at: Fans
) -> None:
    one = gaps.select(["whole"])
    series = SeriesSet((name,), one.times, one.values, one.frequency)
    later = _changed(series, {name: 61})
    origins = {name: [60]}
    before, after = (fans_at(learnt, data, origins)[name] for data in (series, later))
    np.testing.assert_array_equal(before, after)
    # Nor by how much of the series is there at all.
    short = SeriesSet((name,), (one.times[0][:61],), (one.values[0][:61],), one.frequency)
    told = learnt.predict(short).select(pl.selectors.starts_with("q")).to_numpy()
    np.testing.assert_allclose(before[0], told, rtol=1e-5)


def test_backtest_answers_in_the_order_of_the_question(
    learnt: Forecaster, gaps: SeriesSet, fans_at: Fans
) -> None:
    found = fans_at(learnt, gaps, {"whole": [99, 50], "gaps": [20]})
    assert list(found) == ["whole", "gaps"]
    assert found["whole"].shape == (2, 3, 9)
    np.testing.assert_allclose(
        found["whole"][1], fans_at(learnt, gaps, {"whole": [50]})["whole"][0], rtol=1e-5
    )


def test_a_new_series_is_forecast_in_its_own_unit(learnt: Forecaster, weekly: Values) -> None:
    values = 1e5 + 3e3 * weekly(80)
    new = SeriesSet.from_arrays({"new": values}, frequency="D")
    told = learnt.predict(new)["forecast"].to_numpy()
    assert (np.abs(told - values[-1]) < 10 * np.ptp(values)).all()


@pytest.mark.parametrize("level", [-1e12, 0.0, 1e12])
def test_forecasts_far_out_of_what_was_learnt_stay_finite(
    learnt: Forecaster, gaps: SeriesSet, level: float
) -> None:
    far = _changed(gaps, {"gaps": 0, "whole": 0})
    far.values[1][:] = level
    table = learnt.predict(far).select(pl.selectors.float()).to_numpy()
    assert np.isfinite(table).all()


# Evaluation


def test_fit_warns_where_the_network_loses(small: Make, gaps: SeriesSet) -> None:
    with pytest.warns(NetworkLoses, match="the network LOSES"):
        small(learning_rate=0.9, noise=50.0).fit(gaps, budget="1 steps", progress=False)


def test_evaluate_without_data_tells_what_fit_measured(small: Make, gaps: SeriesSet) -> None:
    model = _fit(small(), gaps)
    assert model.evaluate() is model.evaluation
    again = model.evaluate(gaps)
    for one, other in zip(again.comparisons, model.evaluate().comparisons, strict=True):
        assert one.network == pytest.approx(other.network)
        assert one.baseline == pytest.approx(other.baseline)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[int], list[Any]]]:
    """The cuts of each comparison that is made, and the network's forecasts."""
    made: list[tuple[list[int], list[Any]]] = []
    call = module.score_all

    def spy(ask: Any, series: Any, origins: Any, cuts: Any, *given: Any) -> Any:
        made.append((cuts, ask["network"](series, origins)))
        return call(ask, series, origins, cuts, *given)

    monkeypatch.setattr(module, "score_all", spy)
    return made


def test_of_another_history_only_what_follows_training_is_scored(
    learnt: Forecaster, gaps: SeriesSet, compared: list[tuple[list[int], list[Any]]]
) -> None:
    one = gaps.select(["whole"])
    assert learnt.trained_until["whole"] == one.times[0][119]
    longer = SeriesSet.from_arrays(
        {"whole": np.append(one.values[0], one.values[0][:50])},
        times=one.frequency.grid(one.times[0][0], 200),
    )
    later = SeriesSet.from_arrays({"whole": one.values[0][110:]}, times=one.times[0][110:])
    new = SeriesSet.from_arrays({"new": one.values[0]}, times=one.times[0])
    for history in (one, longer, later, new):
        learnt.evaluate(history)
    assert [cuts for cuts, _ in compared] == [[120], [120], [10], [120]]
    of_one, of_longer = (fans for _, (fans,) in compared[:2])
    assert len(of_one) == 28
    assert len(of_longer) == 78
    np.testing.assert_allclose(of_longer[:28], of_one, rtol=1e-5)


def test_the_scale_of_a_new_series_does_not_know_its_scored_end(
    learnt: Forecaster, weekly: Values, compared: list[tuple[list[int], list[Any]]]
) -> None:
    """With an end a million times as large, a scale of the whole would spread every forecast."""
    loud = weekly(100)
    loud[80:] *= 1e6
    for history in (weekly(100), loud):
        learnt.evaluate(SeriesSet.from_arrays({"new": history}, frequency="D"))
    (_, (calm,)), (_, (with_loud_end,)) = compared
    np.testing.assert_array_equal(calm[0], with_loud_end[0])


def test_one_level_has_no_interval_to_cover(small: Make, gaps: SeriesSet) -> None:
    model = _fit(small(quantiles=(0.5,)), gaps, "2 steps")
    assert model.evaluation is not None
    assert model.evaluation.details
    assert not any("coverage" in name for name in model.evaluation.details)


# The file, and going on


def test_a_loaded_model_answers_and_scores_as_the_saved_one(
    learnt: Forecaster, gaps: SeriesSet, tmp_path: Path
) -> None:
    loaded = unrolled.load(learnt.save(tmp_path / "model.unrolled"))
    assert isinstance(loaded, Forecaster)
    assert loaded.predict(gaps).equals(learnt.predict(gaps))
    assert loaded.evaluate() == learnt.evaluate()
    assert loaded.evaluate(gaps) == learnt.evaluate(gaps)
    assert loaded.get_params() == learnt.get_params()
    assert loaded._fitted.scales == learnt._fitted.scales
    assert loaded.trained_until == learnt.trained_until


@pytest.mark.parametrize("frequency", ["D", "B", "MS", "MS@31", "15min", "QS", "YS", "h", None])
def test_every_frequency_survives_the_file(
    small: Make, weekly: Values, tmp_path: Path, frequency: str | None
) -> None:
    data = SeriesSet.from_arrays(weekly(60), frequency=frequency)
    model = _fit(small(members=1), data, 1)
    loaded = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert isinstance(loaded, Forecaster)
    assert loaded.predict(data).equals(model.predict(data))


def test_irregular_times_are_forecast_too(small: Make, weekly: Values) -> None:
    days = np.cumsum(np.random.default_rng(3).integers(1, 10, 80))
    times = np.datetime64("2020-01-01", "us") + days * np.timedelta64(1, "D")
    data = SeriesSet.from_arrays(weekly(80), times=times)
    model = _fit(small(), data)
    # Another stretch has another median distance, or looks regular.
    assert model.predict(data.tail(23)).height == 3
    even = times[0] + np.arange(4) * np.timedelta64(1, "D")
    assert model.predict(SeriesSet.from_arrays(weekly(4), times=even)).height == 3


def test_a_history_of_few_weekdays_is_of_the_models_frequency(small: Make, weekly: Values) -> None:
    times = np.busday_offset("2024-01-01", np.arange(80)).astype("datetime64[us]")
    model = _fit(small(), SeriesSet.from_arrays(weekly(80), times=times))
    week = SeriesSet.from_arrays(weekly(80)[:5], times=times[:5])
    told = model.predict(week)["ds"].to_numpy().astype("datetime64[D]")
    assert told.astype(str).tolist() == ["2024-01-08", "2024-01-09", "2024-01-10"]


def test_a_loaded_model_goes_on_from_its_weights(
    small: Make, gaps: SeriesSet, tmp_path: Path
) -> None:
    model = _fit(small(learning_rate=1e-12), gaps)
    loaded = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert isinstance(loaded, Forecaster)
    anew = _fit(small(learning_rate=1e-12, seed=9), gaps)
    going_on = _fit(loaded.set_params(warm_start=True, seed=9), gaps)
    name = "members.0.recurrent.weight_hh_l0"
    torch.testing.assert_close(going_on.model.state_dict()[name], model.model.state_dict()[name])
    assert (going_on.model.state_dict()[name] != anew.model.state_dict()[name]).all()


def test_a_model_that_went_on_can_be_saved_whatever_it_went_on_with(
    small: Make, weekly: Values, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new data has no season and is no longer few; the network stays what it is."""
    week = SeriesSet.from_arrays(weekly(60), frequency="D")
    walk = SeriesSet.from_arrays(np.cumsum(np.random.default_rng(4).normal(size=90)), frequency="D")
    model = _fit(small(members="auto", warm_start=True), week)
    monkeypatch.setattr(settings, "FEW_VALUES", 10)
    _fit(model, walk)
    loaded = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert isinstance(loaded, Forecaster)
    assert loaded.predict(walk).equals(model.predict(walk))


class _Interrupted(Exception):
    """The machine went down."""


def test_an_interrupted_fit_resumes_to_the_same_weights(
    small: Make, gaps: SeriesSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _fit(small(), gaps, "9 steps", run_dir=tmp_path / "whole")
    read = WindowBatches.__getitem__

    def breaks(self: WindowBatches, step: int) -> Any:
        if step == 5:
            raise _Interrupted
        return read(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(WindowBatches, "__getitem__", breaks)
        with pytest.raises(_Interrupted):
            _fit(small(), gaps, "9 steps", run_dir=tmp_path / "run")
    resumed = _fit(small(), gaps, "9 steps", run_dir=tmp_path / "run", resume=True)
    assert _same_weights(resumed, whole)
    assert resumed.outcome.steps == 9
    assert resumed.evaluation == whole.evaluation
    assert resumed.predict(gaps).equals(whole.predict(gaps))


def test_a_checkpoint_is_a_model(small: Make, gaps: SeriesSet, tmp_path: Path) -> None:
    model = _fit(small(), gaps, run_dir=tmp_path)
    """Without what is learnt after the training: the repair of the intervals, the evaluation."""
    loaded = unrolled.load(tmp_path / "checkpoint.unrolled")
    assert isinstance(loaded, Forecaster)
    origins = [np.arange(90, len(values)) for values in gaps.values]
    for one, other in zip(
        loaded._fitted.ask(gaps, origins), model._fitted.ask(gaps, origins), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert loaded.predict(gaps).height == 6


def test_the_constructor_keeps_its_arguments_as_scikit_learn_wants(small: Make) -> None:
    model = small(cell="gru", quantiles=(0.2, 0.5), lookback=9, patience=3)
    assert clone(model).get_params() == model.get_params()
    assert model.get_params()["lookback"] == 9
