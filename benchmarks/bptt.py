"""Backpropagation through time under a budget of bytes: peak memory and time of a training step.

    python benchmarks/bptt.py            # each row in a process of its own; some minutes

T = 20,000 steps, B = 16, I = 64, H = 256, an LSTM, a readout and a loss on every step: forward,
backward and an SGD step. The input has 82 MB, the outputs 328 MB and their gradient 328 MB; all
three are in memory at once in any case.

Memory is the process's peak (VmHWM of Linux) less what it had after the imports, so it counts all:
input, outputs, gradients, kernels' working memory, the C library's free lists.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

SHAPE = (20_000, 16, 64, 256)
SETTINGS = (None, "512MB", "128MB", "20MB", 1000, 100)
GOAL = 1000  # MB


def _memory(name: str) -> float:
    """A line of /proc/self/status, in MB."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) * 1024 / 1e6


def child(checkpoint: int | str | None, steps: int, threads: int) -> dict[str, float]:
    """Two training steps: the peak of both, the time of the second."""
    import torch

    import unrolled
    from unrolled import kernels

    torch.set_num_threads(threads)
    _, batch, inputs, hidden = SHAPE
    torch.manual_seed(0)
    layer, readout = (
        unrolled.LSTM(inputs, hidden, checkpoint=checkpoint),
        torch.nn.Linear(hidden, 1),
    )
    assert kernels.available()
    parameters = [*layer.parameters(), *readout.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    at_import = _memory("VmRSS")
    x, target = torch.randn(steps, batch, inputs), torch.randn(steps, batch, 1)

    seconds = []
    for _ in range(2):
        begin = time.perf_counter()
        y, _ = layer(x)
        loss = torch.nn.functional.mse_loss(readout(y), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - begin)
        del y
    return {
        "peak": _memory("VmHWM") - at_import,
        "seconds": min(seconds),
        "loss": loss.item(),
    }


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else SHAPE[0]
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    shape = (steps, *SHAPE[1:])
    print(f"LSTM, training step, T,B,I,H = {shape}, {threads} thread(s)\n")
    print("| `checkpoint` | peak above import, MB | a step, s | times | loss |")
    print("|---|---|---|---|---|")
    plain = None
    for checkpoint in SETTINGS:
        code = [sys.executable, __file__, "--child", json.dumps([checkpoint, steps, threads])]
        ran = subprocess.run(code, check=True, capture_output=True, text=True)
        found = json.loads(ran.stdout)
        plain = plain or found["seconds"]
        print(
            f"| `{checkpoint!r}` | {found['peak']:.0f} | {found['seconds']:.1f} "
            f"| {found['seconds'] / plain:.2f} | {found['loss']:.6f} |",
            flush=True,
        )
    print(f"\nGoal: at most {GOAL} MB with a budget.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(*json.loads(sys.argv[2]))))
    else:
        main()
