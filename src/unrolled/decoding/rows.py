"""`Rows`: the model's rows, and what a search has to know of each beside the model's state."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.decoding.answers import Question
from unrolled.decoding.constraints import best_tokens
from unrolled.decoding.penalties import coverage_penalty, length_penalty
from unrolled.decoding.scorer import Scorer
from unrolled.decoding.trail import Trail
from unrolled.errors import ConfigError

Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Rows:
    """The hypotheses that a search goes on with, one row of the model each.

    Attributes:
        step: how many tokens they have.
        owners: `(R,)`, which sentence each belongs to.
        trail: where their tokens are kept.
    """

    def __init__(self, scorer: Scorer, question: Question, trail: Trail) -> None:
        self.step = 0
        self.owners = np.arange(len(question.limits))
        self.trail = trail
        self._scorer = scorer
        self._question = question
        self._tokens = np.full(len(self.owners), question.begin, np.int64)
        self._history = (
            np.empty((len(self.owners), 0), np.int64) if question.options.no_repeat else None
        )
        self._before: Numbers = np.zeros((len(self.owners), 0))
        self._coverage = self._before

    def best(self, count: int) -> tuple[Numbers, Ints]:
        """The best tokens that may come next: see `constraints.best_tokens`."""
        question = self._question
        scores = self._scorer.step(torch.from_numpy(self._tokens).to(question.device))
        options = question.options
        if options.attention or options.coverage_penalty:
            attention = scores.attention
            if attention is not None and options.attention:
                self.trail.look(attention)
            if options.coverage_penalty:
                if attention is None:
                    raise ConfigError("coverage_penalty: the model has no attention; leave it at 0")
                self._cover(attention.double().cpu().numpy())
        allowed = question.constraints.at(self.step, self.owners, self._history)
        return best_tokens(scores, count, allowed, self.owners, self.step)

    def _cover(self, attention: Numbers) -> None:
        self._before = self._coverage
        if not self._before.shape[1]:
            self._before = np.zeros_like(attention)
        self._coverage = self._before[:, : attention.shape[1]] + attention

    def scores(self, totals: Numbers, rows: Ints, *, stepped: bool = True) -> Numbers:
        """What hypotheses that end here are ranked by.

        Args:
            totals: `(H,)` log-probabilities.
            rows: `(H,)`, the row that each comes from.
            stepped: whether they have a token of this step; else they end with the one before.
        """
        options = self._question.options
        length = np.array(self.step + stepped)
        scores = totals / length_penalty(length, options.length_penalty)
        if options.coverage_penalty and len(rows):
            coverage = (self._coverage if stepped else self._before)[rows]
            widths = self._question.widths[self.owners[rows]]
            scores = scores + coverage_penalty(coverage, widths, options.coverage_penalty)
        return scores

    def select(self, rows: Ints, tokens: Ints) -> None:
        """Goes on with these rows, `(R',)`, and these tokens: row `i` is what `rows[i]` was."""
        same = len(rows) == len(self.owners) and bool((rows == np.arange(len(rows))).all())
        if not same:
            self._scorer.select(torch.from_numpy(rows).to(self._question.device))
            self.owners = self.owners[rows]
            self._coverage = self._coverage[rows]
        if self._history is not None:
            self._history = np.concatenate([self._history[rows], tokens[:, None]], axis=1)
        self._tokens = tokens
        self.step += 1
