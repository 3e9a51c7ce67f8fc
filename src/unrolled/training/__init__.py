"""The one training loop, with its budgets, its run folder and its model files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.training.budget import Budget
    from unrolled.training.diagnostics import Report, diagnose
    from unrolled.training.falling import still_falls
    from unrolled.training.leaks import check_leaks
    from unrolled.training.loop import Batches, Outcome, Trainer
    from unrolled.training.modelfile import Card, read_model, write_model
    from unrolled.training.optimizer import Recipe
    from unrolled.training.run import Run
    from unrolled.training.watch import Watch

_HOMES = {
    "Batches": "loop",
    "Budget": "budget",
    "Card": "modelfile",
    "Outcome": "loop",
    "Recipe": "optimizer",
    "Report": "diagnostics",
    "Run": "run",
    "Trainer": "loop",
    "Watch": "watch",
    "check_leaks": "leaks",
    "diagnose": "diagnostics",
    "read_model": "modelfile",
    "still_falls": "falling",
    "write_model": "modelfile",
}

__all__ = [
    "Batches",
    "Budget",
    "Card",
    "Outcome",
    "Recipe",
    "Report",
    "Run",
    "Trainer",
    "Watch",
    "check_leaks",
    "diagnose",
    "read_model",
    "still_falls",
    "write_model",
]

__getattr__, __dir__ = door(__name__, _HOMES)
