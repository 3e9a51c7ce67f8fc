"""The probability of at most a value, read off quantiles."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.tasks.forecasting.outcome import share_below

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


def test_it_is_straight_between_levels_and_fades_outside() -> None:
    quantiles = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert share_below(-1.0, quantiles, LEVELS) == pytest.approx(0.1)
    assert share_below(0.5, quantiles, LEVELS) == pytest.approx(0.7)
    assert share_below(-3.0, quantiles, LEVELS) == pytest.approx(0.05 * np.exp(-1))
    assert share_below(3.0, quantiles, LEVELS) == pytest.approx(1 - 0.05 * np.exp(-1))


def test_quantiles_in_one_place_take_no_probability_from_what_lies_just_outside() -> None:
    for apart in (0.0, 1e-15):
        quantiles = np.array([-1.0, -1.0 + apart, 0.0, 1.0 - apart, 1.0])
        assert 0.04 < share_below(-1.01, quantiles, LEVELS) < 0.05
        assert 0.95 < share_below(1.01, quantiles, LEVELS) < 0.96
    assert share_below(1.0, np.full(5, 2.0), LEVELS) == 0.0
    assert np.isnan(share_below(np.nan, quantiles, LEVELS))
