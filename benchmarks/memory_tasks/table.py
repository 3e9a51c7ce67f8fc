"""The results of the runs that have ended, as Markdown, beside the published ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from memory_tasks.networks import CELLS
from memory_tasks.published import TARGETS, Target
from memory_tasks.runs import RESULT

Results = list[dict[str, Any]]
NOT_RUN = "not run"


def results_under(folder: Path) -> Results:
    """The results of all runs that have ended somewhere under a folder."""
    return [json.loads(path.read_text()) for path in sorted(folder.rglob(RESULT))]


def tables(results: Results) -> str:
    """The scores of each cell, and of each run what it took."""
    head = ["task", "T", "published: RNN, GRU, LSTM", "goal", *CELLS.values()]
    parts = [_markdown(head, [_scores_row(target, results) for target in TARGETS])]
    if results:
        parts.append(_markdown(list(TOOK), [_run_row(one) for one in _ordered(results)]))
    return "\n".join(parts)


TOOK = (
    *("task", "T", "cell", "seed", "parameters", "test", "validation"),
    *("updates", "best at", "rows", "time steps, millions", "minutes"),
)


def _scores_row(target: Target, results: Results) -> list[str]:
    theirs = [
        shown(target.task, target.published[cell]) if cell in target.published else "-"
        for cell in ("rnn", "gru", "lstm")
    ]
    row = [target.task, str(target.length or 784), ", ".join(theirs) if target.published else "-"]
    row.append("-" if target.goal is None else shown(target.task, target.goal))
    for cell in CELLS:
        found = [
            one["test"]
            for one in results
            if (one["task"], one["length"], one["cell"]) == (target.task, target.length, cell)
        ]
        several = f" (mean of {len(found)})" if len(found) > 1 else ""
        row.append(shown(target.task, mean(found)) + several if found else NOT_RUN)
    return row


def _run_row(one: dict[str, Any]) -> list[str]:
    task = one["task"]
    return [
        *(task, str(one["length"] or "-"), CELLS[one["cell"]], str(one["seed"])),
        *(f"{one['parameters']:,}", shown(task, one["test"]), shown(task, one["validation"])),
        *(f"{one['updates']:,}", f"{one['best_step']:,}", str(one["rows"])),
        *(f"{one['tokens'] / 1e6:,.0f}", f"{one['minutes']:,.1f}"),
    ]


def _ordered(results: Results) -> Results:
    tasks = [target.task for target in TARGETS]
    known = [one for one in results if one["task"] in tasks]
    return sorted(
        known,
        key=lambda one: (
            *(tasks.index(one["task"]), one["length"], list(CELLS).index(one["cell"]), one["seed"]),
        ),
    )


def shown(task: str, value: float) -> str:
    """A score as the papers write it: accuracies with one digit or two, small errors by power."""
    if task in ("adding", "copy"):
        return f"{value:.1e}" if value < 1e-3 else f"{value:.3g}"
    return f"{value:.2f}".removesuffix("0")


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
