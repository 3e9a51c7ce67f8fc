"""A document of any length as one vector: mean, maximum and last of all states, read in chunks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pool:
    """What was seen of the outputs so far; as small after a thousand pages as after a line.

        read(y_1 .. y_t) = [mean(y_1 .. y_t), max(y_1 .. y_t), y_t]

    Shapes: `T` time, `B` batch, `H` units; all float.

    Attributes:
        total: `(B, H)`, the sum of the outputs.
        highest: `(B, H)`, the highest of each unit; minus infinity before the first step.
        last: `(B, H)`, the latest output.
        count: `(B,)`, steps so far.

    Source: Howard & Ruder 2018 (arXiv 1801.06146), concat pooling.
    """

    total: Tensor
    highest: Tensor
    last: Tensor
    count: Tensor

    @classmethod
    def empty(cls, rows: int, units: int, like: Tensor) -> Pool:
        """Nothing seen yet, on the device and in the dtype of `like`."""
        zeros = like.new_zeros(rows, units)
        return cls(zeros, torch.full_like(zeros, -torch.inf), zeros, like.new_zeros(rows))

    def take(self, outputs: Tensor, lengths: Tensor | None = None) -> Pool:
        """Further outputs `(T, B, H)`, of which the first `lengths` `(B,)` of each row are real.

        Beyond a row's length the outputs must be zero, as the recurrent layers leave them.
        """
        steps = len(outputs)
        if lengths is None:
            return Pool(
                self.total + outputs.sum(0),
                torch.maximum(self.highest, outputs.amax(0)),
                outputs[-1].clone(),  # a view would keep all outputs in memory
                self.count + steps,
            )
        at = torch.arange(steps, device=outputs.device).unsqueeze(1)
        padding = (at >= lengths).unsqueeze(-1)
        latest = (lengths - 1).clamp(min=0).view(1, -1, 1).expand(1, -1, outputs.shape[-1])
        none = (lengths == 0).unsqueeze(-1)
        return Pool(
            self.total + outputs.sum(0),
            torch.maximum(self.highest, outputs.masked_fill(padding, -torch.inf).amax(0)),
            torch.where(none, self.last, outputs.gather(0, latest).squeeze(0)),
            self.count + lengths.to(self.count.dtype),
        )

    def read(self) -> Tensor:
        """Mean, maximum and last, `(B, 3 H)`; a row without a step reads zeros."""
        count = self.count.clamp(min=1).unsqueeze(-1)
        highest = torch.where(self.highest.isfinite(), self.highest, 0.0)
        return torch.cat([self.total / count, highest, self.last], -1)

    def tensors(self) -> tuple[Tensor, ...]:
        """Total, highest, last, count."""
        return self.total, self.highest, self.last, self.count
