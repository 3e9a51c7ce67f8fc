"""Pairs of sentences as numbers, batched with their like by tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import IGNORED_TARGET, at_least_one
from unrolled.data.batching.like_lengths import LikeLengths, cut
from unrolled.data.batching.padded import padded

# Lengths are disturbed by up to this share before they are sorted, so that the same two sentences
# do not meet in every epoch.
_JITTER = 0.1
# A source token counts as half a target token where a pair has far more of them, so that the length
# of both sides is bounded while usual pairs count by their targets alone.
_SOURCE = 0.5


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
        self._lengths = np.array([len(one) for one in sources], dtype=np.int64)
        self._answers = np.array([len(one) - 1 for one in targets], dtype=np.int64)
        self._sizes = np.maximum(self._answers, _SOURCE * self._lengths) + 0.01 * self._lengths
        cuts = cut(np.sort(self._sizes), self._tokens)
        self._order = LikeLengths(self._sizes, cuts, jitter=_JITTER, seed=seed)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, step: int) -> Batch:
        _, rows = self._order.rows(step)
        inputs = padded([self._sources[row] for row in rows], 0)
        starts = torch.zeros(inputs.shape, dtype=torch.bool)
        starts[0] = True
        return Batch(
            inputs,
            padded([self._targets[row] for row in rows], IGNORED_TARGET),
            torch.from_numpy(self._lengths[rows]),
            starts,
        )
