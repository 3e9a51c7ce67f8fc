"""What a search adds to the log-probability of a hypothesis: for its length, for its coverage.

    s(Y, X) = log P(Y | X) / lp(Y) + cp(X; Y)

Source: Wu et al. 2016, "Google's neural machine translation system", arXiv 1609.08144, equation 14.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError

Numbers = NDArray[np.float64]

MEAN = "mean"
"""The length penalty that makes a score the mean log-probability of a token."""


def length_penalty(lengths: NDArray[Any], alpha: float | str) -> Numbers:
    """What the log-probability of a hypothesis is divided by.

        lp(Y) = (5 + |Y|)^alpha / (5 + 1)^alpha        or, with "mean",        lp(Y) = |Y|

    `|Y|` counts every token that has a probability, the end among them. A log-probability falls
    with each token, so that a sum favours short answers. `alpha` 0 leaves the sum as it is; 1
    divides by `(5 + |Y|) / 6`, nearly a mean for long answers and less than one for short ones;
    "mean" is the mean itself.

    Args:
        lengths: `|Y|` of each hypothesis, from 0 on (which counts as 1 for the mean).
        alpha: 0 or more, or "mean".

    Returns:
        The same shape, 1 or more for lengths from 1 on; it never falls with the length.
    """
    if isinstance(alpha, str):
        return np.maximum(lengths, 1.0)
    return np.asarray(((5.0 + lengths) / 6.0) ** alpha, dtype=np.float64)


def coverage_penalty(coverage: Numbers, lengths: NDArray[np.int64], beta: float) -> Numbers:
    """What a hypothesis loses for places of the source that it hardly looked at.

        cp(X; Y) = beta * sum over i of log(min(sum over j of p_ij, 1))

    `p_ij` is the attention on place `i` of the source when token `j` was chosen. It is 0 where
    every place got attention that sums to 1 or more, else below. A place without any counts as
    one with the smallest number above 0 that float32 has.

    Args:
        coverage: `(H, S)`, the attention of each hypothesis, summed over its tokens with the end.
        lengths: `(H,)`, how many of the `S` places its source has.
        beta: 0 or more.

    Returns:
        `(H,)`.
    """
    floor = np.finfo(np.float32).tiny
    logs = np.log(np.clip(coverage, floor, 1.0))
    inside = np.arange(coverage.shape[1]) < lengths[:, None]
    return beta * np.where(inside, logs, 0.0).sum(axis=1)


def check_weight(name: str, value: Any) -> None:
    """ConfigError unless it is a finite number from 0 on."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and 0 <= float(value) < math.inf):
        raise ConfigError(f"{name}: got {value!r}, expected a number from 0 on")
