"""One long text in parallel streams, for truncated backpropagation through time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import at_least_one, check_step
from unrolled.errors import ConfigError, DataError


class ContiguousBatches:
    """A token sequence cut into `rows` streams that are read side by side, `steps` at a time.

        stream b = tokens[b n : (b + 1) n + 1],   n = (len(tokens) - 1) // rows
        batch k:   inputs  = stream[:, k steps : (k + 1) steps]
                   targets = the same, one token later

    Row `b` of a batch continues row `b` of the one before, so that the loop can carry the state
    over. Every epoch reads the same batches in the same order; only the first begins new sequences.
    The last batch of an epoch may have fewer steps. Only the remainder of the division by `rows` is
    not read. Tokens are read where they lie, a batch at a time: an array that is mapped to a file
    may be larger than memory.

    Args:
        tokens: integers, `(N,)`, array, mapped array or tensor.
        rows: number of streams (`B`).
        steps: length of a batch (`T`).
        resets: probability, for each row of a batch, that a new sequence begins with it although
            the text goes on: a state that is never reset in training may drift where more is read
            at a stretch than ever in training.
        document_starts: int64 `(D,)`, ascending, the places of `tokens` at which a document begins.
        seed: of the random resets, which depend on it and the number of the batch alone.

    Batches: inputs and targets int64 `(T, B)`; `starts` with true at t = 0 in the first batch of an
    epoch and where a reset fell, and where a document begins; None where it would be false
    throughout.

    Raises: DataError where there are fewer than `rows * steps + 1` tokens, ConfigError for a bad
    number.
    """

    def __init__(
        self,
        tokens: Any,
        *,
        rows: int,
        steps: int,
        resets: float = 0.0,
        document_starts: Any = None,
        seed: int = 0,
    ) -> None:
        self.rows = at_least_one("rows", rows)
        self.steps = at_least_one("steps", steps)
        if not isinstance(resets, (int, float)) or not 0 <= resets < 1:
            raise ConfigError(
                f"resets={resets!r} is not possible: give a probability from 0 to below 1"
            )
        self.resets = float(resets)
        self.seed = seed
        stream = np.asarray(tokens).reshape(-1)
        if len(stream) <= rows * steps:
            raise DataError(
                f"{len(stream):,} tokens are too few for {rows} rows of {steps} steps "
                f"({rows * steps + 1:,}): give more text, or lower rows or steps"
            )
        self.length = (len(stream) - 1) // rows
        used = rows * self.length
        self._inputs = stream[:used].reshape(rows, self.length)
        self._targets = stream[1 : used + 1].reshape(rows, self.length)
        places = [] if document_starts is None else document_starts
        self._documents = np.asarray(places, dtype=np.int64)
        if (np.diff(self._documents) < 0).any():
            raise ConfigError("document_starts are not in ascending order: sort them")

    def __len__(self) -> int:
        return -(-self.length // self.steps)

    def __getitem__(self, step: int) -> Batch:
        place = check_step(step) % len(self)
        cut = slice(place * self.steps, min((place + 1) * self.steps, self.length))
        starts = self._starts(step, cut)
        return Batch(
            _time_major(self._inputs[:, cut]),
            _time_major(self._targets[:, cut]),
            starts=torch.from_numpy(starts) if starts.any() else None,
        )

    def _starts(self, step: int, cut: slice) -> np.ndarray:
        starts = np.zeros((cut.stop - cut.start, self.rows), dtype=bool)
        if self.resets:
            # With the batch: a kernel that reads whole rows runs them as they are.
            drawn = np.random.default_rng([self.seed, step]).random(self.rows)
            starts[0] = drawn < self.resets
        if self._documents.size:
            begins = self.length * np.arange(self.rows) + cut.start
            ends = begins + len(starts)
            bounds = np.searchsorted(self._documents, np.stack([begins, ends]))
            for row, (first, last) in enumerate(bounds.T):
                starts[self._documents[first:last] - begins[row], row] = True
        if cut.start == 0:
            starts[0] = True
        return starts


def _time_major(rows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rows.T.astype(np.int64, order="C"))
