"""What a forecaster says on its way, and forecasts of many series part by part."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import numpy as np
import pytest

from unrolled.data.series_set import SeriesSet
from unrolled.errors import DataWarning
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster
from unrolled.tasks.forecasting import asker, auto, fitted
from unrolled.training.loop import Trainer

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")

Make = Callable[..., Forecaster]
Values = Callable[..., np.ndarray]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def five(weekly: Values) -> SeriesSet:
    return SeriesSet.from_arrays([weekly(90, seed) for seed in range(5)], frequency="D")


@pytest.fixture(scope="module")
def learnt(small: Make, five: SeriesSet) -> Forecaster:
    return small().fit(five, budget="4 steps", progress=False)


def test_what_the_doctor_found_is_told_before_the_training_and_not_warned_of(
    small: Make, weekly: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def train(trainer: Trainer) -> object:
        said.append("trained")
        return trained(trainer)

    trained = Trainer.train
    monkeypatch.setattr(Trainer, "train", train)
    coded = weekly(90)
    coded[40:44] = -9999
    series = SeriesSet.from_arrays(coded, frequency="D")
    model = small()
    model.fit(series, budget="2 steps", progress=False, tell=said.append)
    assert said == [str(model.checkup), "trained"]
    assert "warning: outliers" in said[0]
    with pytest.warns(DataWarning, match="outliers"):
        small().fit(series, budget="2 steps", progress=False)


def test_what_auto_tried_is_told(
    small: Make, weekly: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "LEAST_STEPS", 2)
    said: list[str] = []
    series = SeriesSet.from_arrays(weekly(90), frequency="D")
    model = small(architecture="auto")
    model.fit(series, budget="12 steps", progress=False, diagnose=False, tell=said.append)
    assert model.trials
    assert said[1:] == [f"tried {trial}" for trial in model.trials]


def test_series_forecast_part_by_part_are_those_forecast_at_once(
    learnt: Forecaster, five: SeriesSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few that it matters for the repair among how many series they are shared out.
    monkeypatch.setattr(fitted, "MOST_FOLLOWED", 25)
    whole = learnt.predict(five)
    monkeypatch.setattr(asker, "AT_ONCE", 2)
    parts = learnt.predict(five)
    assert parts.select("unique_id", "ds").equals(whole.select("unique_id", "ds"))
    said = [name for name in whole.columns if name not in ("unique_id", "ds")]
    np.testing.assert_allclose(parts.select(said), whole.select(said), rtol=1e-5)


def test_a_terminal_shows_how_many_series_are_forecast(
    learnt: Forecaster, five: SeriesSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    learnt.predict(five)
    assert terminal.getvalue() == ""
    monkeypatch.setattr(asker, "AT_ONCE", 2)
    learnt.predict(five, progress=False)
    assert terminal.getvalue() == ""
    learnt.predict(five)
    assert "5 of 5 series" in terminal.getvalue()


@pytest.mark.parametrize(
    "wrong",
    [
        {"shortcut": "long"},
        {"head": "tail"},
        {"normalise": "never"},
        {"holidays": "Atlantis"},
        {"device": "toaster"},
    ],
)
def test_a_name_that_is_not_known_is_refused_before_anything_is_read(
    small: Make, wrong: dict[str, str]
) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name.removesuffix("s")):
        small(**wrong).fit("no-such-file.csv")


def test_a_share_of_a_short_series_is_one_horizon_at_least(small: Make, weekly: Values) -> None:
    # 20% of 48 months are fewer than the 12 that are asked for.
    four_years = SeriesSet.from_arrays(weekly(48), frequency="MS")
    model = small(horizon=12).fit(four_years, budget="2 steps", progress=False)
    assert model.evaluation is not None
    assert model.evaluation.held_out == "the last 20% of each series, but at least 12 steps"
    assert model.trained_until["y"] == four_years.times[0][35]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"head": "negative-binomial"}, {"segments", "autoregressive"}),
        ({"head": "quantiles"}, {"segments", "steps"}),
        ({"lookback": (14, 28)}, {"segments"}),
        ({"segment": 7}, {"segments"}),
        ({"shortcut": "none"}, {"segments"}),
        ({"normalise": "window"}, {"segments", "autoregressive"}),
    ],
)
def test_auto_tries_only_what_can_do_as_asked(
    small: Make,
    weekly: Values,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, object],
    expected: set[str],
) -> None:
    monkeypatch.setattr(auto, "LEAST_STEPS", 2)
    series = SeriesSet.from_arrays(np.round(weekly(90)), frequency="D")
    model = small(architecture="auto", **asked)
    model.fit(series, budget="15 steps", progress=False, diagnose=False)
    assert {trial.name for trial in model.trials[: len(expected)]} == expected
    model.fit(series, budget="2 steps", progress=False, diagnose=False)
    assert not model.trials
    assert model.settings.architecture in expected
