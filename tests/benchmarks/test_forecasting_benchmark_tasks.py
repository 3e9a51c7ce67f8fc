"""Each forecasting task asks what it says, of the data that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from forecast_tasks import coverage, covid, etth1, illness, m4, scale, stocks, weather
from forecast_tasks.contest import Contest, rolling
from forecast_tasks.runs import Request

from unrolled.data.series_set import SeriesSet


def test_ten_thousand_series_are_read_learnt_and_forecast_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "SERIES", 12)
    monkeypatch.setattr(scale, "POINTS", 300)
    options = {"hidden_size": 4, "lookback": 48}
    (part,) = scale.run(Request("scale", budget="2 steps", options=options))
    assert part["part"] == "12 series of 300 points"
    assert part["took"]["network"]["steps"] == 2
    figures = {one["metric"]: one["figure"] for one in part["goals"]}
    assert figures.keys() == scale.GOALS.keys()
    assert all(np.isfinite(one) and one > 0 for one in figures.values())


def test_naive2_has_an_owa_of_one() -> None:
    values = np.tile(np.arange(1.0, 25.0), 8)
    series = SeriesSet.from_arrays([values + np.arange(len(values))], ids=["a"], frequency="h")
    own = Contest("x", series, (96,), (np.array([95]),), 48, m4.LEVELS, "x")
    fans = [np.repeat(1.1 * one[..., None], 9, axis=-1) for one in own.actual]
    found = m4.measure(own, fans, [fan[..., 4] for fan in fans])
    wanted = (found["sMAPE"] / m4.NAIVE2[0] + found["MASE"] / m4.NAIVE2[1]) / 2
    assert found["OWA"] == wanted
    # Every forecast a tenth too high: a sMAPE of 200 * .1 / 2.1; a season ago lies 24 below.
    assert found["sMAPE"] == pytest.approx(20 / 2.1)
    assert found["MASE"] == pytest.approx(0.1 * own.actual[0].mean() / 24)


def test_an_interval_of_a_price_is_scored_as_one_of_its_log_return() -> None:
    prices = 100 * np.exp(np.random.default_rng(0).normal(0, 0.01, 100).cumsum())
    series = SeriesSet.from_arrays([prices], ids=["a"], frequency="B")
    own = rolling(series, 2, "test", name="x", levels=stocks.LEVELS)
    edges = np.array([-0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03])
    fans = [prices[own.origins[0]][:, None, None] * np.exp(np.broadcast_to(edges, (19, 2, 7)))]
    found = stocks.measure(own, fans, [fan[..., 3] for fan in fans])
    returns = np.log(own.actual[0] / prices[own.origins[0]][:, None])
    beyond = np.maximum(np.abs(returns) - 0.02, 0)
    assert found["IS80"] == pytest.approx(float((0.04 + 10 * beyond).mean()))
    assert found["IS80 last step"] == pytest.approx(float((0.04 + 10 * beyond[:, 1]).mean()))
    assert found["in 80%"] == pytest.approx(float((np.abs(returns) <= 0.02).mean()))
    assert found["MAE"] == pytest.approx(float(np.abs(returns).mean()))


def test_coverage_is_the_share_that_an_interval_holds() -> None:
    series = SeriesSet.from_arrays([np.arange(1.0, 101.0)], ids=["a"], frequency="D")
    own = rolling(series, 1, "test", name="x", levels=coverage.LEVELS)
    around = own.actual[0][..., None] + np.array([-3.0, -2, -1, 0, 1, 2, 3])
    around[:5] += 2.5  # beyond the 80% interval, inside of the 95% one
    found = coverage.held(own, [around])
    assert found["in 80%"] == 0.75
    assert found["in 95%"] == 1.0
    assert found["width 80%"] == pytest.approx(4 / own.actual[0].mean())


@pytest.mark.data
@pytest.mark.parametrize(
    ("make", "series", "forecasts"),
    [
        (lambda: m4.contest("test"), 414, 414),
        (lambda: m4.contest("validation"), 414, 3 * 414),
        (lambda: etth1.contest("test"), 7, 7 * 2785),
        (lambda: illness.contests(24, "test")[0], 1, 194 - 23),
        (lambda: covid.contest("test"), 191, 191 * 43),
        (lambda: stocks.contest("sp500-daily", 21, "test"), 1, 1021 - 20),
        (lambda: rolling(weather.series(beside=True), 24, "test", name="x"), 1, 7013 - 23),
    ],
)
def test_a_task_asks_for_so_many_forecasts(
    make: Callable[[], Contest], series: int, forecasts: int
) -> None:
    own = make()
    assert (len(own.series), own.count) == (series, forecasts)
    assert all(np.isfinite(one).all() for one in own.actual)


@pytest.mark.data
def test_the_validation_part_of_m4_ends_before_the_test_part() -> None:
    test, own = m4.contest("test"), m4.contest("validation")
    for whole, known, at in zip(test.series.values, own.series.values, own.origins, strict=True):
        np.testing.assert_array_equal(whole[:-48], known)
        assert at[-1] + 48 == len(known) - 1
    cuts = replace(own, cuts=test.cuts).past
    assert all(len(one) == cut for one, cut in zip(cuts, test.cuts, strict=True))
