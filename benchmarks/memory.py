"""Memory tasks: what a recurrent network can keep, and for how long.

    python benchmarks/memory.py adding --length 600 --cell gru --seed 1
    python benchmarks/memory.py copy --length 1000 --cell lru
    python benchmarks/memory.py sequential-mnist --cell lru      needs `mnist` in UNROLLED_DATA
    python benchmarks/memory.py table                            of the runs that have ended

Tasks: adding, copy, parity, sequential-mnist, permuted-mnist, digits. A run prints its log as JSON
lines, and its result as the last one. It has a folder under `--runs`; the same command goes on with
a run that was stopped (Ctrl-C), and prints the result of one that has ended. Every number of a
recipe can be given (`--hidden 32 --updates 2000`); then name a folder of its own with `--folder`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

import torch
from memory_tasks.networks import CELLS
from memory_tasks.recipes import TASKS, Settings, settings_of
from memory_tasks.runs import Training
from memory_tasks.table import results_under, tables

from unrolled.errors import UnrolledError

RUNS = Path(__file__).parent / "results" / "memory"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=[*TASKS, "table"])
    parser.add_argument("--cell", choices=CELLS, default="lstm")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where the run folders are")
    parser.add_argument("--folder", type=Path, help="of this run, in place of one under --runs")
    parser.add_argument("--threads", type=int, help="of torch")
    plain = {"int": int, "float": float, "str": str}
    for one in fields(Settings):
        kind = plain.get(str(one.type))
        if one.name not in ("task", "cell"):
            some = {} if kind else {"nargs": 2}
            parser.add_argument(f"--{one.name.replace('_', '-')}", type=kind or float, **some)
    return parser.parse_args()


def main() -> int:
    options = _options()
    if options.task == "table":
        print(tables(results_under(options.runs)))
        return 0
    if options.threads:
        torch.set_num_threads(options.threads)
    given = {one.name: getattr(options, one.name) for one in fields(Settings)}
    given.pop("task"), given.pop("cell")
    if given["radius"] is not None:
        given["radius"] = tuple(given["radius"])
    try:
        settings = settings_of(options.task, options.cell, **given)
        name = f"{settings.task}-{settings.length or 'all'}-{settings.cell}-{settings.seed}"
        training = Training(settings, options.folder or options.runs / name, tell=_print)
        _print({"parameters": training.parameters, "from step": training.step})
        result = training.train()
    except UnrolledError as error:
        print(f"memory: {error}", file=sys.stderr)
        return 1
    if result is None:
        print("memory: stopped; the same command goes on", file=sys.stderr)
        return 130
    _print(result)
    return 0


def _print(record: dict[str, object]) -> None:
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    sys.exit(main())
