"""`RNNCell`, `GRUCell` and `LSTMCell`: torch's cells, which are also cells of `Recurrent`.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import RNNCellBase

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.call import Weights
from unrolled.layers.cell_checks import check_input, described, input_fault
from unrolled.layers.cells import TorchStep, torch_step
from unrolled.layers.checks import Fault, device_fault, with_torchs_text
from unrolled.layers.paths import autocast_dtype
from unrolled.layers.states import State


class TorchCell(RNNCellBase):
    """What the three cells add to torch's class, which stands next among the bases."""

    _states: ClassVar[int] = 1

    def forward(self, input: Tensor, hx: State = None) -> Any:
        """One step, as torch's cell.

        Args:
            input: `(B, I)`, or `(I,)` for one sequence.
            hx: the state, `(B, H)`, for an LSTM `(h, c)`; without `B` for one sequence. None is
                zeros.

        Returns:
            The next state, laid out as `hx`. Its `h` is the output.

        Raises:
            ShapeError, DTypeError: an argument that does not fit; named, with torch's own text
                first, and also of the type that torch raises there.
            ConfigError: a tensor on another device than the weights.
        """
        try:
            return super().forward(input, hx)
        except Exception as error:
            fault = self._fault(input, hx)
            if fault is None:
                raise
            raise with_torchs_text(*fault, error) from None

    def project(self, x: Tensor) -> Tensor:
        """`W_ih x + b_ih`, `(T, B, I)` -> `(T, B, G*H)`."""
        check_input(self, x, self.weight_ih)
        return self._equations().project(x)

    def step(self, projected_t: Tensor, state: State) -> tuple[Tensor, State]:
        """The projection of a step and a state -> the output `(B, H)` and the next state."""
        return self._equations().step(projected_t, state)

    def initial_state(self, batch: int, like: Tensor) -> State:
        """Zeros."""
        return self._equations().initial_state(batch, like)

    def equations(self) -> tuple[str, TorchStep] | None:
        """The mode as torch names it, and the step over these weights; None of a subclass that has
        another one."""
        kind, own = type(self), ("project", "step", "initial_state")
        if any(getattr(kind, name) is not getattr(TorchCell, name) for name in own):
            return None
        return self._mode(), self._equations()

    def _equations(self) -> TorchStep:
        # Looked up at every step, so that parametrised and functionally replaced weights are seen.
        weights = Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return torch_step(self._mode(), weights)

    def _mode(self) -> str:
        raise NotImplementedError

    def _fault(self, input: Any, hx: Any) -> Fault | None:
        """What is wrong with a call of `forward`; None where nothing that we know of is."""
        legend = "(B, I), or (I,) for one sequence,"
        fault = input_fault(self, "input", input, self.weight_ih, legend)
        if fault is not None:
            return fault
        if input.dim() not in (1, 2):
            return (
                ShapeError,
                f"input: got shape {tuple(input.shape)}, expected {legend} with I = "
                f"{self.input_size}",
            )
        if hx is None:
            return None
        shape = (*input.shape[:-1], self.hidden_size)
        names, parts = ["hx"], [hx]
        if self._states == 2:
            names = ["hx[0] (h)", "hx[1] (c)"]
            if not isinstance(hx, tuple | list) or len(hx) != 2:
                return (
                    ShapeError,
                    f"hx: got {described(hx)}, expected a tuple (h, c), each of shape {shape}",
                )
            parts = list(hx)
        for name, part in zip(names, parts, strict=True):
            if not isinstance(part, Tensor):
                return DTypeError, f"{name}: got {described(part)}, expected a tensor {shape}"
            if tuple(part.shape) != shape:
                return ShapeError, f"{name}: got shape {tuple(part.shape)}, expected {shape}"
            if part.device != input.device:
                return device_fault(name, part, input)
            if part.dtype != input.dtype and not autocast_dtype(input.device.type):
                got = f"got dtype {part.dtype}, expected {input.dtype} as the input"
                return DTypeError, f"{name}: {got}"
        return None


class RNNCell(TorchCell, torch.nn.RNNCell):
    """Elman's network, one step: `torch.nn.RNNCell`, and a cell of `Recurrent`.

        h' = f(W_ih x + b_ih + W_hh h + b_hh),   f tanh or relu

    Constructor, parameters, state dict, `repr`, calls and results are torch's.

    Shapes: `weight_ih (H, I)`, `weight_hh (H, H)`, biases `(H,)` or None; state `h (B, H)`.

    Source: Elman, Finding structure in time, Cognitive Science 14 (1990).
    """

    def _mode(self) -> str:
        if self.nonlinearity not in ("tanh", "relu"):
            raise ConfigError(f"nonlinearity: got {self.nonlinearity!r}, expected 'tanh' or 'relu'")
        return f"RNN_{self.nonlinearity.upper()}"


class GRUCell(TorchCell, torch.nn.GRUCell):
    """Gated recurrent unit, one step: `torch.nn.GRUCell`, and a cell of `Recurrent`.

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
        h' = (1 - z) * n + z * h

    Constructor, parameters, state dict, `repr`, calls and results are torch's.

    Shapes: `weight_ih (3H, I)`, `weight_hh (3H, H)`, biases `(3H,)` or None, gates in the order
    r, z, n; state `h (B, H)`.

    Source: Cho et al., arXiv 1406.1078 (version 3 for the place of the reset gate).
    """

    def _mode(self) -> str:
        return "GRU"


class LSTMCell(TorchCell, torch.nn.LSTMCell):
    """Long short-term memory, one step: `torch.nn.LSTMCell`, and a cell of `Recurrent`.

        i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)
        f = sigmoid(W_if x + b_if + W_hf h + b_hf)
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)
        o = sigmoid(W_io x + b_io + W_ho h + b_ho)
        c' = f * c + i * g
        h' = o * tanh(c')

    Constructor, parameters, state dict, `repr`, calls and results are torch's.

    Shapes: `weight_ih (4H, I)`, `weight_hh (4H, H)`, biases `(4H,)` or None, gates in the order
    i, f, g, o; state `(h (B, H), c (B, H))`.

    Sources: Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).
    """

    _states: ClassVar[int] = 2

    def _mode(self) -> str:
        return "LSTM"
