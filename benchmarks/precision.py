"""How exact the layers are: ours and torch's in float32, against torch's in float64.

    python benchmarks/precision.py
    python benchmarks/precision.py --cells LSTM --shapes 64,32,128,128
    python benchmarks/precision.py --path native --json precision.json

An error is |got - exact| / |exact| in Euclidean norms, in units of 1e-7, ours before torch's. The
loss is a fixed weighted sum of all outputs and final states. Limits for ours: 5 for y, the states
and dx; for the gradients of the parameters, all of them as one vector, 1.1 times torch's error. The
last columns name the parameter where ours is worst compared with torch.
"""

from __future__ import annotations

import copy
import sys

import torch
from contests import SHAPES, Shape, arrays_of, pair_of
from harness import distance
from report import Report, Table, add_layers, parser_of
from torch import Tensor
from torch.nn import RNNBase

import unrolled

LIMIT = 5e-7
PARAMETER_LIMIT = 1.1
PARTS = ("y", "states", "dx")  # what is not the gradient of a parameter


def results(layer: RNNBase, x: Tensor, weights: list[Tensor]) -> dict[str, Tensor]:
    """Output, final states and gradients of `sum(w * part)` over output and final states."""
    y, state = layer(x)
    parts = [y, *(state if isinstance(state, tuple) else [state])]
    wanted = {"dx": x, **dict(layer.named_parameters())}
    found = torch.autograd.grad(parts, list(wanted.values()), weights)
    return {
        "y": y,
        "states": torch.cat([part.flatten() for part in parts[1:]]),
        **dict(zip(wanted, found, strict=True)),
    }


def errors(got: dict[str, Tensor], exact: dict[str, Tensor]) -> dict[str, float]:
    """The error of each result, and under "parameters" that of all their gradients together."""
    names = [name for name in exact if name not in PARTS]
    together = [torch.cat([one[name].flatten().double() for name in names]) for one in (got, exact)]
    return {
        **{name: distance(got[name], exact[name]) for name in exact},
        "parameters": distance(*together),
    }


def _row(report: Report, table: Table, cell: str, shape: Shape) -> None:
    pair = pair_of(cell, shape, training=True)
    x, dy = arrays_of(shape)
    states = 2 if cell == "LSTM" else 1
    weights = [dy, *torch.randn(states, 1, shape.batch, shape.hidden)]
    exact = results(
        copy.deepcopy(pair.torch).double(),
        x.detach().double().requires_grad_(),
        [one.double() for one in weights],
    )
    ours = errors(results(pair.ours, x, weights), exact)
    theirs = errors(results(pair.torch, x, weights), exact)
    ratios = {name: ours[name] / theirs[name] for name in ours}
    worst = max((name for name in exact if name not in PARTS), key=ratios.__getitem__)
    kept = all(ours[name] <= LIMIT for name in PARTS) and ratios["parameters"] <= PARAMETER_LIMIT
    path = pair.ours.explain(x).path
    report.add(
        table="precision",
        cell=cell,
        shape=list(shape),
        path=path,
        kept=kept,
        ours=ours,
        torch=theirs,
    )
    shown = [
        f"{ours[name] * 1e7:.2f} / {theirs[name] * 1e7:.2f}" for name in (*PARTS, "parameters")
    ]
    table.row(
        cell,
        shape,
        path,
        *shown,
        f"{ratios['parameters']:.2f}",
        "yes" if kept else "NO",
        worst,
        f"{ratios[worst]:.2f}",
    )


def main() -> int:
    parser = parser_of(__doc__, timed=False)
    add_layers(parser)
    options = parser.parse_args()
    report = Report("precision", options)
    torch.manual_seed(0)
    torch.set_num_threads(options.threads[0])
    unrolled.use_path(options.path)
    table = Table(
        "Relative errors, 1e-7, ours / torch",
        {
            "cell": -4,
            "T,B,I,H": -14,
            "path": -9,
            "y": 11,
            "states": 11,
            "dx": 11,
            "parameters": 11,
            "ours of torch's": 5,
            "in limits": -3,
            "worst": -12,
            "there": 5,
        },
    )
    for cell in options.cells:
        for shape in options.shapes or SHAPES:
            _row(report, table, cell, shape)
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
