"""Where the linear shortcut begins: at ridge regression on windows as the network reads them."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.data.batch import Batch
from unrolled.tasks.forecasting.layout import KNOWN, VALUE
from unrolled.tasks.forecasting.normalising import normalisation
from unrolled.tasks.forecasting.segment_model import SegmentModel

# Penalties tried, in units of the mean square of an input.
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
# A window whose answers are beyond so many scales counts a quarter at twice that distance, ...
_FAR = 4.0
# The fewest lags that are tried.
_FEWEST = 3


class Moments:
    """Sums of products over windows, from which ridge regression is solved for any penalty.

        x' = x_l - x_L,   y' = y_k - x_L,   weights 1 / (1 + (max |y'| / 4)^2)

    in the scale of each window, so that a window far out does not decide; where errors are squared
    it is meant to, and the weights are those of the windows. Windows without all their answers are
    left out.

    Args:
        model: whose normalisation is used.
        batches: the windows.
        squared: whether errors are squared.
    """

    def __init__(self, model: SegmentModel, batches: list[Batch], squared: bool) -> None:
        size, horizon = model.lookback, model.horizon
        self.inputs = torch.zeros(size, size, dtype=torch.float64)
        self.products = torch.zeros(size, horizon, dtype=torch.float64)
        self.answers = torch.zeros((), dtype=torch.float64)
        self.total = 0.0
        for batch in batches:
            x, y, counts = self._rows(model, batch)
            known = ~y.isnan().any(dim=1)
            x, y, counts = x[known], y[known], counts[known]
            far = y.abs().amax(dim=1, keepdim=True) / _FAR
            weights = counts if squared else 1 / (1 + far**2)
            self.inputs += (weights * x).T @ x
            self.products += (weights * x).T @ y
            self.answers += (weights * y * y).sum()
            self.total += float(weights.sum())

    @staticmethod
    def _rows(model: SegmentModel, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        past = batch.inputs[: model.lookback].double()
        value, known = past[..., VALUE], past[..., KNOWN]
        _, scale = normalisation(value, known, model.normalise, model.season)
        assert batch.targets is not None
        answers, counts = batch.targets.double().unbind(-1)
        moved = ((one - value[-1]) / scale for one in (value, answers))
        x, y = (one.T for one in moved)
        return x, y, counts[:1].T

    def solve(self, lookback: int, penalty: float) -> Tensor:
        """The map `(l, K)` of the last `l` rows."""
        inputs = self.inputs[-lookback:, -lookback:]
        size = float(inputs.diagonal().mean())
        eye = torch.eye(lookback, dtype=torch.float64)
        # The last row is 0 in every window; the small number keeps it from dividing by nothing.
        return torch.linalg.solve(
            inputs + (penalty * size + 1e-12) * eye, self.products[-lookback:]
        )

    def error(self, found: Tensor) -> float:
        """The mean squared error of a map on these windows."""
        lookback = len(found)
        inputs, products = self.inputs[-lookback:, -lookback:], self.products[-lookback:]
        squares = self.answers - 2 * (found * products).sum() + (found * (inputs @ found)).sum()
        return float(squares) / max(self.total, 1e-12)


def begin_at_ridge(
    model: SegmentModel,
    earlier: list[Batch],
    later: list[Batch],
    *,
    squared: bool = False,
    few: bool = False,
) -> None:
    """Set the members' shortcuts from all windows, as does best on the later ones.

    Args:
        model: whose shortcuts.
        earlier, later: windows; the penalty is chosen on the later ones.
        squared: see `Moments`.
        few: whether there are so few that lags are chosen, too.
    """
    if not earlier or not later:
        return
    first, second = (Moments(model, some, squared) for some in (earlier, later))
    if not first.total or not second.total:
        return
    both = Moments(model, [], squared)
    both.inputs, both.products = first.inputs + second.inputs, first.products + second.products
    for lookback in {member.lookback for member in model.linear}:
        _, lags, penalty = min(
            (second.error(first.solve(lags, penalty)), lags, penalty)
            for lags in (_lags(lookback) if few else [lookback])
            for penalty in PENALTIES
        )
        found = torch.zeros(model.horizon, lookback)
        found[:, lookback - lags :] = both.solve(lags, penalty).T
        for member in model.linear:
            if member.lookback == lookback:
                assert member.shortcut is not None
                with torch.no_grad():
                    member.shortcut.weight.copy_(found)


def _lags(lookback: int) -> list[int]:
    """How many of the last rows a map may read: all, a half, a quarter, ...; few data want few."""
    tried = [lookback]
    while tried[-1] > _FEWEST:
        tried.append(max(_FEWEST, tried[-1] // 2))
    return tried
