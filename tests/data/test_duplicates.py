"""Rows that stand twice: the same ones once, others refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import read_series
from unrolled.errors import DataError

TABLE = pl.DataFrame(
    {
        "unique_id": ["a"] * 3 + ["b"] * 3,
        "ds": [f"2024-01-0{day}" for day in (1, 2, 3)] * 2,
        "y": [1.0, 2.0, None, 4.0, 5.0, 6.0],
        "p": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
    }
)


@settings(max_examples=25, deadline=None)
@given(again=st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_rows_that_stand_again_change_nothing_and_are_told(again):
    twice = pl.concat([TABLE, TABLE[again]])
    read = {"past_columns": "p", "missing": "mask"}
    series, expected = read_series(twice, **read), read_series(TABLE, **read)
    assert series.ids == expected.ids
    for i in range(2):
        np.testing.assert_array_equal(series.times[i], expected.times[i])
        np.testing.assert_array_equal(series.values[i], expected.values[i])
        np.testing.assert_array_equal(series.past[i], expected.past[i])
    assert expected.notes == ()
    touched = {TABLE["unique_id"][row] for row in again}
    assert {note.series for note in series.notes} == touched
    assert {note.kind for note in series.notes} == {"duplicate"}
    told = {note.series: int(note.text.split()[0]) for note in series.notes}
    for name in touched:
        assert told[name] == sum(TABLE["unique_id"][row] == name for row in again)
        first = min(TABLE["ds"][row] for row in again if TABLE["unique_id"][row] == name)
        assert next(n for n in series.notes if n.series == name).time == np.datetime64(first)


def test_a_wide_row_that_stands_again_is_told_of_all_series():
    frame = TABLE[:3].drop("unique_id").with_columns(y=pl.Series([1, 2, 3]))
    (note,) = read_series(pl.concat([frame, frame[:1]])).notes
    assert note.series is None
    assert note.text.startswith("1 row stands again with the same values, the first for 2024-01-01")


@pytest.mark.parametrize("column", ["y", "p"])
def test_a_row_that_stands_again_with_another_value_is_refused(column):
    other = TABLE[4:5].with_columns(pl.lit(99.0).alias(column))
    with pytest.raises(DataError, match=r"row 6 .*series 'b'.*2024-01-02.*row 4.*other values"):
        read_series(pl.concat([TABLE, other]), past_columns="p", missing="mask")


def test_a_column_that_is_not_read_makes_no_row_another():
    other = TABLE[4:5].with_columns(p=pl.lit(99.0))
    assert len(read_series(pl.concat([TABLE, other]), missing="mask").notes) == 1


def test_notes_stay_with_the_series():
    series = read_series(pl.concat([TABLE, TABLE[4:5]]), missing="mask")
    assert series.tail(2).notes == series.split(1)[0].notes == series.notes != ()
