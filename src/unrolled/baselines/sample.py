"""Some rows of many, where a rival need not learn from all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def sampled(sizes: Sequence[int], most: int | None, seed: int) -> list[int]:
    """Rows drawn by `seed` whose sizes add up to at most `most`, one at least, in order.

    None: all rows.
    """
    if most is None or sum(sizes) <= most:
        return list(range(len(sizes)))
    order = np.random.default_rng(seed).permutation(len(sizes))
    upto = np.cumsum(np.array(sizes)[order])
    return np.sort(order[: max(1, int((upto <= most).sum()))]).tolist()
