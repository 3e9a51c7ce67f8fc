"""`Batch`: what flows from files to layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """A batch of sequences, time-major.

    Shapes: `T` time, `B` batch.

    Attributes:
        inputs: `(T, B, ...)`, what the network reads.
        targets: `(T, B, ...)` or None, what it should answer; NaN marks a target that is not known.
        lengths: `(B,)` int64 or None (all `T`): how many leading steps of each row are real.
        starts: `(T, B)` bool or None (no resets): true where a new sequence begins. The state is
            cut there, forward and backward.

    Row `b` of a batch continues row `b` of the batch before it, except where `starts` says
    otherwise; truncated backpropagation through time is then only a matter of how batches are laid
    out.
    """

    inputs: torch.Tensor
    targets: torch.Tensor | None = None
    lengths: torch.Tensor | None = None
    starts: torch.Tensor | None = None

    @property
    def continues(self) -> bool:
        """Whether a row goes on from the batch before it (so that a state must be carried in)."""
        return self.starts is None or not bool(self.starts[0].all())

    @property
    def tokens(self) -> int:
        """Number of real steps in the batch, padding not counted."""
        if self.lengths is not None:
            return int(self.lengths.sum())
        return int(self.inputs.shape[0] * self.inputs.shape[1])

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with every tensor on `device`."""
        moved: dict[str, Any] = {
            name: None if tensor is None else tensor.to(device)
            for name, tensor in vars(self).items()
        }
        return replace(self, **moved)
