"""The second pass: another model has a say in which of the hypotheses is the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.penalties import check_weight
from unrolled.decoding.text_score import TextScore
from unrolled.errors import ConfigError


class TextModel(Protocol):
    """A model that says how likely texts are: a `Generator`, an `NGramModel`."""

    def score(self, texts: list[str]) -> list[TextScore]:
        """Of each text its log-probability, in nats."""


def text_scores(model: TextModel, texts: Sequence[str]) -> dict[str, float]:
    """The log-probability of each text, those that occur twice asked once.

    Raises:
        ConfigError: one that is not a finite number.
    """
    different = list(dict.fromkeys(texts))
    found = [one.log_probability for one in model.score(different)] if different else []
    for text, value in zip(different, found, strict=True):
        if not math.isfinite(value):
            raise ConfigError(f"rerank: the model gives {value} for {text!r}, expected a number")
    return dict(zip(different, found, strict=True))


def rescored(
    hypotheses: Sequence[CtcHypothesis], says: Sequence[float], weight: float
) -> list[CtcHypothesis]:
    """The hypotheses of a recording in the order that another model's say gives them.

        score'(h) = score(h) + weight * says(h)

    Args:
        hypotheses: an n-best list.
        says: of each a log-probability.
        weight: 0 or more.
    """
    check_weight("weight", weight)
    again = [
        replace(one, score=one.score + weight * value)
        for one, value in zip(hypotheses, says, strict=True)
    ]
    return sorted(again, key=lambda one: -one.score)
