"""Starting weights that let gradients through from the first step."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def initialise(recurrent: nn.RNNBase) -> None:
    """Orthogonal recurrent matrices, gate by gate; biases zero, an LSTM's forget gate at one.

    Good for long memories and much text. A forecaster with a few years of data does better with
    torch's small random weights: it overfits later.

    Sources: Saxe et al. 2014 (orthogonal), Jozefowicz et al. 2015 (forget gate).
    """
    size = recurrent.hidden_size
    with torch.no_grad():
        for name, parameter in recurrent.named_parameters():
            if name.startswith("weight_hh"):
                for gate in parameter.split(size):
                    nn.init.orthogonal_(gate)
            elif name.startswith("bias"):
                parameter.zero_()
                if isinstance(recurrent, nn.LSTM) and name.startswith("bias_ih"):
                    parameter[size : 2 * size] = 1.0


@torch.no_grad()
def put_vectors(weight: Tensor, rows: Tensor, known: Tensor) -> None:
    """Let the rows of a table that are known begin at vectors learnt elsewhere.

    All are scaled alike, to the root mean square of the table as it was drawn: the layers above
    are made for that, and what they read beside the table is neither drowned nor does it drown.

    Args:
        weight: `(V, E)`, as drawn; changed.
        rows: `(V, E)`.
        known: bool `(V,)`, at least one of them true.
    """
    found = rows[known].to(weight)
    size = found.square().mean().sqrt().clamp(min=1e-6)
    weight[known] = found * (weight.square().mean().sqrt() / size)
