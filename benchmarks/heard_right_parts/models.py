"""The models that are learnt for the set: a recogniser of letters, and language models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import unrolled
from unrolled.data import read_recordings

# Chosen on the validation part. Steps of 30 ms: quick speech has more letters than steps of 40 ms.
RECOGNISER: dict[str, Any] = {
    "hidden_size": 192,
    "directions": 2,
    "subsampling": 3,
    "augment": 0.5,
}
WRITER: dict[str, Any] = {"tokenizer": "words"}
MODEL = "model.unrolled"


def recogniser(folder: Path, run: Path, budget: str, options: dict[str, Any], seed: int) -> Path:
    """Learn to write the letters of what the training voices say; a stopped run goes on."""
    model = run / MODEL
    if not model.exists():
        task = unrolled.Transcriber(**{"seed": seed, **RECOGNISER, **options})
        task.fit(
            read_recordings(folder / "train"),
            validation=read_recordings(folder / "validation"),
            holdout=0,
            budget=budget,
            run_dir=run,
            resume=(run / "checkpoint.unrolled").exists(),
        )
        task.save(model)
    return model
