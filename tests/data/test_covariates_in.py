"""Past, future and static covariates, numbers and categories, from a table to a `SeriesSet`."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import SeriesSet, read_series
from unrolled.errors import ConfigError, DataError

ROLES = {
    "past_columns": ["rain", "sky"],
    "future_columns": ["price", "promo"],
    "static_columns": ["area", "kind"],
}
HISTORY = {"a": 5, "b": 4}
AHEAD = {"a": 2, "b": 3}


def table() -> pl.DataFrame:
    """Two series, of 5 and 4 values, with 2 and 3 steps ahead."""
    parts = []
    for name, n in HISTORY.items():
        steps = n + AHEAD[name]
        step = np.arange(float(steps))
        known = step < n
        sky = ["sun" if i % 2 else "fog" for i in range(steps)]
        parts.append(
            pl.DataFrame(
                {
                    "unique_id": [name] * steps,
                    "ds": np.datetime64("2024-01-01", "us") + np.arange(steps) * 86_400_000_000,
                    "y": pl.Series(np.where(known, step + 10, np.nan)).fill_nan(None),
                    "rain": pl.Series(np.where(known, step / 2, np.nan)).fill_nan(None),
                    "sky": [one if here else None for one, here in zip(sky, known, strict=True)],
                    "price": step * 3,
                    "promo": [i % 3 == 0 for i in range(steps)],
                    "area": [len(name) + 1.5] * steps,
                    "kind": [f"shop {name}"] * steps,
                }
            )
        )
    return pl.concat(parts)


def with_cell(row: int, column: str, value: object) -> pl.DataFrame:
    """The table with another value in one cell."""
    frame = table()
    cells = frame[column].to_list()
    cells[row] = value
    return frame.with_columns(pl.Series(column, cells, dtype=frame[column].dtype))


def assert_same(one: SeriesSet, other: SeriesSet) -> None:
    for name in ("ids", "frequency", "categories"):
        assert getattr(one, name) == getattr(other, name)
    for role in ("past", "future", "static"):
        assert getattr(one, f"{role}_names") == getattr(other, f"{role}_names")
        assert (getattr(one, role) is None) == (getattr(other, role) is None)
    np.testing.assert_array_equal(one.static, other.static)
    for role in ("times", "values", "past", "future"):
        for a, b in zip(getattr(one, role), getattr(other, role), strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_role_stands_where_it_belongs():
    series = read_series(table(), **ROLES)
    assert series.lengths.tolist() == [5, 4]
    assert series.ahead.tolist() == [2, 3]
    assert series.past[0].shape == (5, 2)
    assert series.future[1].shape == (7, 2)
    assert series.categories == {
        "sky": ("fog", "sun"),
        "promo": ("false", "true"),
        "kind": ("shop a", "shop b"),
    }
    assert series.past[0].tolist() == [[i / 2, i % 2] for i in range(5)]
    assert series.future[1].tolist() == [[3 * i, i % 3 == 0] for i in range(7)]
    assert series.static.tolist() == [[2.5, 0], [2.5, 1]]


@pytest.mark.parametrize("kind", ["csv", "parquet", "pandas", "pyarrow", "mixed rows"])
def test_every_kind_of_table_gives_the_same_covariates(tmp_path, kind):
    frame = table()
    source = {
        "csv": lambda: frame.write_csv(tmp_path / "t.csv"),
        "parquet": lambda: frame.write_parquet(tmp_path / "t.parquet"),
        "pandas": lambda: None,
        "pyarrow": lambda: None,
        "mixed rows": lambda: None,
    }
    source[kind]()
    sources = {
        "csv": tmp_path / "t.csv",
        "parquet": tmp_path / "t.parquet",
        "pandas": frame.to_pandas(),
        "pyarrow": frame.to_arrow(),
        "mixed rows": frame.sort("ds", maintain_order=True),
    }
    assert_same(read_series(sources[kind], **ROLES), read_series(frame, **ROLES))


def test_a_frame_reads_back_with_all_covariates():
    series = read_series(table(), **ROLES)
    frame = series.to_frame()
    assert frame.columns == table().columns
    assert len(frame) == len(table())
    assert frame["kind"].to_list() == table()["kind"].to_list()
    assert frame["sky"].to_list() == table()["sky"].to_list()
    assert_same(read_series(frame, **ROLES), series)


@settings(max_examples=20, deadline=None)
@given(later=st.integers(1, 3), n=st.integers(1, 7))
def test_what_is_known_ahead_stays_ahead_of_every_cut(later, n):
    series = read_series(table(), **ROLES)
    earlier, rest = series.split(later)
    tail = series.tail(n)
    for i in range(2):
        size = len(series.values[i])
        np.testing.assert_array_equal(earlier.future[i], series.future[i])
        np.testing.assert_array_equal(rest.future[i], series.future[i][size - later :])
        np.testing.assert_array_equal(tail.future[i], series.future[i][max(0, size - n) :])
        np.testing.assert_array_equal(tail.past[i], series.past[i][max(0, size - n) :])
    assert earlier.ahead.tolist() == [2 + later, 3 + later]
    assert rest.ahead.tolist() == tail.ahead.tolist() == [2, 3]
    for part in (earlier, rest, tail):
        np.testing.assert_array_equal(part.static, series.static)
        assert part.categories == series.categories


def test_select_takes_the_covariates_of_its_series():
    chosen = read_series(table(), **ROLES).select(["b"])
    assert chosen.static.tolist() == [[2.5, 1]]
    assert chosen.future[0].shape == (7, 2)
    assert chosen.past[0].shape == (4, 2)


def test_wide_series_share_their_covariates():
    frame = table().filter(pl.col("unique_id") == "a").drop("unique_id", "kind", "area")
    frame = frame.with_columns(z=pl.col("y") * 2)
    series = read_series(
        frame, value_columns=["y", "z"], past_columns="sky", future_columns="price"
    )
    assert series.ids == ("y", "z")
    assert series.ahead.tolist() == [2, 2]
    np.testing.assert_array_equal(series.future[0], series.future[1])
    with pytest.raises(ConfigError, match=r"static column 'price' needs .*long form"):
        read_series(frame, value_columns="y", static_columns="price")


def test_several_values_of_a_series_share_its_covariates():
    frame = table().with_columns(z=pl.col("y") * 2)
    series = read_series(frame, value_columns=["y", "z"], **ROLES)
    assert series.ids == ("a/y", "a/z", "b/y", "b/z")
    assert series.static[:, 1].tolist() == [0, 0, 1, 1]
    assert series.lengths.tolist() == [5, 5, 4, 4]
    np.testing.assert_array_equal(series.future[2], series.future[3])
    np.testing.assert_array_equal(series.values[3], series.values[2] * 2)


def test_without_future_columns_empty_rows_at_the_end_are_missing_values():
    with pytest.raises(DataError, match="2 values in a row are missing"):
        read_series(table())
    assert read_series(table(), missing="mask").lengths.tolist() == [7, 7]


def test_empty_rows_in_which_no_covariate_stands_are_not_ahead():
    frame = table().with_columns(
        pl.when(pl.col("y").is_not_null()).then("price").alias("price"),
    )
    series = read_series(frame, future_columns="price", missing="mask")
    assert series.ahead.tolist() == [0, 0]
    assert series.lengths.tolist() == [7, 7]


def test_a_series_that_misses_values_inside_keeps_them_inside():
    series = read_series(with_cell(2, "y", None), missing="mask", **ROLES)
    assert series.lengths.tolist() == [5, 4]
    assert np.flatnonzero(np.isnan(series.values[0])).tolist() == [2]


@settings(max_examples=25, deadline=None)
@given(gone=st.sets(st.sampled_from([1, 2, 3, 8, 9]), max_size=3))
def test_gaps_are_filled_with_nan_in_all_covariates(gone):
    rows = [row for row in range(14) if row not in gone]
    series = read_series(table()[rows], missing="mask", **ROLES)
    whole = read_series(table(), **ROLES)
    assert series.lengths.tolist() == [5, 4]
    assert series.ahead.tolist() == [2, 3]
    for i, offset in ((0, 0), (1, 7)):
        lost = [row - offset for row in gone if 0 <= row - offset < 7]
        np.testing.assert_array_equal(series.times[i], whole.times[i])
        for role in ("values", "past", "future"):
            expected = getattr(whole, role)[i].copy()
            expected[lost] = np.nan
            np.testing.assert_array_equal(getattr(series, role)[i], expected)


# what is wrong: row, column, new value, more arguments, what the message holds
CELLS = {
    "a future covariate missing in the history": (
        1, "price", None, {}, ["'price'", "series 'a'", "missing='mask'"],
    ),
    "a future covariate missing ahead": (
        13, "price", None, {}, ["'price'", "series 'b'", "2024-01-07", "every step"],
    ),
    "a future covariate missing ahead, masked": (
        5, "promo", None, {"missing": "mask"}, ["'promo'", "series 'a'", "2024-01-06"],
    ),
    "an infinite future covariate": (
        13, "price", np.inf, {"missing": "mask"}, ["'price'", "series 'b'", "infinite"],
    ),
    "an infinite past covariate": (1, "rain", -np.inf, {}, ["'rain'", "series 'a'", "infinite"]),
    "an infinite static covariate": (0, "area", np.inf, {}, ["'area'", "series 'a'", "infinite"]),
    "a past covariate missing": (8, "sky", None, {}, ["'sky'", "series 'b'", "missing"]),
    "a static number that changes": (
        9, "area", 7.0, {}, ["'area'", "series 'b'", "7 stands here", "2.5 in row 7"],
    ),
    "a static category that changes": (
        3, "kind", "kiosk", {}, ["'kind'", "series 'a'", "'kiosk'", "'shop a' in row 0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CELLS)
def test_a_bad_covariate_is_one_plain_line_that_names_series_and_column(case):
    row, column, value, arguments, told = CELLS[case]
    with pytest.raises(DataError) as caught:
        read_series(with_cell(row, column, value), **ROLES, **arguments)
    assert caught.value.column == column
    assert f"row {row} " in str(caught.value)
    assert "\n" not in str(caught.value)
    for part in told:
        assert part in str(caught.value)


def test_what_is_masked_inside_is_nan():
    series = read_series(with_cell(1, "price", None), missing="mask", **ROLES)
    assert np.argwhere(np.isnan(series.future[0])).tolist() == [[1, 0]]


@pytest.mark.parametrize("missing", ["error", "mask"])
@pytest.mark.parametrize("row", [5, 12])
def test_a_step_missing_ahead_is_an_error_whatever_is_masked(missing, row):
    rows = [one for one in range(14) if one != row]
    with pytest.raises(DataError, match="1 is missing: what is known ahead") as caught:
        read_series(table()[rows], missing=missing, **ROLES)
    assert caught.value.column == "price"
    assert ("series 'a'" if row == 5 else "series 'b'") in str(caught.value)


def test_an_empty_static_cell_is_no_change_and_an_empty_column_is_unknown():
    assert read_series(with_cell(0, "kind", None), **ROLES).static[0, 1] == 0
    frame = table().with_columns(
        area=pl.when(pl.col("unique_id") == "b").then(2.0).otherwise(None),
    )
    assert np.isnan(read_series(frame, missing="mask", **ROLES).static[0, 0])
    with pytest.raises(DataError, match=r"column 'area': row 0.*series 'a': holds no value"):
        read_series(frame, **ROLES)


def read_column(cells: list, **arguments) -> SeriesSet:
    days = [f"2024-01-{day + 1:02}" for day in range(len(cells))]
    frame = pl.DataFrame({"ds": days, "y": np.arange(len(cells)), "c": cells})
    return read_series(frame, value_columns="y", past_columns="c", missing="mask", **arguments)


@pytest.mark.parametrize(
    ("cells", "categories", "codes"),
    [
        (["1", "2", "NA", "4"], None, [1, 2, np.nan, 4]),
        (["1", " 2", "3", ""], None, [1, 2, 3, np.nan]),
        (["low", "high", "low", ""], ("high", "low"), [1, 0, 1, np.nan]),
        (["low", " low", "NA", "1"], ("1", "low"), [1, 1, np.nan, 0]),
        (["none", "-", "none", "-"], None, [np.nan] * 4),
        (["none", "-", "big", "big"], ("-", "big", "none"), [2, 0, 1, 1]),
        (["True", "False", "True", "True"], ("false", "true"), [1, 0, 1, 1]),
        ([True, False, None, True], ("false", "true"), [1, 0, np.nan, 1]),
    ],
)
def test_text_is_numbers_where_most_of_it_is_and_else_categories(cells, categories, codes):
    series = read_column(cells)
    assert series.categories.get("c") == categories
    np.testing.assert_array_equal(series.past[0][:, 0], codes)


def test_text_among_numbers_is_named_and_may_be_told_to_be_a_category():
    cells = ["0", "0", "a", "0"]
    with pytest.raises(DataError, match=r"'a' is not a number: .*category_columns") as caught:
        read_column(cells)
    assert caught.value.column == "c"
    series = read_column(cells, category_columns="c")
    assert series.categories == {"c": ("0", "a")}
    assert read_column([3, 1, 3], category_columns="c").past[0].tolist() == [[1], [0], [1]]
    with pytest.raises(ConfigError, match="'y' is named in category_columns and is no covariate"):
        read_column(cells, category_columns="y")


def test_whole_numbers_are_the_same_categories_where_a_missing_one_makes_them_floats():
    floats = read_column([3.0, None, 1.0, 1.5], category_columns="c")
    assert floats.categories == {"c": ("1", "1.5", "3")}
    np.testing.assert_array_equal(floats.past[0][:, 0], [2, np.nan, 0, 1])
    given = SeriesSet.from_arrays([1.0, 2.0], past={"c": [np.array(["a", 1.0], dtype=object)]})
    assert given.categories == {"c": ("1", "a")}


def test_a_column_of_polars_categories_is_categories_though_it_reads_as_numbers():
    series = read_column(pl.Series(["2", "1", "2"], dtype=pl.Categorical))
    assert series.categories == {"c": ("1", "2")}


def test_a_column_has_one_role():
    for roles in ({"future_columns": "rain"}, {"static_columns": "y"}):
        with pytest.raises(ConfigError, match="named twice"):
            read_series(table(), value_columns="y", past_columns="rain", **roles)


def test_arrays_may_be_shared_or_one_for_each():
    series = SeriesSet.from_arrays(
        {"a": np.arange(3.0), "b": np.arange(2.0)},
        frequency="D",
        past={"rain": {"b": [5, 6], "a": [1, 2, 3]}},
        future={"price": np.arange(5.0)},
        static={"kind": ["shop", "kiosk"], "area": 4},
    )
    assert series.past[1].tolist() == [[5], [6]]
    assert series.ahead.tolist() == [2, 3]
    assert series.static.tolist() == [[1, 4], [0, 4]]
    assert series.categories == {"kind": ("kiosk", "shop")}
    flags = SeriesSet.from_arrays([1.0, 2.0], past={"open": [True, False]})
    assert flags.categories == {"open": ("false", "true")}
    assert flags.past[0].tolist() == [[1], [0]]


ARRAYS = {
    "2 values: expected 3": {"past": {"p": [1, 2]}},
    "4 values: expected 3": {"past": {"p": [1, 2, 3, 4]}},
    "2 values: expected 3 or more": {"future": {"p": [1, 2]}},
    "infinite": {"past": {"p": [1, np.inf, 3]}},
    "is NaN 2 steps ahead": {"future": {"p": [1, 2, 3, 4, np.nan]}},
    "4 and 5 values": {"future": {"p": [1, 2, 3, 4], "q": [1, 2, 3, 4, 5]}},
    "given for 2 of 1 series": {"static": {"p": [1, 2]}},
    "nothing for series 'y'": {"static": {"p": {"x": 1}}},
    "two covariates are called 'p'": {"static": {"p": 1}, "past": {"p": [1, 2, 3]}},
}


@pytest.mark.parametrize("told", ARRAYS)
def test_arrays_that_fit_no_series_are_refused_in_one_line(told):
    with pytest.raises(DataError) as caught:
        SeriesSet.from_arrays([1.0, 2.0, 3.0], **ARRAYS[told])
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
