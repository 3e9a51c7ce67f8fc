"""The transducer loss in operations of torch, on any device and of any dtype."""

from __future__ import annotations

import torch
from torch import Tensor

# The log-probability of what can't be: finite, so that gradients are no NaN.
_NEVER = -1e30


def reference_losses(
    logits: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor, blank: int
) -> Tensor:
    """Minus the log-probability of each target, `(B,)`; 0 without frames.

    Nodes (t, u) with the same t + u wait for no other of them: a step of the recurrence is one such
    diagonal of all utterances, with u along it,

        a_d[u] = log(exp(a_{d-1}[u] + blank_{d-1}[u]) + exp(a_{d-1}[u-1] + label_{d-1}[u-1])).

    Args:
        logits: `(B, T, U + 1, V)`; float64 as it is, anything else in float32.
        lengths, targets, target_lengths, blank: as of `transducer_loss`, checked.

    Source: as there; by diagonals Bagby et al. 2018, Efficient Implementation of Recurrent Neural
    Network Transducer in TensorFlow.
    """
    device = logits.device
    batch, steps, rows, _ = logits.shape
    if not steps:
        return logits.new_zeros(batch)
    place = torch.arange(rows, device=device)
    frame = torch.arange(steps, device=device)
    within = (frame < lengths[:, None])[:, :, None] & (place <= target_lengths[:, None])[:, None]
    wide = logits if logits.dtype == torch.float64 else logits.float()
    # Before anything is calculated: NaN times a slope of zero is NaN.
    scores = wide.masked_fill(~within[..., None], 0.0).log_softmax(-1)
    said = place[:-1] < target_lengths[:, None]
    symbols = torch.where(said, targets, 0)[:, None, :, None].expand(-1, steps, -1, 1)
    label = scores[:, :, :-1].gather(3, symbols)[..., 0]
    label = torch.cat([label, label.new_full((batch, steps, 1), _NEVER)], 2)
    stays, says = (_by_diagonals(one) for one in (scores[..., blank], label))
    before = stays.new_full((batch, rows), _NEVER)
    before[:, 0] = 0.0
    never = before.new_full((batch, 1), _NEVER)
    ends = []
    for diagonal in range(steps + rows - 1):
        came = before + stays[:, diagonal]
        ends.append(came)
        shifted = (before + says[:, diagonal])[:, :-1]
        before = torch.logaddexp(came, torch.cat([never, shifted], 1))
    last = (lengths - 1).clamp(min=0) + target_lengths
    found = torch.stack(ends, 1)[torch.arange(batch, device=device), last, target_lengths]
    found = found.masked_fill(found < _NEVER / 2, -torch.inf)
    return -found.masked_fill(lengths == 0, 0.0)


def _by_diagonals(nodes: Tensor) -> Tensor:
    """`(B, T, U + 1)` as `(B, T + U, U + 1)`: node (t, u) at [t + u, u]."""
    _, steps, rows = nodes.shape
    place = torch.arange(rows, device=nodes.device)
    frame = torch.arange(steps + rows - 1, device=nodes.device)[:, None] - place
    inside = (frame >= 0) & (frame < steps)
    picked = nodes[:, frame.clamp(0, steps - 1), place]
    return picked.clamp(min=_NEVER).masked_fill(~inside, _NEVER)
