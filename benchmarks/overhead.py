"""What a layer call costs above its kernel, in microseconds, at sizes where that is most of it.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --cells LSTM --shapes 4,2,16,16 --rounds 31
    python benchmarks/overhead.py --profile LSTM

The kernel's own time is that of the very calls which the layer made: they are caught once, with
their addresses, and made again and again in the same rounds. What is left is Python, checks,
memory, PyTorch's dispatcher and autograd. PyTorch's own layer stands beside it (it takes no lengths
and no starts).
"""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from contests import CELLS, TINY, Shape, arrays_of, pair_of, work, work_name
from harness import Effort, Run, race
from report import Report, Table, add_layers, effort_of, parser_of
from torch.utils._python_dispatch import TorchDispatchMode

from unrolled import kernels, use_path

# Above the kernel, at most: a call under no_grad, and forward plus backward.
GOALS = {False: 25.0, True: 160.0}
CALLS = ("plain", "state", "lengths", "starts")


def given_of(call: str, layer: Any, x: torch.Tensor) -> dict[str, Any]:
    """The arguments of a kind of call in CALLS."""
    steps, batch, _ = x.shape
    if call == "state":
        h = torch.zeros(1, batch, layer.hidden_size)
        return {"hx": (h, h.clone()) if layer.mode == "LSTM" else h}
    if call == "lengths":
        return {"lengths": torch.arange(batch).clamp(max=steps - 1) + 1}
    if call == "starts":
        starts = torch.zeros(steps, batch, dtype=torch.bool)
        starts[-1, 0] = True
        return {"starts": starts}
    return {}


class _Alive(TorchDispatchMode):
    """Keeps every tensor that is made meanwhile: the kernels know addresses only."""

    def __init__(self) -> None:
        super().__init__()
        self.tensors: list[Any] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = function(*args, **(kwargs or {}))
        self.tensors.append(made)
        return made


@contextmanager
def caught() -> Iterator[list[Run]]:
    """Inside, the calls of the kernels over time are kept, so that they can be made again."""
    runs: list[Run] = []
    forward, backward = kernels.forward, kernels.backward

    def catch(kernel: Callable[[Any], None]) -> Callable[[Any], None]:
        def run(call: Any) -> None:
            runs.append(lambda: kernel(call))
            kernel(call)

        return run

    kernels.forward, kernels.backward = catch(forward), catch(backward)  # type: ignore[assignment]
    try:
        yield runs
    finally:
        kernels.forward, kernels.backward = forward, backward  # type: ignore[assignment]


def bare(layer: Any, x: torch.Tensor, dy: torch.Tensor, training: bool, **given: Any) -> Run:
    """The kernel calls of one layer call, and nothing else."""
    with _Alive() as alive, caught() as runs:
        if training:
            torch.autograd.grad(layer(x, **given)[0], [x, *layer.parameters()], dy)
        else:
            with torch.no_grad():
                layer(x, **given)
    assert len(runs) == 1 + training, f"{len(runs)} kernel calls, expected {1 + training}"
    first, *rest = runs

    def run() -> object:
        first()  # a backward pass overwrites what the forward pass kept
        for each in rest:
            each()
        return alive.tensors

    return run


def overhead_row(
    report: Report, table: Table, cell: str, shape: Shape, call: str, training: bool, effort: Effort
) -> None:
    pair = pair_of(cell, shape, training=training)
    x, dy = arrays_of(shape)
    given = given_of(call, pair.ours, x)
    runs: dict[str, Run] = {
        "ours": work(pair.ours, x, dy, training, **given),
        "kernel": bare(pair.ours, x, dy, training, **given),
    }
    if call in ("plain", "state"):
        runs["torch"] = work(pair.torch, x, dy, training, **given)
    times = race(runs, effort)
    above = (times["ours"].minimum - times["kernel"].minimum) * 1e6
    report.add(
        cell=cell,
        call=call,
        work=work_name(training),
        shape=list(shape),
        above_microseconds=above,
        goal=GOALS[training],
        seconds={name: timing.to_json() for name, timing in times.items()},
    )
    table.row(
        cell,
        call,
        work_name(training),
        shape,
        *(f"{times[name].minimum * 1e6:.1f}" for name in ("ours", "kernel")),
        f"{above:.1f}",
        f"{GOALS[training]:g}",
        f"{times['torch'].minimum * 1e6:.1f}" if "torch" in times else "-",
    )


def profile(cell: str, shape: Shape, calls: int = 3000) -> None:
    """Where the time of a call goes, function by function; the profiler itself slows it."""
    for training in (False, True):
        pair = pair_of(cell, shape, training=training)
        run = work(pair.ours, *arrays_of(shape), training)
        run()
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(calls):
            run()
        profiler.disable()
        print(f"\n{cell}, {work_name(training)}, {shape}: {calls} calls\n")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(18)


def main() -> None:
    parser = parser_of(__doc__ or "")
    add_layers(parser)
    parser.add_argument("--profile", choices=CELLS, help="only profile the calls of this cell")
    options = parser.parse_args()
    torch.set_num_threads(options.threads[0])
    shapes = tuple(options.shapes or (Shape(4, 2, 16, 16),))
    if options.profile:
        profile(options.profile, shapes[0])
        return
    report = Report("overhead", options)
    table = Table(
        "A call above its kernel, microseconds",
        {
            "cell": -4,
            "call": -7,
            "work": -9,
            "T,B,I,H": -max(len(str(shape)) for shape in TINY),
            "ours": 6,
            "kernel": 6,
            "above": 6,
            "goal": 4,
            "torch": 6,
        },
    )
    # One time step would go to PyTorch's layer by the rule.
    with use_path("native"):
        for cell in options.cells:
            for training in (False, True):
                for call in CALLS:
                    for shape in shapes:
                        effort = effort_of(options)
                        overhead_row(report, table, cell, shape, call, training, effort)
    report.finish()


if __name__ == "__main__":
    main()
