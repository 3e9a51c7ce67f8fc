"""Run a recurrent layer once more, cell by cell, and keep all that it passes through.

Every layer is a stack of cells (`unrolled.layers.cells`), whatever path it runs on. So torch's
layers, this package's and a user's own cell are measured by the same few lines.

Shapes: `T` time, `B` rows, `H` hidden size. Lists have one entry for each step, in the order of
processing: of the reverse direction, the last time step comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.layers.call import Masks, weights_of
from unrolled.layers.cells import Zoneout, torch_step
from unrolled.layers.lru import BlockCell, LRUBlock
from unrolled.layers.minimal import MinGRUStep, MinLSTMStep
from unrolled.layers.recurrent import Recurrent, unroll
from unrolled.layers.recurrent_parts import merged
from unrolled.layers.states import State, map_state
from unrolled.layers.torch_cells import TorchCell


class Observed:
    """A cell that keeps what it is given and what it gives, at every step.

    Attributes:
        projected, before, after: of each step: its input, the state that enters, the state after.
        gates: of each step: a tuple of `(B, H)`, empty for a cell that has none.
        is_linear: `project` gives a and b of `h' = a * h + b`.
    """

    def __init__(self, cell: Any) -> None:
        self.cell = cell
        self.is_linear = bool(getattr(cell, "linear", False))
        self._gated = hasattr(cell, "step_with_gates")
        self.projected: list[State] = []
        self.before: list[State] = []
        self.after: list[State] = []
        self.gates: list[tuple[Tensor, ...]] = []

    def project(self, x: Tensor) -> State:
        given = self.cell.project(x)
        if not self.is_linear:
            return given
        a, b = given  # a may be the same at every step, and real where b is complex
        return a.expand_as(b).to(b.dtype), b

    def advance(self, projected_t: State, state: State) -> tuple[Tensor, State, tuple[Tensor, ...]]:
        """One step: the output, the next state, the gates. Keeps nothing."""
        if self._gated:
            after, gates = self.cell.step_with_gates(projected_t, state)
            return (after[0] if isinstance(after, tuple) else after), after, gates
        if self.is_linear:
            a, b = projected_t
            after = a * state + b
            return after, after, ()
        return (*self.cell.step(projected_t, state), ())

    def step(self, projected_t: State, state: State) -> tuple[Tensor, State]:
        y, after, gates = self.advance(projected_t, state)
        self.projected.append(projected_t)
        self.before.append(state)
        self.after.append(after)
        self.gates.append(gates)
        return y, after

    def emit(self, y: State, x: Tensor) -> State:
        emit = getattr(self.cell, "emit", None)
        return y if emit is None else emit(y, x)

    def initial_state(self, batch: int, like: Tensor) -> State:
        return self.cell.initial_state(batch, like)


@dataclass
class Stage:
    """One layer of a stack in one direction, and what a run of it left.

    Attributes:
        index: the layer, from 0.
        direction: 0 forward, 1 reverse.
        mode: "RNN_TANH", "RNN_RELU", "GRU", "LSTM", "MIN_GRU", "MIN_LSTM", or the type of a cell.
        cell: the cell, after a run with its lists filled.
        real: `(T, B)` bool in the order of processing: the step is one of the row's.
        cuts: `(T, B)` bool: the state that entered the step was cut off.
    """

    index: int
    direction: int
    mode: str
    cell: Observed
    real: Tensor = field(default_factory=lambda: torch.empty(0))
    cuts: Tensor = field(default_factory=lambda: torch.empty(0))

    @property
    def reverse(self) -> bool:
        return self.direction == 1


@dataclass
class Followed:
    """A run of a layer: its stages, its output `(T, B, ...)`, and the final state of each stage."""

    stages: list[Stage]
    y: Tensor
    finals: list[State]


def follow(
    layer: nn.Module,
    x: Tensor,
    state: State = None,
    lengths: Tensor | None = None,
    starts: Tensor | None = None,
) -> Followed:
    """Run `layer` as in evaluation, without dropout: `x (T, B, I)` and the rest as its own call's.

    Gradients are recorded where they are on.
    """
    return follow_from(layer, x, states_of(layer, state), lengths, starts)


def follow_from(
    layer: nn.Module,
    x: Tensor,
    before: list[State],
    lengths: Tensor | None = None,
    starts: Tensor | None = None,
) -> Followed:
    """`follow`, with the state of each stage in the order of the stages."""
    stack = _stages_of(layer)
    parts = iter(before)
    finals: list[State] = []
    for index, stages in enumerate(stack):
        outputs = []
        for stage in stages:
            y, final = unroll(
                stage.cell, x, next(parts), lengths=lengths, starts=starts, reverse=stage.reverse
            )
            outputs.append(y)
            finals.append(final)
            stage.real, stage.cuts = _marks(x, lengths, starts, stage.reverse)
        y = merged(outputs, getattr(layer, "merge", "concat"))
        x = y + x if index and getattr(layer, "residual", False) else y
    return Followed([stage for stages in stack for stage in stages], x, finals)


def _stages_of(layer: Any) -> list[list[Stage]]:
    """Layer by layer, the stage of each direction."""
    if isinstance(layer, LRUBlock):
        return [[Stage(0, 0, "LRUCell", Observed(BlockCell(layer)))]]
    if isinstance(layer, Recurrent):
        layers: Any = layer.layers if hasattr(layer, "layers") else [(layer.cell,)]
        return [
            [
                Stage(index, int(layer.reverse) or direction, *_own_cell(cell))
                for direction, cell in enumerate(cells)
            ]
            for index, cells in enumerate(layers)
        ]
    directions = 2 if layer.bidirectional else 1
    return [
        [
            Stage(index, direction, layer.mode, Observed(_cell(layer, index, direction)))
            for direction in range(directions)
        ]
        for index in range(layer.num_layers)
    ]


TORCH_MODES = ("RNN_TANH", "RNN_RELU", "GRU", "LSTM")
MODES = {"MinGRUCell": "MIN_GRU", "MinLSTMCell": "MIN_LSTM"}


def _own_cell(cell: Any) -> tuple[str, Observed]:
    """Mode and cell of a `Recurrent`'s. Of torch's cells, the equations, which tell their gates."""
    found = cell.equations() if isinstance(cell, TorchCell) else None
    if found is None:
        kind = type(cell).__name__
        # A cell of one's own that is called GRU has not the GRU's gates.
        mode = f"{kind} cell" if kind in TORCH_MODES else kind
        return MODES.get(kind, mode), Observed(cell)
    mode, equations = found
    return mode, Observed(equations)


def _cell(layer: Any, index: int, direction: int) -> Any:
    if not isinstance(layer, nn.RNNBase):
        suffix = f"_l{index}{'_reverse' if direction else ''}"
        kind = MinGRUStep if layer.mode == "MIN_GRU" else MinLSTMStep
        bias = getattr(layer, f"bias{suffix}") if layer.bias else None
        return kind(getattr(layer, f"weight{suffix}"), bias)
    cell = torch_step(layer.mode, weights_of(layer, index, direction))
    rate_h, rate_c = getattr(layer, "zoneout", (0.0, 0.0))
    return Zoneout(cell, Masks(rate_h=rate_h, rate_c=rate_c)) if rate_h or rate_c else cell


def states_of(layer: Any, state: State) -> list[State]:
    """A layer's state, stage by stage; None where there is none."""
    directions = 2 if getattr(layer, "bidirectional", False) else 1
    count = getattr(layer, "num_layers", 1) * directions
    if state is None:
        return [None] * count
    if isinstance(layer, LRUBlock):
        return [state]
    if not isinstance(layer, Recurrent):
        return [map_state(lambda part, row=row: part[row], state) for row in range(count)]
    layers = state if getattr(layer, "_stacked", False) else [state]
    if directions == 1:
        return list(layers)
    return [part for pair in layers for part in ((None, None) if pair is None else pair)]


def _marks(
    x: Tensor, lengths: Tensor | None, starts: Tensor | None, reverse: bool
) -> tuple[Tensor, Tensor]:
    """Which steps are real and which are cut, in the order of processing."""
    steps, rows = x.shape[:2]
    real = torch.ones(steps, rows, dtype=torch.bool)
    if lengths is not None:
        real = torch.arange(steps).unsqueeze(1) < lengths.cpu()
    cuts = torch.zeros_like(real) if starts is None else starts.cpu() & real
    if not reverse:
        return real, cuts
    # The reverse direction is cut between the same two steps: on leaving the later one.
    cuts = torch.cat([cuts[1:], torch.zeros_like(cuts[:1])])
    return real.flip(0), cuts.flip(0)
