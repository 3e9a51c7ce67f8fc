"""`IndRNNCell`: units that each see their own past only.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from unrolled.errors import ConfigError
from unrolled.layers.cell_base import OwnCell
from unrolled.layers.cell_checks import check_input

_FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh}


class IndRNNCell(OwnCell):
    """Independently recurrent network: each unit has one recurrent weight, of its own past.

        h' = f(W x + b + u * h),   f relu or tanh

    A unit's gradient through n steps of relu is `u^n` or 0, whatever the other units do, so it
    neither explodes nor vanishes where `|u|^T` is bounded and not tiny. Units meet in the next
    layer: stack cells.

    Args:
        input_size, hidden_size: I and H.
        bias: whether there is one.
        nonlinearity: "relu" or "tanh".
        steps: T, the length of the sequences that the cell is to learn from. Where it is given,
            `|u|` is kept at most `2^(1/T)`, so that `|u|^T` is at most 2: a larger one counts as
            that bound, and its gradient as 0 where a step along it would lead further out, as if it
            were clipped after each update. None keeps nothing.
        device, dtype: of the parameters.

    Parameters: `weight_ih (H, I)`; `weight_hh (H,)` is u, drawn uniformly from 0 to `2^(1/T)`, or
    to 1 without `steps`; `bias_ih (H,)` or None. State `h (B, H)`, zeros where none is given;
    output `h'`.

    Raises:
        ConfigError: a size or `steps` below 1, or another nonlinearity.

    Source: Li et al., Independently Recurrent Neural Network, arXiv 1803.04831, eq. 4 and section
    3.1.
    """

    weight_hh: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "relu",
        steps: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        if nonlinearity not in _FUNCTIONS:
            raise ConfigError(f"nonlinearity: got {nonlinearity!r}, expected 'relu' or 'tanh'")
        if steps is not None and steps < 1:
            raise ConfigError(f"steps: got {steps}, expected at least 1, or None")
        self.nonlinearity = nonlinearity
        self.steps = steps
        shapes = {"weight_ih": (hidden_size, input_size), "weight_hh": (hidden_size,)}
        self._add(device, dtype, **shapes, bias_ih=(hidden_size,))
        self.reset_parameters()

    @property
    def bound(self) -> float:
        """What `|u|` is kept within: `2^(1/T)`; infinity without `steps`."""
        return math.inf if self.steps is None else 2 ** (1 / self.steps)

    def reset_parameters(self) -> None:
        """Draw u as the class says, W uniformly within `1 / sqrt(I)`; the bias is zero."""
        self._uniform("weight_ih", bound=1 / math.sqrt(self.input_size))
        with torch.no_grad():
            self.weight_hh.uniform_(0, 1.0 if self.steps is None else self.bound)
            if self.bias_ih is not None:
                self.bias_ih.zero_()

    def project(self, x: Tensor) -> Tensor:
        """`W x + b`, `(T, B, I)` -> `(T, B, H)`."""
        check_input(self, x, self.weight_ih)
        return linear(x, self.weight_ih, self.bias_ih)

    def step(self, projected_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """`W x + b` of a step and `h (B, H)` -> `h'`, twice: as output and as state."""
        u = self.weight_hh
        if self.steps is not None:
            u = _Within.apply(u, self.bound)
        h = _FUNCTIONS[self.nonlinearity](projected_t + u * state)
        return h, h

    def extra_repr(self) -> str:
        shown = super().extra_repr()
        if self.nonlinearity != "relu":
            shown += f", nonlinearity={self.nonlinearity}"
        return shown if self.steps is None else f"{shown}, steps={self.steps}"


class _Within(torch.autograd.Function):
    """A weight clipped to [-bound, bound], with the gradient of a clipped update: it passes, but
    where the weight is at the bound or beyond and a step against it would lead further out."""

    generate_vmap_rule = True

    @staticmethod
    def forward(weight: Tensor, bound: float) -> Tensor:
        return weight.clamp(-bound, bound)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        weight, ctx.bound = inputs
        ctx.save_for_backward(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        outward = (weight >= ctx.bound) & (gradient < 0) | (weight <= -ctx.bound) & (gradient > 0)
        return gradient.masked_fill(outward, 0), None
