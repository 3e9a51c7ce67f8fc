"""Tatoeba, German to English: short sentences, split by the English side, in an hour."""

from __future__ import annotations

from typing import Any

from run_folder import Recipe
from run_parts import Request

from translation_tasks.parallel import tatoeba
from translation_tasks.quality import Contest, part

CONTEST = Contest(
    tatoeba,
    recipes={"60m": Recipe({}, "60m")},
    goals={"60m": 40.0},
    usual="60m",
)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(CONTEST, request)]
