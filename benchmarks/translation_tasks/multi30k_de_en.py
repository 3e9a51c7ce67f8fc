"""Multi30k, German to English: captions of pictures, in 5, 15 and 60 minutes."""

from __future__ import annotations

from typing import Any

from run_folder import Recipe
from run_parts import Request

from translation_tasks.parallel import multi30k
from translation_tasks.quality import Contest, part

CONTEST = Contest(
    lambda: multi30k("de", "en"),
    recipes={budget: Recipe({}, budget) for budget in ("5m", "15m", "60m")},
    goals={"5m": 31.0, "15m": 35.0, "60m": 38.0},
    usual="15m",
)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(CONTEST, request)]
