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
# A source token counts as half a target token where a pair has far more of them, so that the length
# of both sides is bounded while usual pairs count by their targets alone.
_SOURCE = 0.5
# The most cells of a padded side, before the jitter, in the tokens of a batch. Pairs of like
# lengths fill far fewer; this parts a long pair from short neighbours.
_PADDED = 1.5


class PairBatches:
    """Pairs of like lengths, cut into batches of about as many tokens; dealt anew in each epoch.

    Source of a `Trainer`: `self[step]` depends on the arguments and `step` alone.

    Args:
        sources: of each pair its source tokens, int64 `(s,)`, the end symbol included.
        targets: its target tokens, the begin and the end symbol included.
        tokens: target tokens of a batch, padding and begin symbols not counted, and fewer where
            sources are more than twice as long; a single longer sentence is a batch of its own.
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
        self._sizes = np.maximum(self._answers, _SOURCE * self._lengths) + 0.01 * self._lengths
        # By the lengths, not by the deal, so that every epoch has as many batches.
        self._cuts = cut(np.sort(self._sizes), self._tokens)
        self._kept: tuple[int, list[np.ndarray]] | None = None

    def __len__(self) -> int:
        return len(self._cuts) + 1

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
        noise = random.uniform(1 - _JITTER, 1 + _JITTER, len(self._sizes))
        # The pair of each rank is at most (1 + jitter) / (1 - jitter) times as long as the one that
        # the cuts were made by.
        batches = np.split(np.argsort(self._sizes * noise, kind="stable"), self._cuts)
        return [batches[place] for place in random.permutation(len(batches))]


def cut(sizes: np.ndarray, tokens: int) -> np.ndarray:
    """Where to cut rows into batches of about as many tokens, none of which is padded to far more.

    Args:
        sizes: tokens of each row, ascending, `(N,)`.
        tokens: of a batch.

    Returns:
        the first row of each batch but the first, ascending.
    """
    sums = np.cumsum(sizes)
    count = max(1, -(-int(sums[-1]) // tokens))
    shares = np.searchsorted(sums, sums[-1] / count * np.arange(1, count))
    cuts, start = [], 0
    wanted = {int(one) for one in shares}
    for row in range(1, len(sizes)):
        if row in wanted or sizes[row] * (row + 1 - start) > _PADDED * tokens:
            cuts.append(row)
            start = row
    return np.array(cuts, dtype=np.int64)


def padded(rows: Sequence[np.ndarray], value: int) -> torch.Tensor:
    """Rows of numbers side by side, `(T, B)` int64, `value` beyond the end of each."""
    made = np.full((max(map(len, rows)), len(rows)), value, dtype=np.int64)
    for column, row in enumerate(rows):
        made[: len(row), column] = row
    return torch.from_numpy(made)
