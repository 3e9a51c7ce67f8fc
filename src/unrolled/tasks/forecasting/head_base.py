"""A head: what the numbers of a network say about one value that is not known yet."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

# Where softplus is 1.
_ONE = math.log(math.e - 1)
# The next numbers to 0 and 1 that a uniform draw may take: at 0 and 1 a quantile is infinite.
_INSIDE = (1e-7, 1 - 1e-7)


class Head(ABC):
    """The distribution of one value, read off `size` raw numbers of a network.

    Shapes: `...` any axes that broadcast against each other, `S` the head's `size`, `Q` levels.
    `raw` is `(..., S)`. `target`, `value`, `location` and `scale` are `(...)`, all in the unit of
    the data; `location` and `scale > 0` are the window's normalisation: the variable is
    `location + scale * standard`, and the raw numbers speak of `standard`. Raw zeros are a spread
    of one scale, so a network may begin with a readout of zeros.

    A head has no parameters and no state. Only `loss` passes gradients on for every head.
    """

    size: int
    """`S`: raw numbers for each answer."""
    centre: int | None = None
    """Which raw number moves the whole distribution, in scales; None where none does."""
    whole = False
    """Whether the values are whole numbers."""
    squared = False
    """Whether the loss is a squared error; series then count in their standard deviations."""
    apart: tuple[int, ...] = ()
    """Raw numbers whose loss must not shape what the network makes of its input."""

    @abstractmethod
    def loss(self, raw: Tensor, target: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """`(...)`: what training makes small; 0, with zero gradient, where `target` is NaN."""

    @abstractmethod
    def icdf(self, raw: Tensor, level: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """`(...)`: the quantile at each `level` `(...)`, inside (0, 1)."""

    @abstractmethod
    def cdf(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """`(...)`: the probability of at most `value`."""

    def quantiles(self, raw: Tensor, levels: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """`(..., Q)`: the quantiles at `levels` `(Q,)`; they ascend where the levels do."""
        return self.icdf(
            raw.unsqueeze(-2), levels.to(raw), location.unsqueeze(-1), scale.unsqueeze(-1)
        )

    def sample(
        self,
        raw: Tensor,
        location: Tensor,
        scale: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """`(...)`: one draw for each answer, the quantile at a uniform random level."""
        shape = torch.broadcast_shapes(raw.shape[:-1], location.shape, scale.shape)
        device = raw.device if generator is None else generator.device
        level = torch.rand(shape, generator=generator, device=device, dtype=raw.dtype)
        return self.icdf(raw, inside(level).to(raw.device), location, scale)


class ScaledHead(Head):
    """A head whose distribution moves with `location` and stretches with `scale`."""

    @abstractmethod
    def standard_loss(self, raw: Tensor, standard: Tensor) -> Tensor:
        """The loss where location is 0 and scale 1; `standard` is never NaN."""

    @abstractmethod
    def standard_icdf(self, raw: Tensor, level: Tensor) -> Tensor:
        """The quantile where location is 0 and scale 1."""

    @abstractmethod
    def standard_cdf(self, raw: Tensor, standard: Tensor) -> Tensor:
        """The probability of at most `standard` where location is 0 and scale 1."""

    def loss(self, raw: Tensor, target: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """See `Head`; of the standardised target, so that series of any size count alike."""
        known = ~target.isnan()
        # Replaced before the subtraction: NaN times a mask of zero is still NaN in the gradient.
        standard = (torch.where(known, target, location) - location) / scale
        return torch.where(known, self.standard_loss(raw, standard), 0.0)

    def icdf(self, raw: Tensor, level: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """See `Head`."""
        return location + scale * self.standard_icdf(raw, level)

    def cdf(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """See `Head`."""
        return self.standard_cdf(raw, (value - location) / scale)


def positive(raw: Tensor, floor: float) -> Tensor:
    """`floor + (1 - floor) softplus(raw + c)`: above `floor`, and 1 where `raw` is 0."""
    return floor + (1 - floor) * softplus(raw + _ONE)


def raw_of(size: Tensor, floor: float) -> Tensor:
    """The inverse of `positive`."""
    above = ((size - floor) / (1 - floor)).clamp(min=1e-4)
    return above + torch.log(-torch.expm1(-above)) - _ONE


def inside(level: Tensor) -> Tensor:
    """Random levels from [0, 1] moved inside (0, 1)."""
    return level.clamp(*_INSIDE)


def by_scipy(function: Callable[..., Any], *arguments: Tensor) -> Tensor:
    """`function` of arrays that broadcast: float64, on the CPU.

    Torch has neither the incomplete beta function nor its inverse; SciPy's are right to the last
    digits. They pass no gradient on, and none is asked for: training needs the densities only.
    """
    arrays = [argument.detach().cpu().double().numpy() for argument in arguments]
    return torch.from_numpy(np.asarray(function(*arrays)))
