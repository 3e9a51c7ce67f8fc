"""Every form and every kind of table gives the same series."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import SeriesSet, read_series
from unrolled.data.by_row import read_series_by_row
from unrolled.errors import ConfigError, DataError

LONG = pl.DataFrame(
    {
        "unique_id": ["a"] * 4 + ["b"] * 4,
        "ds": [f"2024-01-0{day}" for day in (1, 2, 3, 4)] * 2,
        "y": [1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.5],
    }
)
WIDE = pl.DataFrame(
    {"date": LONG["ds"][:4], "a": LONG["y"][:4], "b": LONG["y"][4:].alias("b")},
)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def assert_same(one: SeriesSet, other: SeriesSet) -> None:
    assert one.ids == other.ids
    assert one.frequency == other.frequency
    assert one.past_names == other.past_names
    for name in ("times", "values", *(["past"] if one.past else [])):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(a, b)


def test_long_and_wide_forms_of_the_same_data_are_the_same_series():
    assert_same(read_series(LONG), read_series(WIDE))
    assert read_series(LONG).values[1].tolist() == [10, 20, 30, 40.5]
    assert str(read_series(LONG)) == "2 series of 4 values, daily, 2024-01-01 to 2024-01-04"


def test_rows_of_the_series_may_be_mixed():
    mixed = LONG.with_row_index().sort("ds", "index").drop("index")
    assert mixed["unique_id"][:2].to_list() == ["a", "b"]
    assert_same(read_series(mixed), read_series(LONG))


@pytest.mark.parametrize("frame", [LONG, WIDE])
def test_csv_parquet_pandas_polars_and_pyarrow_give_the_same(tmp_path, frame):
    expected = read_series(frame)
    text = frame.write_csv()
    files = {
        "t.csv": text.encode(),
        "t.csv.gz": gzip.compress(text.encode()),
        "t.tsv": text.replace(",", "\t").encode(),
        "semicolon.csv": text.replace(",", ";").encode(),
        "windows.csv": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        "blank.csv": text.encode() + b"\n\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        found = read_series(tmp_path / name)
        assert_same(found, expected)
        assert found.source == str(tmp_path / name)
    frame.write_parquet(tmp_path / "t.parquet")
    assert_same(read_series(str(tmp_path / "t.parquet")), expected)
    assert_same(read_series(frame.to_pandas()), expected)
    assert_same(read_series(frame.to_arrow()), expected)
    assert read_series(frame).source is None


def test_typed_dates_are_the_same_as_written_ones():
    expected = read_series(WIDE)
    for kind in (pl.Date, pl.Datetime("ns"), pl.Datetime("ms", "UTC")):
        typed = WIDE.with_columns(pl.col("date").str.to_date().cast(pl.Datetime("us")))
        if kind == pl.Date:
            typed = typed.with_columns(pl.col("date").cast(pl.Date))
        elif kind.time_zone:
            typed = typed.with_columns(pl.col("date").dt.replace_time_zone("UTC"))
        else:
            typed = typed.with_columns(pl.col("date").cast(kind))
        assert_same(read_series(typed), expected)


def test_a_pandas_index_of_dates_is_the_time_column():
    import pandas as pd

    frame = WIDE.to_pandas()
    frame["date"] = pd.to_datetime(frame["date"])
    expected = read_series(WIDE)
    assert_same(read_series(frame.set_index("date")), expected)
    assert_same(read_series(frame.set_index("date")["a"]), expected.select(["a"]))
    assert_same(
        read_series(frame.set_index(frame["date"].rename(None)).drop(columns="date")), expected
    )


def test_named_columns_win_over_guessed_ones():
    frame = WIDE.with_columns(pl.col("date").alias("ds"), unique_id=pl.lit("x"), y=pl.lit(0.0))
    picked = read_series(frame, time_column="date", value_columns=["b", "a"])
    assert picked.ids == ("x/b", "x/a")
    stocks = LONG.rename({"unique_id": "symbol", "ds": "when", "y": "price"})
    assert_same(read_series(stocks, id_column="symbol"), read_series(LONG))


def test_past_covariates_stand_beside_their_series():
    found = read_series(WIDE, value_columns="a", past_columns="b")
    assert found.ids == ("a",)
    assert found.past_names == ("b",)
    assert found.past[0].tolist() == [[10], [20], [30], [40.5]]
    # without named values the rest is read
    assert read_series(WIDE, past_columns=["b"]).ids == ("a",)
    both = read_series(LONG.with_columns(z=pl.col("y") * 2), past_columns=["z"])
    assert both.past[1].tolist() == [[20], [40], [60], [81]]


DATES = {
    "iso": ["2024-01-31", "2024-02-01", "2024-02-02"],
    "iso time": ["2024-01-31 00:00:00", "2024-02-01 00:00:00", "2024-02-02 00:00:00"],
    "iso T": ["2024-01-31T00:00:00.000", "2024-02-01T00:00:00.000", "2024-02-02T00:00:00.000"],
    "zone": ["2024-01-31T02:00:00+02:00", "2024-02-01T00:00:00Z", "2024-02-02T00:00:00Z"],
    "slashes": ["2024/01/31", "2024/02/01", "2024/02/02"],
    "american": ["1/31/2024", "2/1/2024", "2/2/2024"],
    "american time": ["1/31/2024 0:00", "2/1/2024 0:00", "2/2/2024 0:00"],
    "american short": ["1/31/24", "2/1/24", "2/2/24"],
    "british": ["31/01/2024", "01/02/2024", "02/02/2024"],
    "german": ["31.01.2024", "01.02.2024", "02.02.2024"],
    "compact": [20240131, 20240201, 20240202],
    "words": ["Jan 31 2024", "Feb 1 2024", "Feb 2 2024"],
}


@pytest.mark.parametrize("dates", DATES.values(), ids=DATES)
def test_dates_are_read_as_people_write_them(dates):
    found = read_series(pl.DataFrame({"ds": dates, "a": [1, 2, 3]}))
    expected = np.array(["2024-01-31", "2024-02-01", "2024-02-02"], "datetime64[us]")
    np.testing.assert_array_equal(found.times[0], expected)


def test_offsets_that_daylight_saving_changes_become_utc():
    clock = ["2024-03-31T00:00+01:00", "2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"]
    found = read_series(pl.DataFrame({"ds": clock, "a": [1, 2, 3]}))
    expected = np.array(["2024-03-30T23", "2024-03-31T00", "2024-03-31T01"], "datetime64[us]")
    np.testing.assert_array_equal(found.times[0], expected)
    assert found.frequency.alias == "h"
    berlin = pl.Series(expected).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
    zoned = pl.DataFrame({"ds": berlin, "a": [1, 2, 3]})
    for frame in (zoned, zoned.to_pandas()):
        np.testing.assert_array_equal(read_series(frame).times[0], expected)


def test_a_pandas_column_of_mixed_time_zones_is_refused_in_one_line():
    import pandas as pd

    mixed = [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-02")]
    told = r"column 'ds': row 1 .*'2024-01-02 00:00:00' has no time zone, and .* in row 0 has one"
    with pytest.raises(DataError, match=told):
        read_series(pd.DataFrame({"ds": pd.Series(mixed, dtype=object), "a": [1, 2]}))
    zones = [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-02T02:00+02:00")]
    found = read_series(pd.DataFrame({"ds": pd.Series(zones, dtype=object), "a": [1, 2]}))
    assert found.times[0][1] == np.datetime64("2024-01-02")


@pytest.mark.parametrize(
    ("times", "alias"),
    [
        (["2024-01", "2024-02", "2024-03"], "MS"),
        (["Jan 1 2000", "Feb 1 2000", "Mar 1 2000"], "MS"),
        (["1999", "2000", "2001"], "YS"),
        ([1999, 2000, 2001], "YS"),
        ([1, 2, 3], "step"),
    ],
)
def test_months_years_and_counts_are_times_too(times, alias):
    assert read_series(pl.DataFrame({"ds": times, "a": [1, 2, 3]})).frequency.alias == alias


def test_numbers_are_no_dates_unless_they_are_years_under_such_a_name():
    frame = pl.DataFrame({"price": ["1999", "2000"], "Year": ["2001", "2002"]})
    assert read_series(frame).ids == ("price",)
    with pytest.raises(DataError, match="no column reads as dates"):
        read_series(frame.rename({"Year": "amount"}))


@settings(max_examples=25, deadline=None)
@given(data=st.data(), length=st.integers(12, 40))
def test_masking_puts_nan_where_rows_or_values_are_missing_and_changes_nothing_else(data, length):
    days = np.datetime64("2024-01-01", "us") + np.arange(length) * np.timedelta64(1, "D")
    values = np.arange(float(length))
    # a Saturday stays, for days without any weekend would be weekdays without a gap
    gone = data.draw(st.sets(st.integers(1, length - 2), max_size=length // 4)) - {5}
    blank = data.draw(st.sets(st.integers(0, length - 1), max_size=3)) - gone
    kept = [i for i in range(length) if i not in gone]
    frame = pl.DataFrame(
        {
            "ds": days[kept],
            "y": [None if i in blank else values[i] for i in kept],
            "p": values[kept],
        }
    )
    found = read_series(frame, value_columns="y", past_columns="p", missing="mask")
    np.testing.assert_array_equal(found.times[0], days)
    expected = values.copy()
    expected[list(gone | blank)] = np.nan
    np.testing.assert_array_equal(found.values[0], expected)
    assert np.flatnonzero(np.isnan(found.past[0][:, 0])).tolist() == sorted(gone)
    if gone or blank:
        with pytest.raises(DataError, match="missing='mask'"):
            read_series(frame, value_columns="y", past_columns="p")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_series_of_many_is_read_as_it_is_alone(data):
    """All series are checked and filled at once; each must come out as if it stood alone."""
    step = data.draw(st.sampled_from(["1d", "1h", "1mo", "1w"]))
    parts = []
    for name in "abc"[: data.draw(st.integers(1, 3))]:
        n = data.draw(st.integers(14, 30))
        begin = np.datetime64("2023-01-01") + data.draw(st.sampled_from([0, 7, 14])) * 1
        begin = (
            begin.astype(object) if step != "1mo" else np.datetime64("2023-01-31").astype(object)
        )
        times = pl.datetime_range(
            pl.lit(begin).cast(pl.Datetime("us")),
            pl.lit(begin).cast(pl.Datetime("us")).dt.offset_by(f"{n - 1}{step[1:]}"),
            step,
            eager=True,
        )
        gone = data.draw(st.sets(st.integers(1, n - 2), max_size=1))
        frame = pl.DataFrame({"unique_id": [name] * n, "ds": times, "y": np.arange(float(n))})
        parts.append(frame[[i for i in range(n) if i not in gone]])
    together = read_series(pl.concat(parts), missing="mask")
    for place, part in enumerate(parts):
        alone = read_series(part, missing="mask")
        assert alone.frequency == together.frequency
        np.testing.assert_array_equal(alone.times[0], together.times[place])
        np.testing.assert_array_equal(alone.values[0], together.values[place])


def test_the_row_numbers_that_r_and_pandas_write_are_no_series(tmp_path):
    text = '"","date","a"\n"1",2024-01-01,5\n"2",2024-01-02,6\n'
    assert read_series(written(tmp_path / "r.csv", text)).ids == ("a",)


def test_spaces_and_signs_of_no_value_are_understood(tmp_path):
    text = "date, a\n2024-01-01, 5\n2024-01-02,NA \n2024-01-03, 7\n"
    found = read_series(written(tmp_path / "t.csv", text), missing="mask")
    assert found.ids == ("a",)
    np.testing.assert_array_equal(found.values[0], [5, np.nan, 7])


def test_a_series_set_is_taken_as_it_is():
    found = read_series(LONG)
    assert read_series(found) is found


def test_arguments_that_contradict_are_refused():
    with pytest.raises(ConfigError, match="named twice"):
        read_series(WIDE, value_columns="a", past_columns="a")
    with pytest.raises(ConfigError, match="'drop' is not known"):
        read_series(WIDE, missing="drop")


def test_rows_that_are_series_are_read_with_their_dates(tmp_path):
    text = "place,part,1/1/24,1/2/24,1/3/24\nA,,1,2,3\nB,x,4,5,\n"
    found = read_series_by_row(written(tmp_path / "t.csv", text), id_columns=["place", "part"])
    assert found.ids == ("A", "B/x")
    assert found.values[1].tolist() == [4, 5]
    assert found.times[0][2] == np.datetime64("2024-01-03")
    assert found.frequency.alias == "D"


def test_rows_that_are_series_may_have_no_dates(tmp_path):
    path = written(tmp_path / "t.csv", '"V1","V2","V3","V4"\n"H1","1","2",\n"H2","3","4","5"\n')
    assert read_series_by_row(path, id_columns=["V1"], frequency="h").lengths.tolist() == [2, 3]
    assert not read_series_by_row(path, id_columns=["V1"]).frequency.dated


def test_a_hole_in_a_row_is_named_or_masked(tmp_path):
    path = written(tmp_path / "t.csv", "V1,V2,V3,V4\nH1,1,2,3\nH2,3,,5\n")
    with pytest.raises(DataError, match=r"line 3, column 'V3': series 'H2'"):
        read_series_by_row(path, id_columns=["V1"])
    found = read_series_by_row(path, id_columns=["V1"], missing="mask")
    np.testing.assert_array_equal(found.values[1], [3, np.nan, 5])


def test_two_columns_of_one_name_in_a_pandas_frame_are_refused_in_one_line():
    import pandas as pd

    frame = pd.DataFrame([["2024-01-01", 1, 2], ["2024-01-02", 2, 3]], columns=["ds", "y", "y"])
    with pytest.raises(DataError, match=r"^two columns are called 'y': name each once$"):
        read_series(frame)


def test_days_of_a_time_zone_stay_days_when_its_clocks_change():
    # Midnight there is 23:00 in UTC before, and 22:00 after.
    days = pl.datetime_range(
        pl.datetime(2024, 3, 29),
        pl.datetime(2024, 4, 2),
        "1d",
        time_zone="Europe/Berlin",
        eager=True,
    )
    zoned = pl.DataFrame({"ds": days, "a": range(5)})
    for frame in (zoned, zoned.to_pandas()):
        found = read_series(frame)
        assert found.frequency.alias == "D"
        assert str(found.times[0][0])[:16] == "2024-03-29T00:00"


@pytest.mark.parametrize(
    ("dates", "alias", "last"),
    [
        ([f"01/{m:02}/{y}" for y in (2020, 2021) for m in range(1, 13)], "MS", "2021-12-01"),
        ([f"{m:02}/01/{y}" for y in (2020, 2021) for m in range(1, 13)], "MS", "2021-12-01"),
        ([f"01/{d:02}/2024" for d in range(1, 13)], "D", "2024-01-12"),
        ([f"{m:02}/01/2024" for m in range(1, 13)], "MS", "2024-12-01"),
    ],
)
def test_the_order_of_day_and_month_is_the_one_that_leaves_fewer_gaps(dates, alias, last):
    found = read_series(pl.DataFrame({"ds": dates, "a": range(len(dates))}), missing="mask")
    assert found.frequency.alias == alias
    assert found.times[0][-1] == np.datetime64(last)
