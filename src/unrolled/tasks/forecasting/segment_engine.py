"""The architecture that reads a window in segments and answers all steps ahead at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from unrolled.tasks.forecasting.engine import Size
from unrolled.tasks.forecasting.head_start import start_of
from unrolled.tasks.forecasting.segment_model import SegmentMember, SegmentModel
from unrolled.tasks.forecasting.shortcut_start import begin_at_ridge
from unrolled.tasks.forecasting.window_engine import WindowEngine
from unrolled.tasks.forecasting.window_loss import WindowLoss
from unrolled.tasks.forecasting.windows import OriginBatches

# Windows that the shortcut is fitted on; the last share of them chooses its penalty.
_MEASURED, _LATER = 16_384, 0.2
# Windows for each row of one, from which on they are many.
_MANY = 50


@dataclass(frozen=True)
class SegmentEngine(WindowEngine):
    """See `SegmentModel`.

    Attributes:
        segment: rows of a segment.
        lookbacks: rows that the members read, in turns; the longest is `lookback`.
        shortcut: whether the linear shortcut goes on learning from ridge regression, stays there,
            or is left out.
    """

    segment: int
    lookbacks: tuple[int, ...]
    shortcut: Literal["learnt", "fixed", "none"]

    def network(self, recurrent: Callable[[int], nn.RNNBase], size: Size) -> nn.Module:
        """See `Engine`."""
        return SegmentModel(
            recurrent,
            self.reading.layout,
            self.head,
            members=size.members,
            lookbacks=self.lookbacks,
            horizon=self.horizon,
            segment=self.segment,
            width=size.width,
            dropout=size.dropout,
            normalise=self.normalise,
            season=self.reading.frequency.season,
            shortcut=self.shortcut,
        )

    def _loss(self) -> tuple[Callable[[Any, Any], Tensor], Callable[[Any, Any], Tensor]]:
        loss = WindowLoss(self.head)
        return loss, loss

    def _fans(self, model: nn.Module, rows: Tensor) -> Tensor:
        (raw, location, scale), _ = model(rows)
        levels = torch.tensor(self.levels).to(rows)
        return self.head.quantiles(raw, levels, location, scale).mean(dim=0)

    def _begin(self, model: nn.Module, batches: OriginBatches) -> None:
        """The shortcut becomes ridge regression, the spread that of its errors."""
        network = cast(SegmentModel, model)
        if network.linear:
            earlier, later = batches.span.halves(1 - _LATER)
            begin_at_ridge(
                network,
                batches.of(earlier).spread(_MEASURED),
                batches.of(later).spread(_MEASURED // 4),
                squared=self.head.squared,
                few=self._few(batches),
            )
        levels = torch.tensor([0.5])

        def errors(some: OriginBatches) -> Tensor:
            found = [torch.empty(0, self.horizon)]
            for batch in some.spread(_MEASURED // 4):
                (raw, location, scale), _ = network.eval()(batch.inputs)
                middle = self.head.quantiles(raw, levels, location, scale)[..., 0].mean(dim=0)
                assert batch.targets is not None
                found.append((batch.targets[..., 0].T - middle) / scale)
            return torch.cat(found)

        with torch.no_grad():
            every = errors(batches)
            if self._few(batches):
                halves = batches.span.halves(1 - _LATER)
                before, after = (errors(batches.of(span)) for span in halves)
                bias = before.nanmedian(dim=0).values
                if not (after - bias).abs().nanmean() < after.abs().nanmean():
                    # What was missed before was not missed later: only the spread is taken over.
                    every = every - every.nanmedian(dim=0).values
            start = start_of(self.head, every)
            for member in network.members:
                cast(SegmentMember, member).start.copy_(start)

    def _few(self, batches: OriginBatches) -> bool:
        """Whether there are so few windows that little of what they tell need hold later."""
        return batches.windows < _MANY * self.lookback


def segment_of(lookback: int, horizon: int, season: int) -> int:
    """Rows of a segment: a season where that fits, otherwise about an eighth of the window."""
    fits = 2 <= season <= lookback // 2 and season <= 2 * horizon
    wanted = max(1, min(season if fits else lookback // 8, horizon))
    return next(size for size in range(wanted, 0, -1) if lookback % size == 0)
