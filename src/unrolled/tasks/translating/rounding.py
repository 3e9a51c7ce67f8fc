"""A decoder whose products are taken in bfloat16, for a search."""

from __future__ import annotations

from copy import copy

import torch
from torch import Tensor, nn
from torch.nn import Module

from unrolled.layers.call import weights_of
from unrolled.layers.cells import torch_step
from unrolled.layers.states import State, map_state
from unrolled.tasks.translating.decoder import Decoder


def rounded(decoder: Decoder) -> Decoder:
    """The decoder with matrices in bfloat16, for single steps in evaluation; it stays as it is.

    States, sums and the functions of the gates stay in float32, and so does the attention; each
    result of a product has three digits. It is for one search: the matrices do not follow what the
    decoder learns later, and all else is the decoder's own.
    """
    made = copy(decoder)
    made._modules = decoder._modules | {"combine": _RoundedLinear(decoder.combine)}
    for name in ("first", "upper"):
        layer = getattr(decoder, name)
        if layer is not None:
            made._modules[name] = _RoundedLayers(layer)
    return made


class _RoundedLinear(Module):
    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight.detach().bfloat16()
        self.bias = linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x.bfloat16(), self.weight).float() + self.bias


class _RoundedLayers(Module):
    """A stack of recurrent layers in one direction, over one time step `(1, B, I)`."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self._cells = []
        for index in range(layer.num_layers):
            weights = weights_of(layer, index)
            low = weights._replace(
                ih=weights.ih.detach().bfloat16(), hh=weights.hh.detach().bfloat16()
            )
            self._cells.append(torch_step(layer.mode, low))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y, after = x[0], []
        for index, cell in enumerate(self._cells):
            before = map_state(lambda part, index=index: part[index], state)
            y, new = cell.step(cell.project(y), before)
            after.append(new)
        return y.unsqueeze(0), map_state(lambda *parts: torch.stack(parts), *after)
