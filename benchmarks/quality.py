"""Held-out scores of the tasks beside their rivals: `python benchmarks/quality.py seattle text`.

Each line of the result says how many steps, how many seconds and what was scored. The splits are
the tasks' defaults; nothing here was chosen on the held-out part.

    seattle   highest temperature, 7 days ahead, last 20% held out, rolling; three seeds
    text      Python's documentation by character, last 10% held out; one seed, minutes
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unrolled import Forecaster, Generator
from unrolled.about import machine
from unrolled.data import catalog
from unrolled.tasks.evaluation import NetworkLoses


def seattle(budget: str, seeds: list[int]) -> Iterator[dict[str, Any]]:
    series = catalog.load("seattle-weather", value_columns="temp_max")
    for seed in seeds:
        model = Forecaster(horizon=7, seed=seed).fit(series, budget=budget)
        yield row("seattle", seed, model)


def text(budget: str, seeds: list[int]) -> Iterator[dict[str, Any]]:
    source = catalog.load("python-docs")
    assert isinstance(source, str)
    for seed in seeds:
        model = Generator(seed=seed).fit(source, budget=budget)
        yield row("text", seed, model)


def row(name: str, seed: int, model: Forecaster | Generator) -> dict[str, Any]:
    assert model.evaluation is not None
    return {
        "task": name,
        "seed": seed,
        "steps": model.outcome.steps,
        "best step": model.outcome.best_step,
        "seconds": round(model.outcome.seconds, 1),
        "scores": {
            one.metric: {
                "network": round(one.network, 4),
                one.baseline_name: round(one.baseline, 4),
                "verdict": one.verdict,
            }
            for one in model.evaluation.comparisons
        },
        **{name: round(value, 3) for name, value in model.evaluation.details.items()},
    }


TASKS = {"seattle": (seattle, "250 steps", [0, 1, 2]), "text": (text, "4000 steps", [0])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=list(TASKS), metavar=" | ".join(TASKS))
    parser.add_argument("--budget", help="other than the task's own, such as '2m' or '100 steps'")
    parser.add_argument("--out", type=Path, help="also write the rows as JSON")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.tasks if name not in TASKS]
    if unknown:
        parser.error(f"no task {unknown[0]!r}; there are {', '.join(TASKS)}")
    warnings.simplefilter("ignore", NetworkLoses)  # the verdict stands in the row
    print(json.dumps(machine()))
    rows = []
    for name in arguments.tasks:
        run, budget, seeds = TASKS[name]
        for found in run(arguments.budget or budget, seeds):
            rows.append(found)
            print(json.dumps(found), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
