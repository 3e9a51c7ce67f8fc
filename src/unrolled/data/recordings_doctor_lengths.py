"""How long recordings are: for their texts, beside each other, and at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from math import floor

import numpy as np

from unrolled.data.ctc_frames import frames_needed
from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs_doctor_lengths import unrelated
from unrolled.data.recordings import told_time
from unrolled.data.recordings_doctor_part import Part
from unrolled.data.text_doctor_findings import MANY, found, share, shown

# Seconds below which nothing can be heard, and above which one takes the memory of many.
_SHORT = 0.1
_LONG = 60.0
# Beside the median; not told of where the recording is no longer than a sentence.
_TIMES = 10
_A_SENTENCE = 20.0
# A pace is unusual from this many (robust) standard deviations on, and this factor; of transcripts
# of so many characters and words, since "yes" may well be drawn out.
_FAR = 5.0
_FACTOR = 2.5
_CHARACTERS = 20
_WORDS = 3


def lengths(part: Part) -> Iterator[DataFinding]:
    """Recordings that are very short or very long."""
    seconds = np.array([one.seconds for one in part.recordings.items])
    median = float(np.median(seconds))
    for kind, places, said, done in (
        (
            "too short",
            np.flatnonzero(seconds < _SHORT),
            f"are shorter than {_SHORT} s, in which no word can be said",
            "left as they are: record them again or leave them out",
        ),
        (
            "long",
            np.flatnonzero((seconds > _LONG) | (seconds > max(_TIMES * median, _A_SENTENCE))),
            f"are longer than {_LONG:.0f} s or than {_TIMES} times the median ({_told(median)})",
            "left as they are: cut them at pauses, since one takes the time and memory of many",
        ),
    ):
        if not len(places):
            continue
        worst = int(places[(seconds[places] * (-1 if kind == "too short" else 1)).argmax()])
        yield found(
            kind,
            f"{share(len(places), len(part))} recordings{part.whose} {said}: "
            f"{part.told(places.tolist())}; the {kind.split()[-1]}est has {_told(seconds[worst])}",
            done,
            warning=kind == "too short" and len(places) > MANY * len(part),
            place=part.place(worst),
        )


def _told(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else told_time(seconds)


def for_their_texts(
    part: Part,
    frame_seconds: float | None,
    symbols: Callable[[str], Sequence[Hashable]] | None = None,
) -> Iterator[DataFinding]:
    """Transcripts that are too long for their recordings, or do not go with them; without
    `frame_seconds` none is too long.

    CTC: frames_needed(symbols(text)) > floor(seconds / frame_seconds),
    pace: |d_i - m| > max(5 s, log 2.5),  d_i = log(characters_i / seconds_i),
          m = median d,  s = 1.4826 median |d - m|
    """
    items = part.recordings.items
    steps = (
        [sys.maxsize] * len(items)
        if frame_seconds is None
        else [floor(one.seconds / frame_seconds + 1e-6) for one in items]
    )
    needed = {
        at: frames_needed(one.text if symbols is None else symbols(one.text))
        for at, one in enumerate(items)
        # bytes are the most symbols that a text has, and are quickly counted
        if 2 * (len(one.text.encode()) + 1) > steps[at]
    }
    too_long = [at for at, frames in needed.items() if frames > steps[at]]
    if too_long:
        worst = max(too_long, key=lambda at: needed[at] - steps[at])
        what, finer = "symbols", "a tokenizer with longer symbols"
        if symbols is None:
            what, finer = "characters", "subwords"
        yield found(
            "too long to say",
            f"{share(len(too_long), len(part))} transcripts{part.whose} have more {what} than"
            f" their recordings have steps of {frame_seconds:g} s, of which each says one at most"
            f" (CTC): {part.told(too_long)}; most of all {shown(items[worst].text)}, which needs"
            f" {needed[worst]:,} and has {steps[worst]:,} ({items[worst].seconds:.2f} s)",
            f"they can't be learnt by {'these ' * (symbols is not None)}{what}: look whether text"
            " and sound belong together, or take more steps a second (a lower subsampling) or"
            f" {finer}",
            warning=len(too_long) > MANY * len(part),
            place=part.place(worst),
        )
    judged = [
        at
        for at in sorted(set(range(len(items))) - set(too_long))
        if len(items[at].text) >= _CHARACTERS and len(items[at].text.split()) >= _WORDS
    ]
    if judged:
        yield from _pace(part, np.array(judged))


def _pace(part: Part, judged: np.ndarray) -> Iterator[DataFinding]:
    items = part.recordings.items
    characters, seconds = (
        np.log([one(items[at]) for at in judged])
        for one in (lambda item: len(item.text), lambda item: item.seconds)
    )
    if unrelated(characters, seconds):
        yield found(
            "misaligned",
            f"how long a transcript{part.whose} is has nothing to do with how long its recording is"
            f" (correlation {np.corrcoef(characters, seconds)[0, 1]:.2f})",
            "left as they are: look whether the texts are shifted or shuffled",
            warning=True,
        )
        return
    pace = characters - seconds
    usual = float(np.median(pace))
    away = np.abs(pace - usual)
    far = away > max(_FAR * 1.4826 * float(np.median(away)), np.log(_FACTOR))
    if far.any():
        worst = int(judged[np.argmax(away)])
        places = judged[far].tolist()
        yield found(
            "pace",
            f"{share(len(places), len(judged))} transcripts{part.whose} are far shorter or longer"
            f" than is usual for their recordings ({np.exp(usual):.0f} characters a second are):"
            f" {part.told(places)}; most of all {shown(items[worst].text)} in"
            f" {items[worst].seconds:.1f} s",
            "left as they are: look whether text and sound belong together and nothing is cut off",
            warning=len(places) > MANY * len(judged),
            place=part.place(worst),
        )
