"""What the architectures that read windows share: how they are taught, asked, and fed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import Arrays, check_state, like
from unrolled.tasks.forecasting.engine import SCALE, TIME, Lesson, Places, Size
from unrolled.tasks.forecasting.head_base import Head
from unrolled.tasks.forecasting.heads import make_head
from unrolled.tasks.forecasting.normalising import Normalise
from unrolled.tasks.forecasting.panel import Panel
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.scaling import Array, Scale, fill_forward
from unrolled.tasks.forecasting.windows import (
    MOST_TESTED,
    OriginBatches,
    learning_span,
    testing_span,
)

# Windows that are answered in one pass, and numbers that they may hold: 64 MB of float32.
MOST_AT_ONCE, MOST_NUMBERS = 1024, 2**24
# The state of a stream besides the scale of the series: its last rows, their times, and those of
# its covariates.
VALUES, PAST, FUTURE, STATIC, TIMES = "values", "past", "future", "static", "times"


@dataclass(frozen=True)
class WindowEngine(ABC):
    """What a windowed forecaster is besides its weights.

    Attributes:
        reading: how a table is read.
        levels: of the quantiles that are asked for.
        horizon, lookback: steps ahead, rows of a window.
        head_name: what the numbers of an answer mean (see `make_head`).
        normalise: what a window is measured against.
        validation: share of the training part, at its end, that is tested on and not learnt.
        gaps: see `OriginBatches`.
    """

    reading: Reading
    levels: tuple[float, ...]
    horizon: int
    lookback: int
    head_name: str
    normalise: Normalise
    validation: float
    gaps: float

    @property
    def head(self) -> Head:
        """What the numbers of an answer mean."""
        return make_head(self.head_name, self.levels)

    @abstractmethod
    def network(self, recurrent: Callable[[int], nn.RNNBase], size: Size) -> nn.Module:
        """A network that has not learnt yet."""

    @abstractmethod
    def _loss(self) -> tuple[Callable[[Any, Any], Tensor], Callable[[Any, Any], Tensor]]:
        """What is made small, and what is tested."""

    @abstractmethod
    def _fans(self, model: nn.Module, rows: Tensor) -> Tensor:
        """Scaled quantiles `(B, K, Q)` of windows `(L + K, B, C)`."""

    @property
    def _teach(self) -> Normalise | None:
        """How windows are prepared for a network that reads its own answers; None for others."""
        return None

    def _begin(self, model: nn.Module, batches: OriginBatches) -> None:
        """Set the first weights, from the past that is learnt; random ones where not overridden."""
        return

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
        """See `Engine`."""
        panel = Panel(series, scales, self.reading, self.horizon, squared=self.head.squared)
        ends = np.asarray(cuts, dtype=np.int64)
        begins = self._tested_from(ends)
        options: dict[str, Any] = {
            "lookback": self.lookback,
            "horizon": self.horizon,
            "batch_size": batch_size,
            "seed": seed,
            "teach": self._teach,
        }
        span = learning_span(begins, self.lookback)
        learnt = OriginBatches(panel, span, **options, gaps=self.gaps)
        if begin:
            self._begin(model, learnt)
        loss, held_out = self._loss()
        test = OriginBatches(panel, testing_span(begins, ends, self.horizon), **options)
        return Lesson(learnt, loss, _validator(model, held_out, test) if test.windows else None)

    def rolling(
        self,
        model: nn.Module,
        series: SeriesSet,
        scales: Sequence[Scale],
        origins: Sequence[Places],
    ) -> list[Array]:
        """See `Engine`."""
        panel = Panel(series, scales, self.reading, self.horizon)
        counts = [len(one) for one in origins]
        which = np.repeat(np.arange(len(series)), counts)
        places = np.concatenate(list(origins))
        rows = self.lookback + self.horizon
        size = max(1, min(MOST_AT_ONCE, MOST_NUMBERS // (rows * panel.layout.channels)))
        found = np.empty((len(places), self.horizon, len(self.levels)))
        for at in range(0, len(places), size):
            part = slice(at, at + size)
            windows = panel.windows(
                which[part],
                places[part],
                self.lookback,
                self.horizon,
                calendar=self._teach is not None,
            )
            with torch.no_grad():
                fans = self._fans(model, torch.from_numpy(windows).to(like(model)))
            found[part] = fans.cpu().numpy()
        return [
            scale.restore(scale.centre + scale.swing * fan)
            for scale, fan in zip(scales, np.split(found, np.cumsum(counts)[:-1]), strict=True)
        ]

    def tested(
        self, model: nn.Module, series: SeriesSet, scales: Sequence[Scale], cuts: Sequence[int]
    ) -> list[tuple[Places, Array]]:
        """See `Engine`; at most `MOST_TESTED` origins over all series."""
        ends = np.asarray(cuts, dtype=np.int64)
        span = testing_span(self._tested_from(ends), ends, self.horizon)
        which, places = span.origins(span.spread(MOST_TESTED))
        origins = [places[which == i] for i in range(len(series))]
        return list(zip(origins, self.rolling(model, series, scales, origins), strict=True))

    def _tested_from(self, ends: Places) -> Places:
        """Where the part of each series begins that is tested on; its end where there is none."""
        if not self.validation > 0:
            return ends
        tested = np.maximum(self.horizon, np.round(self.validation * ends).astype(np.int64))
        return np.where(ends - tested >= self.horizon + 2, ends - tested, ends)

    def open(self, model: nn.Module, series: SeriesSet, scale: Scale) -> Arrays:
        """See `Engine`; the state grows to `L` rows and one before them, and stays there."""
        last = series.tail(self.lookback + 1)
        steps = len(last.values[0])
        # What stands in for the window's first values where those are not known.
        values = fill_forward(series.values[0], np.nan)[-steps:][:1]
        none = np.empty((steps, 0))
        future = np.empty((0, 0)) if last.future is None else last.future[0]
        return {
            VALUES: np.concatenate([values, last.values[0][1:]]),
            PAST: none if last.past is None else last.past[0].copy(),
            FUTURE: _padded(future, steps + self.horizon),
            STATIC: np.empty(0) if last.static is None else last.static[0].copy(),
            TIMES: last.times[0].astype("datetime64[us]"),
            TIME: np.array(last.times[0][-1]),
            SCALE: scale.to_array(),
        }

    def advance(
        self,
        model: nn.Module,
        state: Arrays,
        value: float,
        time: np.datetime64 | None,
        past: Array,
        future: Array,
    ) -> tuple[Array, Arrays]:
        """See `Engine`; the window is read anew at each step."""
        check_state(state, VALUES, PAST, FUTURE, STATIC, TIMES, SCALE)
        frequency = self.reading.frequency
        if time is None:
            time = frequency.future(state[TIMES][-1], 1)[0]
        values = np.append(state[VALUES], value)
        steps = min(len(values), self.lookback + 1)
        if np.isnan(values[-steps]):
            values[-steps] = values[0]
        values = values[-steps:]
        # What was one step ahead is now beside the value; the rest is told anew.
        told = np.concatenate([state[FUTURE][: len(state[VALUES]) + 1], future])
        after = {
            VALUES: values,
            PAST: np.concatenate([state[PAST], past[None]])[-steps:],
            FUTURE: told[-(steps + self.horizon) :],
            STATIC: state[STATIC].copy(),
            TIMES: np.append(state[TIMES], np.array(time, dtype="datetime64[us]"))[-steps:],
            TIME: np.array(time, dtype="datetime64[us]"),
            SCALE: state[SCALE].copy(),
        }
        reading = self.reading
        series = SeriesSet(
            ("stream",),
            (after[TIMES],),
            (values,),
            frequency,
            past=(after[PAST],) if reading.past_names else None,
            past_names=reading.past_names,
            future=(after[FUTURE],) if reading.future_names else None,
            future_names=reading.future_names,
            static=after[STATIC][None] if reading.static_names else None,
            static_names=reading.static_names,
            categories=dict(reading.categories),
        )
        scale = Scale.from_array(state[SCALE])
        return self.rolling(model, series, [scale], [np.array([steps - 1])])[0][0], after


def _padded(rows: np.ndarray, steps: int) -> np.ndarray:
    """As many rows as asked for; the last one stands in for those that are not there."""
    if not rows.shape[1] or len(rows) >= steps:
        return np.empty((steps, 0)) if not rows.shape[1] else rows[:steps].copy()
    return np.concatenate([rows, np.repeat(rows[-1:], steps - len(rows), axis=0)])


def _validator(
    model: nn.Module, loss: Callable[[Any, Any], Tensor], test: OriginBatches
) -> Callable[[], float]:
    """The mean loss of at most `MOST_TESTED` windows, the same ones each time."""
    kept = test.spread(MOST_TESTED)

    def score() -> float:
        total = weights = 0.0
        for batch in kept:
            moved = batch.to(like(model).device)
            assert moved.targets is not None
            known = float((~moved.targets[..., 0].isnan()).sum())
            outputs, _ = model(moved.inputs)
            total += known * float(loss(outputs, moved.targets))
            weights += known
        return total / max(1.0, weights)

    return score
