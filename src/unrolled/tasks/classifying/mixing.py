"""How far each part is trusted: one factor on the network's scores, one on the linear path's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit, log_softmax

Array = np.ndarray

# Documents that the starting factors are worth against what the validation part says.
_DOUBT = 2.0
_LEAST, _MOST = 1e-3, 1e2


@dataclass(frozen=True)
class Mix:
    """logits = network * network's logits + linear * linear path's logits.

    The inverse of a factor is a temperature: with one part alone this is temperature scaling (Guo
    et al. 2017, arXiv 1706.04599), with two, stacking (Wolpert 1992).

    Attributes:
        network, linear: the factors of the two together.
        network_alone, linear_alone: the factor of each where it answers alone.
    """

    network: float = 1.0
    linear: float = 0.0
    network_alone: float = 1.0
    linear_alone: float = 1.0

    def __call__(self, network: Array | None, linear: Array | None) -> Array:
        """Logits `(..., C)` of both parts together; a part that is not there is None."""
        parts = [
            factor * part
            for factor, part in ((self.network, network), (self.linear, linear))
            if part is not None
        ]
        return sum(parts[1:], parts[0])


def log_loss(logits: Array, targets: Array, weight: Array | None = None) -> float:
    """Mean negative log-likelihood in nats: `targets` `(N,)` labels, or `(N, C)` of 0 and 1.

    Args:
        weight: `(N,)` or `(N, C)`, how much each counts.
    """
    if targets.ndim == 2:
        lost = -np.where(targets > 0, log_expit(logits), log_expit(-logits))
    else:
        lost = -log_softmax(logits, axis=-1)[np.arange(len(targets)), targets]
    return float(np.average(lost, weights=weight))


def fit_mix(parts: Sequence[Array], targets: Array, weight: Array | None = None) -> list[float]:
    """A factor for each part's logits `(N, C)`, by the log loss on documents that none learnt from.

    Factors are positive and start at equal shares; a few documents move them little.
    """
    count = len(targets)
    start = np.log(1.0 / len(parts))

    def objective(logs: Array) -> float:
        factors = np.exp(logs)
        logits = sum(factor * part for factor, part in zip(factors, parts, strict=True))
        doubt = _DOUBT * float(((logs - start) ** 2).sum()) / (2 * count)
        return log_loss(np.asarray(logits), targets, weight) + doubt

    bounds = [(np.log(_LEAST), np.log(_MOST))] * len(parts)
    found = minimize(objective, np.full(len(parts), start), method="L-BFGS-B", bounds=bounds)
    return [float(factor) for factor in np.exp(found.x)]


def calibrated_loss(logits: Array, targets: Array, weight: Array | None = None) -> float:
    """The log loss at the best temperature: how good the scores are, however sure of themselves."""
    (factor,) = fit_mix([logits], targets, weight)
    return log_loss(factor * logits, targets, weight)
