"""Laws of frequencies: what is inferred from a grid is the grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.calendar import calendar_features, calendar_names
from unrolled.data.frequency import Frequency, infer_frequency
from unrolled.errors import ConfigError

CODES = ["s", "5s", "min", "15min", "h", "6h", "D", "2D", "B", "W", "2W", "MS", "MS@31", "QS", "YS"]
BEGINS = st.integers(0, 20_000)


def grid(code: str, begin: int, count: int) -> np.ndarray:
    first = np.datetime64("1960-01-01", "us") + np.timedelta64(begin, "D")
    unit = Frequency.parse(code)
    if code == "B":
        first = np.busday_offset(first.astype("datetime64[D]"), 0, roll="forward")
        first = first.astype("datetime64[us]")
    if unit.code in {"MS", "QS", "YS"}:
        month = first.astype("datetime64[M]")
        first = (month + 1).astype("datetime64[D]") - 1 if unit.day else month
        first = first.astype("datetime64[us]")
    return unit.grid(first, count)


@settings(max_examples=40, deadline=None)
@given(code=st.sampled_from(CODES), begin=BEGINS, count=st.integers(8, 60))
def test_a_grid_is_recognised_and_continued(code, begin, count):
    times = grid(code, begin, count + 5)
    unit = infer_frequency(times[:count])
    assert unit.alias == Frequency.parse(code).alias
    np.testing.assert_array_equal(unit.future(times[count - 1], 5), times[count:])
    np.testing.assert_array_equal(unit.positions(times), np.arange(count + 5))
    assert unit.on_grid(times).all()
    assert not unit.missing_between(times).any()


@settings(max_examples=40, deadline=None)
@given(code=st.sampled_from([code for code in CODES if code != "B"]), begin=BEGINS, data=st.data())
def test_gaps_hide_no_frequency_and_are_counted(code, begin, data):
    times = grid(code, begin, 40)
    place = data.draw(st.integers(1, 30))
    length = data.draw(st.integers(1, 8))
    kept = np.delete(times, slice(place, place + length))
    unit = infer_frequency(kept)
    assert unit.alias == Frequency.parse(code).alias
    missing = unit.missing_between(kept)
    assert missing[place - 1] == length
    assert missing.sum() == length


def test_holidays_are_no_gaps_in_weekday_data_but_a_month_is():
    times = Frequency("B").grid(np.datetime64("2024-01-01"), 200)
    holidays = np.delete(times, [3, 40, 41, 100])
    unit = infer_frequency(holidays)
    assert unit == Frequency("B")
    assert not unit.missing_between(holidays).any()
    assert unit.missing_between(np.delete(times, slice(50, 71))).max() == 21
    assert not unit.on_grid(np.append(times, np.datetime64("2025-01-04", "us")))[-1]


def test_a_week_without_its_weekend_is_still_daily():
    monday = np.datetime64("2024-01-01")
    assert infer_frequency(monday + np.arange(5)).code == "D"


def test_months_keep_their_last_day():
    unit = infer_frequency(np.array(["2024-01-31", "2024-02-29", "2024-03-31"], "datetime64[D]"))
    future = unit.future(np.datetime64("2024-04-30"), 2).astype("datetime64[D]").astype(str)
    assert future.tolist() == ["2024-05-31", "2024-06-30"]


def test_series_of_different_phase_share_a_frequency():
    begin = np.datetime64("2024-01-01")
    assert infer_frequency([begin + np.arange(4), begin + 100 + np.arange(9)]).code == "D"


def test_the_distance_from_one_series_to_the_next_does_not_count():
    begins = np.datetime64("2024-01-01", "m") + np.arange(0, 10_000, 1_007)
    hours = np.arange(2) * np.timedelta64(1, "h")
    assert infer_frequency([begin + hours for begin in begins]).code == "h"


def test_irregular_times_are_steps():
    days = np.cumsum([1, 3, 17, 2, 40, 5, 8, 90, 33])
    unit = infer_frequency(np.datetime64("2024-01-01") + days)
    assert unit.code == "step"
    assert unit.dated
    assert unit.season == 1
    assert calendar_names(unit) == ()


@pytest.mark.parametrize("code", [*CODES, "step"])
def test_the_alias_reads_back_and_every_frequency_is_told_in_words(code):
    unit = Frequency.parse(code)
    assert Frequency.parse(unit.alias) == unit
    assert str(unit)
    assert unit.season >= 1


def test_seasons_are_the_customary_ones():
    known = {"D": 7, "h": 24, "B": 5, "W": 52, "MS": 12, "QS": 4, "YS": 1, "min": 60, "step": 1}
    assert {code: Frequency.parse(code).season for code in known} == known
    assert Frequency("min", 15).season == 96
    assert [str(Frequency.parse(code)) for code in ("D", "MS", "15min")] == [
        "daily",
        "monthly",
        "every 15 minutes",
    ]


@pytest.mark.parametrize("text", ["fortnight", "0D", "", "2B", "D@"])
def test_an_unknown_frequency_is_one_plain_line(text):
    with pytest.raises(ConfigError) as caught:
        Frequency.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "columns"), [("s", 12), ("h", 12), ("D", 8), ("B", 8), ("W", 4), ("MS", 4), ("YS", 0)]
)
def test_calendar_columns_fit_the_frequency(code, columns):
    times = grid(code, 4000, 30)
    unit = Frequency.parse(code)
    features = calendar_features(times, unit)
    assert features.shape == (30, columns) == (30, len(calendar_names(unit)))
    assert features.dtype == np.float32
    assert len(set(calendar_names(unit))) == columns
    # sine and cosine of one angle
    np.testing.assert_allclose(features[:, ::2] ** 2 + features[:, 1::2] ** 2, 1, atol=1e-5)


def test_the_days_of_a_week_stand_evenly_on_their_circle():
    week = np.datetime64("2024-05-01") + np.arange(7)
    np.testing.assert_allclose(calendar_features(week, Frequency("D"))[:, 4:].sum(0), 0, atol=1e-5)


def test_calendar_features_repeat_with_the_day_the_week_and_the_year():
    unit = Frequency("h")
    at = np.datetime64("2023-03-15T07:30", "us")
    later = np.array([at, at + np.timedelta64(1, "D"), at + np.timedelta64(7, "D")])
    day, week, hour = np.split(calendar_features(later, unit), 3, axis=1)
    np.testing.assert_allclose(hour[1:], hour[:1].repeat(2, 0), atol=1e-5)
    np.testing.assert_allclose(week[2], week[0], atol=1e-5)
    assert np.abs(week[1] - week[0]).max() > 0.1
    years = np.array(["2021-03-15", "2022-03-15", "2023-03-16"], "datetime64[us]")
    day = calendar_features(years, Frequency("D"))[:, :4]
    np.testing.assert_allclose(day[0], day[1], atol=1e-5)
    assert np.abs(day[2] - day[1]).max() > 0.01
