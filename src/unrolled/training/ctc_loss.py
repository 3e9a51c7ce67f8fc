"""The CTC loss of a batch, without the utterances that have no alignment."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import ctc_loss as torch_ctc_loss


class CtcLoss(NamedTuple):
    """
    Attributes:
        loss: a scalar, in nats.
        left_out: how many utterances had no alignment and count for nothing: their symbols need
            more frames than they have (`unrolled.data.ctc_frames.frames_needed`).
    """

    loss: Tensor
    left_out: int


def ctc_loss(
    logits: Tensor,
    lengths: Tensor,
    targets: Tensor,
    target_lengths: Tensor,
    *,
    per: Literal["utterance", "symbol"] = "utterance",
) -> CtcLoss:
    """Minus the log-probability of what was said, summed over all its alignments.

        loss = mean over b of -log p(l_b | x_b)                            per utterance
               sum over b of -log p(l_b | x_b) / sum over b of |l_b|       per symbol

    Args:
        logits: `(T, B, 1 + V)`, the blank first; the softmax is taken here, in float32.
        lengths: `(B,)` frames of each utterance.
        targets: `(B, U)` int64 symbols, 1 to V; anything beyond a target's length.
        target_lengths: `(B,)` symbols of each; 0 for silence.
        per: what the mean is over. Per symbol, long utterances count for more.

    Returns:
        The loss, 0 with a gradient of 0 where no utterance has an alignment, and how many have
        none. What stands beyond a row's length, NaN too, counts for nothing.

    Source: Graves et al. 2006, equation 8.
    """
    lengths, target_lengths = lengths.to(logits.device), target_lengths.to(logits.device)
    targets = targets.to(logits.device)
    kept = (lengths > 0) & (needed_frames(targets, target_lengths) <= lengths)
    rows = kept.nonzero()[:, 0]
    left_out = len(kept) - len(rows)
    if not len(rows):
        return CtcLoss(logits[:0].sum(), left_out)
    frames, counts = lengths[rows], target_lengths[rows]
    beyond = torch.arange(len(logits), device=logits.device)[:, None] >= frames
    kept_logits = logits.index_select(1, rows).float().masked_fill(beyond[:, :, None], 0.0)
    log_probs = kept_logits.log_softmax(-1)
    losses = torch_ctc_loss(log_probs, targets[rows], frames, counts, blank=0, reduction="none")
    by = len(rows) if per == "utterance" else counts.sum().clamp(min=1)
    return CtcLoss(losses.sum() / by, left_out)


def needed_frames(targets: Tensor, target_lengths: Tensor) -> Tensor:
    """`frames_needed` of each row of `(B, U)` targets, `(B,)`."""
    places = torch.arange(1, max(1, targets.shape[1]), device=targets.device)
    inside = places < target_lengths[:, None]
    repeats = (targets[:, 1:] == targets[:, :-1]) & inside
    return target_lengths + repeats.sum(1)
