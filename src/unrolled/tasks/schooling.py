"""A training with something to settle at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unrolled.training.loop import Outcome, Trainer


@dataclass(frozen=True)
class Schooling:
    """A trainer, and what is settled when it is done."""

    trainer: Trainer
    afterwards: Callable[[], None]

    def train(self) -> Outcome:
        """Run to the end; then settle the rest on the weights that came out."""
        outcome = self.trainer.train()
        self.afterwards()
        return outcome
