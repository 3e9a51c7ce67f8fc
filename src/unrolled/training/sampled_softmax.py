"""The cross-entropy of a large vocabulary from a few of its tokens: the right ones, and some drawn.

A full softmax costs a product with the vectors of all tokens, at every step; with 30,000 words that
is most of what a language model's training costs.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.errors import ConfigError

# Drawn less often than they occur, the frequent leave room for the rare (Mikolov et al. 2013).
FLATTENED = 0.75


class NegativeSampling:
    """Draws tokens to compare with, the same for all places of a batch.

        q(v) ~ (count(v) + 1)^0.75

    Args:
        counts: `(V,)`, how often each token occurs.
        negatives: `K`, how often one is drawn for a batch; those drawn again count once.
    """

    def __init__(self, counts: Tensor, negatives: int) -> None:
        if negatives < 1:
            raise ConfigError(f"negatives: got {negatives!r}, expected a whole number from 1 on")
        self.negatives = negatives
        shares = (counts.double() + 1) ** FLATTENED
        shares /= shares.sum()
        # log(1 - (1 - q)^K): certain for the frequent, whose part of the sum is then exact.
        self._log_chances = torch.log(-torch.expm1(negatives * torch.log1p(-shares))).float()
        self._upto = shares.cumsum(0)

    def draw(self) -> Tensor:
        """Different ids in ascending order, at most `K`; from torch's own random generator."""
        drawn = torch.rand(self.negatives, dtype=torch.float64)
        return torch.searchsorted(self._upto, drawn).clamp_(max=len(self._upto) - 1).unique()

    def log_chances(self, ids: Tensor) -> Tensor:
        """log of the probability that an id is among the drawn: 1 - (1 - q)^K."""
        return self._log_chances.to(ids.device)[ids]


def sampled_softmax_loss(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    drawn: Tensor,
    sampling: NegativeSampling,
) -> Tensor:
    """Mean cross-entropy in nats per token, estimated.

        loss = -s_y + log( exp(s_y) + sum over drawn v, v != y, of exp(s_v) / P(v is drawn) )
        s_v  = h . weight[v] + bias[v]

    The sum estimates that over all tokens without bias (Horvitz and Thompson 1952).

    Args:
        hidden: `(..., E)`.
        weight: `(V, E)`.
        bias: `(V,)`.
        targets: `(...)` int64; `IGNORED_TARGET` where there is none.
        drawn: int64 ids, as `sampling.draw()` gives them.
        sampling: what they were drawn by.

    Source: Jean et al. 2015, arXiv 1412.2007; Bengio and Senécal 2008.
    """
    flat, right = hidden.flatten(0, -2), targets.flatten()
    known = right != IGNORED_TARGET
    right = right.clamp(min=0)
    own = (flat * weight[right]).sum(-1) + bias[right]
    others = linear(flat, weight[drawn], bias[drawn] - sampling.log_chances(drawn))
    others = others.masked_fill(drawn == right.unsqueeze(-1), -math.inf)
    scores = torch.cat([own.unsqueeze(-1), others], dim=-1)
    first = torch.where(known, 0, IGNORED_TARGET)
    return cross_entropy(scores, first, ignore_index=IGNORED_TARGET)
