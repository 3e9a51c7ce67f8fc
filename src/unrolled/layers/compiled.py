"""The steps of a cell under `torch.compile`, in stretches.

One compiled call costs some 50 µs before it does anything: its guards are checked, and its part of
the gradient is one node with a price of its own. A stretch of several steps pays that once, and the
compiler sees across its steps; but the time to compile grows with it. With `STRETCH` steps most is
gained in half the time that twice as many take to compile (`benchmarks/cells.py`). What is left
over at the end is run by single steps, compiled too, so that a cell has few programs whatever the
lengths of its sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.cell_checks import check_stepped
from unrolled.layers.cells import Cell
from unrolled.layers.states import State, map_state, steps_of, tensors_of
from unrolled.layers.unroll import Extent, loop

STRETCH = 8


class CompiledSteps:
    """A `Runner` for one cell: the numbers and gradients of `loop`.

    Args:
        backend: of `torch.compile`.
        stretch: how many steps one program has.

    It keeps its programs: one object for each cell.
    """

    def __init__(self, backend: str = "inductor", stretch: int = STRETCH) -> None:
        self.backend = backend
        self.stretch = stretch
        self._programs: dict[tuple[int, bool, bool, bool], Callable[..., Any]] = {}

    def __call__(
        self, cell: Cell, projected: State, state: State, initial: State, extent: Extent
    ) -> tuple[State, State]:
        if torch.compiler.is_compiling():
            return loop(cell, projected, state, initial, extent)
        steps = len(next(tensors_of(projected)))
        if not self._programs:
            self._try_one_step(cell, projected, state)
        whole = steps // self.stretch * self.stretch
        sizes = [self.stretch] * (steps // self.stretch) + [1] * (steps - whole)
        # One split, whose gradient is one concatenation: each slice's would be as large as all.
        parts = _split(projected, sizes)
        state = _as_later_ones(projected, state)
        outputs: list[State] = []
        begins = [0, *accumulate(sizes)]
        all_real = [True] * steps if extent.real is None else extent.real.all(1).tolist()
        some_cut = [False] * steps if extent.cuts is None else extent.cuts.any(1).tolist()
        order = range(len(sizes))
        for k in reversed(order) if extent.reverse else order:
            begin, end = begins[k], begins[k] + sizes[k]
            real, cuts, _ = extent.part(begin, end)
            # A stretch without resets, or with full rows only, takes the program that has none.
            real = None if all(all_real[begin:end]) else real
            cuts = cuts if any(some_cut[begin:end]) else None
            program = self._program(sizes[k], real is not None, cuts is not None, extent.reverse)
            first = None if cuts is None else initial
            y, state = program(cell, parts[k], state, first, real, cuts)
            outputs.append(y)
        if extent.reverse:
            outputs.reverse()
        return map_state(lambda *pieces: torch.cat(pieces), *outputs), state

    def _program(self, steps: int, real: bool, cuts: bool, reverse: bool) -> Callable[..., Any]:
        key = (steps, real, cuts, reverse)
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = torch.compile(
                _own_stretch(reverse), backend=self.backend
            )
        return program

    def _try_one_step(self, cell: Cell, projected: State, state: State) -> None:
        """What is wrong with a cell is said in plain Python, not in a tracer's words."""
        with torch.no_grad():
            first = steps_of(map_state(lambda part: part[:1], projected))[0]
            check_stepped(cell, cell.step(first, state), state)


def _forward_stretch(
    cell: Cell,
    projected: State,
    state: State,
    initial: State,
    real: Tensor | None,
    cuts: Tensor | None,
) -> tuple[State, State]:
    return loop(cell, projected, state, initial, Extent(real, cuts, False))


def _reverse_stretch(
    cell: Cell,
    projected: State,
    state: State,
    initial: State,
    real: Tensor | None,
    cuts: Tensor | None,
) -> tuple[State, State]:
    return loop(cell, projected, state, initial, Extent(real, cuts, True))


def _own_stretch(reverse: bool) -> Callable[..., Any]:
    """A function with a code object of its own: `torch.compile` keeps its programs, and counts how
    many there may be, by the code object, so that many cells would soon share one limit."""
    function = _reverse_stretch if reverse else _forward_stretch
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__.replace(), function.__globals__, function.__name__)


def _as_later_ones(projected: State, state: State) -> State:
    """The state that enters, dense and with a gradient where those after it will be: it would need
    a program of its own."""
    tensors = [*tensors_of(projected), *tensors_of(state)]
    graph = torch.is_grad_enabled() and any(part.requires_grad for part in tensors)

    def alike(part: Tensor) -> Tensor:
        part = part.contiguous()
        if graph and not part.requires_grad and (part.is_floating_point() or part.is_complex()):
            return part.detach().requires_grad_()
        return part

    return map_state(alike, state)


def _split(projected: State, sizes: list[int]) -> list[State]:
    if isinstance(projected, Tensor):
        return list(projected.split(sizes))
    parts = [_split(part, sizes) for part in projected]
    return [
        type(projected)(*own) if hasattr(projected, "_fields") else type(projected)(own)
        for own in zip(*parts, strict=True)
    ]


def backend_of(compile: bool | str) -> str | None:
    """The backend that `Recurrent`'s argument names; None for the plain loop."""
    if compile is False or compile is None:
        return None
    if compile is True:
        return "inductor"
    if not isinstance(compile, str) or compile not in torch._dynamo.list_backends(()):
        known = ", ".join(torch._dynamo.list_backends(()))
        raise ConfigError(
            f"compile: got {compile!r}, expected True, False or a backend of torch.compile: {known}"
        )
    return compile
