"""What windowed networks make small."""

from __future__ import annotations

from torch import Tensor

from unrolled.tasks.forecasting.head_base import Head


class WindowLoss:
    """Mean loss of a head over members, windows and known steps, in the scale of each window.

    `outputs` raw `(M, B, K, size)`, location `(B, 1)` and scale `(B, K)`; `targets`
    `(K, B, 2)`: the answer, NaN where it is not known, and how much the window counts.
    """

    def __init__(self, head: Head) -> None:
        self.head = head

    def __call__(self, outputs: tuple[Tensor, Tensor, Tensor], targets: Tensor) -> Tensor:
        """A scalar."""
        raw, location, scale = outputs
        answers, weights = (part.T.expand(raw.shape[:-1]) for part in targets.unbind(-1))
        losses = weights * self.head.loss(raw, answers, location, scale)
        return losses.sum() / (weights * ~answers.isnan()).sum().clamp(min=1e-6)
