"""Bad input: one plain line that names file, line and column, and says what to do."""

from __future__ import annotations

import gzip

import numpy as np
import polars as pl
import pytest

from unrolled.data import read_series
from unrolled.errors import DataError

HEAD = "date,a,b\n"
GOOD = "2024-01-01,1,10\n2024-01-02,2,20\n2024-01-03,3,30\n"
LONG = "unique_id,ds,y\n"

# name: content of the file, arguments, line, column, what the message holds
CASES = {
    "missing column": (HEAD + GOOD, {"value_columns": "A"}, None, None, ["'A'", "mean 'a'"]),
    "missing time column": (HEAD + GOOD, {"time_column": "dat"}, None, None, ["'date'", "a, b"]),
    "missing past column": (HEAD + GOOD, {"past_columns": ["c"]}, None, None, ["'c'"]),
    "no time column": ("x,y\n1,2\n3,4\n", {}, None, None, ["x, y", "time_column (--time)"]),
    "text where a number stands": (
        HEAD + GOOD + "2024-01-04,4,abc\n", {}, 5, "b", ["'abc' is not a number", "correct it"],
    ),
    "text column": (
        "date,a,sky\n2024-01-01,1,rain\n2024-01-02,2,sun\n", {}, 2, "sky",
        ["'rain'", "value_columns (--target)", "--id"],
    ),
    "text column that was asked for": (
        "date,a,sky\n2024-01-01,1,rain\n2024-01-02,2,sun\n", {"value_columns": "sky"}, 2, "sky",
        ["'rain' is not a number"],
    ),
    "decimal comma": (
        'date,a\n2024-01-01,"1,5"\n2024-01-02,"2,5"\n', {"value_columns": "a"}, 2, "a",
        ["decimal point"],
    ),
    "a quoted cell over two lines": (
        'date,a,"b\n2"\n2024-01-01,1,2\n2024-01-02,2,x\n', {"value_columns": "b 2"}, 4, "b 2",
        ["'x' is not a number"],
    ),
    "duplicate time": (
        HEAD + GOOD + "2024-01-02,4,40\n", {}, 5, "date", ["2024-01-02", "line 3", "keep one"],
    ),
    "duplicate time in long form": (
        LONG + "u,2024-01-01,1\nv,2024-01-01,1\nu,2024-01-02,2\nv,2024-01-01,3\n", {}, 5, "ds",
        ["'v'", "line 3", "2024-01-01"],
    ),
    "unordered times": (
        HEAD + GOOD + "2023-12-31,4,40\n", {}, 5, "date", ["2023-12-31", "sort the rows by time"],
    ),
    "unordered times in long form": (
        LONG + "u,2024-01-02,1\nv,2024-01-01,1\nu,2024-01-01,2\nv,2024-01-02,3\n", {}, 4, "ds",
        ["'u'", "sort the rows by time"],
    ),
    "empty": ("", {}, None, None, ["is empty"]),
    "blank": ("\n\n", {}, None, None, ["is empty"]),
    "header only": (HEAD, {}, None, None, ["only a header", "two rows"]),
    "one row": (HEAD + "2024-01-01,1,1\n", {}, None, None, ["only one row", "two"]),
    "one row of each series": (
        LONG + "u,2024-01-01,1\nv,2024-01-01,1\n", {}, None, "unique_id", ["one row only"],
    ),
    "missing value": (
        HEAD + GOOD + "2024-01-04,,40\n2024-01-05,5,50\n", {}, 5, "a",
        ["the value is missing", "missing='mask' (--missing mask)"],
    ),
    "run of missing values": (
        HEAD + GOOD + "2024-01-04,4,NaN\n2024-01-05,5,\n2024-01-06,6,NA\n2024-01-07,7,70\n", {}, 5,
        "b", ["3 values in a row are missing"],
    ),
    "missing values at the end": (
        HEAD + GOOD + "2024-01-04,4,\n2024-01-05,5,\n", {}, 5, "b", ["2 values in a row"],
    ),
    "missing value in long form": (
        LONG + "u,2024-01-01,1\nu,2024-01-02,\nu,2024-01-03,1\n", {}, 3, "y", ["'u'"],
    ),
    "only missing values": (
        "date,a,b\n2024-01-01,1,\n2024-01-02,2,\n", {"missing": "mask"}, None, "b", ["no value"],
    ),
    "gap": (
        HEAD + GOOD + "2024-01-07,4,40\n2024-01-08,5,50\n", {}, 5, "date",
        ["daily", "between 2024-01-03 and 2024-01-07 3 are missing", "--missing mask"],
    ),
    "time off the grid": (
        "date,a\n"
        + "".join(f"2024-01-01 {h:02}:00,{h}\n" for h in range(24))
        + "2024-01-02 00:17,1\n",
        {}, 26, "date", ["2024-01-02 00:17", "hourly"],
    ),
    "missing time": (HEAD + GOOD + ",4,40\n", {}, 5, "date", ["the time is missing"]),
    "another kind of date": (
        HEAD + GOOD + "next day,4,40\n", {}, 5, "date", ["'next day'", "'2024-01-01'"],
    ),
    "an offset from UTC in some rows only": (
        "date,a\n2024-01-01T00:00+02:00,1\n2024-01-02 00:00,2\n", {}, 3, "date",
        ["'2024-01-02 00:00' has no offset", "'2024-01-01T00:00+02:00' in line 2 has one"],
    ),
    "an offset from UTC where the first has none": (
        "date,a\n2024-01-01,1\n2024-01-02,2\n2024-01-03T00:00:00Z,3\n", {}, 4, "date",
        ["'2024-01-03T00:00:00Z' has an offset", "'2024-01-01' in line 2 has none"],
    ),
    "no date at all": (
        HEAD + GOOD, {"time_column": "unknown"}, None, None, ["there is no column 'unknown'"],
    ),
    "text as time": (
        "when,a\nsoon,1\nlater,2\n", {"time_column": "when"}, 2, "when", ["'soon'", "not a date"],
    ),
    "fractions as time": (
        "when,a\n0.5,1\n1.5,2\n", {"time_column": "when"}, 2, "when", ["'0.5'", "not a date"],
    ),
    "seconds since 1970 as time": (
        "time,a\n1700000000,1\n1700003600,2\n", {"time_column": "time"}, None, "time",
        ["1700000000", "write dates"],
    ),
    "infinite value": (HEAD + GOOD + "2024-01-04,inf,40\n", {}, 5, "a", ["infinite"]),
    "infinite value when masked": (
        HEAD + GOOD + "2024-01-04,-inf,40\n", {"missing": "mask"}, 5, "a", ["infinite"],
    ),
    "long row": (HEAD + GOOD + "2024-01-04,4,40,99\n", {}, 5, None, ["4 cells", "has 3"]),
    "short row": (HEAD + GOOD + "2024-01-04,4\n", {}, 5, None, ["2 cells", "has 3"]),
    "open quotation mark": (HEAD + GOOD + '2024-01-04,4,"40\n', {}, 5, None, ["CSV"]),
    "blank first line": ("\n" + HEAD + GOOD, {}, 1, None, ["blank line", "remove it"]),
    "no header": (GOOD, {}, 1, None, ["'2024-01-01'", "add a header"]),
    "decimal commas in a table of semicolons": (
        "date;a\n2024-01-01;1,5\n2024-01-02;2,5\n", {}, 2, "a", ["decimal point"],
    ),
    "column twice": ("date,a,a\n" + GOOD, {}, 1, None, ["two columns are called 'a'"]),
    "column without a name": ("date,a,\n" + GOOD, {}, 1, None, ["column 3 has no name"]),
    "missing name of a series": (
        LONG + "u,2024-01-01,1\n,2024-01-02,1\n", {}, 3, "unique_id", ["name of the series"],
    ),
    "long form without a value column": (
        "unique_id,ds,p,q\nu,2024-01-01,1,2\nu,2024-01-02,1,2\n", {}, None, None,
        ["value_columns (--target)", "p, q"],
    ),
    "nothing left to forecast": (
        "date,a\n2024-01-01,1\n2024-01-02,2\n", {"past_columns": "a"}, None, None, ["to forecast"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_plain_line_that_names_the_place(tmp_path, case):
    content, arguments, line, column, told = CASES[case]
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        read_series(path, **arguments)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert (caught.value.line, caught.value.column) == (line, column)
    for part in told:
        assert part in message


def test_lines_are_counted_across_blank_lines_and_quoted_cells(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        'date,note,a\n2024-01-01,"two\nlines",1\n\n2024-01-02,"",2\n2024-01-03,"a\nb",x\n'
    )
    with pytest.raises(DataError) as caught:
        read_series(path, value_columns="a")
    assert caught.value.line == 6


def test_bytes_that_are_not_utf8_are_told_with_line_and_offset(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("date,höhe\n2024-01-01,1\n".encode("latin-1"))
    with pytest.raises(DataError) as caught:
        read_series(path)
    assert caught.value.line == 1
    assert "byte 0xf6 at offset 6" in str(caught.value)
    path.write_bytes("date,a,s\n2024-01-01,1,x\n2024-01-02,1,ü\n".encode("latin-1"))
    with pytest.raises(DataError) as caught:
        read_series(path, value_columns="a")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.parquet", b"PAR1 but no more", "not a whole Parquet file"),
        ("t.csv.gz", gzip.compress(b"date,a\n" * 50)[:-9], "not a whole gzip file"),
        ("t.csv.gz", b"date,a\n", "not a whole gzip file"),
        ("t.xlsx", b"PK", ".csv"),
        ("missing.csv", None, "there is no such file"),
        ("folder.csv", "folder", "is a folder"),
    ],
)
def test_a_file_of_another_kind_is_named(refused, name, content, told):
    refused(read_series, name, content, told)


def test_a_truncated_parquet_file_is_named(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"ds": ["2024-01-01"] * 100, "y": np.arange(100.0)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="not a whole Parquet file"):
        read_series(path)


def test_a_frame_has_rows_instead_of_lines():
    frame = pl.DataFrame({"ds": ["2024-01-01", "2024-01-02"], "y": [1.0, float("inf")]})
    with pytest.raises(DataError, match=r"column 'y': row 1 \(counted from 0\)") as caught:
        read_series(frame)
    assert caught.value.line is None
    assert caught.value.file is None


@pytest.mark.parametrize("source", [[1, 2], np.zeros(3), None, 5])
def test_what_is_no_table_is_refused(source):
    with pytest.raises(DataError, match="pandas, polars or pyarrow"):
        read_series(source)


def test_a_frame_of_one_row_is_refused():
    with pytest.raises(DataError, match="1 row"):
        read_series(pl.DataFrame({"ds": ["2024-01-01"], "y": [1.0]}))


def test_a_pandas_frame_of_mixed_types_is_refused_in_one_line():
    import pandas as pd

    with pytest.raises(DataError) as caught:
        read_series(pd.DataFrame({"ds": ["2024-01-01", "2024-01-02"], "y": [1, "x"]}))
    assert "\n" not in str(caught.value)
