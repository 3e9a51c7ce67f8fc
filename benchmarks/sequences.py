"""Whole sequences against slower rivals: torch's cells in a loop, and JAX's `lax.scan`."""

from __future__ import annotations

import numpy as np
import torch
from contests import Plan, Shape, arrays_of, pair_of, work, work_name
from harness import Effort, Run, Timing, agree, race
from report import Report, Table, figure
from rivals import cells_in_a_loop, missing, scan

# These rivals are slow, and two sizes say it all: one large batch, one long sequence.
LOOPED = (Shape(64, 32, 128, 128), Shape(512, 1, 128, 128))


def sequences_table(report: Report, plan: Plan, effort: Effort) -> None:
    """A row for each cell, shape, work and thread count."""
    lacking = missing("jax")
    table = Table(
        "Ours against torch's cells in a loop and JAX's lax.scan"
        + (f" ({lacking})" if lacking else " (on the threads that it likes)"),
        {
            "cell": -4,
            "T,B,I,H": -14,
            "work": -9,
            "threads": 1,
            "ours, ms": 8,
            "cells, ms": 8,
            "ratio": 5,
            "lax.scan, ms": 8,
            "ratio to it": 5,
        },
    )
    for threads in plan.threads:
        torch.set_num_threads(threads)
        for cell in plan.cells:
            for shape in plan.shapes:
                for training in (True, False):
                    times = _times(cell, shape, training, effort, jax=lacking is None)
                    best = {name: timing.minimum for name, timing in times.items()}
                    report.add(
                        table="sequences",
                        cell=cell,
                        shape=list(shape),
                        work=work_name(training),
                        threads=threads,
                        without=lacking,
                        seconds={name: timing.to_json() for name, timing in times.items()},
                    )
                    table.row(
                        cell,
                        shape,
                        work_name(training),
                        threads,
                        figure(best["ours"] * 1e3),
                        figure(best["cells"] * 1e3),
                        figure(best["cells"] / best["ours"]),
                        figure(best["jax"] * 1e3) if "jax" in best else "-",
                        figure(best["jax"] / best["ours"]) if "jax" in best else "-",
                    )


def _times(cell: str, shape: Shape, training: bool, effort: Effort, jax: bool) -> dict[str, Timing]:
    pair = pair_of(cell, shape, training=training)
    x, dy = arrays_of(shape)
    names = pair.names if training else pair.names[:1]
    ours = work(pair.ours, x, dy, training)
    cells = cells_in_a_loop(cell, pair.torch, x, dy, training)
    expected = cells()
    agree(f"{cell} {shape}", ours(), expected, names)
    runs: dict[str, Run] = {"cells": cells, "ours": ours}
    if jax:
        scanned = scan(cell, pair.torch, x, dy, training)
        arrays = [torch.from_numpy(np.array(one)) for one in scanned()]
        agree(f"lax.scan {cell} {shape}", arrays, expected, names)
        runs["jax"] = scanned
    return race(runs, effort)
