"""Dynamic time warping against plain loops, and its laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.baselines import warping
from unrolled.baselines.warping import Warping


def _plain(one: np.ndarray, other: np.ndarray, band: float | None = None) -> float:
    rows, columns = len(one), len(other)
    reach = math.inf if band is None else max(math.ceil(band * max(rows, columns)), rows - columns)
    reach = max(reach, columns - rows)
    table = np.full((rows + 1, columns + 1), np.inf)
    for i in range(rows):
        for j in range(columns):
            if abs(i - j) > reach:
                continue
            cost = float(np.sqrt(((one[i] - other[j]) ** 2).sum()))
            first = 2 * cost if i == j == 0 else np.inf
            table[i + 1, j + 1] = min(
                first,
                table[i, j + 1] + cost,
                table[i + 1, j] + cost,
                table[i, j] + 2 * cost,
            )
    return float(table[rows, columns]) / (rows + columns)


def _sounds(sizes: list[int], features: int, seed: int) -> list[np.ndarray]:
    draws = np.random.default_rng(seed)
    return [draws.normal(size=(size, features)) for size in sizes]


def test_a_distance_worked_by_hand_comes_out() -> None:
    # 0 1 1 lies on 0 1 without any cost. On 0 3 it is cheapest to stay at 0 for 1 + 1 and to end
    # with 2; going on in both directions at once would count that 2 twice.
    sequence = np.array([[0.0], [1.0], [1.0]])
    templates = [np.array([[0.0], [1.0]]), np.array([[0.0], [3.0]]), np.array([[5.0]])]
    first, second, third = Warping(templates).distances(sequence)
    assert first == 0
    assert second == pytest.approx((1 + 1 + 2) / 5)
    assert third == pytest.approx((2 * 5 + 4 + 4) / 4)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=7),
    st.integers(1, 9),
    st.integers(1, 4),
    st.sampled_from([None, 0.0, 0.2, 0.5]),
    st.integers(0, 99),
)
def test_all_distances_are_those_of_plain_loops(
    sizes: list[int], own: int, features: int, band: float | None, seed: int
) -> None:
    *templates, sequence = _sounds([*sizes, own], features, seed)
    found = Warping(templates, band).distances(sequence)
    right = [_plain(sequence, one, band) for one in templates]
    assert found == pytest.approx(right, rel=1e-4, abs=1e-4)


def test_how_templates_are_put_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    *templates, sequence = _sounds([5, 30, 12, 1, 29, 18, 12], 3, 1)
    together = Warping(templates, 0.3).distances(sequence)
    monkeypatch.setattr(warping, "_BLOCK", 40)
    apart = Warping(templates, 0.3)
    assert len(apart._blocks) > 2
    assert apart.distances(sequence) == pytest.approx(together, rel=1e-5)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_a_distance_is_the_same_from_both_sides(own: int, other: int, seed: int) -> None:
    one, two = _sounds([own, other], 2, seed)
    there, back = Warping([two]).distances(one), Warping([one]).distances(two)
    assert there == pytest.approx(back, rel=1e-4, abs=1e-4)


def test_what_is_said_more_slowly_is_still_near() -> None:
    (sound,) = _sounds([20], 4, 2)
    slow = np.repeat(sound, 2, axis=0)
    # Squares are taken from each other in float32.
    assert Warping([slow, sound[::-1]]).distances(sound)[0] <= 2e-3
    assert Warping([slow, sound[::-1]]).distances(sound)[1] >= 1


def test_no_band_is_the_widest_band_and_a_narrow_one_can_only_be_dearer() -> None:
    *templates, sequence = _sounds([20, 14, 25, 18], 2, 3)
    free, wide, narrow = (Warping(templates, band).distances(sequence) for band in (None, 1, 0.1))
    assert np.array_equal(free, wide)
    assert (narrow >= free).all()
    assert (narrow > free).any()
