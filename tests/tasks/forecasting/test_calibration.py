"""The calibration audit: probabilities by hand, laws, and findings in plain words."""

from __future__ import annotations

import json
from statistics import NormalDist

import numpy as np
import pytest

from unrolled.errors import ConfigError, DataError, ShapeError
from unrolled.tasks.forecasting.calibration import Audit, audit, pit

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
SCORES = np.array([NormalDist().inv_cdf(level) for level in LEVELS])


def drawn(width: np.ndarray, shift: float = 0.0, count: int = 4000) -> tuple[np.ndarray, ...]:
    """Standard normal values `(N, K)` and fans whose width is off by `width` `(K,)`."""
    actual = np.random.default_rng(0).standard_normal((count, len(width)))
    fans = np.broadcast_to(shift + width[:, None] * SCORES, (*actual.shape, len(LEVELS)))
    return actual, fans


def test_the_probability_is_drawn_straight_between_quantiles_and_fades_beyond() -> None:
    levels, fan = np.array([0.1, 0.5, 0.9]), np.array([0.0, 4.0, 6.0])
    values = np.array([0.0, 1.0, 4.0, 5.0, 6.0, -1.0, 7.0])
    found = pit(values, np.broadcast_to(fan, (7, 3)), levels)
    below, above = 0.1 * np.exp(-1 / (4 * 0.1 / 0.4)), 1 - 0.1 * np.exp(-1 / (2 * 0.1 / 0.4))
    np.testing.assert_allclose(found, [0.1, 0.2, 0.5, 0.7, 0.9, below, above])


def test_where_quantiles_meet_the_probability_is_the_middle_of_their_levels() -> None:
    levels, fan = np.array([0.1, 0.5, 0.9]), np.array([[3.0, 3.0, 3.0]])
    found = [pit(np.array([value]), fan, levels)[0] for value in (2.0, 3.0, 4.0)]
    np.testing.assert_allclose(found, [0, 0.5, 1])


def test_one_quantile_alone_says_which_side() -> None:
    found = [pit(np.array([v]), np.array([[3.0]]), np.array([0.5]))[0] for v in (2.0, 3.0, 4.0)]
    np.testing.assert_allclose(found, [0.25, 0.5, 0.75])


def test_the_probability_grows_with_the_value() -> None:
    values = np.linspace(-6, 6, 400)
    found = pit(values, np.broadcast_to(SCORES, (400, 7)), LEVELS)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found, [NormalDist().cdf(v) for v in values], atol=0.03)


def test_a_calibrated_forecast_has_nothing_found_and_a_flat_histogram() -> None:
    found = audit(*drawn(np.ones(6)), LEVELS)
    assert found.findings == ()
    assert "nothing found" in str(found)
    np.testing.assert_allclose(found.histogram, 0.1, atol=0.02)
    np.testing.assert_allclose(found.below, LEVELS, atol=0.01)
    assert [one.nominal for one in found.intervals] == [0.5, 0.8, 0.95]
    for one in found.intervals:
        assert one.covered == pytest.approx(one.nominal, abs=0.01)
        np.testing.assert_allclose(one.covered_by_step, one.nominal, atol=0.03)
        np.testing.assert_allclose(one.width_by_step, one.width)
    assert found.intervals[1].width == pytest.approx(SCORES[5] - SCORES[1])


def test_steps_whose_intervals_are_too_narrow_or_too_wide_are_named() -> None:
    found = audit(*drawn(np.array([1, 1, 2, 1, 0.5, 0.5, 0.5, 0.5])), LEVELS)
    assert "intervals too narrow at steps 5 to 8: 80% holds 47%" in found.findings
    assert "intervals too wide at step 3: 80% holds 99%" in found.findings
    assert "intervals too narrow at steps 5 to 8" in str(found)
    assert found.histogram[0] > 0.12


def test_a_median_that_is_too_high_is_said_so() -> None:
    found = audit(*drawn(np.ones(2), shift=1.0), LEVELS)
    assert "the median is too high: 84% of the values lie below it" in found.findings
    low = audit(*drawn(np.ones(2), shift=-1.0), LEVELS)
    assert "the median is too low: 84% of the values lie above it" in low.findings


def test_few_values_are_no_ground_for_a_finding() -> None:
    actual, fans = drawn(np.ones(3), count=8)
    assert audit(actual, fans, LEVELS).findings == ()


def test_the_unknown_counts_for_nothing() -> None:
    actual, fans = drawn(np.ones(3), count=400)
    padded = np.append(actual, np.full((100, 3), np.nan), axis=0)
    more = np.append(fans, np.zeros((100, 3, 7)), axis=0)
    assert audit(padded, more, LEVELS) == audit(actual, fans, LEVELS)
    actual[:, 1] = np.nan
    found = audit(actual, fans, LEVELS)
    assert found.count == 800
    assert np.isnan(found.intervals[0].covered_by_step[1])
    assert found.findings == ()


def test_an_audit_survives_as_json() -> None:
    found = audit(*drawn(np.array([1, 0.5])), LEVELS)
    assert Audit.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_bad_input_is_named_in_one_plain_line() -> None:
    actual, fans = drawn(np.ones(2), count=5)
    with pytest.raises(ConfigError, match="ascending"):
        audit(actual, fans, LEVELS[::-1])
    with pytest.raises(ShapeError, match=r"expected \(N, K\)"):
        audit(actual, fans[..., :-1], LEVELS)
    with pytest.raises(DataError, match="came true"):
        audit(actual * np.nan, fans, LEVELS)
    with pytest.raises(DataError, match="not finite"):
        audit(actual, fans * np.nan, LEVELS)
