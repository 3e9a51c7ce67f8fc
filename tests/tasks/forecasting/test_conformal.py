"""Repair of intervals: the laws that it keeps, once learnt and rolling."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import ConfigError, DataError, ModelFileError, ShapeError
from unrolled.tasks.forecasting.conformal import Repair, RollingRepair, roll

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
SCORES = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
INTERVALS = [(0.8, 1, 5), (0.95, 0, 6)]


def drawn(
    count: int, horizon: int, seed: int, width: float = 1.0, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Values `(N, K)` and fans `(N, K, Q)` of a normal law whose spread differs from row to row.

    The fans are `width` times too wide, and `shift` spreads too high.
    """
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.5, 3, (count, 1)) * np.sqrt(np.arange(1, horizon + 1))
    centre = rng.normal(0, 10, (count, horizon))
    actual = centre + spread * rng.standard_normal((count, horizon))
    fans = (centre + shift * spread)[..., None] + width * spread[..., None] * SCORES
    return actual, fans


def held(actual: np.ndarray, fans: np.ndarray, lower: int, upper: int) -> float:
    return float(((fans[..., lower] <= actual) & (actual <= fans[..., upper])).mean())


@pytest.mark.parametrize("width", [0.3, 0.5, 1.0, 2.5])
def test_after_repair_an_interval_of_any_width_holds_what_it_names(width: float) -> None:
    repair = Repair.fit(*drawn(600, 6, 0, width), LEVELS)
    actual, fans = drawn(4000, 6, 1, width)
    for nominal, lower, upper in INTERVALS:
        assert held(actual, repair.apply(fans), lower, upper) == pytest.approx(nominal, abs=0.03)


def test_with_few_independent_forecasts_it_covers_at_least_what_it_names_on_average() -> None:
    covered = []
    for seed in range(60):
        repair = Repair.fit(*drawn(40, 1, seed, 0.5), LEVELS)
        actual, fans = drawn(300, 1, 1000 + seed, 0.5)
        covered.append([held(actual, repair.apply(fans), *ends) for _, *ends in INTERVALS])
    assert np.mean(covered, axis=0)[0] >= 0.79
    assert np.mean(covered, axis=0)[1] >= 0.94


def test_a_calibrated_fan_is_changed_little() -> None:
    repair = Repair.fit(*drawn(3000, 4, 2), LEVELS)
    _, fans = drawn(50, 4, 3)
    widths = [np.ptp(some[..., [1, 5]], axis=-1) for some in (repair.apply(fans), fans)]
    np.testing.assert_allclose(widths[0] / widths[1], 1, atol=0.1)
    np.testing.assert_array_equal(repair.apply(fans)[..., 3], fans[..., 3])


def test_a_wide_forecast_stays_wider_than_a_narrow_one() -> None:
    repair = Repair.fit(*drawn(800, 3, 4, 0.5), LEVELS)
    _, fans = drawn(40, 3, 5, 0.5)
    before, after = (np.ptp(some, axis=-1) for some in (fans, repair.apply(fans)))
    for step in range(3):
        np.testing.assert_allclose(np.ptp(after[:, step] / before[:, step]), 0, atol=1e-9)
        assert (after[:, step] / before[:, step] > 1.5).all()


def test_a_median_that_is_clearly_off_is_moved() -> None:
    repair = Repair.fit(*drawn(800, 3, 6, shift=1.0), LEVELS)
    actual, fans = drawn(3000, 3, 7, shift=1.0)
    repaired = repair.apply(fans)
    assert (actual < fans[..., 3]).mean() > 0.8
    assert (actual < repaired[..., 3]).mean() == pytest.approx(0.5, abs=0.04)
    assert held(actual, repaired, 1, 5) == pytest.approx(0.8, abs=0.03)


@given(seed=st.integers(0, 999), factor=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_another_unit_gives_the_same_repair_in_it(seed: int, factor: float, shift: float) -> None:
    actual, fans = drawn(60, 3, seed, 0.5)
    repair = Repair.fit(actual, fans, LEVELS, 2.0)
    other = Repair.fit(factor * actual + shift, factor * fans + shift, LEVELS, factor * 2.0)
    np.testing.assert_allclose(
        other.apply(factor * fans + shift, factor * 2.0),
        factor * repair.apply(fans, 2.0) + shift,
        rtol=1e-6,
        atol=1e-6 * (factor + abs(shift)),
    )


@given(seed=st.integers(0, 999), count=st.integers(1, 12), horizon=st.integers(1, 5))
def test_repaired_quantiles_ascend_however_few_forecasts_came_true(
    seed: int, count: int, horizon: int
) -> None:
    actual, fans = drawn(count, horizon, seed, 0.2, shift=2.0)
    actual[1:, -1] = np.nan
    actual[0, 0] = 1.0
    repaired = Repair.fit(actual, fans, LEVELS).apply(fans)
    assert (np.diff(repaired, axis=-1) >= 0).all()


def test_a_fan_without_width_is_repaired_in_the_unit_of_its_series() -> None:
    rng = np.random.default_rng(8)
    actual, fans = rng.standard_normal((500, 2)), np.zeros((500, 2, len(LEVELS)))
    repair = Repair.fit(actual, fans, LEVELS, np.full(500, 1.0))
    repaired = repair.apply(fans, np.ones(500))
    assert held(rng.standard_normal((500, 2)), repaired, 1, 5) == pytest.approx(0.8, abs=0.05)
    np.testing.assert_array_equal(Repair.fit(actual, fans, LEVELS).apply(fans), fans)


def stream(length: int, seed: int, change: int, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """A walk `(n,)` whose steps grow `factor`-fold at `change`, and fans `(n, 4, Q)` that do not.

    Fan `i` is made after value `i - 1`.
    """
    steps = np.random.default_rng(seed).standard_normal(length)
    steps[change:] *= factor
    history = steps.cumsum()
    before = np.append(0.0, history[:-1])
    deviation = np.sqrt(np.arange(1, 5))
    return history, before[:, None, None] + deviation[:, None] * SCORES


def answers(history: np.ndarray, origins: np.ndarray) -> np.ndarray:
    return np.append(history, np.full(4, np.nan))[origins[:, None] + np.arange(4)]


def test_after_a_change_of_variance_the_rolling_repair_recovers_and_the_static_does_not() -> None:
    history, fans = stream(2400, 0, 800, 3.0)
    start = Repair.fit(answers(history, np.arange(400)), fans[:400], LEVELS)
    origins = np.arange(400, 2396)
    rolled = roll(RollingRepair(start), history, origins, fans[origins])
    late = origins > 1200
    actual = answers(history, origins)[late]
    for nominal, lower, upper in INTERVALS:
        found = held(actual, rolled[late], lower, upper)
        assert found == pytest.approx(nominal, abs=0.03)
        assert held(actual, start.apply(fans[origins][late]), lower, upper) < nominal - 0.2


def test_rolling_on_a_calibrated_stream_keeps_it_so_and_the_median_still() -> None:
    history, fans = stream(3000, 1, 3000, 1.0)
    start = Repair(LEVELS, np.zeros((4, len(LEVELS))))
    origins = np.arange(1, 2996)
    rolled = roll(RollingRepair(start), history, origins, fans[origins])
    for nominal, lower, upper in INTERVALS:
        found = held(answers(history, origins), rolled, lower, upper)
        assert found == pytest.approx(nominal, abs=0.02)
    np.testing.assert_array_equal(rolled[..., 3], fans[origins][..., 3])
    assert (np.diff(rolled, axis=-1) >= 0).all()


def test_later_values_change_no_earlier_repaired_forecast() -> None:
    history, fans = stream(120, 2, 60, 5.0)
    start = Repair.fit(answers(history, np.arange(40)), fans[:40], LEVELS)
    origins = np.arange(40, 116)
    whole = roll(RollingRepair(start), history, origins, fans[origins])
    for cut in (41, 60, 90):
        changed = np.where(np.arange(120) < cut, history, 1e6)
        found = roll(RollingRepair(start), changed, origins, fans[origins])
        np.testing.assert_array_equal(found[origins <= cut], whole[origins <= cut])
        assert (found[origins > cut] != whole[origins > cut]).any()


def test_rolling_in_another_unit_is_the_same_in_it() -> None:
    history, fans = stream(200, 3, 100, 4.0)
    start, origins = Repair(LEVELS, np.zeros((4, len(LEVELS)))), np.arange(1, 196)
    found = roll(RollingRepair(start, 1.0), history, origins, fans[origins])
    other = roll(RollingRepair(start, 7.0), 7 * history, origins, 7 * fans[origins])
    np.testing.assert_allclose(other, 7 * found)


def test_unknown_values_teach_nothing_and_forecasts_may_be_left_out() -> None:
    start = Repair(LEVELS, np.zeros((2, len(LEVELS))))
    repair = RollingRepair(start)
    fan = np.array([1.0, 2.0])[:, None] * SCORES
    repair.observe(1e9)
    repair.repair(fan)
    repair.observe(float("nan"))
    np.testing.assert_array_equal(repair.offsets, 0)
    repair.observe(100.0)
    assert (repair.offsets[1, LEVELS != 0.5] > 0).all()
    learnt = repair.offsets.copy()
    repair.observe(100.0)  # Nothing waits for it any more.
    np.testing.assert_array_equal(repair.offsets, learnt)


def test_moves_follow_the_size_of_the_errors_where_fans_are_far_too_narrow() -> None:
    history, fans = stream(1200, 5, 1200, 1.0)
    middle = fans[..., 3:4]
    start, origins = Repair(LEVELS, np.zeros((4, len(LEVELS)))), np.arange(1, 1196)
    narrow = middle + 0.02 * (fans - middle)
    rolled = roll(RollingRepair(start), history, origins, narrow[origins])
    found = held(answers(history, origins)[600:], rolled[600:], 1, 5)
    assert found == pytest.approx(0.8, abs=0.05)


def test_a_stream_goes_on_from_its_arrays_as_if_it_had_never_stopped() -> None:
    history, fans = stream(80, 4, 40, 3.0)
    start, origins = Repair(LEVELS, np.zeros((4, len(LEVELS)))), np.arange(1, 76)
    whole = roll(RollingRepair(start, 1.0, 0.2), history, origins, fans[origins])
    first = RollingRepair(start, 1.0, 0.2)
    roll(first, history, origins[:30], fans[origins[:30]])
    again = RollingRepair.from_arrays(first.to_arrays())
    again.observe(history[origins[30] - 1])
    np.testing.assert_array_equal(
        roll(again, history, origins[30:], fans[origins[30:]]), whole[30:]
    )
    first.observe(5.0)  # The copy goes on alone.
    np.testing.assert_array_equal(start.offsets, 0)


def test_a_static_repair_survives_as_arrays_and_broken_ones_are_refused() -> None:
    repair = Repair.fit(*drawn(50, 3, 9), LEVELS)
    _, fans = drawn(5, 3, 10)
    again = Repair.from_arrays(repair.to_arrays())
    np.testing.assert_array_equal(again.apply(fans), repair.apply(fans))
    with pytest.raises(ModelFileError, match="lacks the array 'offsets'"):
        Repair.from_arrays({"levels": LEVELS})
    with pytest.raises(ModelFileError, match=r"expected \(Q,\) and \(K, Q\)"):
        Repair.from_arrays({"levels": LEVELS, "offsets": np.zeros((3, 2))})
    arrays = RollingRepair(repair).to_arrays()
    with pytest.raises(ModelFileError, match="expected two of"):
        RollingRepair.from_arrays(arrays | {"issued": np.zeros((2, 3, 7))})


def test_bad_input_is_named_in_one_plain_line() -> None:
    actual, fans = drawn(5, 3, 11)
    with pytest.raises(ConfigError, match=r"0\.5 among them"):
        Repair.fit(actual, fans[..., :2], [0.1, 0.9])
    with pytest.raises(ShapeError, match=r"expected \(N, K\) and \(N, K, 7\)"):
        Repair.fit(actual[:, 0], fans, LEVELS)
    with pytest.raises(DataError, match="came true"):
        Repair.fit(np.full((5, 3), np.nan), fans, LEVELS)
    repair = Repair.fit(actual, fans, LEVELS)
    with pytest.raises(ShapeError, match=r"expected \(\.\.\., 3, 7\)"):
        repair.apply(fans[:, :2])
    with pytest.raises(ShapeError, match="the fan has the shape"):
        RollingRepair(repair).repair(fans)
    with pytest.raises(ConfigError, match="rate is 0"):
        RollingRepair(repair, rate=0)


def test_one_forecast_that_was_far_too_narrow_throws_no_other_far_out() -> None:
    random = np.random.default_rng(0)
    levels = np.array([0.025, 0.5, 0.975])
    came = random.normal(0.0, 1.0, (60, 1))
    fans = np.tile(np.array([-2.0, 0.0, 2.0]), (60, 1, 1))
    fans[7] *= 1e-3
    came[7] = -3.0
    repaired = Repair.fit(came, fans, levels).apply(fans[:1])
    # The largest miss of any forecast, of the usual width, is the most that is added.
    assert repaired[0, 0, 0] > -2.0 - np.abs(came - 0.0).max() - 2.0
    assert repaired[0, 0, 2] < 2.0 + np.abs(came - 0.0).max() + 2.0
