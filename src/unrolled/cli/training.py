"""What the two `train` verbs share: fit, save, tell."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.tasks.base import Task


def train(task: Task, data: Any, out: Path, *, resume: bool, no_progress: bool, **fit: Any) -> None:
    """Fit, save, and tell the result."""
    from unrolled.tasks.evaluation import NetworkLoses

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NetworkLoses)  # the evaluation below says it too
        task.fit(data, resume=resume, progress=not no_progress, **fit)
    replaced = out.exists()
    task.save(out)
    outcome = task.outcome
    print(task.evaluation)
    print(f"trained {outcome.steps:,} steps in {outcome.seconds:,.1f} s")
    if outcome.ended == "interrupted":
        print("stopped early; saved what was learnt")
    print(f"saved to {out}{' (replaced the file that was there)' if replaced else ''}")
