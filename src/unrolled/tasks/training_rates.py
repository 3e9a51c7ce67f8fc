"""Dropouts that recurrent layers have in training only."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

_RATES = ("input_dropout", "weight_dropout")


class TrainingRates:
    """Takes the training dropouts of layers off and puts them back: in evaluation a layer is a
    plain one, on its quick way.

    Args:
        layers: `unrolled`'s or torch's.
    """

    def __init__(self, layers: Sequence[nn.RNNBase]) -> None:
        found = [(one, name, getattr(one, name, 0.0)) for one in layers for name in _RATES]
        # Not as modules: they are their network's already.
        self._rates = tuple(one for one in found if one[2])

    def set(self, training: bool) -> None:
        """Put them on or off."""
        for layer, name, rate in self._rates:
            setattr(layer, name, rate if training else 0.0)
