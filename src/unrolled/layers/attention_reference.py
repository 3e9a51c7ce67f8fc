"""Attention in PyTorch operations: any dtype, any device, any number of derivatives.

Shapes: `T` steps of the queries, `S` sources, `B` batch, `A` width of the scores, `M` of the
memory.
"""

from __future__ import annotations

import torch
from torch import Tensor


def additive_scores(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """`v . tanh(q_t + k_s)`, `(B, T, S)`; takes T*S*B*A numbers of memory."""
    # Dense by row first, which takes half the time of sums laid out like their operands.
    q, k = q.transpose(0, 1).contiguous(), k.transpose(0, 1).contiguous()
    return torch.tanh(q.unsqueeze(2) + k.unsqueeze(1)) @ v


def multiplicative_scores(q: Tensor, k: Tensor, scale: float) -> Tensor:
    """`scale * q_t . k_s`, `(B, T, S)`."""
    return torch.bmm(q.transpose(0, 1) * scale, k.permute(1, 2, 0))


def weigh(scores: Tensor, m: Tensor, beyond: Tensor | None) -> tuple[Tensor, Tensor]:
    """The weighted sums `(T, B, M)` of the memory and the weights `(T, B, S)`, from `(B, T, S)`.

    Args:
        beyond: `(S, B)` bool, true beyond a row's length: weight 0; a row without sources has none.
    """
    if beyond is None:
        a = torch.softmax(scores, -1)
    else:
        hidden = beyond.t().unsqueeze(1)
        # Not -inf, of which a row without sources would make NaN.
        scores = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
        a = torch.softmax(scores, -1).masked_fill(hidden, 0)
    c = torch.bmm(a.to(m.dtype), m.transpose(0, 1))
    return c.transpose(0, 1), a.transpose(0, 1)


def beyond_lengths(sources: int, lengths: Tensor | None, device: torch.device) -> Tensor | None:
    """`(S, B)` bool, true beyond a row's length; None where there are no lengths."""
    if lengths is None:
        return None
    return torch.arange(sources, device=device).unsqueeze(1) >= lengths.to(device)


def without(tensor: Tensor, beyond: Tensor | None) -> Tensor:
    """Zeros beyond the lengths: NaN there would reach a gradient as NaN * 0."""
    return tensor if beyond is None else tensor.masked_fill(beyond.unsqueeze(-1), 0)
