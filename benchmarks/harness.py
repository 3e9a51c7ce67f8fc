"""The harness of the benchmarks: contestants check each other, then run in turns.

    agree("LSTM", ours(), theirs(), names)                # first: the same numbers, or an error
    times = race({"torch": theirs, "ours": ours}, Effort())
    ratio = times["torch"].minimum / times["ours"].minimum

Machines drift within minutes, so nothing is timed alone: every round times each contestant once,
one after the other. A sample is as many calls as fill some 20 ms, after a warm-up; the minimum says
what the code can do, the median what it does.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled import kernels

Run = Callable[[], object]

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class Disagreement(RuntimeError):
    """Two contestants gave different results: there is nothing to time."""


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: samples of each contestant.
        sample: the least that one sample lasts, in seconds.
    """

    rounds: int = 9
    sample: float = 0.02


@dataclass(frozen=True)
class Timing:
    """Seconds a call, one value a round."""

    samples: tuple[float, ...]

    @property
    def minimum(self) -> float:
        return min(self.samples)

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    def to_json(self) -> dict[str, Any]:
        return {"minimum": self.minimum, "median": self.median, "samples": list(self.samples)}


def race(runs: Mapping[str, Run], effort: Effort) -> dict[str, Timing]:
    """Times every contestant in every round, in the given order.

    Each sample starts alike: garbage collected, and a call before the clock starts where calls are
    short. Without that the first of a round, which finds the caches cold, loses.
    """
    calls = {name: _calls_a_sample(run, effort.sample) for name, run in runs.items()}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    with _collector_at_rest():
        for _ in range(effort.rounds):
            for name, run in runs.items():
                gc.collect()
                if calls[name] > 1:
                    run()
                samples[name].append(_seconds(run, calls[name]) / calls[name])
    return {name: Timing(tuple(values)) for name, values in samples.items()}


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No garbage collection but on request, and that one quick: it passes over what is old."""
    collecting = gc.isenabled()
    gc.disable()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()


def _calls_a_sample(run: Run, sample: float) -> int:
    """Warms up, and finds how many calls last at least `sample` seconds."""
    run()
    calls = 1
    while (seconds := _seconds(run, calls)) < sample:
        calls = max(2 * calls, int(1.1 * calls * sample / max(seconds, 1e-7)))
    return calls


def _seconds(run: Run, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return time.perf_counter() - start


def distance(got: Tensor, expected: Tensor) -> float:
    """`|got - expected| / |expected|` in Euclidean norms, computed in double precision."""
    if got.shape != expected.shape:
        raise Disagreement(f"got the shape {tuple(got.shape)}, expected {tuple(expected.shape)}")
    wanted = expected.detach().double()
    size = float(wanted.norm())
    return float((got.detach().double() - wanted).norm()) / (size if size > 0 else 1.0)


def agree(
    what: str,
    got: Sequence[Tensor],
    expected: Sequence[Tensor],
    names: Sequence[str],
    tolerance: float = 1e-5,
) -> None:
    """Outputs and gradients of two contestants are the same, or nothing may be timed.

    Raises:
        Disagreement: one of them is further off than `tolerance` (norm-wise, relative), or NaN.
    """
    for name, one, other in zip(names, got, expected, strict=True):
        far = distance(one, other)
        if not far <= tolerance:
            raise Disagreement(f"{what}: {name} differs by {far:.1e}, more than {tolerance:.0e}")


def flops(cell: str, places: int, size: int, hidden: int, *, training: bool) -> int:
    """Operations of the matrix products of one layer over `places` steps and rows in all.

    Forward `2 N G H (I + H)`; the backward pass has two products for each one of them.
    """
    forward = 2 * places * GATES[cell] * hidden * (size + hidden)
    return 3 * forward if training else forward


def product_peak(tries: int = 4) -> float:
    """What the machine can do at this moment with torch's threads: GFLOP/s of a matrix product.

    The better of torch's product and oneDNN's.
    """
    order = 768
    a, b, bias = torch.randn(order, order), torch.randn(order, order), torch.randn(order)
    out = torch.empty(order, order)
    products: list[Run] = [lambda: torch.mm(a, b, out=out)]
    if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        linear = torch.ops.mkldnn._linear_pointwise
        products.append(lambda: linear(a, b, bias, "none", [], ""))
    with torch.no_grad():
        best = max(
            2 * order**3 / min(_seconds(run, 1) for _ in range(tries)) / 1e9 for run in products
        )
    return best


def tile_speed(tries: int = 5) -> float:
    """GFLOP/s of the kernels' inner loop on numbers in the nearest cache; 0 without kernels."""
    if not kernels.available():
        return 0.0
    from unrolled._kernels import run_tiles

    best, times = 0.0, 20_000
    for _ in range(tries):
        begin = time.perf_counter()
        done = run_tiles(times)
        best = max(best, done / (time.perf_counter() - begin) / 1e9)
    return best


@contextmanager
def busy_neighbour(wanted: bool) -> Iterator[None]:
    """Where wanted, another process keeps one core busy meanwhile."""
    if not wanted:
        yield
        return
    # It ends by itself where this process was killed.
    spin = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(1 << 16))"
    process = subprocess.Popen([sys.executable, "-c", spin])
    try:
        yield
    finally:
        process.kill()
        process.wait()
