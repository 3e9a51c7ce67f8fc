"""Cells: one step of a recurrent network, written as in the papers.

A cell knows one step and nothing about time. `project` is what needs no history (one large matrix
product over all time steps); `step` is what does. `unrolled.layers.recurrent` runs any cell over
time.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `P` projection size (`H` where there
is none). The three cells here are views of one layer and one direction of `torch.nn.RNN`, `GRU` or
`LSTM`: they hold that layer's parameters, copy nothing, and are cheap to make at every call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import linear

from unrolled.layers.states import State


class Cell(Protocol):
    """What `Recurrent` asks of a cell: any object with these methods, most often a module."""

    def project(self, x: Tensor) -> State:
        """All that needs no history: `x` `(T, B, ...)` -> a tensor, or a tuple of them, alike.

        It must treat each time step alone: streaming calls it with `T = 1`.
        """
        ...

    def step(self, projected_t: State, state: State) -> tuple[Tensor, State]:
        """`projected_t` and the state, each `(B, ...)` -> the output and the next state, alike."""
        ...

    def initial_state(self, batch: int, like: Tensor) -> State:
        """The state of `batch` fresh sequences, each tensor `(batch, ...)`.

        `like` is a projected tensor: its dtype and device are the ones that the state should have.
        """
        ...


@dataclass(frozen=True, slots=True)
class RNNStep:
    """Elman's network: `h' = f(W_ih x + b_ih + W_hh h + b_hh)`, `f` tanh or relu.

    Shapes: `weight_ih (H, I)`, `weight_hh (H, H)`, biases `(H,)` or None; state `h (B, H)`;
    output `h'`.

    Source: Elman, Finding structure in time, Cognitive Science 14 (1990); names as in torch.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    relu: bool = False

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.weight_ih, self.bias_ih)

    def step(self, projected_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        total = projected_t + linear(state, self.weight_hh, self.bias_hh)
        h = torch.relu(total) if self.relu else torch.tanh(total)
        return h, h

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, self.weight_hh.shape[1])


@dataclass(frozen=True, slots=True)
class GRUStep:
    """Gated recurrent unit, its reset gate applied after the recurrent product (as in torch).

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
        h' = (1 - z) * n + z * h

    Shapes: `weight_ih (3H, I)`, `weight_hh (3H, H)`, biases `(3H,)` or None, gates in the order
    r, z, n; state `h (B, H)`; output `h'`.

    Source: Cho et al., arXiv 1406.1078 (version 3 for the place of
    the reset gate).
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.weight_ih, self.bias_ih)

    def step(self, projected_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        x_r, x_z, x_n = projected_t.chunk(3, -1)
        h_r, h_z, h_n = linear(state, self.weight_hh, self.bias_hh).chunk(3, -1)
        r = torch.sigmoid(x_r + h_r)
        z = torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        h = (1 - z) * n + z * state
        return h, h

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, self.weight_hh.shape[1])


@dataclass(frozen=True, slots=True)
class LSTMStep:
    """Long short-term memory, with an optional projection of the output.

        i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)
        f = sigmoid(W_if x + b_if + W_hf h + b_hf)
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)
        o = sigmoid(W_io x + b_io + W_ho h + b_ho)
        c' = f * c + i * g
        h' = o * tanh(c')          or W_hr (o * tanh(c')) with a projection

    Shapes: `weight_ih (4H, I)`, `weight_hh (4H, P)`, biases `(4H,)` or None, gates in the order
    i, f, g, o; `weight_hr (P, H)` or None; state `(h (B, P), c (B, H))`; output `h'`.

    Source: Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); the
    projection is that of Sak et al., arXiv 1402.1128.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    weight_hr: Tensor | None = None

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.weight_ih, self.bias_ih)

    def step(
        self, projected_t: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c = state
        gates = projected_t + linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = gates.chunk(4, -1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c = f * c + i * g
        h = o * torch.tanh(c)
        if self.weight_hr is not None:
            h = linear(h, self.weight_hr)
        return h, (h, c)

    def initial_state(self, batch: int, like: Tensor) -> tuple[Tensor, Tensor]:
        h = like.new_zeros(batch, self.weight_hh.shape[1])
        return h, like.new_zeros(batch, self.weight_hh.shape[0] // 4)


def cell_of(layer: RNNBase, index: int, direction: int = 0) -> RNNStep | GRUStep | LSTMStep:
    """The cell of one layer (from 0) and one direction (1: reverse) of a `torch.nn` layer.

    The parameters are looked up by name, so parametrised and functionally replaced ones are seen.
    """
    suffix = f"_l{index}{'_reverse' if direction else ''}"
    weight_ih = getattr(layer, "weight_ih" + suffix)
    weight_hh = getattr(layer, "weight_hh" + suffix)
    bias_ih = getattr(layer, "bias_ih" + suffix) if layer.bias else None
    bias_hh = getattr(layer, "bias_hh" + suffix) if layer.bias else None
    if layer.mode == "LSTM":
        weight_hr = getattr(layer, "weight_hr" + suffix) if layer.proj_size else None
        return LSTMStep(weight_ih, weight_hh, bias_ih, bias_hh, weight_hr)
    if layer.mode == "GRU":
        return GRUStep(weight_ih, weight_hh, bias_ih, bias_hh)
    return RNNStep(weight_ih, weight_hh, bias_ih, bias_hh, relu=layer.mode == "RNN_RELU")
