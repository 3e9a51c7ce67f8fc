"""`unrolled predict`."""

from __future__ import annotations

import io
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import unrolled
from unrolled.tasks.evaluation import NetworkLoses

# Four steps of training lose to any rival, which `predict` says each time.
pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")


def test_a_forecast_is_csv_on_standard_output(call, forecaster, table):
    told = call("predict", forecaster, table)
    assert told.code == 0
    frame = pl.read_csv(io.StringIO(told.out), try_parse_dates=True)
    model = unrolled.load(forecaster)
    expected = model.predict(table)
    assert frame.columns == ["unique_id", "ds", "forecast", *(f"q{q:g}" for q in model.quantiles)]
    assert frame["ds"].to_list() == expected["ds"].cast(pl.Date).to_list()
    assert_frame_equal(frame.drop("ds"), expected.drop("ds"), rel_tol=1e-7)


def test_quantiles_are_chosen_by_level(call, forecaster, table):
    told = call("predict", forecaster, table, "--quantile", "0.1", "--quantile", "0.9")
    assert told.out.startswith("unique_id,ds,forecast,q0.1,q0.9\n")
    refused = call("predict", forecaster, table, "--quantile", "0.33")
    assert refused.code == 2
    assert "0.33" in refused.err


@pytest.mark.parametrize("name", ["next.csv", "next.parquet"])
def test_a_forecast_goes_to_a_file_that_is_complete_or_absent(
    call, forecaster, table, tmp_path, name
):
    out = tmp_path / name
    out.write_text("what was there")
    refused = call("predict", forecaster, tmp_path / "no.csv", "--out", out)
    assert refused.code == 2
    assert out.read_text() == "what was there"
    told = call("predict", forecaster, table, "--out", out)
    assert (told.code, told.out) == (0, "")
    frame = pl.read_csv(out) if name.endswith("csv") else pl.read_parquet(out)
    expected = unrolled.load(forecaster).predict(table).drop("ds")
    assert_frame_equal(frame.drop("ds"), expected, rel_tol=1e-7)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["next.xlsx", "no-such-folder/next.csv"])
def test_an_output_that_cannot_be_written_is_bad_input(call, forecaster, table, tmp_path, name):
    told = call("predict", forecaster, table, "--out", tmp_path / name)
    assert told.code == 2
    assert str(tmp_path / name) in told.err
    assert list(tmp_path.iterdir()) == []


def test_a_generator_writes_what_python_writes(call, generator):
    words = ("--prompt", "The ", "--length", 30, "--temperature", 0.5, "--top-k", 9, "--top-p", 0.9)
    told = call("predict", generator, *words, "--seed", 4)
    options = {"length": 30, "temperature": 0.5, "top_k": 9, "top_p": 0.9, "seed": 4}
    assert told.out == unrolled.load(generator).generate("The ", **options) + "\n"
    assert told.code == 0


def test_suggestions_come_with_probabilities(call, generator):
    told = call("predict", generator, "--prompt", "The ", "--suggest", 3)
    expected = unrolled.load(generator).suggest("The ", 3)
    assert told.out == "".join(f"{share:.3f}  {word}\n" for word, share in expected)


def test_suggestions_take_no_option_of_drawing(call, generator):
    told = call("predict", generator, "--suggest", 3, "--seed", 1, "--length", 9)
    assert told.code == 2
    assert told.err.startswith("unrolled: --length, --seed: can't go together with --suggest")


def test_an_option_of_the_other_task_is_refused_by_name(call, forecaster, generator, table):
    told = call("predict", forecaster, table, "--prompt", "The ", "--suggest", 3)
    assert told.code == 2
    assert told.out == ""
    assert f"--prompt, --suggest: not for {forecaster}, which holds a Forecaster" in told.err
    told = call("predict", generator, table, "--quantile", 0.5, "--target", "tea")
    assert told.code == 2
    assert f"--quantile, --target: not for {generator}, which holds a Gen" in told.err


def test_a_forecaster_needs_a_history(call, forecaster):
    told = call("predict", forecaster)
    assert told.code == 2
    assert "needs INPUT" in told.err


def test_an_option_out_of_its_range_is_bad_input(call, generator):
    for words in (("--temperature", -1), ("--top-p", 2), ("--top-k", 0), ("--length", -1)):
        told = call("predict", generator, *words)
        assert told.code == 2
        assert told.err.count("\n") == 1
    assert call("predict", generator, "--suggest", 0).code == 2


def test_a_forecast_never_replaces_its_own_history(call, forecaster, table):
    before = table.read_bytes()
    told = call("predict", forecaster, table, "--out", table)
    assert told.code == 2
    assert "is an input itself" in told.err
    assert table.read_bytes() == before


def test_a_rival_that_was_better_is_told_in_one_line(call, forecaster, table):
    told = call("predict", forecaster, table)
    assert told.err.startswith("warning: CRPS, scaled: network ")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("table_too", [False, True])
def test_a_plot_takes_the_place_of_the_table_on_standard_output(
    call, forecaster, table, tmp_path, table_too
):
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    plot, out = tmp_path / "next.png", tmp_path / "next.csv"
    words = ("--out", out) if table_too else ()
    told = call("predict", forecaster, table, "--plot", plot, *words)
    assert (told.code, told.out) == (0, "")
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert out.exists() == table_too


@pytest.mark.parametrize("name", ["next.bmp", "no-such-folder/next.png", "folder.png"])
def test_a_plot_that_cannot_be_written_is_found_before_the_forecast(
    call, forecaster, table, tmp_path, name, monkeypatch
):
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    monkeypatch.setattr(unrolled.Forecaster, "predict", None)
    (tmp_path / "folder.png").mkdir()
    out = tmp_path / "next.csv"
    told = call("predict", forecaster, table, "--plot", tmp_path / name, "--out", out)
    assert told.code == 2
    assert str(tmp_path / name) in told.err
    assert told.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_a_plot_without_matplotlib_is_refused_before_the_forecast(
    call, forecaster, table, tmp_path, monkeypatch
):
    monkeypatch.setattr(unrolled.Forecaster, "predict", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    told = call("predict", forecaster, table, "--plot", tmp_path / "next.png")
    assert told.code == 1
    assert "pip install 'unrolled[lens]'" in told.err


def test_the_columns_of_the_training_hold_for_a_later_table(call, beside):
    told = call("predict", beside.model, beside.whole)
    assert told.code == 0, told.err
    frame = pl.read_csv(io.StringIO(told.out))
    assert frame.columns[:3] == ["shop", "day", "forecast"]
    assert frame["shop"].unique(maintain_order=True).to_list() == ["a", "b"]


def test_future_covariates_may_stand_in_a_table_of_their_own(call, beside):
    whole = call("predict", beside.model, beside.whole)
    apart = call("predict", beside.model, beside.history, "--future", beside.ahead)
    assert apart.code == 0, apart.err
    assert apart.out == whole.out


def test_no_result_replaces_the_table_of_the_future(call, beside):
    before = beside.ahead.read_bytes()
    told = call(
        "predict", beside.model, beside.history, "--future", beside.ahead, "--out", beside.ahead
    )
    assert told.code == 2
    assert "is an input itself" in told.err
    assert beside.ahead.read_bytes() == before
