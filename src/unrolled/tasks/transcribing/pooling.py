"""`Pooling`: from what the layers gave at every step to one vector of the whole.

Shapes: `T'` steps, `B` recordings, `H` what the recurrent layers give.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# The logarithm of no weight at all; finite, so that differences of it are numbers.
_NOTHING = -1e30


class Pooling(nn.Module):
    """A mean over the steps that learns which of them tell.

        a_t = exp(w h_t);   p = (a_1 h_1 + .. + a_T h_T) / (a_1 + .. + a_T)

    It begins as the plain mean (w = 0). A stream needs no more of the past than `p` and the
    logarithm of the weights' sum.

    Args:
        size: H.

    Source: Raffel and Ellis 2015, arXiv 1512.08756 (feed-forward attention).
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size))

    def forward(self, hidden: Tensor, counts: Tensor) -> Tensor:
        """`(T', B, H)`, of each recording the first `counts` `(B,)`, to `(B, H)`."""
        steps = torch.arange(len(hidden), device=hidden.device).unsqueeze(-1)
        scores = (hidden @ self.weight).masked_fill(steps >= counts, _NOTHING)
        return torch.einsum("tb,tbh->bh", scores.softmax(0), hidden)

    def begin(self, recordings: int) -> Tensor:
        """Before the first step `(B, 1 + H)`: the logarithm of the weights' sum, then `p`."""
        nothing = self.weight.new_zeros(recordings, 1 + len(self.weight))
        nothing[:, 0] = _NOTHING
        return nothing

    def stream(self, hidden: Tensor, before: Tensor) -> Tensor:
        """What is known after some more steps `(t', B, H)`, which may be none."""
        scores = hidden @ self.weight
        both = torch.cat([before[:, 0].unsqueeze(0), scores])
        sum_of_both = both.logsumexp(0)
        parts = (both - sum_of_both).exp().unsqueeze(-1)
        pooled = parts[0] * before[:, 1:] + (parts[1:] * hidden).sum(0)
        return torch.cat([sum_of_both.unsqueeze(-1), pooled], -1)
