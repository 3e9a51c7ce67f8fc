"""The demo's part that hears: digits spoken by eSpeak NG, learnt, then heard as they come.

It needs the extras `spoken` and `speech`; without them it says so, and the demo goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unrolled.demo_parts import QUICK_BUDGET, QUICK_UNITS, curve_of, rows_of, tell_evaluation
from unrolled.errors import MissingExtra
from unrolled.lens.records import HeardSoFar, Report, SpeechPanel
from unrolled.lens.tracing import trace

if TYPE_CHECKING:
    from unrolled.data.recordings import Recording, Recordings
    from unrolled.tasks.transcriber import Transcriber
    from unrolled.training.loop import Outcome

RATE = 8000
# Single digits are spoken, and joined to sequences of several: that is quicker than to speak each
# sequence, and short ones are what a network begins to understand first.
SINGLE, JOINED, ASKED = 800, 1200, 40
BUDGET = "900 steps"
CHUNK = 0.1  # seconds, as from a microphone


def add_speech(
    report: Report, folder: Path, *, progress: bool, quick: bool, tell: Callable[[str], object]
) -> Outcome | None:
    """Learn digits, hear a sequence of them in a voice that was not learnt, and add the panel.

    Returns: how the training ended; None without the extras.
    """
    try:
        return _add(report, folder, progress=progress, quick=quick, tell=tell)
    except MissingExtra as error:
        tell(f"Spoken digits: left out, since {error}")
        return None


def _add(
    report: Report, folder: Path, *, progress: bool, quick: bool, tell: Callable[[str], object]
) -> Outcome:
    from unrolled.tasks.transcriber import Transcriber

    share = 10 if quick else 1
    learnt = _sequences(SINGLE // share, JOINED // share, "train", (1, 3))
    tell(f"Digits spoken by eSpeak NG: {learnt}")
    test = _sequences(10 * ASKED // share, ASKED // share, "test", (3, 6))
    model = Transcriber(
        "words",
        hidden_size=QUICK_UNITS if quick else 128,
        layers=1,
        channels=16,
        level_after=0,  # one microphone: nothing is to be taken off
        dropout=0.0,
        augment=0.0,  # what is spoken differs enough already
        batch_seconds=8,
        learning_rate=5e-3,
        average=0.97,
    )
    model.fit(
        learnt,
        validation=_sequences(100 // share, 20 // share, "validation", (1, 3)),
        test=test,
        budget=QUICK_BUDGET if quick else BUDGET,
        progress=progress,
        # The data doctor wonders at digits that are said again and again.
        tell=lambda _: None,
    )
    model.save(folder / "digits.unrolled")
    report.losses.append(
        curve_of("Spoken digits", "nats per symbol, smoothed", model.outcome, scored_alike=False)
    )
    report.scores += rows_of("Spoken digits", model.evaluation)
    tell_evaluation(model.evaluation, model.outcome, tell)
    report.speech = _heard(model, test.items[0], tell)
    return model.outcome


def _sequences(single: int, count: int, part: str, words: tuple[int, int]) -> Recordings:
    from unrolled.data.connected import join_recordings
    from unrolled.data.sound_file import samples_of
    from unrolled.data.spoken import spoken_digits

    digits = spoken_digits(single, part=part, recorded=False)
    return join_recordings(
        digits,
        lambda one: samples_of(one, RATE),
        count=count,
        rate=RATE,
        words=words,
        pauses=(-0.03, 0.15),
    )


def _heard(model: Transcriber, spoken: Recording, tell: Callable[[str], object]) -> SpeechPanel:
    """One recording as it comes, chunk by chunk."""
    samples = spoken.values
    assert samples is not None
    so_far: list[HeardSoFar] = []
    tell(f'  "{spoken.text}" in the voice {spoken.speaker}, which was not learnt, as it is heard:')
    state = model.start()
    for chunk in np.split(samples, range(round(CHUNK * RATE), len(samples), round(CHUNK * RATE))):
        partial, state = model.step(chunk, state, endpoint=None)
        if partial.text != (so_far[-1].text if so_far else ""):
            so_far.append(HeardSoFar(partial.seconds, partial.text))
            tell(f"    {partial.seconds:4.1f} s  {partial.text}")
    said = model.finish(state).text
    tell(f"    the end  {said}")
    return SpeechPanel(
        "Digits in a voice that was not learnt",
        f"The network learnt from other voices of eSpeak NG. It hears this one, {spoken.speaker},"
        " as it comes, a tenth of a second at a time, and may change its mind about the last word.",
        said,
        spoken.text,
        so_far,
        trace(model, spoken),
    )
