"""Windows of equal length out of many series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import (
    at_least_one,
    check_pairs,
    check_step,
    epoch_order,
    stack_padded,
)


class WindowBatches:
    """Every window of `steps` steps of every series, shuffled anew in each epoch.

    Windows begin `stride` steps apart; the last one of a series ends with the series, so that no
    step is left out. A series shorter than `steps` is one window, padded, with its `lengths` set.

    Args:
        inputs: for each series `(n, F)`.
        targets: for each series `(n, ...)`, what should be answered at each step.
        steps: length of a window (`T`).
        batch_size: windows in a batch (`B`); the last batch of an epoch may have fewer.
        seed: of the shuffling; None keeps the windows in order.
        stride: distance between the beginnings of two windows.

    Batches: inputs `(T, B, F)`, targets `(T, B, ...)`, float32 or int64; `starts[0]` all true;
    `lengths` None where no row is padded. Padded targets are NaN (-100 for integers).

    Raises: DataError for empty series or series and targets of different lengths.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        targets: Sequence[Any],
        *,
        steps: int,
        batch_size: int,
        seed: int | None,
        stride: int = 1,
    ) -> None:
        self.steps = at_least_one("steps", steps)
        self.batch_size = at_least_one("batch_size", batch_size)
        self.stride = at_least_one("stride", stride)
        self.seed = seed
        self._inputs, self._targets = check_pairs(inputs, targets)
        lengths = np.array([len(one) for one in self._inputs], dtype=np.int64)
        self._last = np.maximum(lengths - steps, 0)
        # windows up to and with each series
        self._ends = np.cumsum(-(-self._last // stride) + 1)

    @property
    def windows(self) -> int:
        """Number of windows in an epoch."""
        return int(self._ends[-1])

    def __len__(self) -> int:
        return -(-self.windows // self.batch_size)

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(check_step(step), len(self))
        order = self._order(epoch)[place * self.batch_size : (place + 1) * self.batch_size]
        series = np.searchsorted(self._ends, order, side="right")
        nth = order - np.where(series > 0, self._ends[series - 1], 0)
        begins = np.minimum(nth * self.stride, self._last[series])
        cuts = [(i, slice(b, b + self.steps)) for i, b in zip(series, begins, strict=True)]
        return stack_padded(
            [self._inputs[i][cut] for i, cut in cuts], [self._targets[i][cut] for i, cut in cuts]
        )

    def _order(self, epoch: int) -> np.ndarray:
        # kept for the epoch at hand only: a permutation of millions takes longer than a batch
        kept = getattr(self, "_kept", None)
        if kept is None or kept[0] != epoch:
            kept = self._kept = (epoch, epoch_order(self.windows, self.seed, epoch))
        return kept[1]
