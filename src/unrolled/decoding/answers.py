"""What a search is asked, and the answers that it collects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.constraints import Constraints
from unrolled.decoding.hypotheses import Hypothesis
from unrolled.decoding.trail import Trail

Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """A search that was asked for, with everything checked.

    Attributes:
        begin, end: the token that every answer follows, and the one that ends it.
        options: how to search.
        constraints: what every hypothesis has to keep to.
        widths: `(N,)`, how many places of the attention belong to each source.
        limits: `(N,)`, the most steps of each sentence.
        device: where the model's tensors are.
    """

    begin: int
    end: int
    options: BeamOptions
    constraints: Constraints
    widths: Ints
    limits: Ints
    device: torch.device


class Ended(NamedTuple):
    """A hypothesis that the search is done with."""

    node: int
    score: float
    total: float
    finished: bool


class Answers:
    """The hypotheses that have ended, of each sentence.

    Attributes:
        counts: `(N,)`, how many have finished.
        thresholds: `(N,)`, the score that the `n_best`-th best has: what comes later must be better
            to matter. Minus infinity where there are fewer.
        ended: of each sentence its hypotheses, in the order in which they came.
    """

    def __init__(self, sentences: int, n_best: int) -> None:
        self.counts = np.zeros(sentences, np.int64)
        self.thresholds = np.full(sentences, -math.inf)
        self._n_best = n_best
        self.ended: list[list[Ended]] = [[] for _ in range(sentences)]

    def finish(self, sentences: Ints, nodes: Ints, totals: Numbers, scores: Numbers) -> None:
        """Takes hypotheses that have reached the end, the better of a sentence first."""
        self._take(sentences, nodes, totals, scores, True)
        for sentence in set(sentences.tolist()):
            found = self.ended[sentence]
            self.counts[sentence] = len(found)
            if len(found) >= self._n_best:
                self.thresholds[sentence] = sorted(one.score for one in found)[-self._n_best]

    def cut(self, sentences: Ints, nodes: Ints, totals: Numbers, scores: Numbers) -> None:
        """Takes hypotheses that have not, of sentences that end here."""
        self._take(sentences, nodes, totals, scores, False)

    def _take(
        self, sentences: Ints, nodes: Ints, totals: Numbers, scores: Numbers, finished: bool
    ) -> None:
        each = (sentences.tolist(), nodes.tolist(), totals.tolist(), scores.tolist())
        for sentence, node, total, score in zip(*each, strict=True):
            self.ended[sentence].append(Ended(node, score, total, finished))

    def best(self) -> list[list[Ended]]:
        """The `n_best` of each sentence: those that finished first, then those that were cut; the
        better before, and of equal ones those that ended earlier.
        """
        return [
            sorted(found, key=lambda one: (not one.finished, -one.score))[: self._n_best]
            for found in self.ended
        ]


def hypotheses(best: list[list[Ended]], trail: Trail, widths: Ints) -> list[list[Hypothesis]]:
    """What has ended, with all that led there."""
    flat = [(sentence, one) for sentence, found in enumerate(best) for one in found]
    paths = trail.trace(
        np.array([one.node for _, one in flat], np.int64),
        np.array([one.finished for _, one in flat], np.bool_),
        widths[[sentence for sentence, _ in flat]],
    )
    found: list[list[Hypothesis]] = [[] for _ in best]
    for (sentence, one), path in zip(flat, paths, strict=True):
        found[sentence].append(
            Hypothesis(
                tokens=path.tokens[: len(path.tokens) - one.finished],
                score=one.score,
                log_probability=one.total,
                token_log_probabilities=path.log_probabilities,
                attention=path.attention,
                finished=one.finished,
            )
        )
    return found
