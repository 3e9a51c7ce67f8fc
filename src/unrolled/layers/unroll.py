"""`unroll`: one cell over time, in one direction.

    y_t, s_t = step(project(x)_t, s_{t-1}),   y = emit(y, x)

Shapes: `T` time, `B` batch. Time-major throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from unrolled.layers.cell_checks import check_output, check_projected, check_stepped, fitted_state
from unrolled.layers.cells import Cell
from unrolled.layers.paths import transformed
from unrolled.layers.states import State, map_state, over_batch, steps_of, tensors_of


class Extent(NamedTuple):
    """Which steps of a stretch of time are run.

    Attributes:
        real: `(T, B)` bool, true where a row has that step, or None where all have all.
        cuts: `(T, B)` bool, true where the state that enters the step is replaced by the initial
            one, or None. It is true at real steps only.
        reverse: from the last step to the first.
    """

    real: Tensor | None
    cuts: Tensor | None
    reverse: bool

    def part(self, begin: int, end: int) -> Extent:
        """The steps `begin` to `end`."""
        real, cuts = (None if mask is None else mask[begin:end] for mask in self[:2])
        return Extent(real, cuts, self.reverse)


class Runner(Protocol):
    """Runs the steps of a stretch: `loop`, or the same compiled."""

    def __call__(
        self, cell: Cell, projected: State, state: State, initial: State, extent: Extent
    ) -> tuple[State, State]:
        """The outputs of `step`, each `(T, B, ...)`, and the state after the last step."""
        ...


def unroll(
    cell: Cell,
    x: Tensor,
    state: State = None,
    *,
    lengths: Tensor | None = None,
    starts: Tensor | None = None,
    reverse: bool = False,
    name: str = "state",
    runner: Runner | None = None,
) -> tuple[Tensor, State]:
    """`Recurrent.forward` of one cell, for callers that have checked `lengths` and `starts`.

    Args:
        name: what the state is called in an error.
        runner: None is `loop`, or the scan where the cell is linear.
    """
    steps = x.shape[0]  # not len(x), which torch.export takes for a constant
    real = cuts = None
    if lengths is not None:
        real = torch.arange(steps, device=x.device).unsqueeze(1) < lengths.to(x.device)
        # Zero, not skip: NaN in the padding would reach the weights' gradient as NaN * 0.
        x = x.masked_fill(over_batch(~real, x), 0)
    if starts is not None:
        cuts = starts.to(x.device)
        if real is not None:
            cuts = cuts & real
        if reverse:
            cuts = torch.cat([cuts[1:], torch.zeros_like(cuts[:1])])
    extent = Extent(real, cuts, reverse)
    return run_stretch(cell, x, state, extent, name=name, runner=runner)


def run_stretch(
    cell: Cell,
    x: Tensor,
    state: State,
    extent: Extent,
    *,
    name: str = "state",
    runner: Runner | None = None,
) -> tuple[Tensor, State]:
    """A stretch of the sequence from a state: project, step, emit. All that time does to a cell
    happens here, so stretches that are run one after the other equal the whole."""
    steps, batch = x.shape[:2]
    projected = cell.project(x)
    check_projected(cell, projected, steps, batch)
    linear = getattr(cell, "linear", False)
    initial = fresh_state(cell, projected, batch)
    state = fitted_state(cell, name, state, initial, batch)
    if runner is None:
        runner = scanned if linear and _in_scan(projected) else loop
    if linear and runner is not scanned:
        projected = (projected[0].expand_as(projected[1]), projected[1])  # a for each step
    y, state = runner(cell, projected, state, initial, extent)
    emit = getattr(cell, "emit", None)
    if emit is not None:
        y = emit(y, x)
    y = check_output(cell, y, steps, batch, emitted=emit is not None)
    if extent.real is not None:
        y = y.masked_fill(over_batch(~extent.real, y), 0)
    return y, state


def fresh_state(cell: Cell, projected: State, batch: int) -> State:
    """The cell's initial state, as its own `initial_state` gives it."""
    linear = getattr(cell, "linear", False)
    return cell.initial_state(batch, projected[1] if linear else next(tensors_of(projected)))


def loop(
    cell: Cell, projected: State, state: State, initial: State, extent: Extent
) -> tuple[State, State]:
    """One step after another in Python."""
    inputs = steps_of(projected)
    real, cuts, reverse = extent
    # A tracer can't look at values: it takes the masked way at every step.
    traced = torch.compiler.is_compiling()
    some_cut = _at_each_step(cuts, "any", traced)
    all_real = _at_each_step(real, "all", traced)
    outputs: list[State] = []
    for t in reversed(range(len(inputs))) if reverse else range(len(inputs)):
        entering = state
        if cuts is not None and some_cut[t]:
            entering = choose(cuts[t], initial, state)
        stepped = cell.step(inputs[t], entering)
        if not outputs:
            check_stepped(cell, stepped, entering)
        y_t, after = stepped
        state = after if real is None or all_real[t] else choose(real[t], after, state)
        outputs.append(y_t)
    if reverse:
        outputs.reverse()
    return map_state(lambda *parts: torch.stack(parts), *outputs), state


def scanned(
    cell: Cell, projected: State, state: State, initial: State, extent: Extent
) -> tuple[State, State]:
    """A linear cell, `h' = a * h + b`, by `unrolled.layers.scan.scan`."""
    from unrolled.layers.scan import scan

    a, b = projected
    real, cuts, reverse = extent
    lengths = None if real is None else real.sum(0)
    starts = cuts
    if cuts is not None:
        # The scan's state is cut to zeros. What the initial state adds at such a step is a * h_0.
        unseen = torch.compiler.is_compiling() or transformed(initial)
        if unseen or initial.requires_grad or bool(initial.any()):
            b = b + torch.where(over_batch(cuts, b), a * initial, 0)
        if reverse:
            # The scan takes the step before which a sequence begins, which comes after this one in
            # time; a cut before the last step is of the given state.
            state = torch.where(over_batch(cuts[-1], state), 0, state)
            starts = torch.cat([torch.zeros_like(cuts[:1]), cuts[:-1]])
    return scan(a, b, state, lengths=lengths, starts=starts, reverse=reverse)


def _in_scan(projected: State) -> bool:
    """Whether the scan has these dtypes: it has no half precision."""
    from unrolled.layers.scan import DTYPES

    return all(part.dtype in DTYPES for part in projected)


def _at_each_step(mask: Tensor | None, how: str, traced: bool) -> Sequence[bool]:
    """For each step whether some rows are cut (`any`), or all are real (`all`)."""
    if mask is None:
        return ()
    if traced:
        return [how == "any"] * len(mask)
    return (mask.any(1) if how == "any" else mask.all(1)).tolist()


def choose(mask: Tensor, yes: State, no: State) -> State:
    """Row by row, the state `yes` where `mask` `(B,)` is true and `no` elsewhere."""
    return map_state(lambda a, b: torch.where(over_batch(mask, a), a, b), yes, no)
