"""`BeamOptions`: how a search for the best sequence goes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.penalties import MEAN, check_weight
from unrolled.errors import ConfigError


@dataclass(frozen=True)
class BeamOptions:
    """How to search.

    Attributes:
        beam: how many hypotheses a sentence goes on with at each step. 1 is greedy: the best token
            at each step.
        n_best: how many answers of a sentence to give, up to `beam`.
        length_penalty: `alpha` of Wu et al. 2016: 0 ranks by the sum of log-probabilities, which
            favours short answers, 1 nearly by their mean; "mean" by the mean itself. See
            `penalties.length_penalty`.
        coverage_penalty: `beta` of Wu et al. 2016; above 0 it needs attention, and the length of
            each source.
        prune: continuations whose log-probability is this much, in nats, below that of the
            sentence's best at the same step are dropped: fewer rows, so faster; None drops none.
        no_repeat: no `n` tokens in a row come twice in an answer, for this `n`; 0 allows it.
        max_length: the most steps, the end being one: a number, or `(a, b)` for `a * S + b` rounded
            down (and at least 1) where a source has `S` places. Each sentence has its own limit.
        min_length: tokens that must come before the end.
        forbidden: tokens that never come, such as the unknown one.
        attention: whether to keep the attention for the answers.

    Raises:
        ConfigError: a value out of its range.
    """

    beam: int = 5
    n_best: int = 1
    length_penalty: float | Literal["mean"] = 1.0
    coverage_penalty: float = 0.0
    prune: float | None = None
    no_repeat: int = 0
    max_length: int | tuple[float, float] = (2.0, 10)
    min_length: int = 0
    forbidden: tuple[int, ...] = ()
    attention: bool = True

    def __post_init__(self) -> None:
        for name, least in (("beam", 1), ("n_best", 1), ("no_repeat", 0), ("min_length", 0)):
            _check_whole(name, getattr(self, name), least)
        if self.n_best > self.beam:
            raise ConfigError(
                f"n_best: got {self.n_best} with a beam of {self.beam}; widen the beam, or ask for"
                " fewer"
            )
        if self.length_penalty != MEAN:
            if isinstance(self.length_penalty, str):
                raise ConfigError(
                    f"length_penalty: got {self.length_penalty!r}, expected a number from 0 on or"
                    f" {MEAN!r}"
                )
            check_weight("length_penalty", self.length_penalty)
        check_weight("coverage_penalty", self.coverage_penalty)
        if self.prune is not None:
            check_weight("prune", self.prune)
        if isinstance(self.max_length, tuple):
            if len(self.max_length) != 2:
                raise ConfigError(f"max_length: got {self.max_length!r}, expected (a, b)")
            for value in self.max_length:
                check_weight("max_length", value)
        else:
            _check_whole("max_length", self.max_length, 1)
        if isinstance(self.forbidden, str) or not isinstance(self.forbidden, Iterable):
            raise ConfigError(f"forbidden: got {self.forbidden!r}, expected tokens' ids")
        for token in self.forbidden:
            _check_whole("forbidden", token, 0)
        object.__setattr__(self, "forbidden", tuple(sorted({int(one) for one in self.forbidden})))

    @property
    def by_source(self) -> bool:
        """Whether the source's length has a say in the most steps."""
        return isinstance(self.max_length, tuple) and self.max_length[0] > 0

    @property
    def margin(self) -> float:
        """How far below the best a continuation may be."""
        return math.inf if self.prune is None else self.prune

    def limits(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The most steps of each sentence, `(N,)`, from the lengths of their sources."""
        slope, offset = (
            self.max_length if isinstance(self.max_length, tuple) else (0.0, self.max_length)
        )
        return np.maximum(1, np.floor(slope * lengths + offset)).astype(np.int64)


def _check_whole(name: str, value: Any, least: int) -> None:
    try:
        good = not isinstance(value, bool) and index(value) >= least
    except TypeError:
        good = False
    if not good:
        raise ConfigError(f"{name}: got {value!r}, expected a whole number from {least} on")
