"""Forecasting tasks: what a network forecasts better than simple rivals, and what it does not.

    python benchmarks/forecasting.py m4 --seed 1          UNROLLED_DATA names the folders of data
    python benchmarks/forecasting.py etth1 --on validation
    python benchmarks/forecasting.py weather --auto --budget 10m
    python benchmarks/forecasting.py table                of the runs that have ended

Tasks: m4, etth1, weather, illness, covid, stocks, scale, coverage. Networks and rivals learn the
same past and forecast from the same moments. Settings were chosen on the validation parts
(`--on validation` scores there); the test parts are scored by the commands as they stand. A run
prints tables as Markdown, and keeps its result as JSON in a folder under `--runs`; the same command
goes on with a run that was stopped (Ctrl-C), and prints the result of one that has ended.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from forecast_tasks.contest import PARTS
from forecast_tasks.networks import Stopped
from forecast_tasks.runs import Request, result_of
from forecast_tasks.table import results_under, tables, told

from unrolled.errors import UnrolledError

TASKS = ("m4", "etth1", "weather", "illness", "covid", "stocks", "scale", "coverage")
RUNS = Path(__file__).parent / "results" / "forecasting"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=[*TASKS, "table"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--on", choices=list(PARTS), default="test", help="the part to score")
    parser.add_argument("--budget", help="other than the recipe's, such as '10m' or '50 steps'")
    parser.add_argument("--auto", action="store_true", help="let Forecaster('auto') choose")
    parser.add_argument(
        "--options", type=json.loads, default={}, help="of Forecaster, in place of the recipe's"
    )
    parser.add_argument("--runs", type=Path, default=RUNS, help="where the run folders are")
    parser.add_argument("--run-dir", type=Path, help="of this run, in place of one under --runs")
    parser.add_argument("--json", type=Path, help="also write the result there")
    parser.add_argument("--threads", type=int, help="of torch")
    return parser.parse_args()


def main() -> int:
    options = _options()
    if options.task == "table":
        print(tables(results_under(options.runs)))
        return 0
    if options.threads:
        torch.set_num_threads(options.threads)
    request = Request(
        options.task,
        options.seed,
        options.on,
        options.budget,
        options.options,
        options.auto,
        options.run_dir or options.runs / _name(options),
    )
    run: Callable[[Request], list[dict[str, Any]]] = import_module(
        f"forecast_tasks.{options.task}"
    ).run
    try:
        result = result_of(request, run)
    except UnrolledError as error:
        print(f"forecasting: {error}", file=sys.stderr)
        return 1
    except Stopped:
        print("forecasting: stopped; the same command goes on", file=sys.stderr)
        return 130
    print(told(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def _name(options: argparse.Namespace) -> str:
    words = [options.task, "auto" if options.auto else "", str(options.seed)]
    words += ["" if options.on == "test" else options.on, (options.budget or "").replace(" ", "-")]
    return "-".join(word for word in words if word)


if __name__ == "__main__":
    sys.exit(main())
