"""A sample by sizes: as much as fits, whatever is large on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.baselines.sample import sampled

SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=40)


@given(SIZES, st.integers(1, 200), st.integers(0, 5))
def test_no_row_that_was_left_out_would_have_fit(sizes: list[int], most: int, seed: int) -> None:
    rows = sampled(sizes, most, seed)
    assert rows == sorted(set(rows))
    total = sum(sizes[row] for row in rows)
    left_out = [size for row, size in enumerate(sizes) if row not in rows]
    if total <= most:
        assert all(total + size > most for size in left_out)
    else:
        assert total == min(sizes)
        assert len(rows) == 1
    assert sampled(sizes, most, seed) == rows


@pytest.mark.parametrize("seed", range(5))
def test_one_large_row_does_not_end_the_sample(seed: int) -> None:
    assert len(sampled([1000, *[10] * 200], 1000, seed)) in (1, 100)
    assert len(sampled([1001, *[10] * 200], 1000, seed)) == 100


def test_without_a_bound_all_rows_are_taken() -> None:
    assert sampled([3, 1, 2], None, 0) == sampled([3, 1, 2], 6, 0) == [0, 1, 2]
