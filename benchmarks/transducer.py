"""The transducer loss, forward and backward: kernels against operations of torch, in turns.

    python benchmarks/transducer.py
    python benchmarks/transducer.py --threads 2,1 --json transducer.json
    python benchmarks/transducer.py --quick

The rival is the loss as it is usually vectorised in torch: `log_softmax`, then one diagonal of the
nodes of all utterances at a time (`training/transducer_reference.py`), in float32. The first table
begins at the joiner's logits; "in place", which is not timed, lets the gradient take their memory.
In "learnt" batches one alignment is sure, as for a network that has learnt something; in "new" ones
none is. The second table begins at what the joiner reads: the rival and "dense" make all logits,
"joint" a few nodes at a time. Values and gradients are compared with the rival's in float64 before
anything is timed, to 1e-5 (the rival's in float32, which rounds its sums, to 1e-3). A time is the
minimum over the rounds, a ratio the rival's time divided by ours. Memory is the peak of a process
that takes one such step (VmHWM of Linux), less what it had before it.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from harness import Disagreement, agree, race
from report import Report, Table, effort_of, figure, parser_of
from torch import Tensor
from torch.nn.functional import linear

from unrolled import kernels
from unrolled.training.transducer_joint import joint_transducer_loss
from unrolled.training.transducer_loss import transducer_loss
from unrolled.training.transducer_reference import reference_losses

# B, T, U, V.
SHAPES = ((8, 100, 20, 30), (8, 150, 40, 30), (8, 100, 25, 500), (4, 200, 50, 1000))
SIZE = 256  # J
Step = Callable[[], list[Tensor]]


class Batch:
    """Ragged utterances: the longest has all frames and symbols, the shortest half of them."""

    def __init__(self, batch: int, steps: int, symbols: int, vocabulary: int) -> None:
        torch.manual_seed(0)
        share = torch.linspace(1.0, 0.5, batch)
        self.lengths, self.counts = (share * steps).long(), (share * symbols).long()
        self.targets = torch.randint(1, vocabulary, (batch, symbols))
        self.shape = (batch, steps, symbols + 1, vocabulary)

    @property
    def given(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.lengths, self.targets, self.counts

    def logits(self, learnt: bool) -> Tensor:
        """`(B, T, U + 1, V)`; learnt: a symbol every so many frames is sure."""
        torch.manual_seed(1)
        found = torch.randn(self.shape)
        if learnt:
            for row, (length, count) in enumerate(zip(self.lengths, self.counts, strict=True)):
                every = max(1, int(length) // (int(count) + 1))
                for frame in range(int(length)):
                    said = min(frame // every, int(count))
                    found[row, frame, said, 0] += 12
                    if said < count and (frame + 1) % every == 0:
                        found[row, frame, said, self.targets[row, said]] += 24
                        found[row, frame, said + 1, 0] += 12
        return found


def loss_steps(batch: Batch, learnt: bool, dtype: torch.dtype = torch.float32) -> dict[str, Step]:
    """Loss and gradient by the logits, of each contestant."""
    logits = batch.logits(learnt).to(dtype).requires_grad_()

    def torch_step() -> list[Tensor]:
        loss = reference_losses(logits, *batch.given, 0).mean()
        return [loss.detach(), *torch.autograd.grad(loss, logits)]

    def ours(overwrite: bool) -> list[Tensor]:
        loss = transducer_loss(logits, *batch.given, overwrite=overwrite).loss
        return [loss.detach(), *torch.autograd.grad(loss, logits)]

    return {"torch": torch_step, "ours": lambda: ours(False), "in place": lambda: ours(True)}


def joint_steps(batch: Batch, dtype: torch.dtype = torch.float32) -> dict[str, Step]:
    """Loss and gradients by what the joiner reads and by its readout."""
    rows, steps, nodes, vocabulary = batch.shape
    torch.manual_seed(1)
    shapes = ((steps, rows, SIZE), (nodes, rows, SIZE), (vocabulary, SIZE), (vocabulary,))
    parts = [torch.randn(shape) for shape in shapes]
    parts[2] = parts[2] / SIZE**0.5
    leaves = [one.to(dtype).requires_grad_() for one in parts]

    def logits() -> Tensor:
        frames, said, weight, bias = leaves
        hidden = (frames.transpose(0, 1)[:, :, None] + said.transpose(0, 1)[:, None]).tanh()
        return linear(hidden, weight, bias)

    def done(loss: Tensor) -> list[Tensor]:
        return [loss.detach(), *torch.autograd.grad(loss, leaves)]

    return {
        "torch": lambda: done(reference_losses(logits(), *batch.given, 0).mean()),
        "dense": lambda: done(transducer_loss(logits(), *batch.given, overwrite=True).loss),
        "joint": lambda: done(joint_transducer_loss(*leaves, *batch.given).loss),
    }


def check(what: str, steps: Mapping[str, Step], right: Step, names: list[str]) -> None:
    """Ours agree with the rival in float64 to 1e-5; the rival in float32, which rounds its sums, to
    1e-3."""
    expected = right()
    for name, step in steps.items():
        tolerance = 1e-3 if name == "torch" else 1e-5
        agree(f"{what}, {name}", step(), expected, names, tolerance)


def memory_of(kind: str, shape: tuple[int, ...], name: str) -> float:
    """MB at the peak of one step, in a process of its own."""
    asked = ["--memory", kind, ",".join(map(str, shape)), name]
    done = subprocess.run(
        [sys.executable, __file__, *asked], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _tell_memory(kind: str, shape: str, name: str) -> None:
    batch = Batch(*map(int, shape.split(",")))
    small = Batch(1, 2, 1, 3)  # all that is loaded and made once is there
    for step in (loss_steps(small, False) if kind == "loss" else joint_steps(small)).values():
        step()
    torch.set_num_threads(1)
    gc.collect()
    step = (loss_steps(batch, False) if kind == "loss" else joint_steps(batch))[name]
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    step()
    print(_status("VmHWM") - before)


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return float(line.split()[1]) / 1024
    raise RuntimeError(f"no {name} in /proc/self/status")


def _rows(report: Report, options: argparse.Namespace, threads: int) -> None:
    effort = effort_of(options)
    shapes = SHAPES[:1] if options.quick else SHAPES
    heads = {"B, T, U, V": -16, "batch": -6, "torch, ms": 8, "ours, ms": 8, "ratio": 5}
    heads |= {"torch, MB": 6, "ours, MB": 6, "in place, MB": 6}
    table = Table(f"From logits, {threads} thread(s)", heads)
    for shape in shapes:
        batch = Batch(*shape)
        for learnt in (False, True):
            steps = loss_steps(batch, learnt)
            right = loss_steps(batch, learnt, torch.float64)["torch"]
            check(str(shape), steps, right, ["loss", "gradient by the logits"])
            used = {name: memory_of("loss", shape, name) for name in steps} if not learnt else {}
            # The last one's logits are gone.
            steps = {name: loss_steps(batch, learnt)[name] for name in ("torch", "ours")}
            times = {name: one.minimum for name, one in race(steps, effort).items()}
            report.add(table="loss", shape=shape, learnt=learnt, threads=threads, seconds=times)
            table.row(
                ", ".join(map(str, shape)),
                "learnt" if learnt else "new",
                *(figure(1e3 * one) for one in times.values()),
                f"{times['torch'] / times['ours']:.1f}",
                *([f"{one:.0f}" for one in used.values()] or [""] * 3),
            )
    heads = {"B, T, U, V": -16, "torch, ms": 8, "dense, ms": 8, "joint, ms": 8, "dense": 5}
    heads |= {"joint": 5, "torch, MB": 6, "dense, MB": 6, "joint, MB": 6}
    table = Table(f"From what the joiner reads, J = {SIZE}, {threads} thread(s)", heads)
    for shape in shapes:
        batch = Batch(*shape)
        steps = joint_steps(batch)
        names = ["loss", *(f"gradient by {one}" for one in ("f", "g", "W", "b"))]
        check(str(shape), steps, joint_steps(batch, torch.float64)["torch"], names)
        times = {name: one.minimum for name, one in race(steps, effort).items()}
        used = {name: memory_of("joint", shape, name) for name in steps}
        report.add(table="joint", shape=shape, threads=threads, seconds=times, megabytes=used)
        table.row(
            ", ".join(map(str, shape)),
            *(figure(1e3 * one) for one in times.values()),
            *(f"{times['torch'] / times[name]:.1f}" for name in ("dense", "joint")),
            *(f"{one:.0f}" for one in used.values()),
        )


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        _tell_memory(*options.memory)
        return 0
    if not kernels.available():
        print(f"transducer: there are no native kernels: {kernels.why_not()}", file=sys.stderr)
        return 1
    report = Report("transducer", options)
    try:
        for threads in options.threads:
            torch.set_num_threads(threads)
            _rows(report, options, threads)
    except Disagreement as error:
        print(f"transducer: {error}", file=sys.stderr)
        return 1
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
