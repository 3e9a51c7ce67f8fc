"""Shallow fusion: two models choose each token together."""

from __future__ import annotations

from torch import Tensor

from unrolled.decoding.penalties import check_weight
from unrolled.decoding.scorer import LogProbabilities, Scorer, Scores
from unrolled.errors import ConfigError


class Fused:
    """A `Scorer` of two that read the same tokens: a translator and a language model.

        s(y_t) = log p(y_t | y_<t, X) + weight * log q(y_t | y_<t)

    The sums are not normalised, and not above 0. Every token of the vocabulary is looked at, so
    that a search costs more than without. The attention is that of the first.

    Args:
        scorer: `p`.
        other: `q`, over the same vocabulary, with as many rows; on any device, if it takes tokens
            and rows that are on the first's.
        weight: 0 or more; 0 leaves the first as it is, and does not ask the other.

    Raises:
        ConfigError: a weight below 0; while it runs, two vocabularies of different sizes.

    Source: Gulcehre et al. 2015, "On using monolingual corpora in neural machine translation",
    arXiv 1503.03535, section 4.1.
    """

    def __init__(self, scorer: Scorer, other: Scorer, weight: float) -> None:
        check_weight("weight", weight)
        self._scorer = scorer
        self._other = other
        self._weight = float(weight)

    def step(self, tokens: Tensor) -> Scores:
        scores = self._scorer.step(tokens)
        if not self._weight:
            return scores
        first = scores.all()
        # The other model may be on another device.
        second = self._other.step(tokens).all().to(first.device)
        if first.shape != second.shape:
            raise ConfigError(
                f"fusion: the models give scores of the shapes {tuple(first.shape)} and"
                f" {tuple(second.shape)}; both must have the same vocabulary"
            )
        return LogProbabilities(first + self._weight * second, scores.attention)

    def select(self, rows: Tensor) -> None:
        self._scorer.select(rows)
        if self._weight:
            self._other.select(rows)
