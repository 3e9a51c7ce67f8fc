"""What `Recurrent` is made of and gives: cells of layers and directions, parts of states, two
directions made one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.layers.cell_checks import described
from unrolled.layers.states import State


def merged(outputs: list[Tensor], merge: str) -> Tensor:
    """One direction as it is; two as `merge` says."""
    if len(outputs) == 1:
        return outputs[0]
    one, other = outputs
    if merge == "concat":
        return torch.cat(outputs, -1)
    if one.shape != other.shape:
        raise ShapeError(
            f"merge={merge!r}: got outputs of shapes {tuple(one.shape)} and {tuple(other.shape)}, "
            "expected two of one shape"
        )
    if merge == "mul":
        return one * other
    return (one + other) / 2 if merge == "mean" else one + other


def cells_of(layer: Any) -> tuple[Any, ...]:
    """The cells of a layer, one for each direction; a cell may be a tuple with names, too."""
    return layer if isinstance(layer, tuple) and not hasattr(layer, "step") else (layer,)


def parts_of(name: str, state: Any, count: int, of: str) -> list[tuple[State, str]]:
    """The parts of a state with their names; Nones where there is none."""
    if state is None:
        return [(None, f"{name}[{k}]") for k in range(count)]
    if not isinstance(state, tuple | list) or len(state) != count:
        raise ShapeError(
            f"{name}: got {described(state)}, expected a tuple of {count}, one for each of the {of}"
        )
    return [(part, f"{name}[{k}]") for k, part in enumerate(state)]


def map_given(function: Any, state: State) -> State:
    """`map_state` where parts may be None."""
    if isinstance(state, tuple | list):
        parts = [map_given(function, part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    return function(state) if isinstance(state, Tensor) else state
