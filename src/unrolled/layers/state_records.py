"""The states that any cell passes through, and the gradients that come back to them."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from unrolled.layers.cell_checks import check_output, check_stepped
from unrolled.layers.cells import Cell
from unrolled.layers.states import State, map_state, over_batch


@dataclass
class StateRecord:
    """One layer's record; every list has one entry for each direction.

    Attributes:
        states: the state after every step, each tensor `(T, B, ...)`, in the tuples of the cell.
        d_states: in the same tuples, the gradient of the loss by the state after each step, all
            paths through time in it; zeros until `backward` has run.

    All are zero beyond a row's length. None of them takes part in gradients. A record is of one
    call: the next one starts it anew.
    """

    states: list[State] = field(default_factory=list)
    d_states: list[State] = field(default_factory=list)

    def clear(self) -> None:
        """Forgets the call before."""
        self.states.clear()
        self.d_states.clear()


class Watched:
    """A cell that leaves the state after each step in a record, for one run over time."""

    linear = False  # step by step: a scan has no place to look in

    def __init__(self, cell: Cell, record: StateRecord, lengths: Tensor | None, reverse: bool):
        self._cell = cell
        self.name_in_errors = type(cell).__name__
        self._record = record
        self._lengths = lengths
        self._reverse = reverse
        self._states: list[State] = []

    def project(self, x: Tensor) -> State:
        projected = self._cell.project(x)
        if getattr(self._cell, "linear", False):
            a, b = projected  # a may be real where b is complex
            return a.expand_as(b).to(b.dtype), b
        return projected

    def initial_state(self, batch: int, like: Tensor) -> State:
        return self._cell.initial_state(batch, like)

    def step(self, projected_t: State, state: State) -> tuple[Tensor, State]:
        stepped = self._cell.step(projected_t, state)
        if not self._states:
            check_stepped(self, stepped, state)
        self._states.append(stepped[1])
        return stepped

    def emit(self, y: State, x: Tensor) -> State:
        """What the cell makes of its outputs; the run is over when this is called."""
        self._keep(len(x), x)
        emit = getattr(self._cell, "emit", None)
        return check_output(self, y, *x.shape[:2], emitted=False) if emit is None else emit(y, x)

    def _keep(self, steps: int, x: Tensor) -> None:
        states = self._states[::-1] if self._reverse else self._states
        beyond = None
        if self._lengths is not None:
            beyond = torch.arange(steps, device=x.device).unsqueeze(1) >= self._lengths.to(x.device)

        def over_time(*parts: Tensor) -> Tensor:
            whole = torch.stack([part.detach() for part in parts])
            return whole if beyond is None else whole.masked_fill(over_batch(beyond, whole), 0)

        self._record.states.append(map_state(over_time, *states))
        self._record.d_states.append(map_state(_gradients, *states))


def _gradients(*parts: Tensor) -> Tensor:
    """Zeros `(T, B, ...)`, that `backward` replaces by the gradients of the T parts."""
    gradients = torch.zeros_like(parts[0]).detach().repeat(len(parts), *[1] * parts[0].dim())
    for t, part in enumerate(parts):
        if part.requires_grad:
            part.register_hook(gradients[t].copy_)
    return gradients
