"""The network learns what is there to be learnt: a few seconds, and the rival is far behind."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecaster import Forecaster


def test_the_network_beats_the_rival_on_a_wave_with_a_week_in_it() -> None:
    """The wave of 29 days defeats "as a week ago", the week defeats "as yesterday"."""
    days = np.arange(500)
    week = np.tile([0.0, 1.0, 3.0, 2.0, 0.0, -4.0, -2.0], 72)[:500]
    series = SeriesSet.from_arrays(5 * np.sin(2 * np.pi * days / 29) + week, frequency="D")
    model = Forecaster(
        5, hidden_size=32, members=1, dropout=0.0, noise=0.0, device="cpu", learning_rate=0.02
    )
    model.fit(series, budget="150 steps", progress=False)
    assert model.evaluation is not None
    for comparison in model.evaluation.comparisons:
        assert comparison.network < 0.4 * comparison.baseline, str(comparison)
    records = [record["loss"] for record in model.outcome.records if "loss" in record]
    assert np.mean(records[-10:]) < 0.3 * np.mean(records[:10])


def test_the_quantiles_are_those_of_the_noise() -> None:
    """Nothing can be learnt of noise but its size: nine in ten values lie inside."""
    noise = np.random.default_rng(1).normal(0.0, 2.0, 1500)
    series = SeriesSet.from_arrays(7.0 + noise)
    model = Forecaster(1, hidden_size=8, members=1, device="cpu", learning_rate=0.02)
    model.fit(series, budget="150 steps", progress=False)
    assert model.evaluation is not None
    assert model.evaluation["coverage of the 90% interval"] == pytest.approx(0.9, abs=0.05)
    # The best guess is the mean, which is better than the last value by a factor of sqrt(2).
    assert model.evaluation.comparisons[0].network == pytest.approx(
        model.evaluation.comparisons[0].baseline / np.sqrt(2), rel=0.1
    )
