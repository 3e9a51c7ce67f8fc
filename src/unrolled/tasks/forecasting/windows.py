"""Windows to learn from and to be tested on: which origins, drawn how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import check_step
from unrolled.tasks.forecasting.engine import Places
from unrolled.tasks.forecasting.layout import KNOWN, VALUE
from unrolled.tasks.forecasting.normalising import Normalise, normalisation
from unrolled.tasks.forecasting.panel import Panel

# Windows that a validation looks at: more would cost time and hardly move the score.
MOST_TESTED = 4096
# A hidden end is over with this probability after each value: four values on average.
_ENDS = 0.25


@dataclass(frozen=True)
class Span:
    """The origins of each series that windows are taken at, and where its answers end.

    Attributes:
        first, last: first and last origin of each series, `(N,)`; none where last < first.
        ends: nothing from this place on is an answer, `(N,)`.
    """

    first: Places
    last: Places
    ends: Places

    @property
    def counts(self) -> Places:
        """Number of origins of each series."""
        return np.maximum(self.last - self.first + 1, 0)

    def halves(self, share: float) -> tuple[Span, Span]:
        """The first share of each series' origins, and the rest."""
        middle = self.first + np.round(share * self.counts).astype(np.int64)
        return Span(self.first, middle - 1, self.ends), Span(middle, self.last, self.ends)

    def spread(self, most: int) -> Places:
        """At most `most` numbers of origins, evenly over all of them."""
        total = int(self.counts.sum())
        return np.unique(np.linspace(0, total - 1, min(most, total)).astype(np.int64))

    def origins(self, nth: Places) -> tuple[Places, Places]:
        """Series and place of the `nth` origin, counted through all series."""
        ends = np.cumsum(self.counts)
        series = np.searchsorted(ends, nth, side="right")
        return series, self.first[series] + nth - np.where(series > 0, ends[series - 1], 0)


def learning_span(ends: Places, lookback: int) -> Span:
    """Every origin with two thirds of a window before it (or half of a short series)."""
    first = np.minimum(2 * lookback // 3, np.maximum(ends // 2 - 1, 0))
    return Span(first, ends - 2, ends)


def testing_span(begins: Places, ends: Places, horizon: int) -> Span:
    """Every origin whose `horizon` answers lie in `[begins, ends)`."""
    return Span(np.maximum(begins - 1, 0), ends - 1 - horizon, ends)


class OriginBatches:
    """Windows drawn at random origins of all series, each origin as likely as any other.

    The windows of a step depend on the seed and the step only: nothing is kept between them,
    however many there are.

    Args:
        panel: the series.
        span: the origins.
        lookback, horizon: length of a window, and of its answers.
        batch_size: windows in a batch.
        seed: of the drawing.
        teach: normalise so, and append every row's value, for a network that reads its own answers
            (see `taught`); None for one that answers all steps at once.
        gaps: share of the windows whose last values are hidden, so that a gap at the end of a
            history is nothing new.
    """

    def __init__(
        self,
        panel: Panel,
        span: Span,
        *,
        lookback: int,
        horizon: int,
        batch_size: int,
        seed: int,
        teach: Normalise | None = None,
        gaps: float = 0.0,
    ) -> None:
        self.panel, self.span = panel, span
        self.lookback, self.horizon = lookback, horizon
        self.batch_size, self.seed, self.teach = batch_size, seed, teach
        self.gaps = gaps
        self.windows = int(span.counts.sum())

    def of(self, span: Span) -> OriginBatches:
        """The same of other origins."""
        return OriginBatches(
            self.panel,
            span,
            lookback=self.lookback,
            horizon=self.horizon,
            batch_size=self.batch_size,
            seed=self.seed,
            teach=self.teach,
            gaps=self.gaps,
        )

    def __len__(self) -> int:
        return -(-self.windows // self.batch_size)

    def __getitem__(self, step: int) -> Batch:
        drawn = np.random.default_rng((self.seed, check_step(step)))
        nth = drawn.integers(0, self.windows, size=self.batch_size)
        return self.batch(nth, _hidden(drawn, self.batch_size, self.gaps, self.lookback))

    def batch(self, nth: Places, hidden: Places | None = None) -> Batch:
        """The windows at some of the span's origins.

        Args:
            nth: the origins, counted through all series, `(B,)`.
            hidden: how many of the last values of each window are hidden, `(B,)`; None: none.
        """
        series, origins = self.span.origins(nth)
        made = self.panel.windows(
            series, origins, self.lookback, self.horizon, calendar=self.teach is not None
        )
        if hidden is not None:
            _hide(made, self.lookback, hidden)
        answers = self.panel.answers(series, origins, self.horizon, self.span.ends[series])
        rows, targets = torch.from_numpy(made), torch.from_numpy(answers)
        if self.teach is None:
            weights = torch.from_numpy(self.panel.weights[series])
            targets = torch.stack([targets, weights.expand_as(targets)], dim=-1)
        else:
            rows, targets = taught(rows, targets, self.teach, self.panel.reading.frequency.season)
        starts = torch.zeros(rows.shape[:2], dtype=torch.bool)
        starts[0] = True
        return Batch(rows, targets, starts=starts)

    def spread(self, most: int) -> list[Batch]:
        """At most `most` windows, evenly over all origins, in batches."""
        chosen = self.span.spread(most)
        return [
            self.batch(chosen[begin : begin + self.batch_size])
            for begin in range(0, len(chosen), self.batch_size)
        ]


def _hidden(drawn: np.random.Generator, batch: int, share: float, lookback: int) -> Places | None:
    """How many values are hidden at the end of each window."""
    if share == 0:
        return None
    chosen = drawn.random(batch) < share
    return np.where(chosen, np.minimum(drawn.geometric(_ENDS, batch), lookback // 2), 0)


def _hide(rows: np.ndarray, lookback: int, hidden: Places) -> None:
    """The last values of windows `(L + K, B, C)` become unknown; the one before stands in."""
    last = lookback - 1 - hidden
    gone = (np.arange(lookback)[:, None] > last) & (hidden > 0)
    past = rows[:lookback]
    past[..., VALUE] = np.where(gone, past[last, np.arange(len(hidden)), VALUE], past[..., VALUE])
    past[..., KNOWN] *= ~gone


def normalised(
    rows: Tensor, lookback: int, how: Normalise, season: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Windows whose values are in the scale of each of them; location and scale `(B,)`."""
    past = rows[:lookback]
    location, scale = normalisation(past[..., VALUE], past[..., KNOWN], how, season)
    rows = rows.clone()
    rows[:lookback, :, VALUE] = (past[..., VALUE] - location) / scale
    return rows, location, scale


def taught(rows: Tensor, answers: Tensor, how: Normalise, season: int) -> tuple[Tensor, Tensor]:
    """Windows and targets for a network that reads its own answers.

    Args:
        rows: `(L + K, B, C)`.
        answers: `(K, B)`, the values of the horizon.
        how, season: the normalisation.

    Returns:
        `(L + K, B, C + 2)`: normalised, every value and whether it is known appended; and
        `(L + K, B, 3)`: value, location and scale at every row.
    """
    lookback = len(rows) - len(answers)
    past = torch.where(rows[:lookback, :, KNOWN] > 0, rows[:lookback, :, VALUE], torch.nan)
    every = torch.cat([past, answers])
    rows, location, scale = normalised(rows, lookback, how, season)
    standard = (every - location) / scale
    known = ~standard.isnan()
    extra = torch.stack([standard.nan_to_num(), known.to(standard)], dim=-1)
    targets = [every, location.expand_as(every), scale.expand_as(every)]
    return torch.cat([rows, extra], dim=-1), torch.stack(targets, dim=-1)
