"""How long a unit, or a state, holds: by its gates, and measured by a small disturbance.

Shapes: `T` time, `B` rows, `H` hidden size. Steps are counted in the order of processing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unrolled.layers.states import State, is_number, map_state, numbers_of
from unrolled.training.diagnostics_follow import Stage
from unrolled.training.diagnostics_measure import first_of, gates_of, joint, median

COARSE = (torch.bfloat16, torch.float16)
"""Dtypes in which a thousandth of a state is lost in rounding."""


def half_lives(stage: Stage) -> tuple[float, float] | None:
    """Steps after which a unit holds half of its old value, from the gates: median, and longest.

        ln 2 / -mean(ln k),   k = f (LSTM), z (GRU), 1 - z (minGRU), |a| of a linear cell

    None for a cell without such a gate. What the state does through `W_hh` is left out.
    """
    lives = unit_half_lives(stage)
    return None if lives is None else (float(lives.median()), float(lives.max()))


def unit_half_lives(stage: Stage) -> Tensor | None:
    """`(H,)`, of each unit; see `half_lives`."""
    keep = _keep(stage)
    if keep is None or not bool(stage.real.any()):
        return None
    decay = -keep.double()[stage.real.to(keep.device)].log().mean(0)
    return torch.where(decay > 0, math.log(2) / decay, math.inf)


def _keep(stage: Stage) -> Tensor | None:
    """`(T, B, H)`: how much of the old state each unit keeps at each step."""
    gates = gates_of(stage)
    name = {"LSTM": "f", "GRU": "z"}.get(stage.mode, "keep")
    keep = gates.get(name)
    if keep is None and stage.cell.is_linear:
        keep = torch.stack([projected[0].detach() for projected in stage.cell.projected]).abs()
    masks = getattr(stage.cell.cell, "masks", None)
    if keep is None or masks is None:
        return keep
    rate = masks.rate_c if stage.mode == "LSTM" else masks.rate_h
    return rate + (1 - rate) * keep


def half_life_measured(stage: Stage) -> float | None:
    """Steps until a small disturbance of the state is half as large, the inputs being the same.

    The disturbance has a random direction and a thousandth of the state's size. It begins a quarter
    into each row. The median over rows, between steps on a logarithmic scale; infinite where it
    has not halved at the row's end. None where no row is long enough, or the numbers are too coarse
    for a small disturbance (bfloat16, float16).
    """
    cell = stage.cell
    if first_of(cell.before[0]).dtype in COARSE:
        return None
    real = stage.real.any(1).nonzero().flatten().tolist()
    if len(real) < 2:
        return None
    end = real[-1] + 1
    start = real[0] + (end - real[0]) // 4
    rows = stage.real[start].nonzero().flatten().tolist()
    if not rows:
        return None
    draws = torch.Generator().manual_seed(0)

    def disturbed(part: Tensor) -> Tensor:
        if not is_number(part):
            return part
        noise = torch.randn(part.shape, generator=draws, dtype=torch.float64).to(part)
        return part + 1e-3 * noise * part.abs().square().mean().sqrt().clamp(min=1.0)

    lives: dict[int, float] = dict.fromkeys(rows, math.inf)
    waiting = set(rows)
    with torch.no_grad():
        plain = map_state(Tensor.detach, cell.before[start])
        moved = map_state(disturbed, plain)
        size = first_size = _distance(plain, moved)
        for step in range(start, end):
            waiting -= {
                row
                for row in waiting
                if not bool(stage.real[step, row]) or (step > start and bool(stage.cuts[step, row]))
            }
            if not waiting:
                break
            moved = cell.advance(cell.projected[step], moved)[1]
            plain = cell.advance(cell.projected[step], plain)[1]
            before, size = size, _distance(plain, moved)
            for row in list(waiting):
                if not float(size[row]) > 0.5 * float(first_size[row]):
                    lives[row] = (
                        step
                        - start
                        + _crossing(
                            float(before[row] / first_size[row]), float(size[row] / first_size[row])
                        )
                    )
                    waiting.discard(row)
    return median(list(lives.values()))


def _crossing(before: float, after: float) -> float:
    """Where between two steps a size that falls from `before` to `after` is one half."""
    if not after > 0:
        return 1.0
    return math.log(before / 0.5) / math.log(before / after)


def _distance(one: State, other: State) -> Tensor:
    return joint([a - b for a, b in zip(numbers_of(one), numbers_of(other), strict=True)])
