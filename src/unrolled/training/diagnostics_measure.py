"""What is measured of one layer in one direction, from a run of it.

Shapes: `T` time, `B` rows, `H` hidden size. Steps are counted in the order of processing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.layers.states import State, numbers_of, over_batch
from unrolled.training.diagnostics_follow import Followed, Stage

MEMORY_GATES = ("f", "z", "keep")
"""Gates that hold the old state while they are open."""

GATES = {"LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n")}
SHUT, OPEN = 0.05, 0.95
REACH = 0.01
FAINT = 1e-6


@dataclass(frozen=True)
class GradientMeasure:
    """The gradient of the loss by the state, after every step, all paths through time in it.

    Attributes:
        by_h: T numbers in the order of time, ‖dL/dh_t‖ over all rows.
        share: of the whole state (an LSTM's h and c), the norm after the first step of a sequence
            by the largest of any step; the median over rows. 0 where it is too small for its dtype.
        steps: how many steps lie between the first and the last that the loss reaches, at most.
        carried: what is left at the first step of a gradient of norm 1 that enters at that last
            one, and nowhere else: the product of the Jacobians. The median over rows.
        peak: the largest norm of it on its way; the median over rows.
        back: its norm after 0, 1, 2, ... steps back; the median over the rows with the most steps.
        reach: for so many steps back it keeps a hundredth of its norm; infinite where it does to
            the first. The median over rows.
    """

    by_h: list[float]
    share: float
    steps: int
    carried: float
    peak: float
    reach: float
    back: list[float]


def gradients(
    followed: Followed, d_y: Tensor | None, d_state: State
) -> list[GradientMeasure | None]:
    """Of each stage; None where the loss does not depend on it.

    `d_y` as the output of the run, `d_state` a list of what each stage's final state gets.
    """
    return [
        _gradient(stage, [part for state in own for part in numbers_of(state)])
        for stage, own in zip(followed.stages, state_gradients(followed, d_y, d_state), strict=True)
    ]


def state_gradients(
    followed: Followed, d_y: Tensor | None, d_state: State
) -> list[list[tuple[Tensor, ...]]]:
    """Of each stage, the gradient of the loss by the state after every step, all paths through time
    in it, in the order of processing; arguments as of `gradients`."""
    outputs, given = [followed.y], [torch.zeros_like(followed.y) if d_y is None else d_y]
    for final, gradient in zip(followed.finals, d_state, strict=True):
        if gradient is not None:
            outputs += numbers_of(final)
            given += numbers_of(gradient)
    leaves = [
        part
        for stage in followed.stages
        for after in stage.cell.after
        for part in numbers_of(after)
    ]
    live = [i for i, part in enumerate(outputs) if part.requires_grad]
    total = iter(_by_leaves([outputs[i] for i in live], leaves, [given[i] for i in live]))
    return [
        [tuple(next(total) for _ in numbers_of(after)) for after in stage.cell.after]
        for stage in followed.stages
    ]


def _by_leaves(outputs: list[Tensor], leaves: list[Tensor], given: list[Tensor]) -> list[Tensor]:
    """The gradient by each leaf; zeros where there is none, as of a part of a state that depends on
    no input and no weight."""
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    found: Iterable[Tensor | None] = ()
    if outputs and wanted:
        # One number with these gradients: torch would import sympy to look at those it is given.
        products = zip(outputs, given, strict=True)
        number = torch.stack([(part * by.conj()).sum().real for part, by in products]).sum()
        found = torch.autograd.grad(number, wanted, retain_graph=True, allow_unused=True)
    by_leaf = iter(found)
    parts = [next(by_leaf, None) if leaf.requires_grad else None for leaf in leaves]
    return [
        torch.zeros_like(leaf) if part is None else part
        for leaf, part in zip(leaves, parts, strict=True)
    ]


def _gradient(stage: Stage, total: list[Tensor]) -> GradientMeasure | None:
    after = stage.cell.after
    parts = len(total) // len(after)
    leaves = [part for state in after for part in numbers_of(state)]
    h = torch.stack([row_norms(total[k]) for k in range(0, len(total), parts)])  # (T, B)
    whole = torch.stack([joint(total[k : k + parts]) for k in range(0, len(total), parts)])
    by_h = h.norm(dim=1)
    by_h = by_h.flip(0) if stage.reverse else by_h
    spans = _spans(stage, whole)
    if not spans:
        return None
    spans = _from_where_it_enters(leaves, total, spans, parts, whole)
    carried = _carried(leaves, total, spans, parts)
    own = [carried[first : last + 1, row] for row, first, last in spans]
    return GradientMeasure(
        by_h.tolist(),
        median([float(whole[first, row] / whole[first:, row].max()) for row, first, _ in spans]),
        max(last - first for _, first, last in spans),
        median([float(part[0]) for part in own]),
        median([float(part.max()) for part in own]),
        median([_reach(part) for part in own]),
        _back(own),
    )


def _spans(stage: Stage, whole: Tensor) -> list[tuple[int, int, int]]:
    """Rows with the first and the last step of the sequence that the gradient runs back over."""
    spans = []
    for row in range(whole.shape[1]):
        norms = whole[:, row]
        # Not where the gradient of the layer above has faded to nothing.
        reached = ((norms > FAINT * norms.max()) | ~norms.isfinite()).nonzero()
        if len(reached) == 0:
            continue
        last = int(reached[-1])
        # Not in the padding, which comes first in the reverse direction.
        begins = stage.cuts[: last + 1, row].nonzero()
        if len(begins) == 0:
            begins = stage.real[:, row].nonzero()[:1]
        spans.append((row, int(begins[-1]), last))
    return spans


def _from_where_it_enters(
    leaves: list[Tensor],
    total: list[Tensor],
    spans: list[tuple[int, int, int]],
    parts: int,
    whole: Tensor,
) -> list[tuple[int, int, int]]:
    """The same spans, up to a later step where what grew on its way back came from there.

    Beside a gradient that has grown a million times, the one that it grew from looks as if it were
    nothing: a span would begin in the midst of the explosion.
    """
    later = []
    for row, first, last in spans:
        end = int((whole[:, row] > 0).nonzero()[-1]) if bool((whole[:, row] > 0).any()) else last
        if end > last:
            later.append((row, first, end))
    if not later:
        return spans
    carried = _carried(leaves, total, later, parts)
    ends = {row: end for row, _, end in later}

    def true_end(row: int, last: int) -> int:
        end = ends.get(row, last)
        grown = float(carried[last, row]) * float(whole[end, row])
        return end if grown >= 0.5 * float(whole[last, row]) else last

    return [(row, first, true_end(row, last)) for row, first, last in spans]


def _carried(
    leaves: list[Tensor], total: list[Tensor], spans: list[tuple[int, int, int]], parts: int
) -> Tensor:
    """`(T, B)`: the norms of the gradient that enters at each row's last step, and nowhere else."""
    outputs, given = [], []
    for step in sorted({last for _, _, last in spans}):
        chosen = torch.zeros(len(leaves[0]), dtype=torch.bool, device=leaves[0].device)
        chosen[[row for row, _, last in spans if last == step]] = True
        for k in range(step * parts, (step + 1) * parts):
            if not leaves[k].requires_grad:
                continue
            outputs.append(leaves[k])
            # To a norm of 1, so that a faint gradient is followed for as long as a strong one.
            scale = over_batch(joint(total[step * parts : (step + 1) * parts]), total[k])
            scaled = total[k] / scale.clamp(min=torch.finfo(scale.dtype).tiny)
            given.append(torch.where(over_batch(chosen, scaled), scaled, 0))
    carried = _by_leaves(outputs, leaves, given)
    return torch.stack([joint(carried[k : k + parts]) for k in range(0, len(carried), parts)])


def _back(own: list[Tensor]) -> list[float]:
    longest = max(map(len, own))
    ways = torch.stack([part for part in own if len(part) == longest])
    found: list[float] = ways.median(dim=0).values.flip(0).tolist()
    return found


def _reach(carried: Tensor) -> float:
    norms = carried.flip(0)
    below = (~(norms >= REACH * norms[0])).nonzero()
    return float(below[0]) - 1 if len(below) else math.inf


def saturation(stage: Stage) -> dict[str, tuple[float, float]]:
    """The share of the values of each gate that are shut (below .05) and open (above .95).

    A tanh's range is -1 to 1: its shares are those below -.9 and above .9, the same after scaling.
    The state of a tanh RNN counts as a gate "h"; a minGRU's and a minLSTM's is "keep", the share
    of the old state that stays.
    """
    real = stage.real
    shares = {}
    for name, gate in gates_of(stage).items():
        values = gate[real.to(gate.device)]
        if values.numel():
            if name in ("g", "n", "h"):
                values = (values + 1) / 2
            shares[name] = (
                float((values < SHUT).double().mean()),
                float((values > OPEN).double().mean()),
            )
    return shares


def stuck(stage: Stage) -> dict[str, float]:
    """The share of the values of each gate that are stuck at a harmful end: see `saturation`.

    Not counted is what holds the state: an open f, z or keep, and an LSTM's i that is shut while f
    is open, which is how a unit remembers (and how the chrono initialisation begins).
    """
    gates, real = gates_of(stage), stage.real
    shares = {}
    for name, gate in gates.items():
        values = (gate + 1) / 2 if name in ("g", "n", "h") else gate
        counted = (values < SHUT) | (values > OPEN)
        if name in MEMORY_GATES:
            counted = values < SHUT
        elif name == "i":
            counted = (values > OPEN) | ((values < SHUT) & ~(gates["f"] > OPEN))
        counted = counted[real.to(counted.device)]
        if counted.numel():
            shares[name] = float(counted.double().mean())
    return shares


def gates_of(stage: Stage) -> dict[str, Tensor]:
    """The gates over time, `(T, B, H)` each, by name."""
    cell = stage.cell
    if stage.mode in GATES:
        return {
            name: torch.stack([gates[k].detach() for gates in cell.gates])
            for k, name in enumerate(GATES[stage.mode])
        }
    if stage.mode == "RNN_TANH":
        return {"h": torch.stack([first_of(state).detach() for state in cell.after])}
    if stage.mode.startswith("MIN_"):
        return {"keep": torch.stack([projected[0].detach() for projected in cell.projected])}
    return {}


def dead_units(stage: Stage) -> float | None:
    """The share of relu units that are zero at every real step; None for a cell without relu."""
    relu = stage.mode == "RNN_RELU" or getattr(stage.cell.cell, "nonlinearity", "") == "relu"
    real = stage.real
    if not relu or not bool(real.any()):
        return None
    states = torch.stack([first_of(state).detach() for state in stage.cell.after])
    return float((states[real.to(states.device)] == 0).all(0).double().mean())


def growth(trained: list[Stage], longer: list[Stage], steps: int) -> list[float | None]:
    """How much larger the state gets beyond the trained length.

    The largest root mean square of a row's state in the last `steps` steps of a run through the
    largest within the first `steps`; infinite where it is not finite, None for a state of zeros.
    """
    found: list[float | None] = []
    for _, stage in zip(trained, longer, strict=True):
        sizes = torch.stack([_rms(state) for state in stage.cell.after]).double()
        within, beyond = sizes[:steps].max(), sizes[-steps:].max()
        if not bool(sizes.isfinite().all()):
            found.append(math.inf)
        else:
            found.append(float(beyond / within) if within > 0 else None)
    return found


def places_of(stage: Stage, points: int) -> list[tuple[int, int]]:
    """Steps and rows to look at: spread over time, and over the rows in turn."""
    steps = stage.real.any(1).nonzero().flatten()
    if len(steps) == 0:
        return []
    count = min(points, len(steps))
    places = []
    for k in range(count):
        step = int(steps[(2 * k + 1) * len(steps) // (2 * count)])
        rows = stage.real[step].nonzero().flatten()
        places.append((step, int(rows[k % len(rows)])))
    return places


def row_norms(part: Tensor) -> Tensor:
    """`(B, ...)` to `(B,)`."""
    return torch.linalg.vector_norm(part.flatten(1), dim=1)


def joint(parts: Any) -> Tensor:
    """The norm of several parts together, `(B,)`."""
    return torch.stack([row_norms(part) for part in parts]).norm(dim=0)


def _rms(state: State) -> Tensor:
    """The largest root mean square of a row's numbers."""
    parts = [part.detach().flatten(1) for part in numbers_of(state)]
    count = sum(part.shape[1] for part in parts)
    return joint(parts).max() / math.sqrt(count)


def first_of(state: State) -> Tensor:
    """The first number of a state."""
    return next(numbers_of(state))


def median(values: list[float]) -> float:
    """The lower one of two middle values; NaN where there is one."""
    return float(torch.tensor(values, dtype=torch.float64).median())
