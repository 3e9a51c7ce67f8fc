"""AN4: spelt names, addresses and dates, of ready-made features, without a language model."""

from __future__ import annotations

from typing import Any

import numpy as np
from run_folder import Recipe
from run_parts import Parts, Request
from text_tasks.runs import Goal

from speech_tasks.digits import by
from speech_tasks.quality import part
from unrolled.data import catalog
from unrolled.data.recordings import Recordings
from unrolled.tasks.transcribing.gate import WER
from unrolled.training.speech_scores import speech_scores

RECIPE = Recipe({"directions": 2, "hidden_size": 192}, "60m")
GOALS = (Goal(WER, 14.0, higher=False, within=60),)
# Of the 74 speakers of the training part, those that choose.
SPEAKERS = 8


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(an4(), RECIPE, GOALS, request, greedy)]


def an4() -> Parts[Recordings]:
    """Speakers of the training part, drawn once and for all, choose; the test has others."""
    whole: Recordings = catalog.load("an4-train")
    speakers = sorted({one.speaker or "" for one in whole.items})
    order = np.random.default_rng(0).permutation(speakers).tolist()
    return Parts(
        "AN4",
        by(whole, order[SPEAKERS:]),
        by(whole, order[:SPEAKERS]),
        lambda: catalog.load("an4-test"),
        "an4-test",
        f"{SPEAKERS} speakers of an4-train",
    )


def greedy(model: Any, tested: Recordings) -> dict[str, float]:
    """Without a search: the best symbol of each step."""
    return {f"{WER}, greedy": speech_scores(model.predict(tested, beam=1), tested.texts).wer}
