"""`unrolled train forecast`."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

import unrolled
from unrolled.cli.models import verdict
from unrolled.training.loop import Trainer

SMALL = ("--horizon", "3", "--budget", "4 steps", "--hidden-size", "4", "--members", "1")


def test_a_table_becomes_a_model_and_the_gate_speaks(call, table, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "forecast", table, *SMALL, "--out", out)
    assert told.code == 0
    assert told.err == ""
    model = unrolled.load(out)
    assert model.horizon == 3
    found = model.settings
    begin = (
        "2 series of 90 values, daily, 2024-01-01 to 2024-03-30: nothing to report\n"
        f"{model.evaluation}\n"
    )
    end = (
        f"trained 4 steps in {told.out.split(' steps in ')[1].split()[0]} s: 1 network (segments,"
        f" 4 units, head quantiles), 3 ahead from the last {found.lookbacks[0]}\n"
        f"saved to {out}\n"
    )
    assert told.out.startswith(begin)
    assert told.out.endswith(end)
    # After four steps either may be ahead: who answers follows from the scores above.
    last = model.evaluation.comparisons[-1]
    lost = f" all the same; with --fallback baseline the rival ({last.baseline_name}) would"
    said = told.out.removeprefix(begin).removesuffix(end)
    assert said == f"the network answers{lost if last.verdict == 'network loses' else ''}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["m.unrolled"]


def test_each_option_reaches_python_under_its_own_name(call, table, tmp_path):
    options = {
        "cell": "gru",
        "hidden_size": 5,
        "layers": 2,
        "members": 2,
        "architecture": "segments",
        "head": "student-t",
        "lookback": (14, 28),
        "segment": 7,
        "normalise": "window",
        "shortcut": "fixed",
        "log": False,
        "holidays": "DE",
        "paths": 11,
        "validation": 0.25,
        "fallback": "baseline",
        "dropout": 0.25,
        "noise": 0.125,
        "learning_rate": 0.5,
        "batch_size": 7,
        "patience": 3,
        "seed": 11,
        "device": "cpu",
        "precision": "fp32",
    }
    plain = {name: value for name, value in options.items() if name not in ("lookback", "log")}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in plain.items()]
    words += ["--lookback", "14", "--lookback", "28", "--no-log"]
    words += ["--quantile", "0.25", "--quantile", "0.5"]
    out = tmp_path / "m.unrolled"
    told = call(
        "train", "forecast", table, "--horizon", 2, "--budget", "1 steps", *words, "--out", out
    )
    assert told.code == 0, told.err
    model = unrolled.load(out)
    found = model.get_params()
    assert {name: found[name] for name in options} == options
    assert model.quantiles == (0.25, 0.5)
    assert model.horizon == 2


def test_the_columns_of_the_table_can_be_named(call, table, tmp_path):
    long = tmp_path / "long.csv"
    wide = pl.read_csv(table)
    wide.unpivot(index="date", variable_name="drink", value_name="cups").write_csv(long)
    out = tmp_path / "m.unrolled"
    columns = ("--id", "drink", "--time", "date", "--target", "cups")
    assert call("train", "forecast", long, *SMALL, *columns, "--out", out).code == 0
    assert list(unrolled.load(out).trained_until) == ["tea", "coffee"]
    assert call("train", "forecast", table, *SMALL, "--target", "tea", "--out", out).code == 0
    assert list(unrolled.load(out).trained_until) == ["tea"]


def test_missing_values_are_masked_and_told_unless_they_are_refused(call, table, tmp_path):
    holes = tmp_path / "holes.csv"
    lines = table.read_text().splitlines()
    day, tea, _ = lines[40].split(",")
    holes.write_text("\n".join([*lines[:40], f"{day},{tea},", *lines[41:], ""]))
    words = ("train", "forecast", holes, *SMALL, "--out", tmp_path / "m.unrolled")
    told = call(*words)
    assert told.code == 0, told.err
    assert "note: gaps: series 'coffee', 2024-02-09: 1 of 90 values is missing" in told.out
    refused = call(*words, "--missing", "error")
    assert refused.code == 2
    assert "line 41, column 'coffee'" in refused.err


def test_a_set_of_the_catalog_is_named_with_data(call, tmp_path):
    out = tmp_path / "m.unrolled"
    words = ("--target", "temp_max", "--target", "wind", *SMALL, "--out", out)
    assert call("train", "forecast", "data:seattle-weather", *words).code == 0
    assert list(unrolled.load(out).trained_until) == ["temp_max", "wind"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("data:python-docs", "data:python-docs holds text, and series is needed here"),
        ("data:seattle", "there is no data set 'seattle': did you mean 'seattle-weather'?"),
    ],
)
def test_another_set_of_the_catalog_is_refused(call, source, told, tmp_path):
    result = call("train", "forecast", source, *SMALL, "--out", tmp_path / "m.unrolled")
    assert result.code == 2
    assert told in result.err


def test_a_replaced_model_is_told(call, table, tmp_path):
    out = tmp_path / "m.unrolled"
    out.write_bytes(b"what was there")
    told = call("train", "forecast", table, *SMALL, "--out", out)
    assert told.out.endswith(f"saved to {out} (replaced the file that was there)\n")
    assert unrolled.load(out).horizon == 3


def test_a_run_folder_can_be_resumed(call, table, tmp_path):
    words = ("train", "forecast", table, *SMALL, "--run-dir", tmp_path / "run")
    first, second = tmp_path / "a.unrolled", tmp_path / "b.unrolled"
    assert call(*words, "--out", first).code == 0
    again = call(*words, "--out", second)
    assert again.code == 2
    assert "already holds a run" in again.err
    assert call(*words, "--out", second, "--resume").code == 0
    resumed, whole = unrolled.load(second), unrolled.load(first)
    assert all(
        (ours == theirs).all()
        for ours, theirs in zip(resumed.model.parameters(), whole.model.parameters(), strict=True)
    )


def test_an_interrupted_run_saves_what_was_learnt(call, table, tmp_path, monkeypatch):
    def stopped(trainer):
        outcome = train(trainer)
        outcome.ended = "interrupted"
        return outcome

    train = Trainer.train
    monkeypatch.setattr(Trainer, "train", stopped)
    out = tmp_path / "m.unrolled"
    told = call("train", "forecast", table, *SMALL, "--out", out)
    assert told.code == 0
    assert "stopped early; saved what was learnt\n" in told.out
    assert unrolled.load(out).horizon == 3


@pytest.mark.parametrize(
    "name", ["data.csv", "no-such-folder/m.unrolled", "file/m.unrolled", "folder.unrolled"]
)
def test_an_output_that_cannot_be_written_is_found_before_training(
    call, name, table, tmp_path, monkeypatch
):
    def never(trainer):
        raise AssertionError("trained for nothing")

    monkeypatch.setattr(Trainer, "train", never)
    (tmp_path / "data.csv").write_text("precious")
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder.unrolled").mkdir()
    before = sorted(tmp_path.rglob("*"))
    told = call("train", "forecast", table, *SMALL, "--out", tmp_path / name)
    assert told.code == 2
    assert told.err.count("\n") == 1
    assert str(tmp_path / name) in told.err
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "data.csv").read_text() == (tmp_path / "file").read_text() == "precious"


def test_an_evaluation_that_the_network_loses_is_told_once(call, table, tmp_path):
    told = call("train", "forecast", table, *SMALL, "--out", tmp_path / "m.unrolled")
    assert "LOSES" in told.out
    assert told.err == ""


@pytest.mark.parametrize(
    ("ended", "said"),
    [("interrupted", "stopped before anything was measured"), ("done", "nothing was held out")],
)
def test_why_nothing_was_measured_is_told(ended, said):
    assert said in verdict(SimpleNamespace(outcome=SimpleNamespace(ended=ended)), None)
