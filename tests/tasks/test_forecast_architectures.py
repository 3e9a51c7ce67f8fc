"""What holds for every architecture: nothing from later, the same from a file, the same resumed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import unrolled
from unrolled.data.series_set import SeriesSet
from unrolled.errors import DataWarning, ModelFileError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster
from unrolled.tasks.forecasting import auto
from unrolled.tasks.forecasting.fitted import learn_repair
from unrolled.tasks.forecasting.windows import OriginBatches
from unrolled.training.loop import Trainer
from unrolled.training.modelfile import read_model, write_model

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")

Make = Callable[..., Forecaster]
Values = Callable[..., np.ndarray]
Fans = Callable[..., dict[str, np.ndarray]]
EVERY = pytest.mark.parametrize("architecture", ["steps", "segments", "autoregressive"])
HEADS = pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("steps", {}),
        ("segments", {}),
        ("segments", {"head": "normal", "normalise": "window"}),
        ("segments", {"head": "student-t", "lookback": (14, 7), "shortcut": "fixed"}),
        ("segments", {"head": "negative-binomial", "shortcut": "none"}),
        ("autoregressive", {}),
        ("autoregressive", {"head": "normal"}),
        ("autoregressive", {"head": "negative-binomial"}),
    ],
)


def _fit(model: Forecaster, data: Any, budget: str = "3 steps", **options: Any) -> Forecaster:
    return model.fit(data, budget=budget, progress=False, **options)


def _weights(model: Forecaster) -> dict[str, torch.Tensor]:
    return model.model.state_dict()


def _same_weights(one: Forecaster, other: Forecaster) -> bool:
    first, second = _weights(one), _weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def _numbers(table: Any) -> np.ndarray:
    return pl.DataFrame(table).select(pl.selectors.float()).to_numpy()


def _counts(length: int = 90) -> SeriesSet:
    random = np.random.default_rng(8)
    rate = 3 + 2 * np.sin(2 * np.pi * np.arange(length) / 7)
    times = np.datetime64("2024-01-01", "us") + np.arange(length) * np.timedelta64(1, "D")
    values = random.poisson(rate).astype(float)
    values[[30, 31]] = np.nan
    return SeriesSet.from_arrays(values, times=times)


def _loud(series: SeriesSet, cuts: list[int]) -> SeriesSet:
    """Other values and covariates from the cuts on."""
    random = np.random.default_rng(4)

    def other(rows: np.ndarray, cut: int) -> np.ndarray:
        changed = rows.copy()
        changed[cut:] = 50 * random.normal(size=changed[cut:].shape)
        return changed

    assert series.past is not None
    past = []
    for rows, cut in zip(series.past, cuts, strict=True):
        changed = rows.copy()
        changed[cut:, 0] += 100.0
        past.append(changed)
    values = tuple(other(v, cut) for v, cut in zip(series.values, cuts, strict=True))
    return replace(series, values=values, past=tuple(past))


# Nothing from later


@EVERY
def test_nothing_of_the_held_out_part_is_learnt(
    each: Make, beside: SeriesSet, architecture: str
) -> None:
    """No weight, no scale, no rival, no repair; the last value before it is learnt."""
    cuts = [48, 60]
    model = _fit(each(architecture), beside)
    other = _fit(each(architecture), _loud(beside, cuts))
    assert _same_weights(model, other)
    assert model._fitted.scales == other._fitted.scales
    assert model.trained_until == other.trained_until
    assert model.reading == other.reading
    assert model.settings == other.settings
    kept, kept_too = model._baseline_arrays(), other._baseline_arrays()
    assert {"ridge", "seasonal", "naive", "drift", "repair"} <= {n.split(".")[0] for n in kept}
    for name, array in kept.items():
        np.testing.assert_array_equal(array, kept_too[name], err_msg=name)
    assert model.evaluation != other.evaluation
    assert not _same_weights(model, _fit(each(architecture), _loud(beside, [47, 59])))


@EVERY
def test_future_covariates_of_the_held_out_part_are_not_learnt(
    each: Make, beside: SeriesSet, architecture: str
) -> None:
    """But those that the last lessons know ahead: they end a horizon before."""
    assert beside.future is not None
    future = [rows.copy() for rows in beside.future]
    for rows, cut in zip(future, (48, 60), strict=True):
        rows[cut + 3 :, 0] += 1e3
    other = replace(beside, future=tuple(future))
    assert _same_weights(_fit(each(architecture), beside), _fit(each(architecture), other))


@EVERY
@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("holdout", [0.2, 0])
def test_a_forecast_is_not_moved_by_what_comes_after_its_origin(
    each: Make,
    beside: SeriesSet,
    fans_at: Fans,
    architecture: str,
    renamed: bool,
    holdout: float,
) -> None:
    """Of a series that was there in training, and of a new one; repaired, or (steps) not."""
    model = _fit(each(architecture, validation=0.15 if holdout else 0.0), beside, holdout=holdout)
    later = _loud(beside, [52, 66])
    if renamed:
        beside, later = (replace(one, ids=("x", "z")) for one in (beside, later))
    first, second = beside.ids
    origins = {first: [49, 51], second: [62, 65]}
    before, after = (fans_at(model, series, origins) for series in (beside, later))
    for name in origins:
        np.testing.assert_array_equal(before[name], after[name])
    moved = fans_at(model, later, {first: [52], second: [66]})
    same = fans_at(model, beside, {first: [52], second: [66]})
    assert all((moved[name] != same[name]).any() for name in moved)


@EVERY
def test_predictions_of_several_series_are_those_of_each_alone(
    taught: Make, beside: SeriesSet, architecture: str
) -> None:
    model = taught(architecture)
    together = _numbers(model.predict(beside))
    alone = [_numbers(model.predict(beside.select([name]))) for name in beside.ids]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-4, atol=1e-3)


@EVERY
def test_what_is_known_beside_and_ahead_moves_a_prediction(
    taught: Make, beside: SeriesSet, architecture: str
) -> None:
    model = taught(architecture)
    before = _numbers(model.predict(beside))
    # The last row that came, and the second of the three that are ahead.
    for role, row in (("past", -1), ("future", -4)):
        for column in range(2):
            changed = [rows.copy() for rows in getattr(beside, role)]
            for rows in changed:
                rows[row, column] = 1 - rows[row, column]
            other = replace(beside, **{role: tuple(changed)})
            assert (_numbers(model.predict(other)) != before).any(), f"{role} {column}"
    assert beside.static is not None
    for column in range(2):
        static = beside.static.copy()
        static[:, column] = static[::-1, column]
        other = replace(beside, static=static)
        assert (_numbers(model.predict(other)) != before).any(), f"static {column}"


# The file


@HEADS
def test_a_loaded_model_answers_as_the_saved_one(
    each: Make,
    beside: SeriesSet,
    tmp_path: Path,
    architecture: str,
    options: dict[str, Any],
) -> None:
    counted = options.get("head") == "negative-binomial"
    below = replace(beside, values=(beside.values[0] - 20, beside.values[1]))
    data = _counts() if counted else below
    model = _fit(each(architecture, **options), data)
    loaded = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert isinstance(loaded, Forecaster)
    assert loaded.predict(data).equals(model.predict(data))
    assert loaded.evaluate() == model.evaluate()
    assert loaded.evaluate(data) == model.evaluate(data)
    assert loaded.settings == model.settings
    assert loaded.reading == model.reading
    assert loaded.checkup == model.checkup
    assert loaded.columns == model.columns
    assert loaded.get_params() == model.get_params()
    assert loaded.rivals.keys() == model.rivals.keys()
    # And again: what was loaded is a whole model.
    again = unrolled.load(loaded.save(tmp_path / "again.unrolled"))
    assert isinstance(again, Forecaster)
    assert again.predict(data).equals(model.predict(data))


@pytest.mark.parametrize("without", ["architecture", "settings"])
def test_a_file_of_an_older_version_is_one_plain_line(
    each: Make, beside: SeriesSet, tmp_path: Path, without: str
) -> None:
    path = _fit(each("steps"), beside).save(tmp_path / "model.unrolled")
    card, tensors = read_model(path)
    if without == "architecture":
        configuration = {k: v for k, v in card.configuration.items() if k != "architecture"}
        card = card.model_copy(update={"configuration": configuration | {"window": None}})
    else:
        assets = {k: v for k, v in card.assets.items() if k != "settings"}
        card = card.model_copy(update={"assets": assets})
    write_model(path, card, tensors)
    with pytest.raises(ModelFileError) as caught:
        unrolled.load(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text


# Resuming


class _Interrupted(Exception):
    """The machine went down."""


@pytest.mark.parametrize("architecture", ["segments", "autoregressive"])
def test_an_interrupted_fit_resumes_to_the_same_weights(
    each: Make,
    beside: SeriesSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
) -> None:
    whole = _fit(each(architecture), beside, "9 steps", run_dir=tmp_path / "whole")
    read = OriginBatches.__getitem__

    def breaks(self: OriginBatches, step: int) -> Any:
        if step == 5:
            raise _Interrupted
        return read(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(OriginBatches, "__getitem__", breaks)
        with pytest.raises(_Interrupted):
            _fit(each(architecture), beside, "9 steps", run_dir=tmp_path / "run")
    resumed = _fit(each(architecture), beside, "9 steps", run_dir=tmp_path / "run", resume=True)
    assert _same_weights(resumed, whole)
    assert resumed.outcome.steps == 9
    assert resumed.evaluation == whole.evaluation
    assert resumed.predict(beside).equals(whole.predict(beside))


@EVERY
def test_a_run_is_not_resumed_with_other_covariates(
    each: Make, beside: SeriesSet, tmp_path: Path, architecture: str
) -> None:
    _fit(each(architecture), beside, run_dir=tmp_path)
    assert beside.past is not None
    other = replace(beside, past=tuple(rows + 1 for rows in beside.past))
    with pytest.raises(unrolled.errors.ConfigError, match="data"):
        _fit(each(architecture), other, run_dir=tmp_path, resume=True)


@EVERY
def test_the_same_seed_gives_the_same_weights(
    each: Make, beside: SeriesSet, architecture: str
) -> None:
    one, other, third = (_fit(each(architecture, seed=seed), beside) for seed in (3, 3, 4))
    assert _same_weights(one, other)
    assert not _same_weights(one, third)


# Who answers


def test_a_network_that_loses_warns_or_lets_the_rival_answer(
    each: Make, weekly: Values, tmp_path: Path
) -> None:
    one = SeriesSet.from_arrays(weekly(200, noise=0.05), frequency="D")

    def lost(**options: Any) -> Forecaster:
        return _fit(each("steps", learning_rate=0.9, noise=30.0, **options), one, "1 steps")

    model = lost()
    assert model.answers == "network"
    with pytest.warns(NetworkLoses, match=r"LOSES.*fallback='baseline'"):
        own = _numbers(model.predict(one))
    safe = lost(fallback="baseline")
    assert safe.evaluation is not None
    best = safe.evaluation.comparisons[-1].baseline_name
    assert safe.answers == best != "network"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = safe.predict(one)
    rival = next(one for one in safe.rivals.values() if one.name == best)
    expected = rival.rolling_quantiles(one.values[0], [200], 3, safe.quantiles)[0]
    np.testing.assert_allclose(_numbers(told)[:, 1:], expected)
    assert (_numbers(told) != own).any()
    loaded = unrolled.load(safe.save(tmp_path / "model.unrolled"))
    assert isinstance(loaded, Forecaster)
    assert loaded.answers == best
    assert loaded.predict(one).equals(told)


def test_a_network_that_wins_answers_itself(each: Make, weekly: Values) -> None:
    one = SeriesSet.from_arrays(weekly(120, noise=0.3), frequency="D")
    model = _fit(each("segments", fallback="baseline"), one, "2 steps")
    assert model.evaluation is not None
    loses = model.evaluation.comparisons[-1].verdict == "network loses"
    assert (model.answers == "network") is not loses


# The repair


@pytest.mark.parametrize("architecture", ["segments", "steps"])
def test_after_repair_the_intervals_hold_about_what_they_say(each: Make, architecture: str) -> None:
    """The network is made to believe in a tenth of the spread."""
    noise = np.random.default_rng(6).normal(20.0, 2.0, 900)
    one = SeriesSet.from_arrays(noise)
    model = _fit(each(architecture, horizon=2, members=1), one, "30 steps")
    engine = model._fitted.engine
    rolling = type(engine).rolling

    def narrow(self: Any, *given: Any) -> list[np.ndarray]:
        fans = rolling(self, *given)
        return [f[..., 4:5] + 0.1 * (f - f[..., 4:5]) for f in fans]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(engine), "rolling", narrow)
        scales = [model._fitted.scales[name] for name in one.ids]
        at = [np.arange(719, 898)]
        came = noise[at[0][:, None] + np.arange(1, 3)]
        raw = model._fitted.ask(one, at)[0]
        model._fitted.repair = learn_repair(model._fitted, one, [720], scales)
        repaired = model._fitted.repaired(one, at)[0]
    for low, high, nominal in ((2, 6, 0.8), (1, 7, 0.9), (0, 8, 0.95)):
        before, after = (
            ((came >= fans[..., low]) & (came <= fans[..., high])).mean()
            for fans in (raw, repaired)
        )
        assert before < 0.3
        assert after == pytest.approx(nominal, abs=0.05)


# Data at the edge


@EVERY
@pytest.mark.parametrize("holdout", [0, 0.0, 12, 0.2])
def test_what_is_held_out_is_a_share_or_steps_or_nothing(
    each: Make, beside: SeriesSet, architecture: str, holdout: float
) -> None:
    model = _fit(each(architecture), beside, holdout=holdout)
    ends = {"one": 60, "two": 75}
    for place, (name, n) in enumerate(ends.items()):
        kept = n - (round(holdout * n) if isinstance(holdout, float) else holdout)
        assert model.trained_until[name] == beside.times[place][kept - 1]
    assert (model.evaluation is None) is (holdout == 0)
    if holdout == 12:
        assert model.evaluation is not None
        assert "the last 12 steps of each series" in model.evaluation.held_out
    assert np.isfinite(_numbers(model.predict(beside))).all()


def test_a_holdout_shorter_than_the_horizon_is_refused(each: Make, beside: SeriesSet) -> None:
    with pytest.raises(unrolled.errors.ConfigError, match=r"holdout: got 2 steps, .* horizon, 3"):
        _fit(each("steps"), beside, holdout=2)


def _made(weekly: Values, case: str) -> SeriesSet:
    values: dict[str, np.ndarray] = {"usual": weekly(80, seed=1), "other": weekly(80, seed=2)}
    if case == "constant":
        values["other"] = np.full(80, 4.0)
    if case == "unknown tail":
        values["other"][60:] = np.nan
    if case == "unknown head":
        values["other"][:50] = np.nan
    if case == "short":
        values["other"] = weekly(16, seed=2)
    if case == "zeros":
        values["other"] = np.where(np.arange(80) % 5, 0.0, 7.0)
    if case == "negative":
        values["other"] -= 50.0
    if case == "large":
        values["other"] *= 1e9
    return SeriesSet.from_arrays(values, frequency="D")


@EVERY
@pytest.mark.parametrize(
    "case", ["constant", "unknown tail", "unknown head", "short", "zeros", "negative", "large"]
)
def test_odd_series_are_learnt_and_forecast_near_where_they_stand(
    each: Make, weekly: Values, architecture: str, case: str
) -> None:
    data = _made(weekly, case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model = _fit(each(architecture), data)
    assert all(np.isfinite(one["loss"]) for one in model.outcome.records if "loss" in one)
    assert all(weight.isfinite().all() for weight in _weights(model).values())
    assert model.evaluation is not None
    assert np.isfinite([one.network for one in model.evaluation.comparisons]).all()
    told = _numbers(model.predict(data))
    assert np.isfinite(told).all()
    other = data.values[1]
    known = other[np.isfinite(other)]
    reach = 6 * max(float(np.ptp(known)), 1.0)
    assert (np.abs(told[3:, 0] - known[-1]) < reach).all()


@EVERY
@pytest.mark.parametrize("horizon", [1, 9])
def test_a_horizon_of_one_and_one_beyond_a_season(
    each: Make, weekly: Values, architecture: str, horizon: int
) -> None:
    data = SeriesSet.from_arrays(weekly(90), frequency="D")
    model = _fit(each(architecture, horizon=horizon), data)
    table = model.predict(data)
    assert table.height == horizon
    assert (np.diff(_numbers(table)[:, 1:], axis=1) >= 0).all()


@EVERY
def test_without_a_horizon_it_is_one_season(each: Make, weekly: Values, architecture: str) -> None:
    daily = SeriesSet.from_arrays(weekly(90), frequency="D")
    assert _fit(each(architecture, horizon=None), daily, "1 steps").predict(daily).height == 7
    plain = SeriesSet.from_arrays(weekly(90))
    assert _fit(each(architecture, horizon=None), plain, "1 steps").predict(plain).height == 1


def test_counts_are_drawn_whole_and_never_below_0(each: Make, fans_at: Fans) -> None:
    data = _counts()
    model = _fit(each("autoregressive"), data)
    assert model.settings.head == "negative-binomial"
    (fans,) = model._fitted.ask(data, [np.arange(60, 88)])
    np.testing.assert_array_equal(fans, np.round(fans))
    assert (fans >= 0).all()
    assert np.ptp(fans) > 2
    assert (fans_at(model, data, {data.ids[0]: range(60, 86)})[data.ids[0]] >= 0).all()


def test_a_fan_is_the_same_whenever_it_is_asked_for(taught: Make, beside: SeriesSet) -> None:
    model = taught("autoregressive")
    before = torch.get_rng_state()
    one, other = model.predict(beside), model.predict(beside)
    assert one.equals(other)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_positive_series_gets_no_forecast_below_0(each: Make, weekly: Values) -> None:
    values = np.maximum(weekly(120) - 9.0, 0.0)
    data = SeriesSet.from_arrays(values, frequency="D")
    for architecture in ("steps", "segments", "autoregressive"):
        assert (_numbers(_fit(each(architecture), data).predict(data)) >= 0).all()


def test_a_network_that_goes_on_takes_the_new_learning_rate(each: Make, beside: SeriesSet) -> None:
    model = _fit(each("segments", warm_start=True), beside)
    before = {name: weight.clone() for name, weight in _weights(model).items()}
    _fit(model.set_params(learning_rate=1e-12), beside)
    for name, weight in _weights(model).items():
        torch.testing.assert_close(weight, before[name], atol=1e-7, rtol=0)


def test_a_held_out_part_without_a_logarithm_costs_no_fit(each: Make) -> None:
    """The rivals saw positive values only; what comes later must not end the fit."""
    random = np.random.default_rng(2)
    prices = 100 * np.exp(np.cumsum(0.05 * random.normal(size=200)))
    series = SeriesSet.from_arrays(np.append(prices, [-1.0, 0.0, 5.0] * 10), frequency="D")
    model = _fit(each("segments"), series, holdout=30)
    assert "ewma" in model.rivals
    assert model.evaluation is not None
    assert np.isfinite(_numbers(model.predict(series))).all()


def test_an_automatic_fit_stopped_after_its_trials_resumes_to_the_same_weights(
    small: Make, gaps: SeriesSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "LEAST_STEPS", 2)
    options: dict[str, Any] = {"architecture": "auto", "lookback": 14, "members": 1, "paths": 8}
    whole = _fit(small(**options), gaps, "10 steps", run_dir=tmp_path / "whole")
    assert len(whole.trials) == 2

    first = Trainer.train

    def stops(self: Trainer) -> Any:
        outcome = first(self)
        if self.title == "forecaster":  # the checkpoint of the run itself is written
            raise _Interrupted
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train", stops)
        with pytest.raises(_Interrupted):
            _fit(small(**options), gaps, "10 steps", run_dir=tmp_path / "run")
    resumed = _fit(small(**options), gaps, "10 steps", run_dir=tmp_path / "run", resume=True)
    assert [trial.score for trial in resumed.trials] == [trial.score for trial in whole.trials]
    assert _same_weights(resumed, whole)


def test_nothing_is_tried_where_nothing_is_kept_back_to_score_it_on(
    small: Make, gaps: SeriesSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "LEAST_STEPS", 2)
    options: dict[str, Any] = {"architecture": "auto", "lookback": 14, "members": 1}
    assert len(_fit(small(**options), gaps, "10 steps").trials) == 2
    assert _fit(small(**options, validation=0), gaps, "10 steps").trials == []


def test_refits_before_moments_with_enough_to_learn_from_each_with_the_rivals_of_all(
    each: Make, weekly: Values
) -> None:
    """The short series gives fewer moments; before the first there is too little for ridge."""
    series = SeriesSet.from_arrays({"a": weekly(40, 1), "b": weekly(14, 2)}, frequency="D")
    model = _fit(each("segments"), series, holdout=3)
    found = model.backtest(series, 50, refit=True, budget="1 steps", progress=False)
    horizon = model.settings.horizon
    assert {name: int(at.min()) >= horizon + 1 for name, at in found.origins.items()} == {
        "a": True,
        "b": True,
    }
    assert all(np.isfinite(one["MASE"]) for one in found.scores.values())


def test_a_history_without_any_category_is_read_as_in_training(each: Make, weekly: Values) -> None:
    """Alone, an empty column reads as numbers, and so do categories that are whole numbers."""
    stamps = np.datetime64("2024-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
    table = pl.DataFrame({"ds": stamps, "y": weekly(60, 1), "kind": ["a", "1", "b", "2"] * 15})
    model = _fit(each("segments"), table, past_columns="kind", value_columns="y")
    for kind in (pl.Float64, pl.Null):
        empty = table.with_columns(kind=pl.lit(None, dtype=kind))
        assert np.isfinite(_numbers(model.predict(empty))).all()
    numbers = table.with_columns(kind=pl.Series([1, 2, 2] * 20))
    text = table.with_columns(kind=pl.Series(["1", "2", "2"] * 20))
    assert model.predict(numbers).equals(model.predict(text))


def test_a_series_of_which_nothing_is_asked_gets_nothing(small: Make, gaps: SeriesSet) -> None:
    model = small().fit(gaps, budget="2 steps", progress=False)
    none, last = np.empty(0, dtype=np.int64), np.array([len(gaps.values[1]) - 1])
    first, second = model._fitted.repaired(gaps, [none, last])
    assert first.shape == (0, 3, len(model.quantiles))
    assert second.shape == (1, 3, len(model.quantiles))
    assert np.isfinite(second).all()
