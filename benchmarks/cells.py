"""`Recurrent` of a cell: steps in a Python loop, compiled, and our layer where there is one.

    python benchmarks/cells.py
    python benchmarks/cells.py --stretches 1,4,8,16,32 --shapes 128,16,64,128 --cells LSTM,user
    python benchmarks/cells.py --quick --json cells.json

The ways of one cell have the same weights, must give the same numbers and gradients before they are
timed, and then run in turns. "k = 8" is a program of 8 steps under `torch.compile`, with which
`Recurrent(cell, compile=True)` runs; its k is `unrolled.layers.compiled.STRETCH`. "first" is the
seconds of the first call, in which it was compiled; it is short where the compiler's cache on the
disk has the program already. A speed-up is the Python loop's time divided by that of the way: above
1, it is faster. "user" is a cell of one's own: a gated unit with a product and six more operations.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

import torch
from contests import Shape, Work, arrays_of, work_name
from harness import Disagreement, Effort, agree, race
from report import Report, Table, add_layers, cells_of, effort_of, figure, parser_of
from torch import Tensor

import unrolled
from unrolled.layers.compiled import STRETCH, CompiledSteps
from unrolled.layers.unroll import loop, unroll

CELLS = ("LSTM", "user", "sLSTM", "minGRU")
SHAPES = (Shape(128, 16, 64, 128), Shape(256, 1, 32, 32))


class User(torch.nn.Module):
    """`z = sigmoid(W x + U h)`, `h' = z * a * h + (1 - z) * tanh(V x)`."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.read = torch.nn.Linear(inputs, 2 * hidden)
        self.mix = torch.nn.Linear(hidden, hidden)
        self.a = torch.nn.Parameter(torch.full((hidden,), 0.9))

    def project(self, x: Tensor) -> Tensor:
        return self.read(x)

    def step(self, projected: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        gate, v = projected.chunk(2, -1)
        z = torch.sigmoid(gate + self.mix(h))
        h = z * self.a * h + (1 - z) * torch.tanh(v)
        return h, h

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, self.a.shape[0])


KINDS: dict[str, Any] = {
    "LSTM": unrolled.LSTMCell,
    "user": User,
    "sLSTM": unrolled.SLSTMCell,
    "minGRU": unrolled.MinGRUCell,
}
LAYERS: dict[str, Any] = {"LSTM": unrolled.LSTM, "minGRU": unrolled.MinGRU}


def work_of(run: Any, parameters: list[Tensor], x: Tensor, dy: Tensor, training: bool) -> Work:
    """A call; in training also the gradients of `sum(y * dy)`."""

    def train() -> list[Tensor]:
        y = run(x)[0]
        return [y, *torch.autograd.grad(y, [x, *parameters], dy)]

    def infer() -> list[Tensor]:
        with torch.no_grad():
            return [run(x)[0]]

    return train if training else infer


def layer_of(name: str, cell: Any) -> Any:
    """Our layer with the weights of the cell; None where there is none."""
    if name not in LAYERS:
        return None
    layer = LAYERS[name](cell.input_size, cell.hidden_size)
    weights = {key: value.detach() for key, value in cell.named_parameters()}
    if name == "minGRU":
        weights = {"weight": weights["weight_ih"], "bias": weights["bias_ih"]}
    layer.load_state_dict({f"{key}_l0": value for key, value in weights.items()})
    return layer


def rows(
    report: Report, table: Table, name: str, shape: Shape, effort: Effort, stretches: list[int]
) -> None:
    """A row for each way to run the cell, in inference and in training."""
    cell = KINDS[name](shape.input, shape.hidden)
    x, dy = arrays_of(shape)
    parameters = list(cell.parameters())
    ways: dict[str, tuple[Any, list[Tensor]]] = {
        "loop": (partial(unroll, cell, runner=loop), parameters)
    }
    if getattr(cell, "linear", False):
        ways["scan"] = (partial(unroll, cell), parameters)
    else:
        for k in stretches:
            runner = CompiledSteps(stretch=k)
            ways[f"k = {k}"] = (partial(unroll, cell, runner=runner), parameters)
    layer = layer_of(name, cell)
    if layer is not None:
        ways["layer"] = (layer, list(layer.parameters()))
    firsts: dict[str, float] = {}
    for training in (True, False):
        works = {way: work_of(*parts, x, dy, training) for way, parts in ways.items()}
        want = works["loop"]()
        for way, run in works.items():
            begin = time.perf_counter()
            got = run()
            firsts.setdefault(way, time.perf_counter() - begin)
            names = ["y", "dx", *[f"d {key}" for key, _ in cell.named_parameters()]]
            agree(f"{name} {shape} {way}", got, want, names[: len(want)])
        times = race(works, effort)
        for way, timing in times.items():
            ratio = times["loop"].minimum / timing.minimum
            report.add(
                table="cells",
                cell=name,
                shape=list(shape),
                threads=torch.get_num_threads(),
                work=work_name(training),
                way=way,
                first=firsts[way],
                ratio=ratio,
                ratio_of_medians=times["loop"].median / timing.median,
                seconds=timing.to_json(),
            )
            table.row(
                name,
                shape,
                torch.get_num_threads(),
                work_name(training),
                way,
                figure(1e3 * timing.minimum),
                f"{ratio:.2f}",
                f"{times['loop'].median / timing.median:.2f}",
                f"{firsts[way]:.0f}" if way.startswith("k") else "-",
            )


def _stretches(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> int:
    parser = parser_of(__doc__ or "")
    add_layers(parser)
    parser.set_defaults(cells=CELLS, shapes=SHAPES)
    for action in parser._actions:
        if action.dest == "cells":
            action.type, action.help = partial(cells_of, known=CELLS), f"of {','.join(CELLS)} (all)"
    parser.add_argument(
        "--stretches",
        type=_stretches,
        default=[1, STRETCH],
        help=f"steps of a program (1,{STRETCH})",
    )
    options = parser.parse_args()
    report = Report("cells", options)
    torch.manual_seed(0)
    heads = {
        "cell": -6,
        "T,B,I,H": -13,
        "threads": 1,
        "work": -9,
        "way": -6,
        "ms": 7,
        "speed-up": 5,
        "of medians": 5,
        "first, s": 3,
    }
    table = Table("A cell over time, in each way", heads)
    try:
        for threads in options.threads:
            torch.set_num_threads(threads)
            for name in options.cells:
                for shape in options.shapes:
                    rows(report, table, name, shape, effort_of(options), options.stretches)
    except Disagreement as error:
        print(f"cells: {error}", file=sys.stderr)
        return 1
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
