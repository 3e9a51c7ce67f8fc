"""Single digits by a speaker who was not learnt, each of six in turn, five minutes each."""

from __future__ import annotations

from typing import Any

from run_folder import Recipe
from run_parts import Request
from text_tasks.runs import Goal

from speech_tasks.speakers import Contest, part
from unrolled.tasks.transcribing.gate import ACCURACY

CONTEST = Contest(
    "fsdd, speakers held out",
    ACCURACY,
    higher=True,
    recipe=Recipe({}, "5m"),
    goals=(Goal("mean", 0.95, within=5), Goal("worst", 0.88, within=5)),
)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(CONTEST, request)]
