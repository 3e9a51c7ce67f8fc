"""Some rows of many, where a rival need not learn from all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def sampled(sizes: Sequence[int], most: int | None, seed: int) -> list[int]:
    """Rows drawn by `seed` whose sizes add up to at most `most`, one at least, in order.

    A row that no longer fits is passed over, and the next ones are tried. None: all rows.
    """
    if most is None or sum(sizes) <= most:
        return list(range(len(sizes)))
    order = np.random.default_rng(seed).permutation(len(sizes))
    smallest = min(sizes)
    drawn, left = [], most
    for row in order.tolist():
        if sizes[row] <= left:
            drawn.append(row)
            left -= sizes[row]
        if left < smallest:
            break
    return sorted(drawn) or [int(np.argmin(sizes))]
