"""A corpus of 2 GB, made by repetition with noise: its first thousand steps, and their memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from run_folder import tell

from text_tasks.runs import NETWORK, Goal, Request, judged
from unrolled.data import catalog
from unrolled.errors import DataError

BYTES = 2_000_000_000
# Share of the letters that are replaced in every copy, so that no two are alike.
NOISE = 0.02
# Free space that is needed, as a multiple of the corpus: its tokens are kept beside it.
SPACE = 4.0
BUDGET = "1000 steps"
MEMORY, FIRST = "peak memory, GB", "seconds to the first step"
GOALS = (Goal(MEMORY, 1.0, higher=False),)

# In a process of its own: what it takes is then its own. The peak is the kernel's count of the
# largest resident memory of this program; `ru_maxrss` would begin with that of its parent.
_TRAIN = """
import json, os, sys, time
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook
from unrolled import Generator

def memory(name):
    with open("/proc/self/status") as lines:
        return next(int(one.split()[1]) * 1024 / 1e9 for one in lines if one.startswith(name))

path, folder, budget, options, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
first = []
def hook(*_):
    if not first:
        first.append((time.perf_counter(), memory("VmHWM")))
register_optimizer_step_pre_hook(hook)
before = memory("VmHWM")
model = Generator(**json.loads(options))
began, busy = time.perf_counter(), time.process_time()
model.fit(path, budget=budget, run_dir=folder, progress=False)
print(json.dumps({
    "first": first[0][0] - began,
    "peak": memory("VmHWM"),
    "peak before": before,
    "peak at the first step": first[0][1],
    "steps": model.outcome.steps,
    "seconds": model.outcome.seconds,
    "minutes": (time.perf_counter() - began) / 60,
    "processor": (time.process_time() - busy) / 60,
    "parameters": sum(p.numel() for p in model.model.parameters()),
}))
"""


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(catalog.load("python-docs"), request)]


def part(text: str, request: Request) -> dict[str, Any]:
    """Make the corpus, learn it, and leave nothing behind."""
    budget = request.budget or BUDGET
    check_space(Path(tempfile.gettempdir()), int(SPACE * BYTES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.txt"
        make(path, text, BYTES, request.seed)
        tell(f"{path.stat().st_size / 1e9:.3g} GB made")
        options = json.dumps({"seed": request.seed, **request.options})
        threads = str(torch.get_num_threads())
        done = subprocess.run(
            [sys.executable, "-c", _TRAIN, path, Path(folder) / "run", budget, options, threads],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            # Whatever it puts aside goes with the folder.
            env={**os.environ, "TMPDIR": folder},
        )
    found = json.loads(done.stdout.splitlines()[-1])
    scores = {NETWORK: {MEMORY: found["peak"], FIRST: found["first"]}}
    tell(f"peak {found['peak']:.3g} GB, first step after {found['first']:.0f} s")
    return {
        "part": f"{BYTES / 1e9:g} GB",
        "held out": "a text repeated with noise; what is told is what its learning took",
        "scores": scores,
        "goals": judged(GOALS, scores, found["minutes"], request),
        "peaks, GB": {name: found[name] for name in ("peak before", "peak at the first step")},
        "took": {
            NETWORK: {
                "budget": budget,
                "steps": found["steps"],
                "training": found["seconds"] / 60,
                "minutes": found["minutes"],
                "processor minutes": found["processor"],
                "parameters": found["parameters"],
                "threads": int(threads),
            }
        },
    }


def make(path: Path, text: str, size: int, seed: int) -> None:
    """Write about `size` bytes: the text again and again, each time with other letters replaced."""
    rng = np.random.default_rng(seed)
    plain = np.frombuffer(text.encode(), dtype=np.uint8)
    letters = np.flatnonzero((plain >= ord("a")) & (plain <= ord("z")))
    written = 0
    with path.open("wb") as file:
        while written < size:
            copy = plain.copy()
            places = rng.choice(letters, max(1, int(NOISE * len(letters))))
            copy[places] = rng.integers(ord("a"), ord("z") + 1, len(places), dtype=np.uint8)
            written += file.write(_whole(copy.tobytes(), size - written))


def _whole(text: bytes, most: int) -> bytes:
    """The first bytes, without a part of a character at their end."""
    return text[:most].decode(errors="ignore").encode()


def check_space(folder: Path, needed: int) -> None:
    """DataError where a folder's disk has less room than that."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"{folder}: {free / 1e9:.3g} GB are free, expected {needed / 1e9:.3g} for the corpus"
            " and its tokens; make room, or name another folder with TMPDIR"
        )
