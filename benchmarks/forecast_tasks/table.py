"""The results of runs that have ended, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from forecast_tasks.runs import RESULT

Results = list[dict[str, Any]]


def results_under(folder: Path) -> Results:
    """The results of all runs that have ended somewhere under a folder."""
    return [json.loads(path.read_text()) for path in sorted(folder.rglob(RESULT))]


def tables(results: Results) -> str:
    """Goals beside figures; then of every part the scores of all; then what each run took."""
    groups: dict[tuple[str, ...], list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for result in results:
        for part in result["parts"]:
            key = (result["task"], part["part"], result["part"], _how(result))
            groups.setdefault(key, []).append((result, part))
    head = ["task", "asked", "who", "metric", "figure", "goal", "rival", "verdict"]
    rows = [row for key, group in groups.items() for row in _goal_rows(key, group)]
    parts = [markdown(head, rows)]
    parts += [_score_table(key, [part for _, part in group]) for key, group in groups.items()]
    took = [
        "task",
        "asked",
        "network",
        "seed",
        "steps",
        "windows",
        "minutes",
        "processor",
        "parameters",
    ]
    rows = [row for key, group in groups.items() for row in _took_rows(key, group)]
    parts.append(markdown([*took, "threads"], rows))
    return "\n".join(parts)


def told(result: dict[str, Any]) -> str:
    """One run for its reader: the same tables of it alone."""
    return tables([result])


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _how(result: dict[str, Any]) -> str:
    if result["auto"]:
        return "auto"
    return "other" if result["options"] or result["budget"] else "recipe"


def _goal_rows(key: tuple[str, ...], group: list[tuple[Any, Any]]) -> Iterable[list[str]]:
    task, name, part, how = key
    for place, first in enumerate(group[0][1].get("goals", [])):
        found = [one["goals"][place] for _, one in group]
        figures = [one["figure"] for one in found]
        who = f"{first['who']}, {how}" + ("" if part == "test" else ", on validation")
        several = f" (mean of {len(figures)}, {_figure(min(figures))} to {_figure(max(figures))})"
        goal = f"at most {_figure(mean(one['limit'] for one in found))}"
        goal += f" ({first['rule']})" if first["rule"] else ""
        goal += f" in {first['within minutes']:g} min" if first["within minutes"] else ""
        reached = sum(one["reached"] for one in found)
        verdict = "reached" if reached == len(found) else "missed"
        if 0 < reached < len(found):
            verdict = f"reached by {reached} of {len(found)} seeds"
        rival = "-"
        if first["rival"]:
            rival = f"{first['rival']} {_figure(mean(one['rival scored'] for one in found))}"
        yield [
            *(task, name, who, first["metric"]),
            _figure(mean(figures)) + (several if len(figures) > 1 else ""),
            *(goal, rival, verdict),
        ]


def _score_table(key: tuple[str, ...], parts: list[dict[str, Any]]) -> str:
    task, name, part, how = key
    scores = parts[0].get("scores")
    if not scores:
        return ""
    metrics = list(next(iter(scores.values())))
    rows = []
    for one in scores:
        given = [found["scores"][one] for found in parts if one in found["scores"]]
        rows.append([one, *(_figure(mean(row[metric] for row in given)) for metric in metrics)])
    title = f"{task}, {name}, {part} part, {how}: {parts[0]['forecasts']:,} forecasts"
    return f"{title} ({parts[0]['held out']})\n\n" + markdown(["", *metrics], rows)


def _took_rows(key: tuple[str, ...], group: list[tuple[Any, Any]]) -> Iterable[list[str]]:
    for result, part in group:
        for name, took in part.get("took", {}).items():
            yield [
                *(key[0], part["part"], f"{name}, {key[3]}", str(result["seed"])),
                *(f"{took['steps']:,}", f"{took['windows']:,}", f"{took['minutes']:.1f}"),
                f"{took['processor minutes']:.1f}" if "processor minutes" in took else "-",
                *(f"{took['parameters']:,}", str(took["threads"])),
            ]


def _figure(value: float) -> str:
    return f"{value:.4g}"
