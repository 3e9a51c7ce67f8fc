"""Whole sequences of different lengths, batched with their like so that little is padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import (
    at_least_one,
    check_pairs,
    check_step,
    epoch_generator,
    stack_padded,
)

# Lengths are disturbed by up to this share before they are sorted: the same two sequences don't
# meet in every epoch, and padding stays within twice this share plus what the lengths themselves
# make needful.
_JITTER = 0.05


class BucketedBatches:
    """Sequences sorted by length, cut into batches, the batches shuffled; anew in each epoch.

    Args:
        inputs: for each sequence `(n, ...)`.
        targets: for each sequence `(n, ...)`, what should be answered at each step.
        batch_size: sequences in a batch (`B`); one batch of an epoch may have fewer.
        seed: of the shuffling; None sorts by length and shuffles nothing.

    Batches: inputs and targets `(T, B, ...)`, `T` the longest of the batch; `lengths` always set;
    `starts[0]` all true. Padded targets are NaN (-100 for integers).

    Raises: DataError for empty sequences or sequences and targets of different lengths.
    """

    def __init__(
        self, inputs: Sequence[Any], targets: Sequence[Any], *, batch_size: int, seed: int | None
    ) -> None:
        self.batch_size = at_least_one("batch_size", batch_size)
        self.seed = seed
        self._inputs, self._targets = check_pairs(inputs, targets)
        self._lengths = np.array([len(one) for one in self._inputs], dtype=np.int64)

    def __len__(self) -> int:
        return -(-len(self._lengths) // self.batch_size)

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(check_step(step), len(self))
        rows = self._epoch(epoch)[place]
        batch = stack_padded([self._inputs[i] for i in rows], [self._targets[i] for i in rows])
        return Batch(
            batch.inputs, batch.targets, torch.from_numpy(self._lengths[rows]), batch.starts
        )

    def _epoch(self, epoch: int) -> list[np.ndarray]:
        kept = getattr(self, "_kept", None)
        if kept is None or kept[0] != epoch:
            kept = self._kept = (epoch, self._deal(epoch))
        return kept[1]

    def _deal(self, epoch: int) -> list[np.ndarray]:
        count, size = len(self._lengths), self.batch_size
        if self.seed is None:
            order = np.argsort(self._lengths, kind="stable")
            return [order[i : i + size] for i in range(0, count, size)]
        random = epoch_generator(self.seed, epoch)
        order = np.argsort(self._lengths * random.uniform(1 - _JITTER, 1 + _JITTER, count))
        batches = [order[i : i + size] for i in range(0, count, size)]
        return [batches[i] for i in random.permutation(len(batches))]
