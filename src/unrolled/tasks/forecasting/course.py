"""One `fit` of a forecaster: what is learnt from, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecasting.scaling import Array
from unrolled.training.loop import Outcome


@dataclass(frozen=True)
class Course:
    """The data of a `fit`.

    Attributes:
        series: all of them, whole.
        past: the training part of each.
        cuts: where it ends.
        horizon: steps ahead.
        progress, diagnose: as for `fit`.
        tell: gets a line of text whenever there is something to say.
    """

    series: SeriesSet
    past: tuple[Array, ...]
    cuts: list[int]
    horizon: int
    progress: bool
    diagnose: bool
    tell: Callable[[str], object]


@dataclass(frozen=True)
class Done:
    """A training that was stopped before there was a last one: its outcome is known already."""

    outcome: Outcome

    def train(self) -> Outcome:
        """What a `Trainer` would say."""
        return self.outcome
