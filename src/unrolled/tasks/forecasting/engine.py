"""What every architecture of a forecaster is asked by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.scaling import Array, Scale
from unrolled.training.loop import Batches

Places = NDArray[np.int64]

# Where every architecture's state keeps the scale of its series, and the time of the last value.
SCALE, TIME = "scale", "time"


@dataclass(frozen=True)
class Lesson:
    """Where batches come from, what is made small, and the score on what is not learnt."""

    batches: Batches
    loss: Callable[[Any, Any], Tensor]
    validate: Callable[[], float] | None


@dataclass(frozen=True)
class Size:
    """How large a network is, and how it is kept honest.

    Attributes:
        members: networks whose mean is the forecast.
        width: what a segment of a window is embedded in.
        dropout: share of the hidden state that is dropped on its way to the answer, in training.
        noise: standard deviation of what is added to level and change, in training.
    """

    members: int
    width: int
    dropout: float
    noise: float


class Engine(Protocol):
    """An architecture without its weights: makes networks, teaches them, and asks them.

    Shapes: `N` series, `O` origins, `K` steps ahead, `Q` levels, `P` past and `F` future
    covariates.
    """

    @property
    def reading(self) -> Reading:
        """How a table is read."""

    @property
    def horizon(self) -> int:
        """`K`."""

    @property
    def lookback(self) -> int:
        """Steps of history in a window of training."""

    @property
    def levels(self) -> tuple[float, ...]:
        """Of the quantiles."""

    def network(self, recurrent: Callable[[int], nn.RNNBase], size: Size) -> nn.Module:
        """A network that has not learnt yet; `recurrent` makes layers from their input size."""

    def lesson(
        self,
        model: nn.Module,
        series: SeriesSet,
        scales: Sequence[Scale],
        cuts: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        begin: bool,
    ) -> Lesson:
        """What the training part (each series up to its cut) teaches; `begin` sets weights."""

    def rolling(
        self,
        model: nn.Module,
        series: SeriesSet,
        scales: Sequence[Scale],
        origins: Sequence[Places],
    ) -> list[Array]:
        """For each series the forecasts `(O, K, Q)` made at its origins, in its unit."""

    def tested(
        self, model: nn.Module, series: SeriesSet, scales: Sequence[Scale], cuts: Sequence[int]
    ) -> list[tuple[Places, Array]]:
        """For each series origins in the part that was tested on and not learnt (all answers known
        before the cut), and the forecasts `(O, K, Q)` there."""

    def open(self, model: nn.Module, series: SeriesSet, scale: Scale) -> Arrays:
        """The state after reading one series: plain arrays of a size that does not grow."""

    def advance(
        self,
        model: nn.Module,
        state: Arrays,
        value: float,
        time: np.datetime64 | None,
        past: Array,
        future: Array,
    ) -> tuple[Array, Arrays]:
        """Read one more value: the forecasts `(K, Q)` after it, and the new state.

        `past` `(P,)` stands beside the value, `future` `(K, F)` is known of the steps after it.
        """
