"""`SeriesSet`: cutting, choosing, and going out to a frame and back."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.data import Frequency, SeriesSet, read_series
from unrolled.errors import ConfigError, DataError


@pytest.fixture
def three() -> SeriesSet:
    begin = np.datetime64("2024-01-01")
    return SeriesSet.from_arrays(
        {"a": np.arange(10.0), "b": np.arange(20.0), "c": np.arange(7.0)},
        times=[begin + np.arange(n) for n in (10, 20, 7)],
    )


@pytest.mark.parametrize("later", [0.2, 0.5, 1, 6])
def test_both_parts_of_a_split_make_the_whole(three, later):
    earlier, rest = three.split(later)
    for i in range(3):
        np.testing.assert_array_equal(
            np.concatenate([earlier.values[i], rest.values[i]]), three.values[i]
        )
        assert earlier.times[i][-1] < rest.times[i][0]
    expected = [later] * 3 if isinstance(later, int) else [round(n * later) for n in (10, 20, 7)]
    assert rest.lengths.tolist() == expected


def test_a_series_too_short_to_split_is_named(three):
    with pytest.raises(DataError, match="'c' has 7 values, too few to hold 7 back"):
        three.split(7)


@pytest.mark.parametrize("later", [0, -1, 0.0, 1.0, 1.5])
def test_a_split_that_makes_no_sense_is_refused(three, later):
    with pytest.raises(ConfigError):
        three.split(later)


def test_tail_and_select_take_what_they_say(three):
    chosen = three.select(["c", "a"]).tail(8)
    assert chosen.ids == ("c", "a")
    assert chosen.lengths.tolist() == [7, 8]
    assert chosen.values[1].tolist() == list(range(2, 10))
    with pytest.raises(DataError, match=r"'d'.*a, b, c"):
        three.select(["d"])
    with pytest.raises(ConfigError):
        three.tail(0)


def test_a_frame_reads_back_as_the_same_series(three):
    back = read_series(three.to_frame())
    assert back.ids == three.ids
    assert back.frequency == three.frequency == Frequency("D")
    for i in range(3):
        np.testing.assert_array_equal(back.values[i], three.values[i])
        np.testing.assert_array_equal(back.times[i], three.times[i])


def test_counted_points_read_back_as_counted():
    counted = SeriesSet.from_arrays([3.0, 1.0, 2.0])
    assert counted.ids == ("y",)
    assert counted.frequency == Frequency("step")
    frame = counted.to_frame()
    assert frame["ds"].to_list() == [0, 1, 2]
    back = read_series(frame)
    assert back.frequency == Frequency("step")
    assert not back.frequency.dated
    assert back.values[0].tolist() == [3, 1, 2]


def test_a_told_frequency_without_times_makes_dates_up():
    hourly = SeriesSet.from_arrays([[1, 2, 3], [4, 5]], frequency="h")
    assert hourly.ids == ("y1", "y2")
    assert (np.diff(hourly.times[0]) == np.timedelta64(1, "h")).all()
    told = "2 series of 2 to 3 values, hourly, 2001-01-01 00:00 to 2001-01-01 02:00"
    assert str(hourly) == told


def test_past_covariates_are_cut_with_their_series():
    frame = {
        "ds": np.datetime64("2024-01-01") + np.arange(6),
        "y": np.arange(6.0),
        "rain": np.arange(6.0) * 2,
        "wind": np.arange(6.0) * 3,
    }
    import polars as pl

    whole = read_series(pl.DataFrame(frame), value_columns="y", past_columns=["rain", "wind"])
    earlier, later = whole.split(2)
    assert whole.past_names == ("rain", "wind")
    assert earlier.past[0].shape == (4, 2)
    assert later.past[0].tolist() == [[8, 12], [10, 15]]
    assert later.to_frame().columns == ["unique_id", "ds", "y", "rain", "wind"]


BAD = {
    "is empty": lambda: SeriesSet.from_arrays([]),
    "infinite": lambda: SeriesSet.from_arrays([1.0, np.inf]),
    "not ascending": lambda: SeriesSet.from_arrays([1, 2], times=["2024-01-02", "2024-01-01"]),
    "shape": lambda: SeriesSet.from_arrays([1, 2], times=["2024-01-02"]),
    "called 'a'": lambda: SeriesSet.from_arrays([[1], [2]], ids=["a", "a"]),
    "no series": lambda: SeriesSet.from_arrays({}),
    "as many of each": lambda: SeriesSet.from_arrays([[1], [2]], ids=["a"]),
}


@pytest.mark.parametrize("told", BAD)
def test_arrays_that_are_no_series_are_refused_in_one_line(told):
    with pytest.raises(DataError) as caught:
        BAD[told]()
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
