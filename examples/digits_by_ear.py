"""Hears digits as they are spoken: python examples/digits_by_ear.py [budget] [folder] [sound]

The folder holds a folder for each word with its recordings, such as seven/anna_12.wav; without one,
eSpeak NG speaks some into `spoken_digits` (`pip install 'unrolled[speech,spoken]'`). What is heard
in the end is the sound, or digits in a voice of eSpeak's that was not learnt.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from unrolled import Transcriber
from unrolled.data.espeak import speak
from unrolled.data.sound_file import library
from unrolled.data.spoken import spoken_digits

MODEL = Path("digits_by_ear.unrolled")
NOT_LEARNT = {"voice": "en-gb-x-rp", "variant": "f5"}


def write(file: Path, samples: np.ndarray, rate: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    library().write(file, samples, int(rate))  # soundfile
    return file


def main(budget: str = "1m", folder: str | None = None, sound: str | None = None) -> None:
    """Learn recordings of single words, judge, keep the model, and listen with it."""
    here = Path(folder or "spoken_digits")
    if folder is None and not here.exists():
        for take, one in enumerate(spoken_digits(600).items):
            write(here / one.text / f"{one.speaker}_{take}.wav", one.values, one.rate)
    # Who speaks stands in the names, so that nobody who is learnt is asked for in the evaluation.
    model = Transcriber().fit(here, pattern="{label}/{speaker}_{take}.wav", budget=budget)
    print(model.evaluation)
    print(f"kept as {model.save(MODEL)}: unrolled listen {MODEL} hears a microphone")

    # A pause of a second after each word, by which words are told apart.
    said = "seven two nine"
    file = sound or write(Path("asked.wav"), *speak(said, gap=100, **NOT_LEARNT))
    print(f"heard in {file}:")
    for heard in model.listen(file, fast=True):  # without `fast` at the pace of the sound
        for one in heard.finished:
            print(f"{heard.seconds:5.1f} s: {one.text}, {one.confidence:.0%} sure")


if __name__ == "__main__":
    main(*sys.argv[1:])
