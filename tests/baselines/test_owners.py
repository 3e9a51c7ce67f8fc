"""Arrays of several rivals in one table."""

from __future__ import annotations

import numpy as np

from unrolled.baselines.owners import arrays_of, together


def test_each_owner_gets_its_arrays_back_and_no_others() -> None:
    one, other = np.arange(3), np.ones(2)
    table = together({"ab": {"c": one}, "a": {"b.c": other, "d": one}, "none": {}})
    assert sorted(table) == ["a.b.c", "a.d", "ab.c"]
    assert arrays_of("ab", table) == {"c": one}
    assert list(arrays_of("a", table)) == ["b.c", "d"]
    assert arrays_of("a", table)["b.c"] is other
    assert arrays_of("b", table) == arrays_of("none", table) == {}
