"""What the gates of a step are made of, so that each number of a unit's equation can be shown."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled.layers.cells import GRUStep, LSTMStep, RNNStep, Zoneout
from unrolled.training.diagnostics_follow import MODES, Stage
from unrolled.training.diagnostics_measure import GATES, first_of


def terms_of(stage: Stage) -> dict[str, Tensor]:
    """By name as `TracedLayer.terms` has them, `(T, B, H)` in the order of processing; empty for a
    cell that tells none."""
    cell = stage.cell
    if cell.is_linear or stage.mode in MODES.values():
        a, b = (torch.stack([step[k] for step in cell.projected]).detach() for k in (0, 1))
        return {} if b.is_complex() else {"h.a": a, "h.b": b}
    step: Any = cell.cell.cell if isinstance(cell.cell, Zoneout) else cell.cell
    if not isinstance(step, RNNStep | GRUStep | LSTMStep):
        return {}
    names = GATES.get(stage.mode, ("h",))
    with torch.no_grad():
        given = torch.stack([first_of(projected) for projected in cell.projected])
        before = torch.stack([first_of(state) for state in cell.before])
        recurred = step._recur(before)
        found: dict[str, Tensor] = {}
        for name, x, h in zip(
            names, given.chunk(len(names), -1), recurred.chunk(len(names), -1), strict=True
        ):
            found |= {f"{name}.x": x, f"{name}.h": h}
        if isinstance(step, LSTMStep):
            found |= _of_the_cell_state(stage, step)
    return found


def rates_of(stage: Stage) -> dict[str, float]:
    """By the name of a state, the share of the old one that zoneout keeps in evaluation."""
    cell = stage.cell.cell
    if not isinstance(cell, Zoneout):
        return {}
    rates = {"h": cell.masks.rate_h, "c": cell.masks.rate_c}
    return {name: rate for name, rate in rates.items() if rate}


def _of_the_cell_state(stage: Stage, step: LSTMStep) -> dict[str, Tensor]:
    """Peepholes and layer normalisation; both see c before zoneout."""
    if step.peephole is None and step.norm_c is None:
        return {}
    old = torch.stack([state[1] for state in stage.cell.before])
    i, f, g, _ = (torch.stack(gates) for gates in zip(*stage.cell.gates, strict=True))
    c = f * old + i * g
    found: dict[str, Tensor] = {}
    if step.peephole is not None:
        p_i, p_f, p_o = step.peephole
        found |= {"i.c": p_i * old, "f.c": p_f * old, "o.c": p_o * c}
    if step.norm_c is not None:
        found["c.n"] = step._normed(c)
    return found
