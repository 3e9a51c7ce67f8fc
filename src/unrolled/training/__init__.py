"""The one training loop, with its budgets, its run folder and its model files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.training.budget import Budget
    from unrolled.training.loop import Batches, Outcome, Trainer
    from unrolled.training.modelfile import Card, read_model, write_model
    from unrolled.training.optimizer import Recipe
    from unrolled.training.run import Run

_HOMES = {
    "Batches": "loop",
    "Budget": "budget",
    "Card": "modelfile",
    "Outcome": "loop",
    "Recipe": "optimizer",
    "Run": "run",
    "Trainer": "loop",
    "read_model": "modelfile",
    "write_model": "modelfile",
}

__all__ = [
    "Batches",
    "Budget",
    "Card",
    "Outcome",
    "Recipe",
    "Run",
    "Trainer",
    "read_model",
    "write_model",
]

__getattr__, __dir__ = door(__name__, _HOMES)
