"""States as plain arrays: what a task's `step` takes and gives can be saved, copied and sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers.states import State
from unrolled.training.snapshot import flatten, unflatten

Arrays = dict[str, np.ndarray]
# Of an array of a state; None where it may be of any length.
Shape = tuple[int | None, ...]


def like(model: nn.Module) -> Tensor:
    """One of the model's weights: inputs must be on its device and in its dtype."""
    return next(model.parameters())


def to_arrays(state: State) -> Arrays:
    """Copies of a layer's state: `h`, and `c` for an LSTM, each `(L, B, H)` float32."""
    return {
        name: leaf.detach().cpu().numpy().copy()
        for name, leaf in zip(("h", "c"), flatten(state), strict=False)
    }


def to_state(arrays: Arrays, model: nn.Module) -> State:
    """The inverse of `to_arrays`, on the device and in the dtype of `model`; copies the arrays.

    Raises:
        ConfigError: these are not the arrays of a state.
    """
    check_state(arrays, "h")
    leaves = [torch.tensor(arrays[name]).to(like(model)) for name in ("h", "c") if name in arrays]
    return unflatten(leaves)


def check_state(state: Any, *names: str, name: str = "state") -> None:
    """A state is a dict that holds `names`; `name` is what it is called."""
    missing = [one for one in names if not isinstance(state, dict) or one not in state]
    if missing:
        raise ConfigError(
            f"{name}: got {type(state).__name__} without {missing[0]!r}, expected what start or an"
            " earlier step of this model gave"
        )


def check_shapes(state: Any, expected: Mapping[str, Shape], name: str = "state") -> None:
    """A state is a dict of just these arrays, each of its shape; `name` is what it is called."""
    check_state(state, *expected, name=name)
    for part, one in state.items():
        shape = np.shape(one)
        wanted = expected.get(part)
        if shape == wanted:
            continue
        if wanted is None:
            told = f"{part!r}, which a state of this model does not hold"
        elif len(shape) == len(wanted) and all(
            here in (size, None) for size, here in zip(shape, wanted, strict=True)
        ):
            continue
        else:
            sizes = ", ".join("any" if size is None else str(size) for size in wanted)
            told = f"{part!r} of shape {shape}, expected ({sizes})"
        raise ConfigError(
            f"{name}: got {told}; give what start or an earlier step of this model gave"
        )
