"""From what a folder or list holds to `Recordings`: each sound is looked at, the bad are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from unrolled.data.feature_file import FEATURES, check_features, finite, read_features
from unrolled.data.recordings import LEFT_OUT, Recording, Recordings
from unrolled.data.sound_file import check_samples, read_header
from unrolled.errors import DataError

# Opening a file is mostly waiting for the disk or the network.
_THREADS = 8
_TOGETHER = 32
_SHOWN = 5


@dataclass(frozen=True)
class Sound:
    """Samples `(N,)` in [-1, 1] or features `(T, F)` that came as an array, at `rate` a second."""

    values: np.ndarray
    rate: float


@dataclass(frozen=True)
class Row:
    """A sound and what is said to be said in it, before either was looked at.

    Attributes:
        sound: its file, or the array.
        text: the transcript or label; None where none was found.
        speaker: who speaks, where that is known.
        place: of the recording, in words.
        file, line: of the list in which it stands; None where there is none.
    """

    sound: Path | Sound
    text: str | None
    speaker: str | None = None
    place: str = ""
    file: str | PathLike[str] | None = None
    line: int | None = None


@dataclass(frozen=True)
class Bad:
    """What can't be used: the group in which it is told, its place, and what is wrong with it."""

    group: str
    place: str
    message: str
    file: str | PathLike[str] | None = None
    line: int | None = None


def without_sound(
    place: str, message: str, file: str | PathLike[str], line: int | None = None
) -> Bad:
    """A transcript that belongs to no sound."""
    return Bad("transcripts without a sound", place, message, file, line)


@dataclass
class Found:
    """What a reader of some layout found.

    Attributes:
        rows: the sounds, in their order.
        bad: what is not even a row, such as a transcript without a sound.
        labelled: whether the texts are labels of the whole.
        notes: what was guessed.
    """

    rows: list[Row]
    bad: list[Bad] = field(default_factory=list)
    labelled: bool = False
    notes: list[str] = field(default_factory=list)


def recordings_of(
    found: Found, name: str, *, skip: bool = False, texts: bool = True, frame_rate: float = 100.0
) -> Recordings:
    """The rows that can be used: each file's header is read, and where a sample or value could be
    no number all of it.

    Args:
        found: the rows.
        name: of the recordings.
        skip: leave out what can't be used and tell it in `notes`.
        texts: whether each row needs a text.
        frame_rate: frames a second of features in files.

    Raises: DataError for the first that can't be used, with the number and the places of the
    others; where nothing is left; for sounds and features together.
    """

    def look(begin: int) -> list[tuple[Recording, int] | Bad]:
        return [_look(row, texts, frame_rate) for row in found.rows[begin : begin + _TOGETHER]]

    with ThreadPoolExecutor(_THREADS) as pool:
        begins = range(0, len(found.rows), _TOGETHER)
        looked = [one for some in pool.map(look, begins) for one in some]
    bad = [*found.bad, *(one for one in looked if isinstance(one, Bad))]
    good = [one for one in looked if isinstance(one, tuple)]
    good, odd = _of_one_kind(good)
    bad += odd
    if bad and not (skip and good):
        raise _refused(bad, skip, texts)
    if not good:
        raise DataError(f"{name} holds no recording: name a folder or list that holds some")
    return Recordings(
        tuple(recording for recording, _ in good),
        "features" if good[0][1] else "sound",
        found.labelled,
        name,
        (*found.notes, *_left_out(bad)),
    )


def with_texts(read: Recordings, *, skip: bool = False) -> Recordings:
    """Recordings to learn from or to measure on, each with a text: what `read_recordings` has read
    has them; what was made by hand or without texts need not.

    Args:
        read: the recordings.
        skip: leave out those without a text and tell it in `notes`.

    Raises: DataError where some have none (all: whatever `skip` is).
    """
    bare = [at for at, one in enumerate(read.items) if not one.text.strip()]
    if not bare:
        return read
    if len(bare) == len(read):
        raise DataError(
            "no recording has a transcript; give a table of sounds and texts, or a folder for each"
            " label",
            file=read.name,
        )
    one = read.items[bare[0]]
    first = one.place or (f"recording {bare[0]}" if one.path is None else one.path.name)
    told = f"{len(bare):,} of {len(read):,} recordings have no transcript, the first is {first}"
    if not skip:
        raise DataError(
            f"{told}: write what is said; skip=True (--skip) leaves them out", file=read.name
        )
    kept = sorted(set(range(len(read))) - set(bare))
    return replace(read.select(kept), notes=(*read.notes, f"{LEFT_OUT}{told}"))


def _look(row: Row, texts: bool, frame_rate: float) -> tuple[Recording, int] | Bad:
    """The recording with its number of features a frame (0 for sound), or what is wrong with it."""
    text = " ".join((row.text or "").split())
    if texts and not text:
        return _bad("sounds without a transcript", row, "has no transcript: write what is said")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start]
        return _bad("texts with half a character", row, f"its text holds {half!a}: take it out")
    try:
        seconds, rate, width = _measure(row.sound, frame_rate)
    except DataError as error:
        told = str(error) if error.file is None else str(error).removeprefix(f"{error.file}: ")
        return _bad("sounds that can't be used", row, told)
    path, values = (row.sound, None) if isinstance(row.sound, Path) else (None, row.sound.values)
    return Recording(text, seconds, rate, path, values, row.speaker, row.place), width


def _measure(sound: Path | Sound, frame_rate: float) -> tuple[float, float, int]:
    """Seconds, rate, and the number of features a frame."""
    if isinstance(sound, Sound):
        if not sound.values.size:
            raise DataError("holds no sound (0 samples): leave it out")
        if sound.values.ndim == 2:
            check_features(sound.values)
        elif (bad := finite(sound.values)) is not None:
            raise DataError(
                f"sample {bad} is {sound.values[bad]}, expected a finite number: repair it or leave"
                " it out"
            )
        width = sound.values.shape[1] if sound.values.ndim == 2 else 0
        return len(sound.values) / sound.rate, sound.rate, width
    if sound.suffix.lower() in FEATURES:
        frames, width = read_features(sound).shape
        return frames / frame_rate, frame_rate, width
    header = read_header(sound)
    check_samples(sound, header)
    return header.seconds, float(header.rate), 0


def _bad(group: str, row: Row, told: str) -> Bad:
    place, file = row.place, row.file
    if isinstance(row.sound, Path):
        place = place or row.sound.name
        if file is None:
            file = row.sound
        else:
            told = f"{row.sound}: {told}"
    elif file is None:
        told = f"{row.place}: {told}"
    return Bad(group, place, told, file, row.line)


def _of_one_kind(
    good: list[tuple[Recording, int]],
) -> tuple[list[tuple[Recording, int]], list[Bad]]:
    """Those of the most frequent number of features a frame, and what is wrong with the others."""
    widths = Counter(width for _, width in good)
    if len(widths) < 2:
        return good, []
    first = {width: recording for recording, width in reversed(good)}
    usual = widths.most_common(1)[0][0]
    if 0 in widths:
        of_sound, of_features = first[0], first[next(width for width in widths if width)]
        raise DataError(
            f"holds sounds ({_called(of_sound)}) and ready-made features ({_called(of_features)}):"
            " give one kind"
        )
    odd = [
        Bad(
            "features of another number a frame",
            one.place,
            f"{_called(one)}: has {width} features a frame where {_called(first[usual])} has "
            f"{usual}: make all alike",
        )
        for one, width in good
        if width != usual
    ]
    return [(one, width) for one, width in good if width == usual], odd


def _called(recording: Recording) -> str:
    return recording.place if recording.path is None else fspath(recording.path)


def _refused(bad: Sequence[Bad], skip: bool, texts: bool) -> DataError:
    first, *others = bad
    message = first.message
    if others:
        message += f"; {len(others):,} more can't be used either ({_places(others)})"
    if skip:
        message += "; nothing else is left"
    elif texts:  # whoever only asks what is said names the sounds one by one
        message += "; skip=True (--skip) leaves out what can't be used"
    return DataError(message, file=first.file, line=first.line)


def _left_out(bad: Sequence[Bad]) -> list[str]:
    groups: dict[str, list[Bad]] = {}
    for one in bad:
        groups.setdefault(one.group, []).append(one)
    return [
        f"{LEFT_OUT}{group}: {len(some):,} ({_places(some)}); the first: {some[0].message}"
        for group, some in groups.items()
    ]


def _places(bad: Sequence[Bad]) -> str:
    return the_first([one.place for one in bad])


def the_first(names: Sequence[str]) -> str:
    """The first names of a list, with dots where there are more."""
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
