"""What the two `train` verbs share: fit, save, tell."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.tasks.base import Task


def _told(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
    """A warning as one line: whoever reads it has not written the code that it is from."""
    print(f"{category.__name__}: {message}", file=sys.stderr)


def train(
    task: Task,
    data: Any,
    out: Path,
    *,
    resume: bool,
    no_diagnose: bool,
    no_progress: bool,
    **fit: Any,
) -> None:
    """Fit, save, and tell the result."""
    from unrolled.tasks.evaluation import NetworkLoses

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NetworkLoses)  # the evaluation below says it too
        warnings.showwarning = _told
        looks = {"diagnose": not no_diagnose, "progress": not no_progress}
        task.fit(data, resume=resume, **looks, **fit)
    replaced = out.exists()
    task.save(out)
    outcome = task.outcome
    print(task.evaluation)
    print(f"trained {outcome.steps:,} steps in {outcome.seconds:,.1f} s")
    if outcome.ended == "interrupted":
        print("stopped early; saved what was learnt")
    print(f"saved to {out}{' (replaced the file that was there)' if replaced else ''}")
