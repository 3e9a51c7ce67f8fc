"""`examine_recordings`: what a person should know of recordings before a network learns them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any

from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.data.recordings_doctor_characters import characters, unseen_characters
from unrolled.data.recordings_doctor_heard import listen
from unrolled.data.recordings_doctor_lengths import for_their_texts, lengths
from unrolled.data.recordings_doctor_part import TRAINING, Part
from unrolled.data.recordings_doctor_sounds import forms, sounds
from unrolled.data.recordings_doctor_twice import (
    across_sounds,
    across_speakers,
    across_texts,
    twice,
)
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.text_doctor_findings import MANY, found, share
from unrolled.data.text_doctor_items import encoding_damage
from unrolled.data.text_doctor_labels import uneven, unseen
from unrolled.errors import ConfigError, DataError


def examine_recordings(
    recordings: Any,
    *,
    validation: Any = None,
    test: Any = None,
    frame_seconds: float | None = 0.03,
    symbols: Callable[[str], Sequence[Hashable]] | None = None,
) -> Checkup:
    """Looks through recordings before training, changes nothing, and says what it found.

    | kind | found where |
    |---|---|
    | across splits | a sound, a transcript or a speaker of a held-out part is in the training too |
    | contradiction | the same sound has different texts |
    | too long to say | a transcript needs more steps (CTC) than its recording has |
    | misaligned, pace | lengths of texts and sounds do not go together: of all, or of some |
    | silence | a recording with a text is below -60 dB of full scale throughout |
    | clipping | 0.5% or more of the samples stand at full scale in runs; a warning from 5% on |
    | silence around | 2 s of silence or more (35 dB below the rest) at the start or end |
    | offset | the mean of the samples is away from 0 (DC offset) |
    | mixed rates, mixed channels | several rates, or mono beside stereo |
    | too short, long | below 0.1 s; above 60 s, or ten times the median and 20 s |
    | unreadable, cut short | a file can't be read; it ends before the sound that it promises |
    | duplicate | the same sound again with the same text |
    | encoding | characters that were read with the wrong encoding |
    | characters | rare, foreign, invisible or unspoken ones; digits beside numbers as words; |
    | | capitals in some transcripts only |
    | empty | a recording without a text |
    | one label, imbalance, few examples | as in `examine_texts`, where the texts are labels |
    | unseen | labels or characters of a held-out part that the training lacks |

    A warning is what spoils what is learnt or measured (as a rule more than 1% of the recordings),
    a note what is good to know. What needs the samples is found in at most 4,000 recordings and
    two hours, of all parts together, and a finding says so where there are more; that takes some
    seconds of a processor and little memory, however long a recording is. Of ready-made features
    only which are the same is found.

    Args:
        recordings: what `read_recordings` takes.
        validation: likewise: what the best weights will be chosen on.
        test: likewise: what will be tested on.
        frame_seconds: seconds of a step of the network: those between two frames, times its
            subsampling; None: a step may say any number of symbols (a transducer), and no
            transcript is too long.
        symbols: cuts a transcript into what a step can say, such as `str.split` for words; None:
            characters.

    Raises:
        ConfigError: `frame_seconds` is not above 0.
        DataError: a part holds sounds where another holds features, and as `read_recordings`.
    """
    if frame_seconds is not None and not (isfinite(frame_seconds) and frame_seconds > 0):
        raise ConfigError(f"got frame_seconds={frame_seconds}, expected more than 0, such as 0.03")
    given = {TRAINING: recordings, "validation": validation, "test": test}
    parts = {
        name: Part(name, read_recordings(one)) for name, one in given.items() if one is not None
    }
    for part in parts.values():
        if part.recordings.kind != parts[TRAINING].recordings.kind:
            raise DataError(
                f"{part.name}: got {part.recordings.kind}, expected "
                f"{parts[TRAINING].recordings.kind} as in the training"
            )
    return Checkup.of(str(parts[TRAINING].recordings), _findings(parts, frame_seconds, symbols))


def _findings(
    parts: dict[str, Part],
    frame_seconds: float | None,
    symbols: Callable[[str], Sequence[Hashable]] | None,
) -> Iterator[DataFinding]:
    for part in parts.values():
        if len(part):
            yield from _empty(part)
            yield from lengths(part)
    listened = listen(list(parts.values()))
    for one in listened:
        yield from sounds(one)
        yield from twice(one)
    yield from forms(list(parts.values()), listened)
    yield from across_sounds(listened)
    yield from across_speakers(parts)
    training = parts[TRAINING]
    if training.recordings.labelled:
        yield from _labels(parts)
        return
    yield from across_texts(parts)
    for part in parts.values():
        yield from for_their_texts(part, frame_seconds, symbols)
    yield from encoding_damage(training.recordings.texts, "transcript", training.place)
    yield from characters(training)
    yield from unseen_characters(parts)


def _empty(part: Part) -> Iterator[DataFinding]:
    places = [at for at, text in enumerate(part.recordings.texts) if not text.strip()]
    if places:
        yield found(
            "empty",
            f"{share(len(places), len(part))} recordings{part.whose} have no text: "
            f"{part.told(places)}",
            "left as they are: write what is said, or leave them out",
            warning=len(places) > MANY * len(part),
            place=part.place(places[0]),
        )


def _labels(parts: dict[str, Part]) -> Iterable[DataFinding]:
    counts = {
        name: Counter(text for text in part.recordings.texts if text)
        for name, part in parts.items()
    }
    known = counts[TRAINING]
    if len(known) == 1:
        (only,) = known
        yield found(
            "one label",
            f"all {known.total():,} recordings have the label {only!r}",
            "nothing can be learnt: give recordings of other labels",
            warning=True,
            label=only,
        )
    elif known:
        remedy = "look at the scores of each label beside the accuracy; record more of the small"
        yield from uneven(known, known.total(), "recording", remedy)
    for name, its in counts.items():
        if name != TRAINING:
            yield from unseen(known, its, "label", name)
