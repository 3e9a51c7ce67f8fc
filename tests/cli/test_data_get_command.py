"""`unrolled data get`."""

from __future__ import annotations

from pathlib import Path

import pytest

from unrolled.data import catalog


def test_the_place_of_the_file_is_printed(call):
    told = call("data", "get", "stocks")
    assert told.code == 0
    assert Path(told.out.strip()) == catalog.get("stocks")


def test_out_copies_the_file(call, tmp_path):
    out = tmp_path / "weather.csv"
    out.write_text("what was there")
    told = call("data", "get", "seattle-weather", "--out", out)
    assert told.out == f"{out}\n"
    assert out.read_bytes() == catalog.get("seattle-weather").read_bytes()
    assert list(tmp_path.iterdir()) == [out]


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
