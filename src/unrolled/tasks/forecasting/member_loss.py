"""Who learns from which part of the past, and who is tested on it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from unrolled.training.losses import quantile_loss

LEARN, TEST, NEITHER = 0.0, 1.0, 2.0


def assign_roles(length: int, members: int, horizon: int, validation: float) -> Tensor:
    """The role of each member at each step of a series: `(length, M)` of LEARN, TEST or NEITHER.

    With several members the past is cut into as many parts, each of them testing one. A single
    member is tested on the last share `validation`. Next to a part lie steps whose answers it
    shares: they are no lessons for the member that is tested on it.
    """
    table = torch.full((length, members), LEARN)
    if members == 1:
        edges = [length - max(1, round(validation * length)), length]
    else:
        edges = [round(length * part / members) for part in range(members + 1)]
    for member, (begin, end) in enumerate(pairwise(edges)):
        # A step at t is answered by t + 1 .. t + K, a part so by begin + 1 .. end - 1 + K.
        table[max(0, begin - horizon + 1) : end + horizon - 1, member] = NEITHER
        table[begin:end, member] = TEST
    return table


class MemberLoss:
    """Pinball loss in which every member leaves out its own part of the past.

    `outputs` `(M, T, B, K, Q)`; `targets` `(T, B, K + M)`: the answers, then the members' roles.

    Args:
        quantiles: the levels.
        warmup: steps at the beginning of a window that do not count, since the state is still cold.
    """

    def __init__(self, quantiles: tuple[float, ...], *, warmup: int = 0) -> None:
        self.quantiles = torch.tensor(quantiles)
        self.warmup = warmup

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over the members of the loss that each may learn from."""
        return self._score(outputs[:, self.warmup :], targets[self.warmup :], LEARN)

    def held_out(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over the members of the loss on the parts that each was kept from."""
        return self._score(outputs, targets, TEST)

    def _score(self, outputs: Tensor, targets: Tensor, role: float) -> Tensor:
        answers, roles = targets[..., : -len(outputs)], targets[..., -len(outputs) :]
        quantiles = self.quantiles.to(outputs)
        losses = [
            quantile_loss(
                predictions,
                torch.where(roles[..., [member]] == role, answers, torch.nan),
                quantiles,
            )
            for member, predictions in enumerate(outputs)
        ]
        return torch.stack(losses).mean()
