"""Ten thousand series: how soon training starts, what memory it takes, how long a forecast is."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from forecast_tasks.runs import Request, tell
from unrolled import Forecaster


@dataclass(frozen=True)
class Moment:
    """The clock; and for how long this process kept a processor busy, which others don't slow."""

    wall: float = field(default_factory=time.perf_counter)
    busy: float = field(default_factory=time.process_time)


SERIES, POINTS, HORIZON = 10_000, 1_000, 48
GOALS = {"seconds to the first step": 20.0, "peak memory, GB": 2.0, "seconds to forecast": 60.0}

# Hourly series of levels, swings and noise of many sizes, written as a table in long form. In a
# process of its own, so that what it takes is not counted.
_MAKE = """
import sys
import numpy as np
import polars as pl
count, points, seed, path = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rng = np.random.default_rng(seed)
hours = np.arange(points)
size = np.exp(rng.normal(3, 1, (count, 1)))
daily = np.sin(2 * np.pi * (hours / 24 + rng.random((count, 1))))
walk = rng.normal(0, 0.02, (count, points)).cumsum(axis=1)
y = size * (3 + rng.random((count, 1)) * daily + walk + rng.normal(0, 0.1, (count, points)))
names = pl.Series([f"series-{i:05d}" for i in range(count)])
ids = names.gather(np.repeat(np.arange(count), points))
ds = np.tile(np.datetime64("2024-01-01T00", "us") + hours * np.timedelta64(1, "h"), count)
pl.DataFrame({"unique_id": ids, "ds": ds, "y": y.ravel()}).write_parquet(path)
"""


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result: from a Parquet file in long form, as `fit` and `predict` take it."""
    budget = request.budget or "100 steps"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.parquet"
        sizes = [str(SERIES), str(POINTS), str(request.seed)]
        subprocess.run([sys.executable, "-c", _MAKE, *sizes, str(path)], check=True)
        before = _peak()
        tell(f"{SERIES:,} series of {POINTS:,} points, {path.stat().st_size / 1e6:.0f} MB")
        first: list[Moment] = []
        hook = register_optimizer_step_pre_hook(
            lambda *_: first.append(Moment()) if not first else None
        )
        options: dict[str, Any] = {"architecture": "segments", **request.options}
        model = Forecaster(horizon=HORIZON, seed=request.seed, **options)
        began = Moment()
        model.fit(path, budget=budget, holdout=0)
        fitted = Moment()
        hook.remove()
        tell(f"first step after {first[0].wall - began.wall:.1f} s")
        fitting_peak = _peak()
        asked = Moment()
        frame = model.predict(path)
        ended = Moment()
    assert len(frame) == SERIES * HORIZON
    figures = {
        "seconds to the first step": first[0].wall - began.wall,
        "peak memory, GB": _peak(),
        "seconds to forecast": ended.wall - asked.wall,
    }
    busy = {
        "to the first step": round(first[0].busy - began.busy, 1),
        "to forecast": round(ended.busy - asked.busy, 1),
    }
    return [
        {
            "part": f"{SERIES:,} series of {POINTS:,} points",
            "held out": "nothing; made series, read from a Parquet file",
            "goals": [
                {
                    "who": "network",
                    "metric": name,
                    "figure": value,
                    "limit": GOALS[name],
                    "rule": "",
                    "within minutes": None,
                    "rival": None,
                    "reached": value < GOALS[name],
                }
                for name, value in figures.items()
            ],
            "seconds of the processor": busy,
            "peak memory before and after fitting, GB": [before, fitting_peak],
            "took": {
                "network": {
                    "budget": budget,
                    "steps": model.outcome.steps,
                    "windows": model.outcome.steps * model.settings.batch_size,
                    "minutes": round((fitted.wall - began.wall) / 60, 2),
                    "processor minutes": round((fitted.busy - began.busy) / 60, 2),
                    "parameters": sum(p.numel() for p in model.model.parameters()),
                    "threads": torch.get_num_threads(),
                    "settings": model.settings.to_dict(),
                }
            },
        }
    ]


def _peak() -> float:
    """The largest memory that this process has had so far, in GB of 1e9 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
