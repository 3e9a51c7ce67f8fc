"""The architecture that draws one value after the other (DeepAR), on windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from unrolled.tasks.forecasting.autoregressive_model import (
    AutoregressiveLoss,
    AutoregressiveModel,
)
from unrolled.tasks.forecasting.engine import Size
from unrolled.tasks.forecasting.layout import Embed
from unrolled.tasks.forecasting.normalising import Normalise
from unrolled.tasks.forecasting.window_engine import WindowEngine
from unrolled.tasks.forecasting.windows import normalised

# Of the sample paths: a forecast is the same whenever it is asked for.
_SEED = 0


@dataclass(frozen=True)
class AutoregressiveEngine(WindowEngine):
    """See `AutoregressiveModel`.

    Attributes:
        paths: sample paths that a forecast is read off.
    """

    paths: int

    def network(self, recurrent: Callable[[int], nn.RNNBase], size: Size) -> nn.Module:
        """See `Engine`."""
        layout = self.reading.layout
        return AutoregressiveModel(
            recurrent,
            layout=layout,
            embed=Embed(layout, slice(0, layout.channels)),
            head=self.head,
            lookback=self.lookback,
            horizon=self.horizon,
            members=size.members,
            paths=self.paths,
            dropout=size.dropout,
        )

    @property
    def _teach(self) -> Normalise:
        return self.normalise

    def _loss(self) -> tuple[Callable[[Any, Any], Tensor], Callable[[Any, Any], Tensor]]:
        loss = AutoregressiveLoss(self.head, self.lookback)
        return loss, loss.held_out

    def _fans(self, model: nn.Module, rows: Tensor) -> Tensor:
        rows, location, scale = normalised(
            rows, self.lookback, self.normalise, self.reading.frequency.season
        )
        levels = torch.tensor(self.levels).to(rows)
        return cast(AutoregressiveModel, model).fan(rows, levels, _SEED, location, scale)
