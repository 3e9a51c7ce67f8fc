"""Arguments of the kernels that stay from call to call: made and checked once for each layer and
direction, and copied at each call. That is a third of what a small call costs.

A prototype is found again while the parameters are the same objects at the same addresses, so
what replaces or moves them (`.to()`, `.data`, `torch.func`, a parametrization) makes another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter, RNNBase

from unrolled import kernels
from unrolled.layers.call import EPSILON, Weights

CELLS = {"RNN_TANH": 0, "RNN_RELU": 1, "GRU": 2, "LSTM": 3}
"""The kernels' numbers of the cells (`CellKind`)."""

WEIGHTS = (
    *("weight_ih", "weight_hh", "bias_ih", "bias_hh"),
    *("weight_hr", "peephole", "gain_ih", "gain_hh", "norm_c"),
)
"""The kernels' names of `Weights`."""


class Prototype(NamedTuple):
    """The arguments of one layer in one direction that are not those of a call.

    Attributes:
        weights: what they point to; kept alive by this.
        addresses: of those that are there, in their order.
        dtype, input: of the x that they were checked for, and its I.
        output, hidden: P and H.
        struct: the kernels' arguments, with weights, cell and sizes in place; never run, never
            changed, so that any thread may copy it.
    """

    weights: Weights
    addresses: list[int]
    dtype: torch.dtype
    input: int
    output: int
    hidden: int
    struct: Any

    def copy(self) -> Any:
        """Arguments to fill in further."""
        return type(self.struct)(self.struct)

    def fits(self, weights: Weights, x: Tensor) -> bool:
        """Whether it is of these weights, and of such an x."""
        return (
            all(map(is_, self.weights, weights))
            and self.dtype is x.dtype
            and self.input == x.size(-1)
            and self.addresses == addresses_of(weights)
        )


def filled(mode: str, weights: Sequence[Tensor | None], dtype: torch.dtype) -> Any:
    """The kernels' arguments with dense weights, cell and sizes in place."""
    struct = kernels.forward_call(dtype)
    for name, part in zip(WEIGHTS, weights, strict=True):
        if part is not None:
            setattr(struct, name, part.data_ptr())
    hh, hr = weights[1], weights[4]
    assert hh is not None
    struct.cell = CELLS[mode]
    struct.epsilon = EPSILON
    struct.output = hh.shape[1]
    struct.hidden = hh.shape[1] if hr is None else hr.shape[1]
    return struct


def addresses_of(weights: Sequence[Tensor | None]) -> list[int]:
    """Where they lie, those that are there."""
    return [part.data_ptr() for part in weights if part is not None]


def known(
    layer: RNNBase, index: int, weights: Sequence[Weights], x: Tensor
) -> tuple[Prototype, ...] | None:
    """The prototypes of a layer for this x, one for each direction, or None where there are none
    yet that fit."""
    found = layer.__dict__.get("_prototypes")
    own: tuple[Prototype, ...] | None = None if found is None else found.get(index)
    if own is None:
        return None
    for prototype, of_direction in zip(own, weights, strict=True):
        if not prototype.fits(of_direction, x):
            return None
    return own


def keep(layer: RNNBase, index: int, weights: Sequence[Weights], x: Tensor) -> None:
    """Make the prototypes of a layer, once its weights are known to be right for x.

    Of parameters only: of what is made anew for each call, each call would leave one behind. And of
    dense ones: the kernels read a copy of another. A layer of torch's own keeps none.
    """
    if not hasattr(layer, "_prototypes"):
        return
    given = [part for own in weights for part in own if part is not None]
    if all(type(part) is Parameter and part.is_contiguous() for part in given):
        layer.__dict__.setdefault("_prototypes", {})[index] = tuple(
            _made(layer.mode, own, x) for own in weights
        )


def _made(mode: str, weights: Weights, x: Tensor) -> Prototype:
    struct = filled(mode, weights, x.dtype)
    sizes = (x.shape[-1], struct.output, struct.hidden)
    return Prototype(weights, addresses_of(weights), x.dtype, *sizes, struct)
