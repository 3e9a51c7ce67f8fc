"""`OwnCell`: what this package's cells share where torch has no such cell."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from unrolled.errors import ConfigError, ShapeError
from unrolled.layers.cell_checks import check_input, fitted_state
from unrolled.layers.states import State, map_state, steps_of, tensors_of


class OwnCell(Module):
    """A cell with parameters, called like torch's: `state = cell(x, state)`.

    Those that are made from it have `project`, `step` and `initial_state`, and are run over time by
    `Recurrent`.

    Attributes:
        input_size, hidden_size: I and H.
        bias: whether there are biases.
    """

    weight_ih: Tensor
    bias_ih: Tensor | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if size < 1:
                raise ConfigError(f"{name}: got {size}, expected at least 1")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias

    def forward(self, input: Tensor, hx: State = None) -> State:
        """One step.

        Args:
            input: `(B, I)`, or `(I,)` for one sequence.
            hx: the state, each tensor `(B, H)`, or `(H,)` for one sequence; None is the initial
                state.

        Returns:
            The next state, laid out as `hx`; its first tensor is the output.

        Raises:
            ShapeError, DTypeError, ConfigError: an argument that does not fit.
        """
        check_input(self, input, self._weight(), "input", "(B, I), or (I,) for one sequence,")
        if input.dim() not in (1, 2):
            raise ShapeError(
                f"input: got shape {tuple(input.shape)}, expected (B, I), or (I,) for one sequence"
            )
        alone = input.dim() == 1
        if alone:
            input = input.unsqueeze(0)
            hx = None if hx is None else map_state(lambda part: part.unsqueeze(0), hx)
        projected = self.project(input.unsqueeze(0))
        initial = self.initial_state(len(input), list(tensors_of(projected))[-1])
        hx = fitted_state(self, "hx", hx, initial, len(input))
        if getattr(self, "linear", False):
            projected = (projected[0].expand_as(projected[1]), projected[1])  # a for the step
        _, hx = self.step(steps_of(projected)[0], hx)
        return map_state(lambda part: part.squeeze(0), hx) if alone else hx

    def project(self, x: Tensor) -> State:
        """All that needs no history, `(T, B, I)` -> tensors `(T, B, ...)`."""
        raise NotImplementedError

    def step(self, projected_t: Any, state: Any) -> tuple[Tensor, State]:
        """The projection of a step and a state -> the output `(B, H)` and the next state."""
        raise NotImplementedError

    def initial_state(self, batch: int, like: Tensor) -> State:
        """Zeros `(B, H)`."""
        return like.new_zeros(batch, self.hidden_size)

    def _weight(self) -> Tensor:
        """The weight that an input meets."""
        return self.weight_ih

    def _add(
        self,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        **shapes: tuple[int, ...],
    ) -> None:
        """Parameters, not yet filled. `bias_ih` is None in a cell without biases."""
        for name, shape in shapes.items():
            there = self.bias or name != "bias_ih"
            parameter = Parameter(torch.empty(shape, device=device, dtype=dtype)) if there else None
            self.register_parameter(name, parameter)

    def _uniform(self, *names: str, bound: float | None = None) -> None:
        """Fill parameters uniformly from -bound to bound, by default 1 / sqrt(H), as torch's."""
        bound = 1 / math.sqrt(self.hidden_size) if bound is None else bound
        with torch.no_grad():
            for name in names:
                parameter = getattr(self, name)
                if parameter is not None:
                    parameter.uniform_(-bound, bound)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        return shown if self.bias else f"{shown}, bias=False"
