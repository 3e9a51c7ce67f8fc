"""All scores at once: the same as one by one, overall and at each step."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.errors import ConfigError, DataError, ShapeError
from unrolled.tasks.forecasting.scores import score
from unrolled.training import metrics

LEVELS = np.array([0.1, 0.5, 0.9])
NAMES = [
    "MASE", "sMAPE", "RMSE", "wQL", "CRPS", "coverage 80%", "width 80%", "interval score 80%",
]  # fmt: skip


def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    actual = rng.normal(10, 2, (40, 3))
    actual[3, 1] = np.nan
    return actual, np.sort(rng.normal(10, 2, (40, 3, 3)), axis=-1)


def test_overall_scores_are_those_of_the_single_functions() -> None:
    actual, fans = drawn()
    found = score(actual, fans, LEVELS)
    ends = fans[..., 0], fans[..., 2]
    expected = {
        "MASE": metrics.mae(actual, fans[..., 1]),
        "sMAPE": metrics.smape(actual, fans[..., 1]),
        "RMSE": metrics.rmse(actual, fans[..., 1]),
        "wQL": metrics.weighted_quantile_loss(actual, fans, LEVELS),
        "CRPS": metrics.pinball(actual, fans, LEVELS),
        "coverage 80%": metrics.coverage(actual, *ends),
        "width 80%": metrics.interval_width(actual, *ends),
        "interval score 80%": metrics.interval_score(actual, *ends, 0.8),
    }
    assert list(found.overall) == NAMES
    assert found.overall == pytest.approx(expected)
    assert found.count == 119


def test_scores_of_a_step_are_those_of_that_step_alone() -> None:
    actual, fans = drawn()
    whole, alone = score(actual, fans, LEVELS), score(actual[:, [1]], fans[:, [1]], LEVELS)
    for name in NAMES:
        assert whole.by_step[name][1] == pytest.approx(alone[name])


def test_each_series_counts_in_its_own_unit() -> None:
    actual, fans = drawn()
    unit = np.random.default_rng(1).uniform(0.1, 100, 40)
    scaled = score(unit[:, None] * actual, unit[:, None, None] * fans, LEVELS, unit=unit)
    plain = score(actual, fans, LEVELS)
    for name in set(NAMES) - {"RMSE", "wQL"}:
        assert scaled[name] == pytest.approx(plain[name])


def test_a_step_at_which_nothing_is_known_is_nan_and_no_warning() -> None:
    actual, fans = drawn()
    actual[:, 2] = np.nan
    found = score(actual, fans, LEVELS)
    for name in NAMES:
        assert np.isnan(found.by_step[name][2])
        assert np.isfinite(found[name])


def test_the_table_has_a_row_for_all_steps_and_one_for_each() -> None:
    found = score(*drawn(), LEVELS)
    frame = found.to_frame()
    assert frame.columns == ["step", *NAMES]
    assert frame["step"].to_list() == [None, 1, 2, 3]
    assert frame["MASE"].to_list() == pytest.approx([found["MASE"], *found.by_step["MASE"]])
    assert str(found).splitlines()[0].split() == ["MASE", f"{found['MASE']:.4g}"]


def test_bad_input_is_named_in_one_plain_line() -> None:
    actual, fans = drawn()
    with pytest.raises(ConfigError, match=r"expected 0\.5 among them"):
        score(actual, fans[..., [0, 2]], LEVELS[[0, 2]])
    with pytest.raises(ConfigError, match="unit is not above 0"):
        score(actual, fans, LEVELS, unit=0.0)
    with pytest.raises(ShapeError, match=r"expected \(\) or \(40,\)"):
        score(actual, fans, LEVELS, unit=np.ones(3))
    with pytest.raises(DataError, match="came true"):
        score(actual * np.nan, fans, LEVELS)
    with pytest.raises(ConfigError, match="got the score 'MAPE', expected one of MASE"):
        score(actual, fans, LEVELS)["MAPE"]
