"""What can't work is said in one plain line, before any training, and costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled.data.batching import WindowBatches
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError, DataWarning, NotFittedError, UnrolledError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")

Make = Callable[..., Forecaster]
Values = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def days(weekly: Values) -> SeriesSet:
    return SeriesSet.from_arrays({"a": weekly(60, 1), "b": weekly(60, 2)}, frequency="D")


@pytest.fixture(scope="module")
def learnt(small: Make, days: SeriesSet) -> Forecaster:
    return small().fit(days, budget="1 steps", progress=False)


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong must be found before the first batch is read."""

    def read(self: WindowBatches, step: int) -> Any:
        raise AssertionError("a batch was read")

    monkeypatch.setattr(WindowBatches, "__getitem__", read)


def _one_line(error: pytest.ExceptionInfo[UnrolledError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("horizon", 0),
        ("horizon", -1),
        ("horizon", 2.5),
        ("horizon", "7"),
        ("horizon", True),
        ("hidden_size", 0),
        ("layers", 0),
        ("batch_size", 0),
        ("lookback", 0),
        ("lookback", (12, 0)),
        ("segment", 0),
        ("paths", 0),
        ("architecture", "transformer"),
        ("architecture", 7),
        ("head", "cauchy"),
        ("head", "normal"),
        ("normalise", "always"),
        ("shortcut", "long"),
        ("validation", 1.0),
        ("fallback", "naive"),
        ("patience", 0),
        ("directions", 2),
        ("cell", "transformer"),
        ("members", 0),
        ("members", "many"),
        ("members", 1.5),
        ("quantiles", (0.1, 0.9)),
        ("quantiles", (0.9, 0.5, 0.1)),
        ("quantiles", (0.5, 0.5)),
        ("quantiles", (0.0, 0.5)),
        ("quantiles", (0.5, 1.0)),
        ("quantiles", (0.5, float("nan"))),
        ("quantiles", ()),
        ("quantiles", 0.5),
        ("quantiles", None),
        ("quantiles", ("low", "high")),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("noise", -0.1),
        ("noise", float("nan")),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("seed", -1),
        ("device", "abacus"),
        ("precision", "fp1"),
    ],
)
def test_an_argument_that_cannot_work_is_named(
    small: Make, days: SeriesSet, argument: str, value: object
) -> None:
    with pytest.raises(ConfigError) as error:
        small(**{argument: value}).fit(days, budget="1 steps", progress=False)
    assert argument in _one_line(error)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("holdout", [1.0, -0.2, 1.5, float("nan"), -3, True, "all"])
def test_a_share_that_leaves_nothing_on_one_side_is_named(
    small: Make, days: SeriesSet, holdout: float
) -> None:
    with pytest.raises(ConfigError, match="holdout: got"):
        small().fit(days, budget="1 steps", holdout=holdout, progress=False)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("budget", ["soon", "0s", "-5 steps", 0, "1.5 steps", ""])
def test_a_budget_that_is_none_is_named(small: Make, days: SeriesSet, budget: Any) -> None:
    with pytest.raises(ConfigError, match="budget: got"):
        small().fit(days, budget=budget, progress=False)


@pytest.mark.usefixtures("no_training")
def test_a_series_too_short_for_the_horizon_is_named_with_its_file(
    small: Make, tmp_path: Path
) -> None:
    file = tmp_path / "short.csv"
    rows = [f"tiny,2024-01-{day:02},{day}" for day in range(1, 10)]
    file.write_text("unique_id,ds,y\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError) as error:
        small(horizon=4).fit(file, budget="1 steps", progress=False)
    text = _one_line(error)
    assert str(file) in text
    assert "series 'tiny' has 9 values, expected at least 10 for a horizon of 4" in text


def test_a_series_too_short_to_learn_from_is_left_out_told_and_still_forecast(
    small: Make, weekly: Values
) -> None:
    series = SeriesSet.from_arrays({"long": weekly(60), "tiny": weekly(9, seed=2)}, frequency="D")
    with pytest.warns(DataWarning, match="left out") as told:
        model = small(horizon=4).fit(series, budget="1 steps", progress=False)
    assert "'tiny'" in str(told[0].message)
    assert list(model.trained_until) == ["long"]
    found = model.predict(series)
    assert found["unique_id"].unique().sort().to_list() == ["long", "tiny"]
    assert np.isfinite(found["forecast"].to_numpy()).all()


@pytest.mark.parametrize(("horizon", "holdout"), [(1, 0.2), (4, 0.2), (7, 0.3), (3, 0.5), (2, 0.9)])
def test_as_many_values_as_the_error_asks_for_are_enough(
    small: Make, weekly: Values, horizon: int, holdout: float
) -> None:
    model = small(horizon=horizon)
    with pytest.raises(DataError, match="expected at least") as error:
        model.fit(weekly_days(weekly(2)), budget=1, holdout=holdout, progress=False)
    needed = int(str(error.value).partition("at least ")[2].partition(" ")[0])
    model.fit(weekly_days(weekly(needed)), budget=1, holdout=holdout, progress=False)
    assert model.predict(weekly_days(weekly(needed))).height == horizon


def weekly_days(values: np.ndarray) -> SeriesSet:
    return SeriesSet.from_arrays(values, frequency="D")


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        (slice(0, 60), "series 'late' has fewer than 2 known values before its held-out part"),
        (slice(0, 47), "series 'late' has fewer than 2 known values before its held-out part"),
    ],
)
def test_a_series_that_begins_behind_the_training_part_is_named(
    small: Make, weekly: Values, unknown: slice, said: str
) -> None:
    late = weekly(60)
    late[unknown] = np.nan
    data = SeriesSet.from_arrays({"late": late}, frequency="D")
    with pytest.raises(DataError, match=said):
        small().fit(data, budget="1 steps", progress=False)


@pytest.mark.usefixtures("no_training")
def test_a_held_out_end_of_unknown_values_is_said_before_training(
    small: Make, weekly: Values
) -> None:
    values = weekly(60)
    values[48:] = np.nan
    with pytest.raises(DataError, match="no series has a known value in its held-out part"):
        small().fit(weekly_days(values), budget="1 steps", progress=False)


def test_a_missing_file_is_a_plain_line(small: Make, tmp_path: Path) -> None:
    with pytest.raises(UnrolledError, match=r"nowhere\.csv") as error:
        small().fit(tmp_path / "nowhere.csv", budget="1 steps", progress=False)
    _one_line(error)


def test_another_frequency_is_refused(learnt: Forecaster, weekly: Values) -> None:
    hourly = SeriesSet.from_arrays(weekly(60), frequency="h")
    for ask in (learnt.predict, learnt.evaluate, learnt.start):
        with pytest.raises(DataError, match="is hourly, the model learnt daily ones"):
            ask(hourly)
    with pytest.raises(DataError, match="is hourly, the model learnt daily ones"):
        learnt.backtest(hourly, origins={"y": [30]})


def test_going_on_with_another_frequency_is_refused(
    small: Make, days: SeriesSet, weekly: Values
) -> None:
    model = small(warm_start=True).fit(days, budget="1 steps", progress=False)
    with pytest.raises(DataError, match="is hourly, the model learnt daily ones"):
        model.fit(SeriesSet.from_arrays(weekly(60), frequency="h"), budget=1, progress=False)


@pytest.mark.parametrize("changed", [{"horizon": 4}, {"hidden_size": 9}, {"cell": "gru"}])
def test_going_on_with_another_network_is_refused(
    small: Make, days: SeriesSet, changed: dict[str, Any]
) -> None:
    model = small(warm_start=True).fit(days, budget="1 steps", progress=False)
    with pytest.raises(ConfigError, match="warm_start"):
        model.set_params(**changed).fit(days, budget="1 steps", progress=False)


def test_a_history_without_a_known_value_is_refused(learnt: Forecaster) -> None:
    nothing = SeriesSet.from_arrays({"a": np.full(9, np.nan)}, frequency="D")
    with pytest.raises(DataError, match="series 'a' has no known value to forecast from"):
        learnt.predict(nothing)


def test_an_unknown_series_is_named(learnt: Forecaster, days: SeriesSet) -> None:
    with pytest.raises(DataError, match="there is no series 'c': choose from a, b"):
        learnt.backtest(days, origins={"c": [3]})


@pytest.mark.parametrize("origins", [[60], [-1], [], [3, 60]])
def test_origins_outside_the_series_are_named(
    learnt: Forecaster, days: SeriesSet, origins: list[int]
) -> None:
    with pytest.raises(ConfigError, match=r"origins: got .* for series 'a', expected .* 0 to 59"):
        learnt.backtest(days, origins={"a": origins})


@pytest.mark.parametrize("quantiles", [[0.3], 0.5, ["low"], [float("nan")]])
def test_a_level_that_was_not_learnt_is_named(
    learnt: Forecaster, days: SeriesSet, quantiles: Any
) -> None:
    with pytest.raises(ConfigError, match="quantiles: got"):
        learnt.predict(days, quantiles=quantiles)


@pytest.mark.parametrize("length", [2, 9, 14])
def test_too_little_to_score_is_said(learnt: Forecaster, weekly: Values, length: int) -> None:
    data = SeriesSet.from_arrays({"new": weekly(length)}, frequency="D")
    if length >= 14:
        assert np.isfinite(learnt.evaluate(data)["MASE"])
        return
    with pytest.raises(DataError, match=r"series 'new' has \d values to score on after"):
        learnt.evaluate(data)


def test_nothing_is_answered_before_fit(small: Make, days: SeriesSet, tmp_path: Path) -> None:
    model = small()
    for ask in (model.predict, model.evaluate):
        with pytest.raises(NotFittedError, match="call fit"):
            ask(days)
    with pytest.raises(NotFittedError, match="call fit"):
        model.backtest(days, origins={"a": [30]})
    with pytest.raises(NotFittedError, match="call fit"):
        model.save(tmp_path / "model.unrolled")
    assert list(tmp_path.iterdir()) == []


def test_a_fit_that_fails_leaves_the_model_that_was_there(
    small: Make, days: SeriesSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small(warm_start=True).fit(days, budget="2 steps", progress=False)
    told, scored = model.predict(days), model.evaluation
    read = WindowBatches.__getitem__

    def breaks(self: WindowBatches, step: int) -> Any:
        if step == 2:
            raise RuntimeError("the machine went down")
        return read(self, step)

    monkeypatch.setattr(WindowBatches, "__getitem__", breaks)
    with pytest.raises(RuntimeError, match="went down"):
        model.fit(days, budget="5 steps", holdout=0.4, progress=False)
    assert model.predict(days).equals(told)
    assert model.evaluation is scored


def test_a_run_with_other_arguments_is_not_resumed(
    small: Make, days: SeriesSet, tmp_path: Path
) -> None:
    small().fit(days, budget="2 steps", run_dir=tmp_path, progress=False)
    before = (tmp_path / "checkpoint.unrolled").read_bytes()
    for other, said in (({"horizon": 4}, "horizon"), ({"seed": 1}, "seed")):
        with pytest.raises(ConfigError, match=said):
            small(**other).fit(
                days, budget="2 steps", run_dir=tmp_path, resume=True, progress=False
            )
    with pytest.raises(ConfigError, match="resume=True"):
        small().fit(days, budget="2 steps", run_dir=tmp_path, progress=False)
    with pytest.raises(ConfigError, match="holdout"):
        small().fit(
            days, budget="2 steps", holdout=0.3, run_dir=tmp_path, resume=True, progress=False
        )
    assert (tmp_path / "checkpoint.unrolled").read_bytes() == before


def test_a_diverging_run_says_what_to_do(small: Make, days: SeriesSet) -> None:
    model = small(learning_rate=0.99)
    with pytest.MonkeyPatch.context() as patch:
        original = WindowBatches.__getitem__

        def poisoned(self: WindowBatches, step: int) -> Any:
            batch = original(self, step)
            batch.inputs.fill_(torch.inf)
            return batch

        patch.setattr(WindowBatches, "__getitem__", poisoned)
        with pytest.raises(unrolled.errors.TrainingDiverged, match="lower learning_rate"):
            model.fit(days, budget="2 steps", progress=False)
    with pytest.raises(NotFittedError):
        model.predict(days)


def test_the_numbers_of_numpy_are_as_good_as_pythons(
    small: Make, days: SeriesSet, tmp_path: Path
) -> None:
    """Parameter grids give them, of 32 bits too; a model's file holds plain ones."""
    options = {"dropout": 0.25, "learning_rate": 0.5, "noise": 0.5, "validation": 0.25}
    plain = small(**options, horizon=4).fit(days, budget="2 steps", holdout=0.25, progress=False)
    given: dict[str, Any] = {name: np.float32(value) for name, value in options.items()}
    model = small(**given, horizon=np.int64(4))
    model.fit(days, budget="2 steps", holdout=np.float32(0.25), progress=False)
    loaded = unrolled.load(model.save(tmp_path / "numpy.unrolled"))
    assert isinstance(loaded, Forecaster)
    assert loaded.settings == plain.settings
    assert loaded.predict(days).equals(plain.predict(days))
