"""What a state remembers: how much each input moves each output, and how long each unit holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.layers.states import State, is_number, map_state, numbers_of
from unrolled.lens.trace_parts import Influence
from unrolled.training.diagnostics_follow import Followed, Stage, follow_from
from unrolled.training.diagnostics_half_life import COARSE

Readout = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Outputs `(R, N, H)` of N rows, the places `(N,)` in them that are asked about, and the steps of
the sequence that those are `(N,)`, to a number for each row."""

# Operations that may be spent without being asked: about half a second of one core.
WORK = 1.5e10
# And on the half-lives of each layer: an eighth of one.
WORK_OF_LIVES = 5e9
LEAST, MOST = 8, 512
# Times that much, where only the least reach or a whole sequence will do.
AT_MOST = 4
# Steps that a disturbance has to be followed for, where there are as many.
FOLLOWED = 16
# Rows that are run side by side, and numbers that are kept for the way back from them.
ROWS = 256
NUMBERS = 5e7


@dataclass(frozen=True)
class Call:
    """One call of a layer that was followed: `x (T, 1, I)`, `starts (T, 1)` or None."""

    layer: nn.Module
    x: Tensor
    starts: Tensor | None
    run: Followed


def influence(
    call: Call, of: str, readout: Readout, reach: int | None, last: int | None = None
) -> Influence | None:
    """How much each input of a call moves what `readout` makes of its outputs.

    Every output is computed once more from the `reach` inputs before it, all of them side by side
    as rows of one batch, each from the state that was there; of a layer that reads backward too,
    from the whole sequence.

    Args:
        call: of one sequence.
        of: in words, what `readout` gives.
        readout: differentiable.
        reach: steps back; None: as many as take about half a second.
        last: so many outputs are asked about, from the end; None: all.

    Returns:
        None where the input is no number that can be differentiated by, or where even the least
        would take much longer than half a second and no `reach` was given.
    """
    x = call.x.detach()
    if not x.is_floating_point() or reach == 0:
        return None
    steps = len(x)
    outputs = steps if last is None else min(last, steps)
    whole = any(stage.reverse for stage in call.run.stages)
    each = 6 * _size(call.layer) * outputs
    if reach is None:
        reach = steps if whole else min(steps, max(LEAST, int(WORK / each)))
        if each * reach > AT_MOST * WORK:
            return None
    reach = steps if whole else min(reach, steps, MOST)
    rows_at_once = max(1, min(ROWS, int(NUMBERS / (reach * 16 * math.sqrt(_size(call.layer))))))
    # Of a layer in two directions every row is the whole sequence.
    columns = 2 * steps - 1 if whole else reach
    size, product = np.zeros((2, steps, columns), dtype=np.float32)
    for first in range(steps - outputs, steps, rows_at_once):
        ends = torch.arange(first, min(first + rows_at_once, steps))
        begins = torch.zeros_like(ends) if whole else (ends - reach + 1).clamp(min=0)
        lengths = torch.full_like(ends, steps) if whole else ends - begins + 1
        at = (begins + torch.arange(int(lengths.max())).unsqueeze(1)).clamp(max=steps - 1)
        rows = x[at.to(x.device), 0].requires_grad_()
        with torch.enable_grad():
            y = follow_from(
                call.layer,
                rows,
                _states_at(call.run, begins, whole=whole),
                lengths,
                None if call.starts is None else call.starts[:, 0].cpu()[at],
            ).y
            places = ends if whole else lengths - 1
            (d_x,) = torch.autograd.grad(readout(y, places, ends).sum(), rows)
        # Squares of what has nearly vanished are beyond float32.
        sizes = d_x.flatten(2).double().norm(dim=2).T.float().cpu().numpy()
        products = (d_x * rows).detach().flatten(2).sum(2).T.float().cpu().numpy()
        ahead = steps - 1 if whole else 0
        for row, (begin, end, length) in enumerate(
            zip(begins.tolist(), ends.tolist(), lengths.tolist(), strict=True)
        ):
            # The column of step s is end + ahead - s: the latest input stands first.
            column = end + ahead - begin - np.arange(length)
            size[end, column] = sizes[row, :length]
            product[end, column] = products[row, :length]
    return Influence(of, size, product, steps - 1 if whole else 0)


def influence_on_one(call: Call, of: str, readout: Readout) -> Influence | None:
    """As `influence`, of one output that all steps lead to: one row."""
    x = call.x.detach().clone()
    if not x.is_floating_point():
        return None
    x.requires_grad_()
    last = torch.tensor([len(x) - 1])
    before = _states_at(call.run, torch.zeros_like(last), whole=True)
    with torch.enable_grad():
        y = follow_from(call.layer, x, before, None, call.starts).y
        (d_x,) = torch.autograd.grad(readout(y, last, last).sum(), x)
    size = d_x.flatten(2).double().norm(dim=2).T.float().cpu().numpy()
    product = (d_x * x).detach().flatten(2).sum(2).T.float().cpu().numpy()
    return Influence(of, np.ascontiguousarray(size), np.ascontiguousarray(product))


def outputs_at(y: Tensor, places: Tensor) -> Tensor:
    """`(R, N, H)` and a place in each row to the outputs there, `(N, H)`."""
    return y[places.to(y.device), torch.arange(y.shape[1], device=y.device)]


def _states_at(run: Followed, begins: Tensor, *, whole: bool) -> list[State]:
    """The state of each stage as it was before the steps `begins`, as rows."""
    found = []
    for stage in run.stages:
        # In the order of processing the first state of every direction stands first.
        places = [0] * len(begins) if whole else begins.tolist()
        picked = [map_state(Tensor.detach, stage.cell.before[place]) for place in places]
        found.append(map_state(lambda *parts: torch.cat(parts), *picked))
    return found


def measured_half_lives(stage: Stage) -> Tensor | None:
    """`(H,)`: steps until a small disturbance of a unit's memory has halved in that unit, the
    inputs being the same; infinite where it had not by the end.

    The memory is c of an LSTM and h of any other cell. It begins a quarter into the sequence, at
    the first step that is not cut off later; every unit is a row of one batch. None where the
    sequence is too short, the numbers are too coarse for a small disturbance (bfloat16, float16),
    or the measure would take too long.
    """
    cell = stage.cell
    steps = len(cell.before)
    start = steps // 4
    cut = stage.cuts[start + 1 :, 0].nonzero()
    end = start + 1 + int(cut[0]) if len(cut) else steps
    plain = map_state(Tensor.detach, cell.before[start])
    memory = list(numbers_of(plain))[-1]
    units = memory[0].numel()
    parameters = sum(part.numel() for part in getattr(cell.cell, "parameters", list)())
    affine = getattr(cell.cell, "weight_hh", None)
    cost = max(parameters, 0 if affine is None else affine.numel(), units * units)
    within = int(WORK_OF_LIVES / (2 * cost * units))
    if memory.dtype in COARSE:
        return None
    if end - start < 2 or within < min(FOLLOWED, end - start):
        return None
    end = min(end, start + within)
    push = 1e-3 * float(memory.abs().square().mean().sqrt().clamp(min=1.0))
    eye = push * torch.eye(units, dtype=memory.dtype, device=memory.device)
    eye = eye.view(units, *memory.shape[1:])
    moved = map_state(lambda part: part.expand(units, *part.shape[1:]), plain)
    moved = _with_last(moved, lambda part: part + eye)
    lives = torch.full((units,), math.inf, dtype=torch.float64)
    before = torch.ones(units, dtype=torch.float64)
    with torch.no_grad():
        for step in range(start, end):
            given = map_state(
                lambda part: part.expand(units, *part.shape[1:]), cell.projected[step]
            )
            moved = cell.advance(given, moved)[1]
            plain = cell.advance(cell.projected[step], plain)[1]
            one, other = (list(numbers_of(state))[-1] for state in (moved, plain))
            apart = (one - other).flatten(1).diagonal().abs().double().cpu() / push
            halved = lives.isinf() & ~(apart > 0.5)
            # Between two steps a fall is taken to be exponential.
            fall = (before / 0.5).log() / (before / apart.clamp(min=1e-12)).log()
            lives = torch.where(halved, step - start + fall, lives)
            before = apart
    return lives


def _with_last(state: State, function: Callable[[Tensor], Tensor]) -> State:
    """The last part that is a number, changed."""
    last = sum(1 for _ in numbers_of(state)) - 1
    seen = -1

    def change(part: Tensor) -> Tensor:
        nonlocal seen
        if not is_number(part):
            return part
        seen += 1
        return function(part) if seen == last else part

    return map_state(change, state)


def _size(layer: Any) -> int:
    """Numbers that a step multiplies with, about."""
    return max(1, sum(part.numel() for part in layer.parameters()))
