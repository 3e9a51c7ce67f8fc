"""What the `train` verbs share: fit, save, tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.options import in_our_words

if TYPE_CHECKING:
    from unrolled.tasks.base import Task


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
    from unrolled.cli.models import made_of, verdict
    from unrolled.cli.outputs import plain_warnings
    from unrolled.tasks.evaluation import NetworkLoses

    with plain_warnings(NetworkLoses):  # the evaluation below says it too
        looks = {"diagnose": not no_diagnose, "progress": not no_progress}
        task.fit(data, resume=resume, **looks, **fit)
    replaced = out.exists()
    task.save(out)
    outcome = task.outcome
    print(verdict(task, task.evaluation))
    print(f"trained {outcome.steps:,} steps in {outcome.seconds:,.1f} s{made_of(task)}")
    if outcome.ended == "interrupted":
        print("stopped early; saved what was learnt")
    print(f"saved to {out}{' (replaced the file that was there)' if replaced else ''}")


def tell(words: str) -> None:
    """What is said before the training, at once: some of it is reason to stop it."""
    print(in_our_words(words), flush=True)
