"""Covariates at predict time: attached from their own table, checked and recoded as in training."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import Covariates, SeriesSet, attach_future, check_covariates, read_series
from unrolled.errors import ConfigError, DataError

DAY = np.timedelta64(1, "D")
BEGIN = np.datetime64("2024-01-01", "us")


def history(**more) -> SeriesSet:
    """Series "a" of 5 and "b" of 3 days that begin together."""
    return SeriesSet.from_arrays(
        {"a": np.arange(5.0), "b": np.arange(3.0)},
        times=[BEGIN + np.arange(n) * DAY for n in (5, 3)],
        future={
            "price": [np.arange(5.0), np.arange(3.0)],
            "promo": [["no", "yes", "no", "no", "no"], ["yes", "no", "no"]],
        },
        **more,
    )


def rows(name: str, first: int, count: int) -> pl.DataFrame:
    days = np.arange(first, first + count)
    return pl.DataFrame(
        {
            "unique_id": [name] * count,
            "ds": BEGIN + days * DAY,
            "price": days * 10.0,
            "promo": ["yes" if day % 2 else "no" for day in days],
        }
    )


# more of the history than needed, a foreign series, and both orders
TABLE = pl.concat([rows("b", 1, 6), rows("z", 0, 4), rows("a", 4, 4)])


def test_rows_beyond_each_end_are_appended_and_others_left_out():
    series = attach_future(history(), TABLE)
    assert series.ahead.tolist() == [3, 4]
    np.testing.assert_array_equal(series.future[0][:5], history().future[0])
    np.testing.assert_array_equal(series.future[1][:3], history().future[1])
    assert series.future[0][5:].tolist() == [[50, 1], [60, 0], [70, 1]]
    assert series.future[1][3:].tolist() == [[30, 1], [40, 0], [50, 1], [60, 0]]
    assert series.categories == history().categories


def test_attaching_is_the_same_as_reading_all_from_one_table():
    past = [rows("a", 0, 5), rows("b", 0, 3)]
    known = [one.with_columns(y=pl.lit(1.0)) for one in past]
    ahead = [rows("a", 5, 3), rows("b", 3, 3)]
    whole = pl.concat(
        [known[0], ahead[0].with_columns(y=None), known[1], ahead[1].with_columns(y=None)],
        how="vertical_relaxed",
    )
    columns = {"future_columns": ["price", "promo"]}
    expected = read_series(whole, **columns)
    found = attach_future(read_series(pl.concat(known), **columns), pl.concat(ahead))
    assert found.categories == expected.categories
    for i in range(2):
        np.testing.assert_array_equal(found.future[i], expected.future[i])


@given(ahead=st.integers(1, 3))
def test_a_horizon_takes_that_many_steps(ahead):
    assert attach_future(history(), TABLE, ahead=ahead).ahead.tolist() == [ahead, ahead]


def test_a_table_without_names_holds_for_every_series(tmp_path):
    path = tmp_path / "prices.csv"
    rows("a", 3, 4).drop("unique_id").write_csv(path)
    series = attach_future(history(), path, ahead=2)
    assert series.future[0][5:].tolist() == [[50, 1], [60, 0]]
    assert series.future[1][3:].tolist() == [[30, 1], [40, 0]]


def test_one_row_is_enough_for_one_step():
    series = attach_future(history().select(["a"]), rows("a", 5, 1), ahead=1)
    assert series.future[0][5:].tolist() == [[50, 1]]


def test_what_was_attached_before_is_replaced():
    once = attach_future(history(), TABLE)
    assert attach_future(once, TABLE, ahead=1).ahead.tolist() == [1, 1]


def test_several_values_of_a_series_get_the_rows_of_their_series():
    frame = rows("a", 0, 5).with_columns(y=pl.lit(1.0), z=pl.lit(2.0))
    series = read_series(frame, value_columns=["y", "z"], future_columns=["price", "promo"])
    assert series.ids == ("a/y", "a/z")
    assert attach_future(series, TABLE).ahead.tolist() == [3, 3]


def changed(row: int, column: str, value: object) -> pl.DataFrame:
    cells = TABLE[column].to_list()
    cells[row] = value
    return TABLE.with_columns(pl.Series(column, cells))


# name: table, horizon, column, what the message holds
BAD = {
    "a column is missing": (
        TABLE.drop("price"), 2, None, ["'price'", "unique_id, ds, promo"],
    ),
    "a step is missing": (
        TABLE.filter(pl.col("ds") != BEGIN + 6 * DAY), None, "price",
        ["series 'a'", "no row for 2024-01-07", "step 2 ahead"],
    ),
    "the first step is missing": (
        TABLE.filter(pl.col("ds") != BEGIN + 5 * DAY), None, "price",
        ["series 'a'", "no row for 2024-01-06", "step 1 ahead"],
    ),
    "the rows end too early": (
        TABLE, 4, "price", ["series 'a'", "no row for 2024-01-09", "step 4 ahead"],
    ),
    "a series is missing": (
        TABLE.filter(pl.col("unique_id") != "b"), 2, "price",
        ["series 'b'", "no row for 2024-01-04", "step 1 ahead"],
    ),
    "a value is missing": (
        changed(12, "price", None), 2, "price", ["series 'a'", "2024-01-07", "nothing stands"],
    ),
    "a category is missing": (
        changed(12, "promo", None), 2, "promo", ["series 'a'", "2024-01-07", "nothing stands"],
    ),
    "a value is infinite": (
        changed(3, "price", np.inf), 2, "price", ["series 'b'", "2024-01-05", "infinite"],
    ),
    "a category is new": (
        changed(11, "promo", "half"), 2, "promo",
        ["series 'a'", "2024-01-06", "'half'", "'no', 'yes'"],
    ),
    "text stands where numbers were": (
        TABLE.with_columns(price=pl.lit("cheap")), 2, "price", ["holds text", "numbers"],
    ),
    "a row stands twice with other values": (
        pl.concat([TABLE, rows("a", 5, 1).with_columns(price=pl.lit(0.0))]), 2, "ds",
        ["series 'a'", "2024-01-06", "other values"],
    ),
    "a time is off the grid": (
        TABLE.with_columns(pl.col("ds") + pl.duration(hours=1)), 2, "ds",
        ["series 'a'", "daily", "2024-01-05 01:00"],
    ),
    "times are counted": (
        TABLE.with_columns(ds=pl.int_range(pl.len())), 2, "ds", ["counted", "dates"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_one_plain_line(case):
    table, ahead, column, told = BAD[case]
    with pytest.raises(DataError) as caught:
        attach_future(history(), table, ahead=ahead)
    assert "\n" not in str(caught.value)
    assert caught.value.column == column
    for part in told:
        assert part in str(caught.value)


def test_what_is_wrong_in_rows_that_are_not_used_is_no_error():
    for row, column, value in ((0, "promo", "half"), (0, "price", np.inf), (7, "price", None)):
        assert attach_future(history(), changed(row, column, value)).ahead.tolist() == [3, 4]


def test_series_without_future_covariates_have_nothing_to_go_on_with():
    with pytest.raises(DataError, match="future_columns"):
        attach_future(SeriesSet.from_arrays([1.0, 2.0]), TABLE)
    with pytest.raises(ConfigError, match="ahead=0"):
        attach_future(history(), TABLE, ahead=0)


def trained() -> SeriesSet:
    return history(
        past={"rain": [np.arange(5.0), np.arange(3.0)]},
        static={"kind": ["shop", "kiosk"], "area": [1.0, 2.0]},
    )


def test_covariates_are_kept_as_json():
    like = Covariates.of(trained())
    assert Covariates.from_dict(json.loads(json.dumps(like.to_dict()))) == like


@pytest.mark.parametrize(
    ("lacks", "column", "told"),
    [
        ({"past": None, "past_names": ()}, "rain", ["past covariate 'rain' is missing"]),
        (
            {"static": None, "static_names": (), "categories": {"promo": ("no", "yes")}},
            "kind",
            ["static covariate 'kind' is missing", "static covariates 'kind', 'area'"],
        ),
    ],
)
def test_a_covariate_that_is_missing_is_named_with_what_was_trained(lacks, column, told):
    from dataclasses import replace

    with pytest.raises(DataError) as caught:
        check_covariates(replace(trained(), **lacks), Covariates.of(trained()), 1)
    assert caught.value.column == column
    for part in (*told, "trained with"):
        assert part in str(caught.value)


def test_a_covariate_that_was_not_trained_is_named():
    with pytest.raises(DataError, match=r"'rain' is not known.*with no past covariates") as caught:
        check_covariates(trained(), Covariates.of(history()), 1)
    assert caught.value.column == "rain"


def test_categories_where_numbers_were_are_named():
    numbers = SeriesSet.from_arrays([1.0, 2.0], past={"c": [1, 2]})
    text = SeriesSet.from_arrays([1.0, 2.0], past={"c": ["u", "v"]})
    with pytest.raises(DataError, match=r"'c' holds categories: .*trained with numbers"):
        check_covariates(text, Covariates.of(numbers), 1)
    with pytest.raises(DataError, match=r"'c' holds numbers: .*category_columns"):
        Covariates.of(text).recode(numbers)


def test_a_step_that_is_not_known_ahead_is_named():
    series = attach_future(history(), TABLE, ahead=2)
    like = Covariates.of(series)
    check_covariates(series, like, 2)
    with pytest.raises(DataError, match=r"series 'a': .*2024-01-08, step 3 of 3") as caught:
        check_covariates(series, like, 3)
    assert caught.value.column == "price"
    series.future[1][4, 1] = np.nan
    with pytest.raises(DataError, match=r"series 'b': .*2024-01-05, step 2 of 2") as caught:
        check_covariates(series, like, 2)
    assert caught.value.column == "promo"


def test_series_without_covariates_need_nothing():
    series = SeriesSet.from_arrays([1.0, 2.0])
    check_covariates(series, Covariates.of(series), 10)
    assert Covariates.of(series).recode(series) is series


@given(data=st.data())
def test_recoded_series_tell_the_same_categories_by_the_trained_codes(data):
    known = data.draw(st.permutations("abcde"))
    cells = data.draw(st.lists(st.sampled_from(["a", "c", "e", None]), min_size=3, max_size=3))
    told = {"q": [1.0, 2.0, 3.0, 4.0], "c": [*cells, "a"]}
    series = SeriesSet.from_arrays([1.0, 2.0, 3.0], future=told, static={"s": "b"})
    like = Covariates((), ("c", "q"), ("s",), {"c": tuple(known), "s": tuple(known)})
    found = like.recode(series)
    assert Covariates.of(found) == like
    codes = [np.nan if cell is None else float(known.index(cell)) for cell in [*cells, "a"]]
    np.testing.assert_array_equal(found.future[0][:, 0], codes)
    np.testing.assert_array_equal(found.future[0][:, 1], told["q"])
    assert found.static.tolist() == [[known.index("b")]]
    assert found.to_frame()["c"].to_list() == [*cells, "a"]
    np.testing.assert_array_equal(like.recode(found).future[0], found.future[0])


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"future": {"c": ["a", "b", "x", "a"]}}, "series 'y', 2001-01-03: category 'x'"),
        ({"future": {"c": ["a", "b", "a", "x"]}}, "series 'y', 2001-01-04: category 'x'"),
        ({"past": {"c": ["x", "b", "a"]}}, "series 'y', 2001-01-01: category 'x'"),
        ({"static": {"c": "x"}}, "series 'y': category 'x'"),
    ],
)
def test_a_category_that_was_not_seen_in_training_is_named(given_, told):
    role = next(iter(given_))
    plain = {"past": ["a", "b", "a"], "future": ["a", "b", "a"], "static": "a"}
    known = SeriesSet.from_arrays([1.0, 2, 3], frequency="D", **{role: {"c": plain[role]}})
    series = SeriesSet.from_arrays([1.0, 2, 3], frequency="D", **given_)
    with pytest.raises(DataError) as caught:
        Covariates.of(known).recode(series)
    assert told in str(caught.value)
    assert "which had 'a'" in str(caught.value)
    assert caught.value.column == "c"
