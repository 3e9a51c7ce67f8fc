"""`MinGRUCell` and `MinLSTMCell`: the cells of `MinGRU` and `MinLSTM`, with their parameters.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from unrolled.layers.cell_base import OwnCell
from unrolled.layers.cell_checks import check_input
from unrolled.layers.minimal import MinGRUStep, MinLSTMStep


class _MinimalCell(OwnCell):
    """What the two cells share: all but their equations."""

    linear = True
    """`Recurrent` runs `h' = a * h + b` by a scan."""

    _equations: ClassVar[type[MinGRUStep] | type[MinLSTMStep]]
    _parts: ClassVar[int]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        rows = self._parts * hidden_size
        self._add(device, dtype, weight_ih=(rows, input_size), bias_ih=(rows,))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters uniformly from `-1 / sqrt(H)` to `1 / sqrt(H)`, as torch's cells."""
        self._uniform("weight_ih", "bias_ih")

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`x (T, B, I)` -> a and b of `h' = a * h + b`, each `(T, B, H)`."""
        check_input(self, x, self.weight_ih)
        return self._equations(self.weight_ih, self.bias_ih).project(x)

    def step(self, projected_t: tuple[Tensor, Tensor], state: Tensor) -> tuple[Tensor, Tensor]:
        """`(a, b)` of a step and `h (B, H)` -> `h'`, twice: as output and as state."""
        return self._equations(self.weight_ih, self.bias_ih).step(projected_t, state)


class MinGRUCell(_MinimalCell):
    """Minimal gated recurrent unit: a linear cell, whose gate does not see the state.

        z = sigmoid(W_z x + b_z)
        h~ = g(W_h x + b_h)
        h' = (1 - z) * h + z * h~

    with `g(v) = v + 0.5` for `v >= 0`, else `sigmoid(v)`. The layer `unrolled.MinGRU` has the same
    equation on the kernels.

    Args:
        input_size, hidden_size: I and H.
        bias: whether there are biases.
        device, dtype: of the parameters.

    Parameters: `weight_ih (2H, I)`, rows in the order z, h~ (`weight_l0` of the layer); `bias_ih
    (2H,)` or None. State `h (B, H)`, zeros where none is given; output `h'`.

    Raises:
        ConfigError: a size below 1.

    Source: Feng et al., Were RNNs All We Needed?, arXiv 2410.01201, section 3.1 and appendix B.
    """

    _equations = MinGRUStep
    _parts = 2


class MinLSTMCell(_MinimalCell):
    """Minimal long short-term memory: a linear cell, its two gates scaled to add up to 1.

        f = sigmoid(W_f x + b_f)
        i = sigmoid(W_i x + b_i)
        h~ = g(W_h x + b_h)
        h' = f / (f + i) * h + i / (f + i) * h~

    with `g` and arguments as `MinGRUCell`. The layer `unrolled.MinLSTM` has the same equation on
    the kernels.

    Parameters: `weight_ih (3H, I)`, rows in the order f, i, h~ (`weight_l0` of the layer); `bias_ih
    (3H,)` or None. State `h (B, H)`, zeros where none is given; output `h'`.

    Source: Feng et al., arXiv 2410.01201, section 3.2 and appendix B.
    """

    _equations = MinLSTMStep
    _parts = 3
