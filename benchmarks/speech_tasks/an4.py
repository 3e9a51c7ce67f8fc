"""AN4: spelt names, addresses and dates, of ready-made features, without and with an n-gram."""

from __future__ import annotations

from typing import Any

import numpy as np
from run_folder import Recipe, tell
from run_parts import Parts, Request
from text_tasks.runs import Goal

from speech_tasks.digits import by
from speech_tasks.quality import part
from unrolled import NGramModel
from unrolled.data import catalog
from unrolled.data.recordings import Recordings
from unrolled.tasks.transcribing.gate import WER
from unrolled.training.speech_scores import speech_scores

RECIPE = Recipe({"directions": 2, "hidden_size": 192}, "60m")
GOALS = (Goal(WER, 14.0, higher=False, within=60),)
# Of the n-gram model: spelt letters and numbers follow no longer rules.
ORDER = 3
# Of the 74 speakers of the training part, those that choose.
SPEAKERS = 8


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    data = an4()

    def more(model: Any, tested: Recordings) -> dict[str, float]:
        return {**greedy(model, tested), **with_ngrams(model, data, tested)}

    return [part(data, RECIPE, GOALS, request, more)]


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


def with_ngrams(model: Any, data: Parts[Recordings], tested: Recordings) -> dict[str, float]:
    """With an n-gram model of the transcripts that were learnt, its weights chosen by the speakers
    who choose."""
    ngrams = NGramModel(ORDER).fit(data.train.texts, holdout=0.0)
    tuned = model.tune(data.validation, ngrams, tell=tell)
    tell(f"weights: {tuned.weights}")
    scores = speech_scores(model.predict(tested), tested.texts)
    model.use_language(None)
    return {f"{WER}, n-gram": scores.wer}
