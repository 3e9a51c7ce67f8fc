"""`unrolled backtest`."""

from __future__ import annotations

import json

import polars as pl
import pytest

import unrolled
from unrolled.tasks.forecasting.calibration import Audit


def test_scores_and_calibration_are_those_of_python(call, forecaster, table):
    told = call("backtest", forecaster, table, "--windows", 3, "--stride", 2)
    assert told.code == 0, told.err
    found = unrolled.load(forecaster).backtest(table, 3, stride=2)
    assert told.out == f"{found}\n"
    for name in found.scores:
        assert f"\n{name} " in f"\n{told.out}"
    assert "hold before repair" in told.out


def test_every_forecast_goes_to_a_table(call, forecaster, table, tmp_path):
    out = tmp_path / "back.parquet"
    assert call("backtest", forecaster, table, "--windows", 3, "--out", out).code == 0
    frame = pl.read_parquet(out)
    assert frame.columns[:5] == ["unique_id", "cutoff", "ds", "y", "forecast"]
    assert len(frame) == 2 * 3 * 3
    assert (frame["cutoff"] < frame["ds"]).all()


def test_json_holds_scores_and_both_audits(call, forecaster, table):
    found = json.loads(call("backtest", forecaster, table, "--json").out)
    expected = unrolled.load(forecaster).backtest(table)
    assert found["scores"]["network"] == pytest.approx(expected.scores["network"].overall)
    assert Audit.from_dict(found["before"]) == expected.before
    assert Audit.from_dict(found["after"]) == expected.after


def test_a_backtest_can_be_drawn(call, forecaster, table, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    plot = tmp_path / "back.png"
    told = call("backtest", forecaster, table, "--plot", plot)
    assert told.code == 0, told.err
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_with_refit_earlier_moments_count_too(call, forecaster, table):
    told = call("backtest", forecaster, table, "--windows", 9, "--refit", "--budget", "1 steps")
    assert told.code == 0, told.err
    assert "learnt anew before each" in told.out


def test_a_budget_without_refit_is_refused(call, forecaster, table):
    told = call("backtest", forecaster, table, "--budget", "1m")
    assert told.code == 2
    assert told.err.startswith("unrolled: --budget: for --refit only")


def test_only_forecasters_are_tested_on_the_past(call, generator, table):
    told = call("backtest", generator, table)
    assert told.code == 2
    assert f"{generator} holds a Generator" in told.err


def test_a_series_without_anything_behind_the_training_is_named(call, forecaster, table, tmp_path):
    early = tmp_path / "early.csv"
    early.write_text("\n".join([*table.read_text().splitlines()[:60], ""]))
    told = call("backtest", forecaster, early)
    assert told.code == 2
    assert f"{early}: series 'tea'" in told.err


@pytest.mark.parametrize("option", ["--windows", "--stride"])
def test_nothing_at_all_cannot_be_tested(call, forecaster, table, option):
    told = call("backtest", forecaster, table, option, 0)
    assert told.code == 2
    assert option.strip("-") in told.err


def test_json_stays_strict_where_nothing_came_true_at_a_step(call, forecaster, table, tmp_path):
    holes = tmp_path / "holes.csv"
    lines = table.read_text().splitlines()
    holes.write_text("\n".join([*lines[:-1], f"{lines[-1].split(',')[0]},,", ""]))
    told = call("backtest", forecaster, holes, "--windows", 1, "--json")
    assert told.code == 0, told.err
    assert "NaN" not in told.out
    assert json.loads(told.out)["after"]["intervals"][0]["covered_by_step"][-1] is None
