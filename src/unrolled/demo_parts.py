"""What every part of the demo has: a quick form, a row of the table, a curve, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unrolled.lens.records import LossCurve, ScoreRow
from unrolled.tasks.evaluation import Evaluation
from unrolled.training.loop import Outcome

QUICK_BUDGET = "20 steps"
QUICK_UNITS = 16
# Points of a loss curve: enough to see, not more.
MOST_POINTS = 300


def size_of(quick: bool) -> dict[str, Any]:
    """The argument of a task that makes it small, where the demo is to be quick."""
    return {"hidden_size": QUICK_UNITS} if quick else {}


def rows_of(task: str, evaluation: Evaluation | None) -> list[ScoreRow]:
    """A row of the page's table for each comparison; none where nothing was measured."""
    if evaluation is None:
        return []
    alone = "" if evaluation.alone is None else f"; {evaluation.alone}"
    return [
        ScoreRow(
            task,
            one.metric,
            not one.higher_is_better,
            one.network,
            one.baseline_name,
            one.baseline,
            one.verdict,
            evaluation.held_out + alone,
        )
        for one in evaluation.comparisons
    ]


def curve_of(name: str, unit: str, outcome: Outcome, *, scored_alike: bool = True) -> LossCurve:
    """Of a run; what is held out has no place in it where its score has another unit."""
    losses = [(r["step"], r["seconds"], r["loss"]) for r in outcome.records if "loss" in r]
    held_out = [
        (r["step"], r["seconds"], r["held_out"])
        for r in outcome.records
        if scored_alike and "held_out" in r
    ]
    return LossCurve(name, unit, losses[:: -(-len(losses) // MOST_POINTS)], held_out)


def tell_evaluation(
    evaluation: Evaluation | None, outcome: Outcome, tell: Callable[[str], object]
) -> None:
    """The evaluation, indented, and what the training took."""
    for line in str(evaluation or "not measured").splitlines():
        tell(f"  {line}")
    tell(f"  {outcome.steps} steps in {outcome.seconds:.0f} s")
