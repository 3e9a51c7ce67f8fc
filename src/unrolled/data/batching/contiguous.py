"""One long text in parallel streams, for truncated backpropagation through time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import at_least_one, check_step
from unrolled.errors import DataError


class ContiguousBatches:
    """A token sequence cut into `rows` streams that are read side by side, `steps` at a time.

        stream b = tokens[b n : (b + 1) n + 1],   n = (len(tokens) - 1) // rows
        batch k:   inputs  = stream[:, k steps : (k + 1) steps]
                   targets = the same, one token later

    Row `b` of a batch continues row `b` of the one before, so that the loop can carry the state
    over. Every epoch reads the same batches in the same order; only the first begins new sequences.
    The last batch of an epoch may have fewer steps. Only the remainder of the division by `rows` is
    not read.

    Args:
        tokens: integers, `(N,)`, array or tensor.
        rows: number of streams (`B`).
        steps: length of a batch (`T`).

    Batches: inputs and targets int64 `(T, B)`; `starts` with true at t = 0 in the first batch of an
    epoch, None in the others.

    Raises: DataError where there are fewer than `rows * steps + 1` tokens, ConfigError for a bad
    number.
    """

    def __init__(self, tokens: Any, *, rows: int, steps: int) -> None:
        self.rows = at_least_one("rows", rows)
        self.steps = at_least_one("steps", steps)
        stream = torch.as_tensor(np.asarray(tokens)).to(torch.int64).flatten()
        if len(stream) <= rows * steps:
            raise DataError(
                f"{len(stream):,} tokens are too few for {rows} rows of {steps} steps "
                f"({rows * steps + 1:,}): give more text, or lower rows or steps"
            )
        self.length = (len(stream) - 1) // rows
        used = rows * self.length
        self._inputs = stream[:used].view(rows, self.length).T
        self._targets = stream[1 : used + 1].view(rows, self.length).T

    def __len__(self) -> int:
        return -(-self.length // self.steps)

    def __getitem__(self, step: int) -> Batch:
        place = check_step(step) % len(self)
        cut = slice(place * self.steps, (place + 1) * self.steps)
        inputs = self._inputs[cut].contiguous()
        starts = None
        if place == 0:
            starts = torch.zeros(inputs.shape, dtype=torch.bool)
            starts[0] = True
        return Batch(inputs, self._targets[cut].contiguous(), starts=starts)
