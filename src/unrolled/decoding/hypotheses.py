"""`Hypothesis`: an answer that a search found; and putting a list of them in another order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.penalties import check_weight
from unrolled.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One answer of a search.

    Attributes:
        tokens: `T` tokens, without the end.
        score: what it is ranked by, the greater the better: the log-probability over the length
            penalty, and the coverage penalty.
        log_probability: the sum of `token_log_probabilities`, in nats.
        token_log_probabilities: of each token, and of the end where it was reached.
        attention: `(T, S)` float32, the attention on each place of the source when a token was
            chosen; None of a model without, or where it was not asked for.
        finished: whether it ended by itself; False where it was cut at the most steps, or where
            nothing that is allowed could follow.
    """

    tokens: tuple[int, ...]
    score: float
    log_probability: float
    token_log_probabilities: tuple[float, ...]
    attention: NDArray[np.float32] | None
    finished: bool


def rerank(
    hypotheses: Sequence[Hypothesis],
    score: Callable[[Sequence[Hypothesis]], Sequence[float]],
    weight: float,
) -> list[Hypothesis]:
    """The hypotheses of a sentence in the order that another model's say gives them.

        score'(h) = score(h) + weight * other(h)

    Args:
        hypotheses: an n-best list.
        score: gives a number for each of the list, at once, so that a model can work in a batch;
            the greater the better: such as log-probabilities of a language model.
        weight: 0 or more.

    Returns:
        The hypotheses with their new scores, best first; of equal ones the earlier comes first. As
        in a search, those that are finished come before those that were cut.

    Raises:
        ConfigError: another count of numbers, one that is not finite, or a weight below 0.
    """
    check_weight("weight", weight)
    others = [float(value) for value in score(hypotheses)] if hypotheses else []
    if len(others) != len(hypotheses):
        raise ConfigError(
            f"score: got {len(others)} numbers for {len(hypotheses)} hypotheses, expected one each"
        )
    for place, value in enumerate(others):
        if not math.isfinite(value):
            raise ConfigError(
                f"score: got {value} for hypothesis {place}, expected a finite number"
            )
    again = [
        replace(one, score=one.score + weight * value)
        for one, value in zip(hypotheses, others, strict=True)
    ]
    return sorted(again, key=lambda one: (not one.finished, -one.score))
