"""`padded`: rows of unlike lengths side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch


def padded(rows: Sequence[np.ndarray], value: float, dtype: Any = np.int64) -> torch.Tensor:
    """Rows `(n, ...)` side by side, `(T, B, ...)`, `value` beyond the end of each."""
    shape = (max(map(len, rows)), len(rows), *np.shape(rows[0])[1:])
    made = np.full(shape, value, dtype)
    for column, row in enumerate(rows):
        made[: len(row), column] = row
    return torch.from_numpy(made)
