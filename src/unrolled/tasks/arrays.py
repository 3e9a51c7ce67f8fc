"""States as plain arrays: what a task's `step` takes and gives can be saved, copied and sent."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.training.snapshot import State, flatten, unflatten

Arrays = dict[str, np.ndarray]


def like(model: nn.Module) -> Tensor:
    """One of the model's weights: inputs must be on its device and in its dtype."""
    return next(model.parameters())


def to_arrays(state: State) -> Arrays:
    """Copies of a layer's state: `h`, and `c` for an LSTM, each `(L, B, H)` float32."""
    return {
        name: leaf.detach().cpu().numpy().copy()
        for name, leaf in zip(("h", "c"), flatten(state), strict=False)
    }


def to_state(arrays: Arrays, like: Tensor) -> State:
    """The inverse of `to_arrays`, on the device and in the dtype of `like`; copies the arrays."""
    leaves = [torch.tensor(arrays[name]).to(like) for name in ("h", "c") if name in arrays]
    return unflatten(leaves)
