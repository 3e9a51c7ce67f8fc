"""Layers over time: ours against torch's, training step and inference.

    python benchmarks/layers.py                            the six shapes, at one and two threads
    python benchmarks/layers.py --threads 2 --busy         beside another busy process
    python benchmarks/layers.py --cells GRU --shapes 64,32,128,128 100,32,256,256
    python benchmarks/layers.py --path native              ours by the kernels only
    python benchmarks/layers.py --tiny                     calls so small that overhead is all
    python benchmarks/layers.py --ragged                   lengths uniform in 10..T, against packed
    python benchmarks/layers.py --rivals                   torch's cells in a loop, JAX's lax.scan
    python benchmarks/layers.py --options                  what the LSTM's options cost
    python benchmarks/layers.py --minimal                  MinGRU and MinLSTM beside torch's LSTM
    python benchmarks/layers.py --kept                     floats kept for the backward pass
    python benchmarks/layers.py --quick --json table.json

A training step is the layer's call and the gradients of a fixed weighted sum of its output, in the
input and every parameter; inference is the call under torch.no_grad in evaluation mode. Both layers
have the same weights and must give the same numbers before they are timed, in turns. The ratio is
torch's time divided by ours, of the minima and of the medians: above 1, ours is faster. GFLOP/s
count the matrix products; the peak is the best matrix product just before and after.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

import torch
from contests import SHAPES, TINY, Plan, Shape, arrays_of, pair_of, work, work_name
from harness import (
    Disagreement,
    Effort,
    agree,
    busy_neighbour,
    flops,
    product_peak,
    race,
    tile_speed,
)
from kept import kept_table
from minimal import minimal_table
from options import options_table
from ragged import ragged_table
from report import Report, Table, add_layers, effort_of, figure, parser_of
from sequences import LOOPED, sequences_table

import unrolled
from unrolled.errors import ConfigError

# Goals for torch's time divided by ours, at two threads: (training step, inference) by shape.
TARGETS = {
    "LSTM": ((1.3, 1.4), (1.35, 1.25), (1.15, 1.1), (1.6, 1.75), (1.8, 2.0), (2.6, 3.3)),
    "GRU": ((2.7, 2.4), (1.8, 1.8), (1.3, 1.35), (9, 6), (22, 10), (43, 21)),
    "RNN": ((2.6, 2.5), (1.8, 1.9), (1.3, 1.4), (9, 6), (15, 10), (35, 25)),
}


class Contest(NamedTuple):
    """One row of the table."""

    cell: str
    shape: Shape
    training: bool
    threads: int

    @property
    def goal(self) -> float:
        """The set goal at two threads; where none was set, not to be slower."""
        if self.threads == 2 and self.shape in SHAPES:
            return TARGETS[self.cell][SHAPES.index(self.shape)][0 if self.training else 1]
        return 1.0


def tell_tiles(report: Report) -> None:
    """The kernels' inner loop on one thread, beside the best product: where it falls, look at the
    code that the compiler made of `kernels/cpu/tile.h`."""
    torch.set_num_threads(1)
    tiles, peak = tile_speed(), product_peak()
    report.add(table="tiles", gflops=tiles, peak_gflops=peak)
    print(f"Inner loop, one thread: {tiles:.0f} GFLOP/s, {tiles / peak:.0%} of a matrix product's")


def layers_table(report: Report, plan: Plan, effort: Effort, title: str) -> None:
    """Ours against torch's on padded batches, a row for each cell, shape, work and thread count."""
    table = Table(
        title,
        {
            "cell": -4,
            "T,B,I,H": -14,
            "work": -9,
            "threads": 1,
            "path": -9,
            "ours, ms": 8,
            "torch, ms": 8,
            "ratio": 5,
            "of medians": 5,
            "goal": 4,
            "GFLOP/s": 4,
            "of peak": 5,
        },
    )
    for threads in plan.threads:
        torch.set_num_threads(threads)
        for cell in plan.cells:
            for shape in plan.shapes:
                for training in (True, False):
                    _layers_row(report, table, Contest(cell, shape, training, threads), effort)


def _layers_row(report: Report, table: Table, contest: Contest, effort: Effort) -> None:
    cell, shape, training, threads = contest
    pair = pair_of(cell, shape, training=training)
    x, dy = arrays_of(shape)
    theirs = work(pair.torch, x, dy, training)
    ours = work(pair.ours, x, dy, training)
    names = pair.names if training else pair.names[:1]
    agree(f"{cell} {shape} {work_name(training)}", ours(), theirs(), names)
    with torch.set_grad_enabled(training):
        path = pair.ours.explain(x).path

    peak = product_peak()
    times = race({"torch": theirs, "ours": ours}, effort)
    peak = max(peak, product_peak())
    best, rival = times["ours"], times["torch"]
    ratio, of_medians = rival.minimum / best.minimum, rival.median / best.median
    places = shape.steps * shape.batch
    speed = flops(cell, places, shape.input, shape.hidden, training=training) / best.minimum / 1e9
    report.add(
        table="layers",
        cell=cell,
        shape=list(shape),
        work=work_name(training),
        threads=threads,
        path=path,
        goal=contest.goal,
        ratio=ratio,
        ratio_of_medians=of_medians,
        gflops=speed,
        peak_gflops=peak,
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    table.row(
        cell,
        shape,
        work_name(training),
        threads,
        path,
        figure(best.minimum * 1e3),
        figure(rival.minimum * 1e3),
        f"{ratio:.2f}",
        f"{of_medians:.2f}",
        f"{contest.goal:g}",
        figure(speed),
        f"{speed / peak:.0%}",
    )


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_layers(parser)
    tables = parser.add_mutually_exclusive_group()
    for name in ("tiny", "ragged", "rivals", "options", "minimal", "kept"):
        tables.add_argument(f"--{name}", action="store_const", const=name, dest="table")
    parser.set_defaults(threads=[1, 2], table="layers")
    return parser.parse_args()


def main() -> int:
    options = _options()
    report = Report("layers" if options.table == "layers" else f"layers --{options.table}", options)
    effort = effort_of(options)
    shapes = options.shapes or {"tiny": TINY, "rivals": LOOPED}.get(options.table, SHAPES)
    plan = Plan(options.cells, tuple(shapes), tuple(options.threads))
    torch.manual_seed(0)
    unrolled.use_path(options.path)
    try:
        with busy_neighbour(options.busy):
            if options.table == "ragged":
                ragged_table(report, plan, effort)
            elif options.table == "rivals":
                sequences_table(report, plan, effort)
            elif options.table == "options":
                options_table(report, plan, effort)
            elif options.table == "minimal":
                minimal_table(report, plan, effort)
            elif options.table == "kept":
                kept_table(report, plan)
            else:
                tell_tiles(report)
                layers_table(report, plan, effort, f"Ours ({options.path}) against torch's layer")
    except (ConfigError, Disagreement) as error:
        print(f"layers: {error}", file=sys.stderr)
        return 1
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
