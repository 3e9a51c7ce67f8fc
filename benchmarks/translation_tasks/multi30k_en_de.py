"""Multi30k, English to German, in an hour."""

from __future__ import annotations

from typing import Any

from run_folder import Recipe
from run_parts import Request

from translation_tasks.parallel import multi30k
from translation_tasks.quality import Contest, part

CONTEST = Contest(
    lambda: multi30k("en", "de"),
    recipes={"60m": Recipe({}, "60m")},
    goals={"60m": 35.0},
    usual="60m",
)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(CONTEST, request)]
