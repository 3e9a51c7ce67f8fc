"""The head for counts: negative binomial."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.special import betainc
from torch import Tensor

from unrolled.tasks.forecasting.head_base import Head, by_scipy, positive

MEAN_FLOOR = 1e-8
# The variation beside that of a Poisson variable is at least a hundredth of the mean.
DISPERSION_FLOOR = 1e-4


class NegativeBinomial(Head):
    """A negative binomial distribution of whole numbers from 0 on, from 2 raw numbers.

        m = scale * positive(r_0);   a = positive(r_1);   mean m, variance m + a m^2
        P(y) = G(y + 1/a) / (y! G(1/a)) * (1 / (1 + a m))^(1/a) * (a m / (1 + a m))^y
        loss = -log P(target)

    `G` is the gamma function, `positive` a softplus with a floor, 1 at 0. `scale` is the usual size
    of the series; `location` is ignored, since a count can't be moved. Targets and values are
    counts in their own unit, 0 or more: of smaller ones the loss says nothing. The loss is in nats.
    The dispersion `a` does not depend on `scale` (the paper divides it by the root of `scale`): a
    share of the mean is the same for a small shop and for a large one.

    Quantiles and samples are whole numbers: the least `y` that is reached with the probability.

    Source: Salinas et al. 2020 (DeepAR, arXiv 1704.04110), section 3.
    """

    size = 2
    whole = True

    def loss(self, raw: Tensor, target: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """See `Head`; negative log likelihood."""
        known = ~target.isnan()
        # In float64: for a small dispersion, large numbers leave a small difference.
        count = torch.where(known, target, 0.0).double()
        mean, dispersion = self._parts(raw.double(), scale)
        size, ratio = 1 / dispersion, dispersion * mean
        ways = (count + size).lgamma() - size.lgamma() - (count + 1).lgamma()
        chance = count * ratio.log() - (count + size) * ratio.log1p()
        return torch.where(known, -(ways + chance), 0.0).to(raw)

    def icdf(self, raw: Tensor, level: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """See `Head`; the least count whose `cdf` is at least `level`."""
        # Here, for it takes half a second and most forecasts are none of counts.
        from scipy.stats import nbinom

        mean, dispersion = self._parts(raw.double(), scale)
        chance = 1 / (1 + dispersion * mean)
        return by_scipy(nbinom.ppf, level, 1 / dispersion, chance).to(raw)

    def cdf(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """See `Head`; the same from one count to the next."""
        mean, dispersion = self._parts(raw.double(), scale)
        chance = 1 / (1 + dispersion * mean)
        return by_scipy(_cdf, value, 1 / dispersion, chance).to(raw)

    def _parts(self, raw: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        mean = scale * positive(raw[..., 0], MEAN_FLOOR)
        return mean, positive(raw[..., 1], DISPERSION_FLOOR)


def _cdf(value: Any, size: Any, chance: Any) -> Any:
    """`I_p(size, floor(value) + 1)`, the regularised incomplete beta function; 0 below 0."""
    whole = np.floor(value)
    return (whole >= 0) * betainc(size, whole.clip(min=0) + 1, chance)
