"""Digits spoken by eSpeak NG are learnt; the real ones of `fsdd` are tried, untouched."""

from __future__ import annotations

from typing import Any

from run_folder import TEST, Recipe
from run_parts import Parts, Request

from speech_tasks.digits import by, everything, in_words
from speech_tasks.quality import part
from unrolled.data.recordings import Recordings
from unrolled.data.spoken import spoken_digits

RECIPE = Recipe({}, "10m")
# Recordings to learn, and to choose by: of timbres that are not learnt.
TRAIN, CHOSEN_BY = 8_000, 600


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [espeak(request)]


def espeak(request: Request) -> dict[str, Any]:
    """What is chosen, is chosen by eSpeak's other timbres alone."""
    data = Parts(
        "digits by eSpeak NG",
        spoken_digits(TRAIN),
        spoken_digits(CHOSEN_BY, part="validation"),
        lambda: in_words(everything()),
        "all of fsdd",
        "other timbres of eSpeak NG",
    )
    return part(data, RECIPE, (), request, by_speaker if request.part == TEST else None)


def by_speaker(model: Any, tested: Recordings) -> dict[str, float]:
    """The accuracy of each."""
    speakers = sorted({one.speaker or "" for one in tested.items})
    found = {}
    for speaker in speakers:
        theirs = by(tested, [speaker])
        pairs = zip(model.predict(theirs), theirs.texts, strict=True)
        found[speaker] = sum(said == right for said, right in pairs) / len(theirs)
    return found
