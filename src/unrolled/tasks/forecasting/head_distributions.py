"""Heads for values on the whole line: Normal and Student-t."""

from __future__ import annotations

import math

import torch
from scipy.special import stdtr, stdtrit
from torch import Tensor
from torch.special import ndtr, ndtri

from unrolled.tasks.forecasting.head_base import ScaledHead, by_scipy, positive

# In scales: a spread of zero would have an infinite density.
SPREAD_FLOOR = 1e-3
LEAST_FREEDOM, FREEDOM_ABOVE = 2.0, 4.0


class Normal(ScaledHead):
    """A normal distribution, from 2 raw numbers.

        standard ~ N(r_0, s^2);   s = positive(r_1)
        loss = (standard - r_0)^2 / (2 s^2) + log s + log(2 pi) / 2

    `positive` is a softplus with a floor, 1 at 0. The loss is in nats.
    """

    size = 2
    centre = 0

    def standard_loss(self, raw: Tensor, standard: Tensor) -> Tensor:
        """Negative log likelihood."""
        middle, spread = raw[..., 0], positive(raw[..., 1], SPREAD_FLOOR)
        error = (standard - middle) / spread
        return error.square() / 2 + spread.log() + math.log(2 * math.pi) / 2

    def standard_icdf(self, raw: Tensor, level: Tensor) -> Tensor:
        """`r_0 + s ndtri(level)`."""
        return raw[..., 0] + positive(raw[..., 1], SPREAD_FLOOR) * ndtri(level)

    def standard_cdf(self, raw: Tensor, standard: Tensor) -> Tensor:
        """`ndtr((standard - r_0) / s)`."""
        return ndtr((standard - raw[..., 0]) / positive(raw[..., 1], SPREAD_FLOOR))


class Mean(Normal):
    """A normal distribution whose mean is taught by the squared error, from 2 raw numbers.

        loss = (standard - r_0)^2 / 2 + (standard - m)^2 / (2 s^2) + log s,   m = r_0, not taught

    The likelihood of `Normal` trusts the windows that it finds easy more than the others; for the
    least squared error of the mean all of them count alike. The spread is still the likeliest one.
    """

    squared = True

    apart = (1,)

    def standard_loss(self, raw: Tensor, standard: Tensor) -> Tensor:
        """Half the squared error, and the negative log likelihood of the spread."""
        settled = torch.stack([raw[..., 0].detach(), raw[..., 1]], dim=-1)
        return (standard - raw[..., 0]).square() / 2 + super().standard_loss(settled, standard)


class StudentT(ScaledHead):
    """Student's t distribution, for values with wild ones among them, from 3 raw numbers.

        (standard - r_0) / s ~ t(v);   s = positive(r_1);   v = 2 + 4 positive(r_2)
        e = (standard - r_0) / s
        loss = (v + 1)/2 log(1 + e^2 / v) + log s + log(v pi)/2 + logG(v/2) - logG((v + 1)/2)

    `logG` is the logarithm of the gamma function. More than 2 degrees of freedom keep the variance
    finite; training begins at 6. The loss is in nats.
    """

    size = 3
    centre = 0

    def standard_loss(self, raw: Tensor, standard: Tensor) -> Tensor:
        """Negative log likelihood."""
        middle, spread, freedom = self._parts(raw)
        error = (standard - middle) / spread
        # In float64: of two large numbers, the small difference counts.
        half = freedom.double() / 2
        gammas = (half.lgamma() - (half + 0.5).lgamma()).to(raw)
        tail = (freedom + 1) / 2 * (error.square() / freedom).log1p()
        return tail + spread.log() + (freedom * math.pi).log() / 2 + gammas

    def standard_icdf(self, raw: Tensor, level: Tensor) -> Tensor:
        """`r_0 + s stdtrit(v, level)`."""
        middle, spread, freedom = self._parts(raw)
        return middle + spread * by_scipy(stdtrit, freedom, level).to(raw)

    def standard_cdf(self, raw: Tensor, standard: Tensor) -> Tensor:
        """`stdtr(v, (standard - r_0) / s)`."""
        middle, spread, freedom = self._parts(raw)
        return by_scipy(stdtr, freedom, (standard - middle) / spread).to(raw)

    def _parts(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        freedom = LEAST_FREEDOM + FREEDOM_ABOVE * positive(raw[..., 2], 0.0)
        return raw[..., 0], positive(raw[..., 1], SPREAD_FLOOR), freedom
