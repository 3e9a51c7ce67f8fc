"""`SLSTMCell`: the LSTM with exponential gates.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `K` heads, `S` units of a head.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, logsigmoid

from unrolled.errors import ConfigError
from unrolled.layers.cell_base import OwnCell
from unrolled.layers.cell_checks import check_input


class SLSTMState(NamedTuple):
    """The state of an `SLSTMCell`, each tensor `(B, H)`.

    Attributes:
        h: the output.
        c: the cell state, scaled by exp(-m).
        n: the normaliser, scaled by exp(-m): 0 in a fresh state, at least 1 after a step.
        m: the stabiliser.
    """

    h: Tensor
    c: Tensor
    n: Tensor
    m: Tensor


class SLSTMCell(OwnCell):
    """xLSTM's scalar memory: an LSTM whose input gate is an exponential, with a normaliser.

        i~, f~, z~, o~ = W x + R h + b                four parts of H rows
        i = exp(i~),  f = sigmoid(f~) or exp(f~),  z = tanh(z~),  o = sigmoid(o~)
        c' = f * c + i * z
        n' = f * n + i
        h' = o * c' / n'

    A step can outweigh all that was stored before it, so the cell can revise what it holds. As i
    may be too large for any number, c and n are kept multiplied by exp(-m), which h does not feel:

        m' = max(log f + m, i~)
        c' = exp(log f + m - m') * c + exp(i~ - m') * z
        n' = exp(log f + m - m') * n + exp(i~ - m')

    where a fresh state (n = 0) counts as m = -infinity. From then on n' >= 1: nothing is divided by
    zero, however small all gates are.

    Args:
        input_size, hidden_size: I and H.
        bias: whether there is one.
        heads: K: units see the past outputs of their own head only, so R has K blocks of S = H / K
            rows and columns.
        forget_gate: "sigmoid" or "exp".
        device, dtype: of the parameters.

    Parameters: `weight_ih (4H, I)` and `bias_ih (4H,)` or None, rows in the order i, f, z, o;
    `weight_hh (K, 4S, S)`, rows of each head in the same order. State `SLSTMState(h, c, n, m)`,
    each `(B, H)`, zeros where none is given; output `h'`.

    Raises:
        ConfigError: a size below 1, heads that do not divide H, or another forget gate.

    Source: Beck et al., xLSTM: Extended Long Short-Term Memory, arXiv 2405.04517, eq. 8 to 17.
    """

    weight_hh: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        heads: int = 1,
        forget_gate: str = "sigmoid",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        if heads < 1 or hidden_size % heads:
            raise ConfigError(f"heads: got {heads}, expected a divisor of H = {hidden_size}")
        if forget_gate not in ("sigmoid", "exp"):
            raise ConfigError(f"forget_gate: got {forget_gate!r}, expected 'sigmoid' or 'exp'")
        self.heads = heads
        self.forget_gate = forget_gate
        rows, size = 4 * hidden_size, hidden_size // heads
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (heads, 4 * size, size)}
        self._add(device, dtype, **shapes, bias_ih=(rows,))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights uniformly within `1 / sqrt(H)`. Biases are zero, but for a sigmoid
        forget gate's: from 3 to 6 over the units of each head, which then forget within some 20 to
        400 steps."""
        self._uniform("weight_ih", "weight_hh")
        if self.bias_ih is None:
            return
        with torch.no_grad():
            self.bias_ih.zero_()
            if self.forget_gate == "sigmoid":
                size = self.hidden_size // self.heads
                spread = torch.linspace(3, 6, size).repeat(self.heads)
                self.bias_ih[self.hidden_size : 2 * self.hidden_size] = spread

    def project(self, x: Tensor) -> Tensor:
        """`W x + b`, `(T, B, I)` -> `(T, B, 4H)`."""
        check_input(self, x, self.weight_ih)
        return linear(x, self.weight_ih, self.bias_ih)

    def step(self, projected_t: Tensor, state: SLSTMState) -> tuple[Tensor, SLSTMState]:
        """`W x + b` of a step and a state -> `h'` and the next state."""
        h, c, n, m = state
        i, f, z, o = (projected_t + self._recur(h)).chunk(4, -1)
        log_f = logsigmoid(f) if self.forget_gate == "sigmoid" else f
        held = torch.where(n == 0, -math.inf, log_f + m)
        m = torch.maximum(held, i)
        keep, write = torch.exp(held - m), torch.exp(i - m)
        c = keep * c + write * torch.tanh(z)
        n = keep * n + write
        h = torch.sigmoid(o) * c / n
        return h, SLSTMState(h, c, n, m)

    def initial_state(self, batch: int, like: Tensor) -> SLSTMState:
        """Zeros."""
        return SLSTMState(*[like.new_zeros(batch, self.hidden_size) for _ in range(4)])

    def _recur(self, h: Tensor) -> Tensor:
        """`R h`, `(B, H)` -> `(B, 4H)`, rows in the order i, f, z, o."""
        if self.heads == 1:
            return linear(h, self.weight_hh[0])
        batch = len(h)
        own = h.view(batch, self.heads, -1).transpose(0, 1)  # (K, B, S)
        parts = torch.bmm(own, self.weight_hh.transpose(1, 2))  # (K, B, 4S)
        parts = parts.view(self.heads, batch, 4, -1).permute(1, 2, 0, 3)  # (B, 4, K, S)
        return parts.reshape(batch, 4 * self.hidden_size)

    def extra_repr(self) -> str:
        shown = super().extra_repr()
        if self.heads != 1:
            shown += f", heads={self.heads}"
        return shown if self.forget_gate == "sigmoid" else f"{shown}, forget_gate=exp"
