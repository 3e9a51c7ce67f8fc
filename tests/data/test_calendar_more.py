"""Place in the month, and public holidays."""

from __future__ import annotations

import datetime
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import (
    Frequency,
    calendar_features,
    calendar_more,
    calendar_more_names,
    calendar_names,
    check_country,
    holiday_features,
    holiday_names,
)
from unrolled.errors import ConfigError

CHRISTMAS = np.datetime64("2024-12-25", "us")
DAY = np.timedelta64(1, "D")


@pytest.mark.parametrize("code", ["s", "min", "h", "D", "B", "W", "MS", "QS", "YS", "step"])
def test_there_are_as_many_columns_as_names(code):
    times = CHRISTMAS + np.arange(3) * DAY
    frequency = Frequency(code)
    for features, names in (
        (calendar_more(times, frequency), calendar_more_names(frequency)),
        (holiday_features(times, frequency, "DE"), holiday_names(frequency)),
    ):
        assert features.shape == (3, len(names))
        assert features.dtype == np.float32
    assert bool(holiday_names(frequency)) == (code in {"s", "min", "h", "D", "B"})
    assert bool(calendar_more_names(frequency)) == (code in {"s", "min", "h", "D", "B", "W"})


def test_a_month_is_one_turn():
    times = np.array(["2024-02-01", "2024-02-15T12", "2024-03-01"], "datetime64[us]")
    wave = calendar_more(times, Frequency("D"))
    np.testing.assert_allclose(wave[0], [0, 1, 0, 1], atol=1e-6)
    # February 2024 has 29 days: its middle is noon of the 15th
    np.testing.assert_allclose(wave[1], [0, -1, 0, 1], atol=1e-6)
    np.testing.assert_array_equal(wave[2], wave[0])


def test_the_other_columns_are_what_they_were():
    names = calendar_names(Frequency("D"))
    assert "sin(day of month)" not in names
    assert calendar_features(np.array([CHRISTMAS]), Frequency("D")).shape == (1, len(names))


def test_days_around_a_holiday_are_nearer_the_closer_they_are():
    days = np.datetime64("2024-10-03", "us") + np.arange(-9, 10) * DAY
    on, ahead, since = holiday_features(days, Frequency("D"), "DE").T
    assert on.tolist() == [0] * 9 + [1] + [0] * 9
    near = [1 / (1 + d) if d <= 7 else 0 for d in range(10)]
    np.testing.assert_allclose(ahead[:10], near[::-1], rtol=1e-6)
    np.testing.assert_allclose(since[9:], near, rtol=1e-6)
    assert not ahead[10:].any()
    assert not since[:9].any()


def test_a_holiday_of_the_next_year_is_near_in_this_one():
    (row,) = holiday_features(np.array(["2023-12-31"], "datetime64[D]"), Frequency("D"), "DE")
    np.testing.assert_allclose(row, [0, 1 / 2, 1 / 6])


@given(hours=st.integers(0, 23), day=st.integers(-10, 10))
def test_every_hour_of_a_day_has_what_its_day_has(hours, day):
    time = CHRISTMAS + day * DAY
    hourly = holiday_features(
        np.array([time + np.timedelta64(hours, "h")]), Frequency("h"), "GB-SCT"
    )
    np.testing.assert_array_equal(
        hourly, holiday_features(np.array([time]), Frequency("D"), "GB-SCT")
    )


@given(start=st.dates(datetime.date(1990, 1, 1), datetime.date(2035, 1, 1)), n=st.integers(1, 40))
def test_what_stands_for_a_day_does_not_depend_on_the_days_beside_it(start, n):
    days = np.datetime64(start, "us") + np.arange(n) * DAY
    together = holiday_features(days, Frequency("D"), "FR")
    alone = np.concatenate(
        [holiday_features(days[i : i + 1], Frequency("D"), "FR") for i in (0, n - 1)]
    )
    np.testing.assert_array_equal(together[[0, n - 1]], alone)


def test_parts_of_countries_and_exchanges_have_their_own_days():
    epiphany = np.array(["2025-01-06"], "datetime64[us]")
    assert holiday_features(epiphany, Frequency("D"), "DE-BY")[0, 0] == 1
    assert holiday_features(epiphany, Frequency("D"), "de")[0, 0] == 0
    good_friday = np.array(["2025-04-18"], "datetime64[us]")
    assert holiday_features(good_friday, Frequency("B"), "NYSE")[0, 0] == 1
    assert holiday_features(good_friday, Frequency("B"), "US")[0, 0] == 0


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("Germany", ["'Germany'", "'DE'"]),
        ("NYSX", ["'NYSX'", "'NYSE'"]),
        ("DE-BX", ["'DE-BX'", "'BY'", "BB, BE"]),
        ("", ["ISO code"]),
    ],
)
def test_a_code_that_is_not_known_is_told_with_close_ones(code, told):
    for ask in (check_country, lambda one: holiday_features(np.array([]), Frequency("YS"), one)):
        with pytest.raises(ConfigError) as caught:
            ask(code)
        assert "\n" not in str(caught.value)
        for part in told:
            assert part in str(caught.value)


def test_the_library_of_holidays_is_loaded_only_when_asked():
    code = "import sys; import unrolled.data.holiday; print('holidays' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
