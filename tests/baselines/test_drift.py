"""The drift forecast against its one-line definition, and its intervals on trending walks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.baselines import Drift
from unrolled.errors import DataError, ModelFileError, NotFittedError

NAN = float("nan")
GAPPY = st.lists(st.one_of(st.just(NAN), st.integers(-50, 50).map(float)), min_size=1, max_size=30)


def slow_drift(history: list[float], step: int) -> float:
    """The line through the first and the last known value, `step` places (from 1) on."""
    known = [place for place, value in enumerate(history) if value == value]
    if not known:
        return NAN
    first, last = known[0], known[-1]
    slope = 0.0 if first == last else (history[last] - history[first]) / (last - first)
    return history[last] + slope * (len(history) - 1 + step - last)


@given(history=GAPPY, horizon=st.integers(1, 20))
def test_rolling_forecasts_are_the_line_at_every_origin(history: list[float], horizon: int) -> None:
    origins = range(1, len(history) + 1)
    expected = [
        [slow_drift(history[:origin], step) for step in range(1, horizon + 1)] for origin in origins
    ]
    rolled = Drift().rolling(history, list(origins), horizon)
    np.testing.assert_allclose(rolled, expected, rtol=1e-12, atol=1e-9)


def test_an_interval_covers_the_share_of_futures_that_it_names() -> None:
    rng = np.random.default_rng(5)
    walks = (rng.standard_normal((300, 420)) + 0.5).cumsum(axis=1) * rng.uniform(0.1, 100, (300, 1))
    past, future = walks[:, :399], walks[:, 399:]
    model = Drift().fit(past, 21)
    fans = np.stack([model.forecast_quantiles(row, 21, [0.1, 0.5, 0.9]) for row in past])
    below = (future[:, :, None] <= fans).mean(axis=(0, 1))
    np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.05)


def test_a_saved_model_gives_the_same_quantiles() -> None:
    history = np.random.default_rng(6).standard_normal(90).cumsum()
    model = Drift().fit([history], 11)
    again = Drift.from_arrays(model.to_arrays())
    np.testing.assert_array_equal(
        model.forecast_quantiles(history, 30, [0.05, 0.5, 0.95]),
        again.forecast_quantiles(history, 30, [0.05, 0.5, 0.95]),
    )
    with pytest.raises(ModelFileError, match="Drift lacks the array 'scale'"):
        Drift.from_arrays({"errors": np.zeros((1, 201))})


def test_bad_input_is_named_in_one_plain_line() -> None:
    with pytest.raises(DataError, match="no known one"):
        Drift().forecast([NAN], 1)
    with pytest.raises(NotFittedError, match="fit"):
        Drift().forecast_quantiles([1.0], 1, [0.5])
