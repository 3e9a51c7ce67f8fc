"""One streaming step: ours against torch's cell, torch's layer and ONNX Runtime.

    python benchmarks/step.py
    python benchmarks/step.py --sizes 64 --cells LSTM --rounds 31
    python benchmarks/step.py --quick --json step.json

One row (B = 1), I = H, one thread unless told otherwise. All start from the same state on the same
weights, must give the same numbers before they are timed, and then run in turns. A time is the
minimum over the rounds; a ratio is a rival's time divided by that of our first column: above 1,
ours is faster. `Session` is what streams: packed weights, the state updated in place; with float16
weights it is another column. `layer.step` needs no preparation and leaves the given state alone.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from contests import Ours, Shape, pair_of
from harness import Disagreement, Effort, Run, agree, busy_neighbour, race
from report import Report, Table, cells_of, effort_of, parser_of
from rivals import missing, onnx_step, torch_cell
from torch import Tensor
from torch.nn import RNNBase

from unrolled import kernels
from unrolled.layers import Session

OURS = ("Session", "float16", "layer.step")  # the first is the one that the ratios are of
RIVALS = ("torch cell", "torch layer", "ONNX Runtime")
CELLS = ("LSTM", "GRU")
SIZES = (64, 128, 256, 512)
HALF = 5e-4  # how far float16 weights may move the output
# Goals for ONNX Runtime's time divided by ours.
TARGETS = {("LSTM", 64): 12, ("LSTM", 128): 4.5, ("LSTM", 256): 2, ("LSTM", 512): 1.5}


def ours(layer: Ours, x: Tensor, state: list[Tensor]) -> dict[str, Run]:
    """Our ways to make one step, by the name in OURS.

    `x` is `(1, I)`, each part of `state` `(1, H)`.
    """
    given = [part.unsqueeze(0) for part in state]
    hx = given[0] if len(given) == 1 else tuple(given)
    full, half = Session(layer), Session(layer, precision="float16")
    full.state = half.state = hx
    return {
        "Session": lambda: full.step(x),
        "float16": lambda: half.step(x),
        "layer.step": lambda: layer.step(x, hx),
    }


def rivals(cell: str, layer: RNNBase, x: Tensor, state: list[Tensor]) -> dict[str, Run]:
    """The others' ways, by the name in RIVALS, those of them that are at hand."""
    one = torch_cell(cell, layer)
    sequence, h = x.unsqueeze(0), state[0]
    given = tuple(part.unsqueeze(0) for part in state)
    found: dict[str, Run] = {
        "torch cell": lambda: one(x, h),
        "torch layer": lambda: layer(sequence, given[0]),
    }
    if cell == "LSTM":
        pair = tuple(state)
        found = {
            "torch cell": lambda: one(x, pair),
            "torch layer": lambda: layer(sequence, given),
        }
    if missing("onnx") is None:
        found["ONNX Runtime"] = onnx_step(cell, layer, x, state)
    return found


def _output(result: Any) -> Tensor:
    """The output `(1, H)` in what a contestant returns."""
    first = result[0] if isinstance(result, tuple) else result
    values = first if isinstance(first, Tensor) else torch.from_numpy(first.numpy())
    return values.flatten().unsqueeze(0)


def _row(report: Report, table: Table, cell: str, size: int, effort: Effort) -> None:
    pair = pair_of(cell, Shape(1, 1, size, size), training=False)
    x = torch.randn(1, size)
    state = [torch.randn(1, size) for _ in range(2 if cell == "LSTM" else 1)]
    mine, others = ours(pair.ours, x, state), rivals(cell, pair.torch, x, state)
    expected = _output(others["torch cell"]())
    for name, run in {**mine, **others}.items():
        tolerance = HALF if name == "float16" else 1e-5
        agree(f"{name}, {cell} {size}", [_output(run())], [expected], ["h"], tolerance)

    times = race({**others, **mine}, effort)
    best = {name: timing.minimum for name, timing in times.items()}
    first = next(iter(mine))
    goal = TARGETS.get((cell, size))
    report.add(
        table="step",
        cell=cell,
        size=size,
        threads=torch.get_num_threads(),
        without=missing("onnx"),
        goal=goal,
        ratio={name: best[name] / best[first] for name in others},
        ratio_of_medians={name: times[name].median / times[first].median for name in others},
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    cells = [f"{best[name] * 1e6:.1f}" for name in mine]
    for name in RIVALS:
        cells.append(f"{best[name] * 1e6:.1f}" if name in best else "-")
        cells.append(f"{best[name] / best[first]:.2f}" if name in best else "-")
    table.row(cell, size, torch.get_num_threads(), *cells, "-" if goal is None else f"{goal:g}")


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument(
        "--cells",
        type=lambda text: cells_of(text, CELLS),
        default=CELLS,
        help="which of LSTM,GRU (both)",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="I = H")
    options = parser.parse_args()
    if not kernels.available():
        print(f"step: there are no native kernels to time: {kernels.why_not()}", file=sys.stderr)
        return 1
    report = Report("step", options)
    torch.manual_seed(0)
    heads = {"cell": -4, "I = H": 4, "threads": 1, **dict.fromkeys(OURS, 8)}
    for name in RIVALS:
        heads |= {name: 8, f"ratio to {name}": 5}
    lacking = missing("onnx")
    table = Table(
        "One step, B = 1, microseconds" + (f"; no ONNX Runtime: {lacking}" if lacking else ""),
        {**heads, "goal": 4},
    )
    try:
        with torch.no_grad(), busy_neighbour(options.busy):
            for threads in options.threads:
                torch.set_num_threads(threads)
                for cell in options.cells:
                    for size in options.sizes:
                        _row(report, table, cell, size, effort_of(options))
    except Disagreement as error:
        print(f"step: {error}", file=sys.stderr)
        return 1
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
