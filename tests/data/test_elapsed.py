"""The time since the last reading, as input columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.elapsed import elapsed_features, elapsed_names, usual_step
from unrolled.errors import ConfigError, DataError

BEGIN = np.datetime64("2024-01-01", "us")
HOUR = np.timedelta64(1, "h")


def at_hours(*hours: float) -> np.ndarray:
    return BEGIN + (np.array(hours) * 3600).astype("timedelta64[s]")


def test_the_step_is_counted_in_median_steps_and_squashed():
    features = elapsed_features(at_hours(0, 1, 3, 12))
    assert features.dtype == np.float32
    assert features.shape == (4, len(elapsed_names()))
    np.testing.assert_allclose(features[:, 0], np.log([1, 1.5, 2, 5.5]), rtol=1e-6)
    assert features[:, 1].tolist() == [1, 0, 0, 0]


def test_a_given_unit_means_the_same_for_every_series():
    np.testing.assert_allclose(elapsed_features(at_hours(0, 5), HOUR)[1, 0], np.log(6), rtol=1e-6)
    np.testing.assert_allclose(elapsed_features(at_hours(2, 7), HOUR)[1, 0], np.log(6), rtol=1e-6)
    assert usual_step([at_hours(0, 1), at_hours(0, 2), at_hours(0, 9)]) == 2 * HOUR


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=20), st.integers(1, 19))
def test_what_comes_later_changes_nothing(minutes, cut):
    times = BEGIN + np.cumsum(minutes).astype("timedelta64[m]")
    whole = elapsed_features(times, HOUR)
    np.testing.assert_array_equal(elapsed_features(times[:cut], HOUR), whole[:cut])


@pytest.mark.parametrize("n", [0, 1])
def test_without_a_last_reading_nothing_has_passed(n):
    assert elapsed_features(at_hours(*range(n))).tolist() == [[0, 1]] * n


def test_times_that_do_not_ascend_are_refused():
    with pytest.raises(DataError, match=r"2024-01-01T01.* comes after 2024-01-01T03"):
        elapsed_features(at_hours(0, 3, 1))
    with pytest.raises(DataError):
        elapsed_features(at_hours(0, 0))


def test_a_unit_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="above zero"):
        elapsed_features(at_hours(0, 1), np.timedelta64(0, "s"))
    with pytest.raises(DataError, match="no series has two readings"):
        usual_step([at_hours(0)])
