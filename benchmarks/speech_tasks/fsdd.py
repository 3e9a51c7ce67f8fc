"""Single digits, the official split: the same six speakers in all parts; in two minutes."""

from __future__ import annotations

from typing import Any

from run_folder import Recipe
from run_parts import Request
from text_tasks.runs import Goal

from speech_tasks.digits import fsdd
from speech_tasks.quality import part
from unrolled.tasks.transcribing.gate import ACCURACY

RECIPE = Recipe({}, "2m")
GOALS = (Goal(ACCURACY, 0.99, within=2),)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(fsdd(), RECIPE, GOALS, request)]
