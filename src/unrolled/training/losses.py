"""What training makes small. Unknown targets (NaN, or `IGNORED_TARGET`) count for nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.batching.checks import IGNORED_TARGET


def token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats per token.

    Args:
        logits: `(T, B, V)`.
        targets: `(T, B)` int64; `IGNORED_TARGET` where there is none.
    """
    return cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED_TARGET)


def quantile_loss(predictions: Tensor, targets: Tensor, quantiles: Tensor) -> Tensor:
    """Mean pinball loss over the known targets, twice, so that the median's is the absolute error.

        2 * max(q * (y - p), (q - 1) * (y - p))

    Args:
        predictions: `(..., Q)`.
        targets: `(...)`; NaN where not known.
        quantiles: `(Q,)`, each inside (0, 1).

    Source: Koenker & Bassett 1978.
    """
    known = ~targets.isnan()
    # Replaced before the subtraction: NaN times a mask of zero is still NaN in the gradient.
    error = torch.where(known, targets, 0.0).unsqueeze(-1) - torch.where(
        known.unsqueeze(-1), predictions, 0.0
    )
    pinball = 2 * torch.maximum(quantiles * error, (quantiles - 1) * error)
    return pinball.sum() / (known.sum().clamp(min=1) * len(quantiles))
