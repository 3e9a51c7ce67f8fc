"""`unrolled predict`."""

from __future__ import annotations

import io

import polars as pl
import pytest

import unrolled


def test_a_forecast_is_csv_on_standard_output(call, forecaster, table):
    told = call("predict", forecaster, table)
    assert told.code == 0
    frame = pl.read_csv(io.StringIO(told.out), try_parse_dates=True)
    model = unrolled.load(forecaster)
    expected = model.predict(table)
    assert frame.columns == ["unique_id", "ds", "forecast", *(f"q{q:g}" for q in model.quantiles)]
    assert frame["ds"].to_list() == expected["ds"].cast(pl.Date).to_list()
    assert frame.drop("ds").equals(expected.drop("ds"))


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
    assert frame.drop("ds").equals(unrolled.load(forecaster).predict(table).drop("ds"))
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
    assert told.out == "".join(f"{share:.3f}  {symbol!r}\n" for symbol, share in expected)


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
    assert f"INPUT, --quantile, --target: not for {generator}, which holds a Gen" in told.err


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
    assert "is the INPUT itself" in told.err
    assert table.read_bytes() == before
