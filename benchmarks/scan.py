"""Scans and the linear recurrent unit: the kernel against PyTorch's ways to run a recurrence.

    python benchmarks/scan.py --threads 1,2
    python benchmarks/scan.py --table lru --rounds 21
    python benchmarks/scan.py --quick --json scan.json

The first table is the scan alone, `h_t = a_t h_{t-1} + b_t`, forward and backward; the second one
layer of `LRUCell` against the same layer on a scan of logarithmic depth, and against torch's GRU
with as many parameters. All of a row must give the same numbers before they are timed (a GRU
computes something else), and then run in turns. A time is the minimum over the rounds; a ratio is
the rival's time divided by ours: above 1, ours is faster.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
from contests import Shape
from harness import Disagreement, Effort, Run, agree, busy_neighbour, race
from report import Report, Table, effort_of, figure, parser_of
from torch import Tensor

import unrolled
from unrolled import kernels
from unrolled.layers.scan import scan

SCANS = ("loop", "autograd loop", "doubling")
SHAPES = (Shape(784, 50, 64, 64), Shape(784, 50, 64, 128), Shape(256, 16, 64, 64))


def doubling(a: Tensor, b: Tensor) -> Tensor:
    """All states after ceil(log2(T)) rounds; each adds what came in 1, 2, 4, ... steps before.

    Source: Hillis and Steele 1986, Data Parallel Algorithms.
    """
    reach = 1
    while reach < len(b):
        b = torch.cat([b[:reach], torch.addcmul(b[reach:], a[-len(b) + reach :], b[:-reach])])
        a = torch.cat([a[:reach], a[reach:] * a[:-reach]]) if len(a) > 1 else a * a
        reach *= 2
    return b


def scans() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Ways to run a scan: without the kernels; with a graph of all steps; in logarithmic depth."""

    def loop(a: Tensor, b: Tensor) -> Tensor:
        return scan(a, b)[0]

    def by_autograd(a: Tensor, b: Tensor) -> Tensor:
        with unrolled.use_path("reference"):
            return scan(a, b)[0]

    def by_doubling(a: Tensor, b: Tensor) -> Tensor:
        return doubling(a if a.dim() == 3 else a.view(1, 1, -1), b)

    return {"ours": loop, "loop": loop, "autograd loop": by_autograd, "doubling": by_doubling}


def training(
    forward: Callable[..., Tensor], leaves: list[Tensor], dy: Tensor, name: str = ""
) -> Callable[[], list[Tensor]]:
    """Forward and backward: the output, and the gradients of the leaves."""

    def run() -> list[Tensor]:
        y = forward()
        return [y.detach(), *torch.autograd.grad(y, leaves, dy)]

    def without_kernels() -> list[Tensor]:
        with mock.patch.dict(os.environ, UNROLLED_KERNELS="off"):
            return run()

    return without_kernels if name == "loop" else run


def factors_of(shape: Shape, each_step: bool, dtype: torch.dtype) -> Tensor:
    """Factors that forget within some hundred steps."""
    size = (shape.steps, shape.batch, shape.hidden) if each_step else (shape.hidden,)
    sizes = 0.9 + 0.099 * torch.rand(size)
    return torch.polar(sizes, torch.rand(size)) if dtype.is_complex else sizes


def _scan_row(
    report: Report, table: Table, shape: Shape, each_step: bool, dtype: torch.dtype, effort: Effort
) -> None:
    a = factors_of(shape, each_step, dtype).requires_grad_()
    b, dy = (torch.randn(shape.steps, shape.batch, shape.hidden, dtype=dtype) for _ in range(2))
    b.requires_grad_()
    runs: dict[str, Callable[[], list[Tensor]]] = {
        name: training(lambda way=way: way(a, b), [a, b], dy, name)  # type: ignore[misc]
        for name, way in scans().items()
    }
    _agree(f"scan {shape}", runs, ["h", "da", "db"])
    _measure(
        report,
        table,
        "scan",
        runs,
        effort,
        {
            "numbers": str(dtype).removeprefix("torch."),
            "a": "each step" if each_step else "constant",
            "T,B,H": f"{shape.steps},{shape.batch},{shape.hidden}",
        },
    )


def _lru_row(report: Report, table: Table, shape: Shape, effort: Effort) -> None:
    cell = unrolled.LRUCell(shape.input, shape.hidden, r_min=0.9, r_max=0.999)
    x, dy = (torch.randn(shape.steps, shape.batch, shape.input) for _ in range(2))
    x.requires_grad_()
    runs: dict[str, Callable[[], list[Tensor]]] = {}
    parameters = list(cell.parameters())
    for name, way in scans().items():
        if name not in ("ours", "doubling"):
            continue

        def layer(way: Callable[[Tensor, Tensor], Tensor] = way) -> Tensor:
            return cell.emit(way(*cell.project(x)), x)

        runs[name] = training(layer, [x, *parameters], dy)
    _agree(f"LRU {shape}", runs, ["y", "dx", *[name for name, _ in cell.named_parameters()]])
    count = sum(parameter.numel() for parameter in parameters)
    gru = _gru_like(count, shape.input)
    dy_gru = torch.randn(shape.steps, shape.batch, gru.hidden_size)
    runs["torch's GRU"] = training(lambda: gru(x)[0], [x, *gru.parameters()], dy_gru)
    about = {
        "T,B,I,H": str(shape),
        "parameters": count,
        "GRU's H": gru.hidden_size,
        "GRU's parameters": sum(p.numel() for p in gru.parameters()),
    }
    _measure(report, table, "lru", runs, effort, about)


def _gru_like(count: int, inputs: int) -> torch.nn.GRU:
    """torch's GRU with at most so many parameters."""
    hidden = 1
    while 3 * (hidden + 1) * (inputs + hidden + 3) <= count:
        hidden += 1
    return torch.nn.GRU(inputs, hidden)


def _agree(what: str, runs: dict[str, Callable[[], list[Tensor]]], names: list[str]) -> None:
    def real(values: list[Tensor]) -> list[Tensor]:
        return [torch.view_as_real(v) if v.is_complex() else v for v in values]

    want = real(runs["ours"]())
    for name, run in runs.items():
        agree(f"{name}, {what}", real(run()), want, names, 1e-4)


def _measure(
    report: Report,
    table: Table,
    kind: str,
    runs: dict[str, Callable[[], list[Tensor]]],
    effort: Effort,
    about: dict[str, Any],
) -> None:
    timed: dict[str, Run] = dict(runs)
    times = race(timed, effort)
    best = {name: timing.minimum for name, timing in times.items()}
    rivals = [name for name in runs if name != "ours"]
    report.add(
        table=kind,
        threads=torch.get_num_threads(),
        **about,
        ratio={name: best[name] / best["ours"] for name in rivals},
        ratio_of_medians={name: times[name].median / times["ours"].median for name in rivals},
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    cells = [figure(best["ours"] * 1e3)]
    for name in rivals:
        cells += [figure(best[name] * 1e3), f"{best[name] / best['ours']:.2f}"]
    table.row(*about.values(), torch.get_num_threads(), *cells)


def _heads(rivals: tuple[str, ...]) -> dict[str, int]:
    heads = {"threads": 1, "ours, ms": 8}
    for name in rivals:
        heads |= {f"{name}, ms": 8, f"ratio to {name}": 5}
    return heads


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--table", choices=["scan", "lru"], help="only this table")
    options = parser.parse_args()
    if not kernels.available():
        print(f"scan: there are no native kernels to time: {kernels.why_not()}", file=sys.stderr)
        return 1
    report, effort = Report("scan", options), effort_of(options)
    torch.manual_seed(0)
    try:
        with busy_neighbour(options.busy):
            if options.table != "lru":
                table = Table(
                    "A scan, forward and backward",
                    {"numbers": -9, "a": -9, "T,B,H": -10, **_heads(SCANS)},
                )
                for threads in options.threads:
                    torch.set_num_threads(threads)
                    for shape in SHAPES:
                        for dtype in (torch.complex64, torch.float32):
                            for each_step in (False, True):
                                _scan_row(report, table, shape, each_step, dtype, effort)
            if options.table != "scan":
                table = Table(
                    "One LRU layer, forward and backward",
                    {
                        "T,B,I,H": -12,
                        "parameters": 6,
                        "GRU's H": 3,
                        "GRU's parameters": 6,
                        **_heads(("doubling", "torch's GRU")),
                    },
                )
                for threads in options.threads:
                    torch.set_num_threads(threads)
                    for shape in SHAPES:
                        _lru_row(report, table, shape, effort)
    except Disagreement as error:
        print(f"scan: {error}", file=sys.stderr)
        return 1
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
