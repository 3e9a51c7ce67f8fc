"""The network learns what is there to be learnt: a few seconds, and the rival is far behind."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster
from unrolled.tasks.forecasting.gate import CRPS, MASE

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")


def test_the_network_beats_the_rival_on_a_wave_with_a_week_in_it() -> None:
    """The wave of 29 days defeats "as a week ago", the week defeats "as yesterday"."""
    days = np.arange(500)
    week = np.tile([0.0, 1.0, 3.0, 2.0, 0.0, -4.0, -2.0], 72)[:500]
    series = SeriesSet.from_arrays(5 * np.sin(2 * np.pi * days / 29) + week, frequency="D")
    model = Forecaster(
        "steps",
        5,
        hidden_size=32,
        members=1,
        dropout=0.0,
        noise=0.0,
        device="cpu",
        learning_rate=0.02,
    )
    model.fit(series, budget="150 steps", progress=False)
    evaluation = model.evaluation
    assert evaluation is not None
    # Ridge regression knows this wave by heart, and is no measure here.
    for metric in (MASE, CRPS):
        for rival in (model.rivals["naive"], model.rivals["seasonal"]):
            assert evaluation[metric] < 0.5 * evaluation[f"{metric}, {rival.name}"], rival.name
    records = [record["loss"] for record in model.outcome.records if "loss" in record]
    assert np.mean(records[-10:]) < 0.3 * np.mean(records[:10])


def test_the_quantiles_are_those_of_the_noise() -> None:
    """Nothing can be learnt of noise but its size: nine in ten values lie inside."""
    noise = np.random.default_rng(1).normal(0.0, 2.0, 1500)
    series = SeriesSet.from_arrays(7.0 + noise)
    model = Forecaster("steps", 1, hidden_size=8, members=1, device="cpu", learning_rate=0.02)
    model.fit(series, budget="150 steps", progress=False)
    assert model.evaluation is not None
    assert model.evaluation["coverage of the 90% interval"] == pytest.approx(0.9, abs=0.05)
    assert model.evaluation["coverage of the 50% interval"] == pytest.approx(0.5, abs=0.08)
    # The best guess is the mean, which is better than the last value by a factor of sqrt(2).
    naive = model.evaluation[f"{MASE}, {model.rivals['naive'].name}"]
    assert model.evaluation[MASE] == pytest.approx(naive / np.sqrt(2), rel=0.1)
