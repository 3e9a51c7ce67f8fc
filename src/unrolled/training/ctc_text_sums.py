"""How probable given texts are in one recording, by a CTC model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import ctc_loss as torch_ctc_loss

# Of the sums of texts that are made at once, in bytes.
_AT_ONCE = 1 << 27


def ctc_text_sums(
    log_probs: NDArray[np.floating], texts: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """`log p(l | x)` of each text, over all its alignments; minus infinity where it has none.

    Args:
        log_probs: `(T, 1 + V)` of one recording, the blank first.
        texts: `N` of them, each the symbols of it, 1 to V.

    Returns:
        `(N,)` in nats, calculated in double precision.

    Source: Graves et al. 2006, equation 8.
    """
    steps = len(log_probs)
    if not texts or steps == 0:
        return np.array([0.0 if not len(one) else -np.inf for one in texts])
    # Of many symbols the few that are there: the batch has a copy of their columns for each text.
    used = np.unique([0, *(symbol for one in texts for symbol in one)])
    values = torch.from_numpy(log_probs[:, used].astype(np.float64))
    longest = max(map(len, texts))
    each = max(1, _AT_ONCE // (8 * steps * (2 * longest + 1 + len(used))))
    found = []
    for start in range(0, len(texts), each):
        some = texts[start : start + each]
        lengths = torch.tensor([len(one) for one in some])
        targets = torch.zeros(len(some), max(1, longest), dtype=torch.int64)
        for row, one in enumerate(some):
            targets[row, : len(one)] = torch.from_numpy(
                np.searchsorted(used, np.array([*one], int))
            )
        beside = values[:, None].expand(-1, len(some), -1)
        counts = torch.full((len(some),), steps)
        losses = torch_ctc_loss(beside, targets, counts, lengths, blank=0, reduction="none")
        found.append(-losses.numpy())
    return np.concatenate(found)
