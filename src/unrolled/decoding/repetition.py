"""Holding a model back from saying the same again."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError


def penalise_repetition(logits: Tensor, recent: Iterable[int], penalty: float) -> Tensor:
    """Scores in which each token that was lately written is less likely.

        log p'(w) = penalty * log p(w)   for w among `recent`,   up to the sum of all

    It works on log-probabilities, which are never above zero, so that it does not depend on where
    the scores have their zero, as dividing positive scores and multiplying negative ones does.

    Args:
        logits: `(V,)` floating point scores.
        recent: ids of the tokens that count as repeated.
        penalty: 1 changes nothing, above 1 holds back, below 1 asks for more of the same.

    Returns:
        `(V,)`, not normalised.

    Raises:
        ConfigError: a penalty that is not a number above 0.

    Source: Keskar et al. 2019, arXiv 1909.05858, section 4.1, on log-probabilities.
    """
    check_penalty(penalty)
    ids = torch.tensor(sorted(set(recent)), dtype=torch.int64, device=logits.device)
    if penalty == 1 or not len(ids):
        return logits
    scores = logits.log_softmax(dim=-1)
    scores[ids] = scores[ids] * penalty
    return scores


def check_penalty(penalty: Any) -> None:
    """ConfigError unless it is a finite number above 0."""
    number = isinstance(penalty, Real) and not isinstance(penalty, bool)
    if not (number and 0 < float(penalty) < math.inf):
        raise ConfigError(
            f"repetition_penalty: got {penalty!r}, expected a number above 0 (1: no penalty)"
        )
