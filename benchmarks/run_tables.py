"""Results of runs that have ended, as Markdown: goals beside figures, scores, what runs took."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from run_folder import RESULT

Results = list[dict[str, Any]]
# What is told of how a network was trained, by the name of the column.
Columns = Mapping[str, Callable[[dict[str, Any]], str]]
_Group = list[tuple[dict[str, Any], dict[str, Any]]]
_Key = tuple[str, ...]


def results_under(folder: Path) -> Results:
    """The results of all runs that have ended somewhere under a folder."""
    return [json.loads(path.read_text()) for path in sorted(folder.rglob(RESULT))]


def tables(results: Results, took: Columns) -> str:
    """Goals beside figures; then of every part the scores of all; then what each run took."""
    groups: dict[_Key, _Group] = {}
    for result in results:
        for part in result["parts"]:
            key = (result["task"], part["part"], result["part"], _how(result, part))
            groups.setdefault(key, []).append((result, part))
    head = ["task", "asked", "who", "metric", "figure", "goal", "rival", "verdict"]
    rows = [row for key, group in groups.items() for row in _goal_rows(key, group)]
    parts = [markdown(head, rows)] if rows else []
    parts += [_score_table(key, [part for _, part in group]) for key, group in groups.items()]
    rows = [row for key, group in groups.items() for row in _took_rows(key, group, took)]
    if rows:
        parts.append(markdown(["task", "asked", "network", "seed", *took], rows))
    return "\n".join(parts)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _how(result: dict[str, Any], part: dict[str, Any]) -> str:
    if "how" in part:
        return str(part["how"])
    if result.get("auto"):
        return "auto"
    return "other" if result["options"] or result["budget"] else "recipe"


def _goal_rows(key: _Key, group: _Group) -> Iterable[list[str]]:
    task, name, part, how = key
    for place, first in enumerate(group[0][1].get("goals", [])):
        found = [one["goals"][place] for _, one in group]
        figures = [one["figure"] for one in found]
        who = f"{first['who']}, {how}" + ("" if part == "test" else ", on validation")
        several = f" (mean of {len(figures)}, {_figure(min(figures))} to {_figure(max(figures))})"
        words = (
            ("more than", "at least") if first.get("higher is better") else ("less than", "at most")
        )
        goal = words[0] if first.get("of the rival") else words[1]
        goal += f" {_figure(mean(one['limit'] for one in found))}"
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


def _score_table(key: _Key, parts: list[dict[str, Any]]) -> str:
    task, name, part, how = key
    scores = parts[0].get("scores")
    if not scores:
        return ""
    metrics = list({metric: None for row in scores.values() for metric in row})
    rows = []
    for one in scores:
        given = [found["scores"][one] for found in parts if one in found["scores"]]
        cells = ([row[metric] for row in given if metric in row] for metric in metrics)
        rows.append([one, *(_figure(mean(cell)) if cell else "-" for cell in cells)])
    title = f"{task}, {name}, {part} part, {how}"
    if "forecasts" in parts[0]:
        title += f": {parts[0]['forecasts']:,} forecasts"
    return f"{title} ({parts[0]['held out']})\n\n" + markdown(["", *metrics], rows)


def _took_rows(key: _Key, group: _Group, columns: Columns) -> Iterable[list[str]]:
    for result, part in group:
        for name, took in part.get("took", {}).items():
            named = f"{name}, {key[3]}"
            told = (tell(took) for tell in columns.values())
            yield [key[0], part["part"], named, str(result["seed"]), *told]


def _figure(value: float) -> str:
    return f"{value:.4g}"
