"""A decoder whose products are taken in bfloat16, for a search."""

from __future__ import annotations

from copy import copy

import torch
from torch import Tensor, nn
from torch.nn import Module

from unrolled import kernels
from unrolled.layers.call import Weights, weights_of
from unrolled.layers.cells import torch_step
from unrolled.layers.prototypes import CELLS
from unrolled.layers.readout_top import prefers_native
from unrolled.layers.states import State, map_state, tensors_of
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
        self._mode = layer.mode
        own = [weights_of(layer, index) for index in range(layer.num_layers)]
        plain = all(part is None for one in own for part in one[4:])
        self._native = plain and prefers_native(own[0].hh)
        self._weights = [_rounded(one) for one in own]

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y, after = x[0], []
        for index, weights in enumerate(self._weights):
            before = map_state(lambda part, index=index: part[index], state)
            new = (self._by_kernels if self._native else self._by_operations)(weights, y, before)
            y = next(tensors_of(new))
            after.append(new)
        return y.unsqueeze(0), map_state(lambda *parts: torch.stack(parts), *after)

    def _by_kernels(self, weights: Weights, x: Tensor, before: State) -> State:
        new = map_state(torch.empty_like, before)
        given, made = list(tensors_of(before)), list(tensors_of(new))
        products = (x.bfloat16() @ weights.ih.t(), given[0].bfloat16() @ weights.hh.t())
        kernels.gates(CELLS[self._mode], *products, *weights[2:4], given, made)
        return new

    def _by_operations(self, weights: Weights, x: Tensor, before: State) -> State:
        cell = torch_step(self._mode, weights)
        return cell.step(cell.project(x), before)[1]


def _rounded(weights: Weights) -> Weights:
    """With matrices in bfloat16."""
    own = Weights._make(None if part is None else part.detach().contiguous() for part in weights)
    return own._replace(ih=own.ih.bfloat16(), hh=own.hh.bfloat16())
