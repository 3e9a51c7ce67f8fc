"""Weights between torch's layout and that of ONNX's `LSTM`, `GRU` and `RNN` nodes.

    torch        weight_ih (G*H, I), weight_hh (G*H, H), bias_ih, bias_hh (G*H,), peephole (3, H)
    ONNX         W (D, G*H, I), R (D, G*H, H), B (D, 2*G*H) = [Wb, Rb], P (D, 3*H)

with the gates, as torch names them, in the order

    LSTM         torch i, f, g, o        ONNX i, o, f, g (its "iofc")
    GRU          torch r, z, n           ONNX z, r, n (its "zrh")
    peepholes    ours  i, f, o           ONNX i, o, f

Shapes: `D` directions, `G` gates, `H` hidden size, `I` input size.

Source: https://onnx.ai/onnx/operators/onnx__LSTM.html, and GRU and RNN there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.layers.call import Weights

# At each place of ONNX the number of the gate in torch's order.
GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
PEEPHOLES = (0, 2, 1)

OPERATORS = {"LSTM": "LSTM", "GRU": "GRU", "RNN_TANH": "RNN", "RNN_RELU": "RNN"}
"""The ONNX operator of each mode."""


def to_node(mode: str, directions: Sequence[Weights]) -> dict[str, Tensor]:
    """The inputs `W`, `R`, and `B` and `P` where there are any, of a node for these weights."""
    order = GATES[OPERATORS[mode]]
    found = {
        "W": torch.stack([_turned(part.ih, order) for part in directions]),
        "R": torch.stack([_turned(part.hh, order) for part in directions]),
    }
    biases = [
        torch.cat([_turned(part.bias_ih, order), _turned(part.bias_hh, order)])
        for part in directions
        if part.bias_ih is not None and part.bias_hh is not None
    ]
    if biases:
        found["B"] = torch.stack(biases)
    peepholes = [
        part.peephole[list(PEEPHOLES)].flatten() for part in directions if part.peephole is not None
    ]
    if peepholes:
        found["P"] = torch.stack(peepholes)
    return found


def from_node(
    operator: str, w: Tensor, r: Tensor, b: Tensor | None, p: Tensor | None
) -> list[Weights]:
    """The weights of each direction of a node."""
    order = GATES[operator]
    back = [order.index(gate) for gate in range(len(order))]
    peephole_back = [PEEPHOLES.index(gate) for gate in range(3)]
    found = []
    for at in range(len(w)):
        bias_ih, bias_hh = (None, None) if b is None else b[at].chunk(2)
        found.append(
            Weights(
                _turned(w[at], back),
                _turned(r[at], back),
                None if bias_ih is None else _turned(bias_ih, back),
                None if bias_hh is None else _turned(bias_hh, back),
                peephole=None if p is None else p[at].view(3, -1)[peephole_back],
            )
        )
    return found


def _turned(part: Tensor, order: Sequence[int]) -> Tensor:
    """`part` `(G*H, ...)` with its gates in another order."""
    gates = part.chunk(len(order))
    return torch.cat([gates[at] for at in order])
