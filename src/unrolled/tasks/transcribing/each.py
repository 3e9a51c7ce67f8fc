"""Sounds by name, one after the other: one that can't be read does not cost the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from unrolled.data.feature_file import FEATURES
from unrolled.data.recordings import Recordings
from unrolled.data.recordings_folder import sounds_in
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.sound_file import SOUNDS
from unrolled.errors import DataError
from unrolled.tasks.transcribing.answering import Answering

# Sounds that are heard at once.
TOGETHER = 32
# A name, and the sound as `transcribe` takes it, or why there is none.
_Part = tuple[str, Any]
Told = TypeVar("Told")
_Hear = Callable[[list[Any]], list[Told]]


def hear_each(
    task: Answering, sounds: Sequence[str | Path | Recordings], hear: _Hear[Told]
) -> Iterator[tuple[str, Told | DataError]]:
    """What is told of each, in order.

    Args:
        task: fitted.
        sounds: files; folders, of which all sounds; lists and tables of sounds; `Recordings`.
        hear: of the task, `transcribe` or `explain` with all that they are told but the sounds.

    Yields:
        the name of a sound, and what `hear` told of it, or why it can't be read.

    Raises:
        ConfigError: an argument that can't work.
    """
    hear([])  # before anything is read
    parts: list[_Part] = []
    for one in sounds:
        try:
            parts += _parts(task, one)
        except DataError as error:
            parts.append((str(one), error))
    for start in range(0, len(parts), TOGETHER):
        yield from _heard(parts[start : start + TOGETHER], hear)


def _parts(task: Answering, given: str | Path | Recordings) -> list[_Part]:
    if isinstance(given, Recordings):
        return [
            (str(one.path or one.place), one.path or (one.values, one.rate)) for one in given.items
        ]
    path = Path(given)
    if path.is_dir():
        return [(str(one), one) for one in sounds_in(path)]
    if path.suffix.lower() in SOUNDS | FEATURES:
        return [(str(given), path)]
    read = read_recordings(path, texts=False, frame_rate=task.framing.frame_rate)
    return _parts(task, read)


def _heard(parts: Sequence[_Part], hear: _Hear[Told]) -> Iterator[tuple[str, Told | DataError]]:
    """All at once; where that fails, one by one, which finds out those that can't be read."""
    broken = [sound for _, sound in parts if isinstance(sound, DataError)]
    try:
        if broken:
            raise broken[0]
        heard = hear([sound for _, sound in parts])
    except DataError as error:
        if len(parts) == 1:
            yield parts[0][0], error
            return
        for one in parts:
            yield from _heard([one], hear)
    else:
        yield from zip([name for name, _ in parts], heard, strict=True)
