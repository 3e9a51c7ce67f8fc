"""Listening live: what a stream costs, how many keep up, and how late its text is.

The network has three layers of 320 in one direction, at 16 kHz; it learns digits in a row. With
`--model` another one is measured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from run_folder import Recipe
from run_parts import Parts, Request
from text_tasks.runs import MODEL, NETWORK, Goal

import unrolled
from speech_tasks.connected import joined
from speech_tasks.delays import JOINING, delays
from speech_tasks.digits import fsdd
from speech_tasks.quality import tell_scores
from speech_tasks.runs import learn
from speech_tasks.streams import cost, together
from unrolled.data.recordings import Recordings

SIZES = {"hidden_size": 320, "layers": 3, "directions": 1, "sample_rate": 16_000}
# Words in a row are learnt in many short steps, as in `connected`; of 2e-3 and of 1e-3 a network of
# this size learnt nothing before they had fallen to a half of that.
RECIPE = Recipe(
    {"tokenizer": "words", "batch_seconds": 15.0, "learning_rate": 5e-4, **SIZES}, "20m"
)
# Seconds of a chunk; of sound for the costs; rounds of one stream, of which the best counts.
CHUNK, SECONDS, ROUNDS = 0.1, 20, 5
STREAMS, CORES = 100, 2
LEARNT, CHOSEN_BY, SCORED = 3_000, 100, 100

ONE, KEEPS_UP, DELAY = "one stream, % of a core", "100 streams, s a second", "delay of 95%, ms"
GOALS = (
    Goal(ONE, 1.5, higher=False),
    Goal(KEEPS_UP, 1.0, higher=False),
    Goal(DELAY, 400 + 1000 * CHUNK, higher=False),
)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    data = fsdd()
    if request.model is not None:
        return [part(unrolled.load(request.model), Path(request.model), {}, data, request)]
    recipe = request.recipe(RECIPE)
    model, took = learn(
        NETWORK,
        unrolled.Transcriber(**{"seed": request.seed, **recipe.options}),
        joined(data.train, LEARNT),
        joined(data.validation, CHOSEN_BY),
        request,
        budget=recipe.budget,
    )
    with _file(model, request.within(NETWORK)) as path:
        return [part(model, path, {NETWORK: took}, data, request)]


def part(
    model: Any, path: Path, took: dict[str, Any], data: Parts[Recordings], request: Request
) -> dict[str, Any]:
    """The costs, and the delays.

    Args:
        model: measured.
        path: of its file.
        took: what its training took.
        data: single digits, to be joined.
        request: of the command.
    """
    digits, told = data.scored(request.part)
    tested = joined(digits, SCORED, seed=2, rate=model.framing.rate, **JOINING)
    found = delays(model, tested, CHUNK)
    row = {**costs(model, path, tested), **found.row()}
    scores = {NETWORK: row}
    tell_scores(scores)
    settings = model.settings
    return {
        "part": f"{settings.layers} layers of {settings.hidden_size}, {model.framing.rate:,} Hz,"
        f" chunks of {1000 * CHUNK:g} ms",
        "held out": f"{told}, 3 to 7 digits joined: {tested}; delays of {len(found.stays):,} words",
        "scores": scores,
        # What is calculated and how late it is, is no matter of the part.
        "goals": [goal.judged(scores, [], 0.0) for goal in GOALS],
        "took": took,
    }


def costs(model: Any, path: Path, recordings: Recordings) -> dict[str, float]:
    """Of one stream by the processor's time, of many by the clock as well."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        sounds = endless(model, recordings, STREAMS)
        cost(model, [sounds[0][: model.framing.rate]], CHUNK)
        alone = [cost(model, sounds[:1], CHUNK) for _ in range(ROUNDS)]
    finally:
        torch.set_num_threads(threads)
    shares = [100 * one.processor / one.seconds for one in alone]
    all_of_them = together(path, sounds, CHUNK, CORES)
    return {
        ONE: min(shares),
        "median": median(shares),
        KEEPS_UP: max(one.clock / one.seconds for one in all_of_them),
        "100 streams, cores": sum(one.processor / one.seconds for one in all_of_them),
        "slowest chunk of 50, ms": 1000 * max(one.slowest for one in all_of_them),
    }


def endless(model: Any, recordings: Recordings, streams: int) -> list[np.ndarray]:
    """Sounds of `SECONDS`, each of the recordings in a row, each beginning at another."""
    size = round(SECONDS * model.framing.rate)
    several = [model.framing.samples(one) for one in recordings.items]
    found = []
    for at in range(streams):
        first = at % len(several)
        row = np.concatenate(several[first:] + several[:first])
        found.append(np.resize(row, size))
    return found


@contextmanager
def _file(model: Any, folder: Path | None) -> Iterator[Path]:
    """Where the model is kept; for now, where nothing is to be left behind."""
    if folder is not None:
        yield folder / MODEL
        return
    with tempfile.TemporaryDirectory() as made:
        model.save(Path(made) / MODEL)
        yield Path(made) / MODEL
