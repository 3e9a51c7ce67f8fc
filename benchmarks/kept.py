"""What a layer keeps from its forward pass for the backward pass, in floats."""

from __future__ import annotations

import torch
from contests import Plan, arrays_of, pair_of
from report import Report, Table
from torch import Tensor
from torch.nn import RNNBase

# Goals: floats for each step, row and unit.
TARGETS = {"LSTM": 6.0, "GRU": 5.0}


def kept_bytes(layer: RNNBase, x: Tensor) -> int:
    """Bytes that autograd holds after `layer(x)`, but for those of `x` and the parameters.

    Counted where autograd packs a saved tensor, each storage once; what a function keeps in other
    ways (attributes, memory of its own) would escape.
    """
    given = {one.untyped_storage().data_ptr() for one in (x, *layer.parameters())}
    kept: dict[int, int] = {}
    alive = []  # so that no address is used twice

    def pack(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        if storage.data_ptr() not in given:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(saved)
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        layer(x)
    return sum(kept.values())


def kept_table(report: Report, plan: Plan) -> None:
    """Floats kept for each step, row and unit, `bytes / (4 T B H)`: ours and torch's."""
    table = Table(
        "Kept for the backward pass, floats for each step, row and unit",
        {"cell": -4, "T,B,I,H": -14, "path": -9, "ours": 5, "torch": 5, "goal": 4},
    )
    for cell in plan.cells:
        for shape in plan.shapes:
            pair = pair_of(cell, shape, training=True)
            x, _ = arrays_of(shape)
            units = 4 * shape.steps * shape.batch * shape.hidden
            ours, theirs = kept_bytes(pair.ours, x) / units, kept_bytes(pair.torch, x) / units
            goal, path = TARGETS.get(cell), pair.ours.explain(x).path
            report.add(
                table="kept",
                cell=cell,
                shape=list(shape),
                path=path,
                goal=goal,
                floats={"ours": ours, "torch": theirs},
            )
            shown = "-" if goal is None else f"{goal:g}"
            table.row(cell, shape, path, f"{ours:.1f}", f"{theirs:.1f}", shown)
