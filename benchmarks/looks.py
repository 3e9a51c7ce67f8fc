"""What looking for findings costs a training run: `python benchmarks/looks.py`.

Each row is a run of a task on one thread. Every call of `diagnose` and of the leak tests in it is
timed, in the process's own processor time, and their sum is given as a share of the training's
(the baseline before it and the evaluation after it are not in it). On a busy machine shares hold,
times do not.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

import torch

from unrolled import Forecaster, Generator
from unrolled.data import catalog
from unrolled.training import loop


class Clock:
    """Processor time spent inside the functions that it wraps."""

    def __init__(self) -> None:
        self.seconds, self.calls = 0.0, 0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*args: Any, **options: Any) -> Any:
            begin = time.process_time()
            try:
                return function(*args, **options)
            finally:
                self.seconds += time.process_time() - begin
                self.calls += 1

        return inner


def shares(fit: Callable[[], Any]) -> dict[str, Any]:
    """Of one run: its looks and leak tests by the time of its training."""
    looks, leaks, training = Clock(), Clock(), Clock()
    with ExitStack() as patches:
        for owner, name, clock in (
            (loop, "diagnose", looks),
            (loop, "check_leaks", leaks),
            (loop.Trainer, "train", training),
        ):
            timed = clock.timed(getattr(owner, name))
            patches.enter_context(mock.patch.object(owner, name, timed))
        fit()
    return {
        "looks": looks.calls,
        "seconds": round(training.seconds, 2),
        "looks, %": round(100 * looks.seconds / training.seconds, 2),
        "leak tests, %": round(100 * leaks.seconds / training.seconds, 2),
    }


def generator(steps: int) -> Callable[[], Any]:
    text = catalog.load("python-docs")
    return lambda: Generator(layers=1, hidden_size=64).fit(text, budget=steps, progress=False)


def forecaster(steps: int) -> Callable[[], Any]:
    series = catalog.load("seattle-weather", value_columns="temp_max")
    model = Forecaster(horizon=7, hidden_size=32, members=1)
    return lambda: model.fit(series, budget=steps, progress=False)


ROWS = {
    "Generator, 1 layer of 64": (generator, 801),
    "Forecaster, 1 member of 32": (forecaster, 801),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, help="of each run, in place of its own number")
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # findings, and networks of a minute that lose
    for name, (make, own) in ROWS.items():
        row = {"run": name, "steps": steps or own, **shares(make(steps or own))}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
