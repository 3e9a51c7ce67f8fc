"""The command line of a benchmark whose runs stand in folders."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from run_folder import TEST, VALIDATION, Request, Stopped, result_of
from run_tables import results_under

from unrolled.errors import UnrolledError

Results = list[dict[str, Any]]


def parser_of(doc: str | None, tasks: Sequence[str], runs: Path) -> argparse.ArgumentParser:
    """The arguments that all have."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=[*tasks, "table"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--on", choices=[TEST, VALIDATION], default=TEST, help="the part to score")
    parser.add_argument("--budget", help="other than the recipe's, such as '10m' or '50 steps'")
    parser.add_argument(
        "--options", type=json.loads, default={}, help="of the class, in place of the recipe's"
    )
    parser.add_argument("--runs", type=Path, default=runs, help="where the run folders are")
    parser.add_argument("--run-dir", type=Path, help="of this run, in place of one under --runs")
    parser.add_argument("--json", type=Path, help="also write the result there")
    parser.add_argument("--threads", type=int, help="of torch")
    return parser


def folder_of(options: argparse.Namespace, *more: str) -> Path:
    """The folder of a run: named after what is asked."""
    words = [options.task, *more, str(options.seed)]
    words += ["" if options.on == TEST else options.on, (options.budget or "").replace(" ", "-")]
    found: Path = options.run_dir or options.runs / "-".join(word for word in words if word)
    return found


def carry_out(
    name: str,
    package: str,
    options: argparse.Namespace,
    request: Callable[[], Request],
    tables: Callable[[Results], str],
) -> int:
    """Run the task, or print the table; what to exit with.

    Args:
        name: of the command, for what it says.
        package: with a module for each task, `a_b` for "a-b", which has a `run(request)`.
        options: as parsed.
        request: makes of them what the task is asked.
        tables: results as Markdown.
    """
    if options.task == "table":
        print(tables(results_under(options.runs)))
        return 0
    if options.threads:
        torch.set_num_threads(options.threads)
    run = import_module(f"{package}.{options.task.replace('-', '_')}").run
    try:
        result = result_of(request(), run)
    except UnrolledError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):  # the latter between two trainings
        print(f"{name}: stopped; the same command goes on", file=sys.stderr)
        return 130
    print(tables([result]))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0
