"""Three to seven digits in a row, joined from single ones, by a speaker who was not learnt."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from run_folder import Recipe
from run_parts import Request
from text_tasks.runs import Goal

from speech_tasks.speakers import Contest, part
from unrolled.data.connected import join_recordings
from unrolled.data.recordings import Recordings
from unrolled.data.sound_file import samples_of
from unrolled.tasks.transcribing.gate import WER

# Size, batches and rate as of single digits: there are only five speakers here, too.
RECIPE = Recipe(
    {
        "tokenizer": "words",
        "hidden_size": 128,
        "layers": 2,
        "channels": 16,
        "batch_seconds": 15.0,
        "learning_rate": 3e-3,
    },
    "10m",
)
# Recordings that are joined of what is learnt, and of each speaker who is scored.
LEARNT, SCORED = 3_000, 200


def joined(
    digits: Recordings, count: int, seed: int = 0, rate: int = 8000, **options: Any
) -> Recordings:
    """Digits in a row, with pauses."""
    return join_recordings(
        digits,
        lambda one: samples_of(one, rate),
        count=count,
        rate=rate,
        seed=seed,
        **options,
    )


def asked_of(digits: Recordings) -> Recordings:
    """What a speaker says; no two say the same."""
    (speaker,) = {one.speaker for one in digits.items}
    return joined(digits, SCORED, seed=crc32((speaker or "").encode()))


CONTEST = Contest(
    "fsdd, 3 to 7 digits joined, speakers held out",
    WER,
    higher=False,
    recipe=RECIPE,
    goals=(Goal("mean", 4.0, higher=False),),
    learnt=lambda digits: joined(digits, LEARNT),
    scored=asked_of,
)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(CONTEST, request)]
