"""Cross-entropy of a large vocabulary in little memory: scores and gradient a few rows at a time.

Shapes: `N` rows, `E` size of what the scores are made from, `V` vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled.data.batching.checks import IGNORED_TARGET

# Rows whose scores are in memory at once: few enough for a cache, enough for a quick product.
ROWS_AT_ONCE = 512


def readout_loss(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    precision: str = "fp32",
) -> Tensor:
    """Mean cross-entropy in nats, with label smoothing, of `softmax(W h + b)`.

        loss = -(1 - s) log p[y] - s / V sum_v log p[v],   meaned over the rows with a target

    The gradient is made together with the scores, `ROWS_AT_ONCE` rows at a time; of the `(N, V)`
    scores nothing is kept. It can't be differentiated twice.

    Args:
        hidden: `(N, E)`.
        weight, bias: `(V, E)` and `(V,)`.
        targets: `(N,)` int64; `IGNORED_TARGET` where there is none.
        smoothing: s, the share of the target that is spread over all tokens (Szegedy et al. 2016).
        precision: "bf16" multiplies in bfloat16, which some processors do nearly three times as
            fast; sums and softmax stay in float32.
    """
    known = targets != IGNORED_TARGET
    rows = known.nonzero()[:, 0]
    loss: Tensor = _ReadoutLoss.apply(
        hidden.index_select(0, rows), weight, bias, targets[rows], smoothing, precision == "bf16"
    )
    return loss / max(1, len(rows))


class _ReadoutLoss(torch.autograd.Function):
    """The sum over rows that all have a target."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
        smoothing: float,
        low: bool,
    ) -> Tensor:
        count = weight.shape[0]
        total = hidden.new_zeros((), dtype=torch.float32)
        learns = any(ctx.needs_input_grad[:3])
        made = [torch.zeros_like(one, dtype=torch.float32) for one in (hidden, weight, bias)]
        to_hidden, to_weight, to_bias = made
        wide = weight.bfloat16() if low else weight
        for begin in range(0, len(hidden), ROWS_AT_ONCE):
            some = slice(begin, begin + ROWS_AT_ONCE)
            read = hidden[some].bfloat16() if low else hidden[some]
            right = targets[some].unsqueeze(1)
            scores = (read @ wide.t()).float().add_(bias)
            most = scores.amax(1, keepdim=True)
            scores.sub_(most)
            picked, mean = scores.gather(1, right), scores.mean(1, keepdim=True)
            shares = scores.exp_()
            sums = shares.sum(1, keepdim=True)
            total += (sums.log() - (1 - smoothing) * picked - smoothing * mean).sum()
            if not learns:
                continue
            slopes = shares.div_(sums).sub_(smoothing / count)
            slopes.scatter_add_(1, right, torch.full_like(picked, smoothing - 1))
            to_bias += slopes.sum(0)
            if low:
                slopes = slopes.bfloat16()
                to_weight += slopes.t() @ read
            else:
                to_weight.addmm_(slopes.t(), read)
            to_hidden[some] = slopes @ wide
        ctx.save_for_backward(*made)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
        return (*(one * upstream for one in ctx.saved_tensors), None, None, None)
