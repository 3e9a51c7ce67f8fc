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
import sys
from pathlib import Path

from forecast_tasks.runs import Request
from forecast_tasks.table import tables
from run_command import carry_out, folder_of, parser_of

TASKS = ("m4", "etth1", "weather", "illness", "covid", "stocks", "scale", "coverage")
RUNS = Path(__file__).parent / "results" / "forecasting"


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__, TASKS, RUNS)
    parser.add_argument("--auto", action="store_true", help="let Forecaster('auto') choose")
    return parser.parse_args()


def main() -> int:
    options = _options()

    def request() -> Request:
        return Request(
            options.task,
            options.seed,
            options.on,
            options.budget,
            options.options,
            folder_of(options, "auto" if options.auto else ""),
            options.auto,
        )

    return carry_out("forecasting", "forecast_tasks", options, request, tables)


if __name__ == "__main__":
    sys.exit(main())
