"""Batches of whole documents, of like lengths together, as many as fit a number of tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import at_least_one, check_step, epoch_generator

# Lengths are disturbed by up to this share before they are sorted, so that the same documents do
# not meet in every epoch.
_JITTER = 0.1


class Lessons:
    """Documents sorted by length, cut into batches, the batches shuffled; anew in each epoch.

    A batch has `batch_size` documents, fewer where they are so long that the batch would hold more
    than `tokens` of them, padding included, and at least one. Every epoch has the same number of
    batches: the cuts are made in the undisturbed order.

    Args:
        documents: token numbers of each, none empty.
        targets: `(N,)` int64 or `(N, C)` float32.
        batch_size: most documents in a batch (`B`).
        tokens: most tokens in a batch.
        seed: of the shuffling.

    Batches: inputs int64 `(T, B)`, `T` the longest; targets `(B,)` or `(B, C)`; lengths `(B,)`.
    `source[step]` depends on nothing but the arguments and `step`.
    """

    def __init__(
        self,
        documents: Sequence[np.ndarray],
        targets: np.ndarray,
        *,
        batch_size: int,
        tokens: int,
        seed: int,
    ) -> None:
        self.documents = documents
        self.targets = targets
        self.seed = seed
        self._lengths = np.array([len(one) for one in documents], dtype=np.int64)
        longest = np.sort(self._lengths) * (1 + _JITTER)
        self._cuts = cuts(
            longest, at_least_one("batch_size", batch_size), at_least_one("tokens", tokens)
        )

    def __len__(self) -> int:
        return len(self._cuts)

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(check_step(step), len(self))
        order, shuffled = self._epoch(epoch)
        rows = order[self._cuts[shuffled[place]]]
        return batch_of([self.documents[row] for row in rows], self.targets[rows])

    def _epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        kept = getattr(self, "_kept", None)
        if kept is None or kept[0] != epoch:
            random = epoch_generator(self.seed, epoch)
            jitter = random.uniform(1 - _JITTER, 1 + _JITTER, len(self._lengths))
            order = np.argsort(self._lengths * jitter, kind="stable")
            kept = self._kept = (epoch, (order, random.permutation(len(self._cuts))))
        return kept[1]


def cuts(lengths: np.ndarray, batch_size: int, tokens: int) -> list[slice]:
    """Batches of documents sorted by length."""
    found, end = [], len(lengths)
    while end > 0:  # from the longest down: each batch is as wide as its last document
        rows = int(max(1, min(batch_size, tokens // max(1, lengths[end - 1]), end)))
        found.append(slice(end - rows, end))
        end -= rows
    return found[::-1]


def batch_of(documents: Sequence[np.ndarray], targets: np.ndarray | None = None) -> Batch:
    """One batch; shorter documents are padded at their end."""
    lengths = np.array([len(one) for one in documents], dtype=np.int64)
    whole = np.zeros((int(lengths.max()), len(documents)), dtype=np.int64)
    for row, one in enumerate(documents):
        whole[: len(one), row] = one
    wanted = None if targets is None else torch.from_numpy(targets)
    return Batch(torch.from_numpy(whole), wanted, torch.from_numpy(lengths))
