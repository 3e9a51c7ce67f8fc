"""Pairs of sentences as numbers, batched with their like by tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import (
    IGNORED_TARGET,
    at_least_one,
    check_step,
    epoch_generator,
)

# Lengths are disturbed by up to this share before they are sorted, so that the same two sentences
# do not meet in every epoch.
_JITTER = 0.1


class PairBatches:
    """Pairs of like lengths, cut into batches of about as many tokens; dealt anew in each epoch.

    Source of a `Trainer`: `self[step]` depends on the arguments and `step` alone.

    Args:
        sources: of each pair its source tokens, int64 `(s,)`, the end symbol included.
        targets: its target tokens, the begin and the end symbol included.
        tokens: target tokens of a batch, padding and begin symbols not counted; a single longer
            sentence is a batch of its own.
        seed: of the order.

    Batches: inputs `(S, B)`, targets `(1 + T, B)` with `IGNORED_TARGET` beyond the end, lengths of
    the sources.
    """

    def __init__(
        self,
        sources: Sequence[np.ndarray],
        targets: Sequence[np.ndarray],
        *,
        tokens: int,
        seed: int,
    ) -> None:
        self._sources, self._targets = sources, targets
        self._tokens = at_least_one("batch_tokens", tokens)
        self._seed = seed
        self._lengths = np.array([len(one) for one in sources], dtype=np.int64)
        self._answers = np.array([len(one) - 1 for one in targets], dtype=np.int64)
        # By total tokens, not by the deal, so that every epoch has as many batches.
        self._count = max(1, -(-int(self._answers.sum()) // self._tokens))
        self._kept: tuple[int, list[np.ndarray]] | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(check_step(step), len(self))
        if self._kept is None or self._kept[0] != epoch:
            self._kept = (epoch, self._deal(epoch))
        rows = self._kept[1][place]
        inputs = padded([self._sources[row] for row in rows], 0)
        starts = torch.zeros(inputs.shape, dtype=torch.bool)
        starts[0] = True
        return Batch(
            inputs,
            padded([self._targets[row] for row in rows], IGNORED_TARGET),
            torch.from_numpy(self._lengths[rows]),
            starts,
        )

    def _deal(self, epoch: int) -> list[np.ndarray]:
        random = epoch_generator(self._seed, epoch)
        noise = random.uniform(1 - _JITTER, 1 + _JITTER, len(self._answers))
        order = np.argsort((self._answers + 0.01 * self._lengths) * noise, kind="stable")
        # Cut where the running number of tokens passes a multiple of what a batch should hold.
        sums = np.cumsum(self._answers[order])
        share = sums[-1] / self._count
        cuts = np.searchsorted(sums, share * np.arange(1, self._count))
        batches = [one for one in np.split(order, cuts)]
        # A long sentence may swallow its neighbour's share: never an empty batch.
        batches = [one if len(one) else order[:1] for one in batches]
        return [batches[place] for place in random.permutation(len(batches))]


def padded(rows: Sequence[np.ndarray], value: int) -> torch.Tensor:
    """Rows of numbers side by side, `(T, B)` int64, `value` beyond the end of each."""
    made = np.full((max(map(len, rows)), len(rows)), value, dtype=np.int64)
    for column, row in enumerate(rows):
        made[: len(row), column] = row
    return torch.from_numpy(made)
