"""The models of the benchmark: a recogniser of letters, an n-gram model, and a generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from run_folder import Stopped, tell

import unrolled
from heard_right_parts.making import LESSONS
from unrolled.data import read_recordings

# Chosen on the validation part. Steps of 30 ms: quick speech has more letters than steps of 40 ms.
RECOGNISER: dict[str, Any] = {
    "hidden_size": 192,
    "directions": 2,
    "subsampling": 3,
    "augment": 0.5,
}
NGRAMS: dict[str, Any] = {"order": 4}
GENERATOR: dict[str, Any] = {"tokenizer": "words"}
# What is learnt in the second lesson is mostly known.
RATES = {"many": 1e-3, "usual": 5e-4}
BUDGETS = {"many": "70m", "usual": "40m", "generator": "30m"}
MODEL, CHECKPOINT = "model.unrolled", "checkpoint.unrolled"


def learn(folder: Path, budgets: Mapping[str, str]) -> None:
    """Train what is not there yet; a run that was stopped goes on."""
    texts = folder / "text"
    _kept(folder, "ngrams", lambda _: unrolled.NGramModel(**NGRAMS).fit(texts / "train.txt"))
    before: Path | None = None
    for lesson in LESSONS:
        learnt = partial(_recogniser, folder / lesson, before, RATES[lesson], budgets[lesson])
        _kept(folder, lesson, learnt)
        before = model_of(folder, lesson)
    _kept(
        folder,
        "generator",
        lambda run: unrolled.Generator(**GENERATOR).fit(
            str(texts / "train.txt"),
            holdout=0.02,
            budget=budgets["generator"],
            run_dir=run,
            resume=(run / CHECKPOINT).exists(),
        ),
    )


def model_of(folder: Path, name: str) -> Path:
    """The file of a model; the recogniser is that of the last lesson."""
    return folder / "run" / (list(LESSONS)[-1] if name == "recogniser" else name) / MODEL


def _recogniser(
    folder: Path, before: Path | None, rate: float, budget: str, run: Path
) -> unrolled.Transcriber:
    """Learns to write the letters of what the training voices say, from where it is or anew."""
    task = unrolled.Transcriber(**RECOGNISER) if before is None else unrolled.load(before)
    task.warm_start, task.learning_rate = before is not None, rate
    return task.fit(
        read_recordings(folder / "train"),
        validation=read_recordings(folder / "validation"),
        holdout=0,
        budget=budget,
        run_dir=run,
        resume=(run / CHECKPOINT).exists(),
    )


def _kept(folder: Path, name: str, fit: Callable[[Path], Any]) -> None:
    path = model_of(folder, name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        model = fit(path.parent)
        if getattr(model, "outcome", None) is not None and model.outcome.ended == "interrupted":
            raise Stopped
        tell(f"{name}: {model.evaluation}")
        model.save(path)
