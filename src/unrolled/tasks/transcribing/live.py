"""Listening as long as there is sound: from chunks of any rate to what is heard of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.data.log_mel import checked_samples
from unrolled.data.sound_chunks import Chunks, FileChunks, GivenChunks, Resampler
from unrolled.data.sound_cut import SoundCutter, Utterance
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.transcribing.transcript import Partial, Transcript

if TYPE_CHECKING:
    from unrolled.tasks.transcribing.listening import Listening

# Seconds of sound that wait before it is told.
_LATE = 2.0


def sound_source(
    sound: Any = None,
    *,
    rate: float | None = None,
    device: int | str | None = None,
    fast: bool = False,
) -> Chunks:
    """Where sound comes from.

    Args:
        sound: None: a microphone; the path of a file, at its real pace; chunks `(N,)` float32 in
            [-1, 1] with their `rate`; or a `Chunks` of one's own.
        rate: of chunks, samples a second.
        device: of a microphone; its number or a part of its name; None: the usual one.
        fast: a file as quick as can be.

    Raises:
        ConfigError: options that do not go together, or no such microphone.
        DataError: a file that can't be read.
        MissingExtra: a microphone without the extra "listen".
    """
    of_file = isinstance(sound, str | os.PathLike)
    if device is not None and sound is not None:
        raise ConfigError(f"device: got {device!r} beside a sound; it says which microphone")
    if fast and not of_file:
        raise ConfigError("fast: of a file only (--file); other sound has its own pace")
    if isinstance(sound, str | os.PathLike):
        return FileChunks(Path(sound), fast=fast)
    if sound is None:
        from unrolled.data.microphone import Microphone

        return Microphone(device)
    if hasattr(sound, "rate"):
        found: Chunks = sound
        return found
    if rate is None:
        raise ConfigError("rate: chunks of samples need theirs, such as rate=16000")
    return GivenChunks(sound, rate)


def hear(
    task: Listening,
    source: Chunks,
    *,
    beam: int | None = None,
    endpoint: float | None = 0.8,
    until: Callable[[], bool] = lambda: False,
    tell: Callable[[str], object] | None = None,
) -> Iterator[Partial]:
    """What is heard, after each chunk; at the end once more, with the utterance that went on.

    Args:
        task: fitted on sounds.
        source: of the sound.
        beam, endpoint: as for `Listening.listen`.
        until: asked before each chunk; true is the end of the sound.
        tell: gets text where sound waits or was lost; None: it is warned of.

    Raises:
        ConfigError: an argument that can't work.
        DataError: sound that can't be read.
    """
    rate = task.framing.rate
    assert rate is not None, "features are no sound"
    ear: _Ear | _WholeEar
    if task.labelled or task.directions != 1:
        ear = _WholeEar(task, SoundCutter(rate, endpoint), beam)
    else:
        ear = _Ear(task, beam, endpoint)
    return _heard(ear, source, Resampler(source.rate, rate), until, tell or _warn)


def _heard(
    ear: _Ear | _WholeEar,
    source: Chunks,
    resampler: Resampler,
    until: Callable[[], bool],
    tell: Callable[[str], object],
) -> Iterator[Partial]:
    def finished() -> Partial:
        return ear.finish(ear.hear(resampler(np.zeros(0, np.float32), last=True)))

    troubles = _Troubles(source, tell)
    try:
        for chunk in source:
            if until():
                troubles.stop()
                break
            yield ear.hear(resampler(checked_samples(chunk)))
            troubles.look()
    except DataError:  # a microphone that is gone does not take along what was said before
        yield finished()
        raise
    yield finished()


class _Ear:
    """Hears while it comes."""

    def __init__(self, task: Listening, beam: int | None, endpoint: float | None) -> None:
        self._task, self._state = task, task.start(beam=beam)
        self._endpoint = endpoint
        self.hear(np.zeros(0, np.float32))  # what can't work is told before there is sound

    def hear(self, samples: np.ndarray) -> Partial:
        partial, self._state = self._task.step(samples, self._state, endpoint=self._endpoint)
        return partial

    def finish(self, last: Partial) -> Partial:
        found = self._task.finish(self._state)
        finished = (*last.finished, *([found] if found.text else []))
        return Partial("", finished=finished, seconds=last.seconds)


class _WholeEar:
    """Hears an utterance when it is over, as a whole: labels, and a model that reads both ways."""

    def __init__(self, task: Listening, cutter: SoundCutter, beam: int | None) -> None:
        self._task, self._cutter, self._beam = task, cutter, beam
        self._state, self._count = cutter.start(), 0
        task.transcribe([], beam=beam)  # what can't work is told before there is sound

    def hear(self, samples: np.ndarray) -> Partial:
        self._count += len(samples)
        found, self._state = self._cutter.step(samples, self._state)
        return self._told(found)

    def finish(self, last: Partial) -> Partial:
        found = self._told(self._cutter.finish(self._state))
        return replace(found, finished=(*last.finished, *found.finished))

    def _told(self, found: Iterable[Utterance]) -> Partial:
        said = (self._transcript(one) for one in found)
        heard = tuple(one for one in said if one.text)
        return Partial("", finished=heard, seconds=self._count / self._cutter.rate)

    def _transcript(self, one: Utterance) -> Transcript:
        (found,) = self._task.transcribe([(one.samples, self._cutter.rate)], beam=self._beam)
        words = tuple(
            replace(word, start=word.start + one.start, end=word.end + one.start)
            for word in found.words
        )
        return replace(found, words=words)


class _Troubles:
    """Tells once that sound waits, and once that some was lost; nothing is dropped in silence."""

    def __init__(self, source: Chunks, tell: Callable[[str], object]) -> None:
        self._source, self._tell = source, tell
        self._late = self._lost = False

    def look(self) -> None:
        waiting = self._source.waiting
        if waiting >= _LATE and not self._late:
            self._late = True
            self._tell(
                f"the machine is too slow by {waiting:.1f} s: nothing is dropped, and what is heard"
                " comes late; a beam of 1 or a smaller model is quicker"
            )
        if self._source.lost and not self._lost:
            self._lost = True
            self._tell("the system lost some sound before it came here: is the machine too busy?")

    def stop(self) -> None:
        """What came and is not heard any more is told, too."""
        waiting = self._source.waiting
        if waiting >= _LATE:
            self._tell(f"stopped: the last {waiting:.1f} s of sound were not heard")


def _warn(words: str) -> None:
    warnings.warn(words, UnrolledWarning, stacklevel=4)
