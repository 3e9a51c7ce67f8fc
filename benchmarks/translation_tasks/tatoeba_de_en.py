"""Tatoeba, German to English: short sentences, split by the English side, in an hour."""

from __future__ import annotations

from typing import Any

from run_folder import Recipe

from translation_tasks.parallel import tatoeba
from translation_tasks.quality import Contest, part
from translation_tasks.runs import Request

CONTEST = Contest(
    tatoeba,
    recipes={"60m": Recipe({}, "60m")},
    goals={"60m": 40.0},
    usual="60m",
)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(CONTEST, request)]
