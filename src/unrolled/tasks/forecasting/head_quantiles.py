"""The head for a distribution of any form: quantiles that never cross."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.special import ndtri

from unrolled.errors import ConfigError
from unrolled.tasks.forecasting.head_base import ScaledHead, positive

# A share of the first gap: two quantiles in one place would have an infinite density between.
GAP_FLOOR = 1e-3


class Quantiles(ScaledHead):
    """Quantiles at `Q` levels, from as many raw numbers, one of them near the middle.

        q_m = z_m + r_m                                       the level nearest to 0.5
        q_{k+1} = q_k + (z_{k+1} - z_k) positive(r_{k+1})     above it
        q_{k-1} = q_k - (z_k - z_{k-1}) positive(r_{k-1})     below it
        loss = mean over k of 2 max(l_k e, (l_k - 1) e);   e = standard - q_k

    `l_k` are the levels, `z_k` the standard normal's quantiles, which raw zeros stand for.
    `positive` is a softplus with a floor, so the quantiles ascend whatever the network says. The
    loss is the pinball loss, twice, so that the median's is the absolute error, in scales.

    Between two levels the distribution is uniform; outside of them it falls off exponentially, from
    the density that the outermost gap has (one level alone: the standard normal's there).

    Args:
        levels: ascending, each inside (0, 1).

    Raises:
        ConfigError: levels that are none, don't ascend or are not inside (0, 1).

    Source: Koenker & Bassett 1978 (loss).
    """

    def __init__(self, levels: Sequence[float]) -> None:
        inside = all(0 < level < 1 for level in levels)
        if not levels or not inside or any(a >= b for a, b in pairwise(levels)):
            raise ConfigError(
                f"levels: got {tuple(levels)}, expected ascending numbers inside (0, 1), "
                "such as (0.1, 0.5, 0.9)"
            )
        self.size = len(levels)
        self.levels = torch.tensor(levels, dtype=torch.float64)
        self.centre: int = int((self.levels - 0.5).abs().argmin())
        self.normal = ndtri(self.levels)
        if self.size > 1:
            steps = self.levels.diff()
        else:
            steps = (-self.normal.square() / 2).exp() / math.sqrt(2 * math.pi)
        # The ways on which the tails fall to 1/e of their height, in outermost gaps.
        self.tails = (
            float(self.levels[0] / steps[0]),
            float((1 - self.levels[-1]) / steps[-1]),
        )

    def places(self, raw: Tensor) -> Tensor:
        """`(..., Q)`: the quantiles at the head's own levels, where location is 0 and scale 1."""
        normal, m = self.normal.to(raw), self.centre
        centre = normal[m] + raw[..., m : m + 1]
        below = normal[: m + 1].diff() * positive(raw[..., :m], GAP_FLOOR)
        above = normal[m:].diff() * positive(raw[..., m + 1 :], GAP_FLOOR)
        return torch.cat(
            [
                centre - below.flip(-1).cumsum(-1).flip(-1),
                centre,
                centre + above.cumsum(-1),
            ],
            dim=-1,
        )

    def standard_loss(self, raw: Tensor, standard: Tensor) -> Tensor:
        """Pinball loss, mean over the levels."""
        levels = self.levels.to(raw)
        error = standard.unsqueeze(-1) - self.places(raw)
        return 2 * torch.maximum(levels * error, (levels - 1) * error).mean(-1)

    def standard_icdf(self, raw: Tensor, level: Tensor) -> Tensor:
        """Between two quantiles on the straight line, outside of them logarithmic."""
        shape = torch.broadcast_shapes(raw.shape[:-1], level.shape)
        places, levels = self.places(raw).expand(*shape, -1), self.levels.to(raw)
        level = level.expand(shape).contiguous()
        (low, left), (high, right) = self._tails(places)
        inner = low
        if self.size > 1:
            k = (torch.searchsorted(levels, level) - 1).clamp(0, self.size - 2)
            share = (level - levels[k]) / (levels[k + 1] - levels[k])
            begin, end = _pick(places, k), _pick(places, k + 1)
            inner = begin + share * (end - begin)
        first, last = levels[0], levels[-1]
        inner = torch.where(level < first, low + left * (level / first).log(), inner)
        return torch.where(level > last, high - right * ((1 - level) / (1 - last)).log(), inner)

    def standard_cdf(self, raw: Tensor, standard: Tensor) -> Tensor:
        """The inverse of `standard_icdf`."""
        shape = torch.broadcast_shapes(raw.shape[:-1], standard.shape)
        places, levels = self.places(raw).expand(*shape, -1), self.levels.to(raw)
        standard = standard.expand(shape)
        (low, left), (high, right) = self._tails(places)
        inner = levels[0].expand(shape)
        if self.size > 1:
            k = ((places <= standard.unsqueeze(-1)).sum(-1) - 1).clamp(0, self.size - 2)
            begin, end = _pick(places, k), _pick(places, k + 1)
            inner = levels[k] + (standard - begin) / (end - begin) * (levels[k + 1] - levels[k])
        first, last = levels[0], levels[-1]
        inner = torch.where(standard < low, first * ((standard - low) / left).exp(), inner)
        upper = 1 - (1 - last) * ((high - standard) / right).exp()
        return torch.where(standard > high, upper, inner)

    def _tails(self, places: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Where each tail begins, and the way on which it falls to 1/e."""
        gaps = places.diff() if self.size > 1 else torch.ones_like(places)
        left, right = self.tails
        return (places[..., 0], left * gaps[..., 0]), (places[..., -1], right * gaps[..., -1])


def _pick(places: Tensor, index: Tensor) -> Tensor:
    return places.gather(-1, index.unsqueeze(-1)).squeeze(-1)
