"""`unrolled check`."""

from __future__ import annotations

import json

import polars as pl
import pytest

from unrolled.data.doctor import Checkup, examine
from unrolled.data.series import read_series

BESIDE = {
    "id_column": "shop", "time_column": "day", "value_columns": ["sold"],
    "past_columns": ["rain", "leak"], "missing": "mask",
}  # fmt: skip


@pytest.fixture
def leaking(beside, tmp_path):
    """A table with a column that is tomorrow's value, and what reads it."""
    path = tmp_path / "leaking.csv"
    frame = pl.read_csv(beside.history)
    noise = pl.Series([(i * 37 % 101) / 7 for i in range(len(frame))])
    frame = frame.with_columns(sold=noise)
    frame.with_columns(leak=pl.col("sold").shift(-1).over("shop").fill_null(0)).write_csv(path)
    columns = ("--id", "shop", "--time", "day", "--target", "sold")
    return path, (*columns, "--past", "rain", "--past", "leak")


def test_what_the_doctor_says_is_told_and_is_no_error(call, leaking):
    path, columns = leaking
    told = call("check", path, *columns, "--horizon", 3)
    assert told.code == 0, told.err
    found = examine(read_series(path, **BESIDE), horizon=3)
    assert told.out == f"{found}\n"
    assert "warning: leak: series 'a', column 'leak'" in told.out


def test_nothing_found_is_said_with_the_frequency(call, table):
    told = call("check", table)
    assert told.out == "2 series of 90 values, daily, 2024-01-01 to 2024-03-30: nothing to report\n"


def test_a_horizon_makes_series_too_short(call, table):
    told = call("check", table, "--horizon", 50, "--lookback", 60)
    assert told.code == 0
    assert "too short: series 'tea'" in told.out


def test_json_and_a_table_hold_every_finding(call, leaking, tmp_path):
    path, columns = leaking
    out = tmp_path / "findings.csv"
    told = call("check", path, *columns, "--json", "--out", out)
    found = examine(read_series(path, **BESIDE))
    assert len(found) > 0
    assert Checkup.from_dict(json.loads(told.out)) == found
    assert pl.read_csv(out)["text"].to_list() == [one.text for one in found]


def test_findings_never_replace_the_table(call, table):
    before = table.read_bytes()
    told = call("check", table, "--out", table)
    assert told.code == 2
    assert "is an input itself" in told.err
    assert table.read_bytes() == before


def test_a_table_that_cannot_be_read_is_one_line(call, tmp_path):
    told = call("check", tmp_path / "no.csv")
    assert told.code == 2
    assert "there is no such file" in told.err
    assert told.err.count("\n") == 1
