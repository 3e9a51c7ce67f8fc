"""`unrolled data get`."""

from __future__ import annotations

from pathlib import Path

import pytest

from unrolled.data import catalog


def test_the_place_of_the_file_is_printed(call):
    told = call("data", "get", "stocks")
    assert told.code == 0
    assert Path(told.out.strip()) == catalog.get("stocks")


def test_out_writes_a_file_that_training_reads_as_it_is(call, tmp_path):
    out = tmp_path / "deaths.csv"
    out.write_text("what was there")
    told = call("data", "get", "crimea", "--out", out)
    assert told.out == f"{out}\n"
    assert list(tmp_path.iterdir()) == [out]
    words = ("--horizon", 3, "--budget", "2 steps", "--hidden-size", 4)
    model = tmp_path / "m.unrolled"
    assert call("train", "forecast", out, *words, "--out", model).code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such-set",), "there is no data set 'no-such-set'"),
        (("weather-hourly",), "has no public address"),
        (("stocks", "--out", "no-such-folder/x.csv"), "can't write into no-such-folder"),
    ],
)
def test_what_cannot_be_had_is_one_line(call, words, told, monkeypatch, tmp_path):
    monkeypatch.setenv("UNROLLED_DATA", "")
    monkeypatch.chdir(tmp_path)
    result = call("data", "get", *words)
    assert result.code == 2
    assert told in result.err
    assert result.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
