"""Sound as it comes, chunk by chunk: a file at its real pace, and a stream at another rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from unrolled.data.sound_file import chunks, read_header
from unrolled.errors import MissingExtra

# Of a chunk: what is heard is late by as much, and each has its cost.
SECONDS = 0.1


class Chunks(Protocol):
    """Sound as it comes; iterating gives samples `(N,)` float32 in [-1, 1], maybe none.

    Attributes:
        rate: samples a second.
        waiting: seconds of sound that have come and were not asked for yet.
        lost: how many times sound was lost before it came here.
    """

    @property
    def rate(self) -> float: ...

    @property
    def waiting(self) -> float: ...

    @property
    def lost(self) -> int: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...


@dataclass
class GivenChunks:
    """Chunks that are given, such as those of a program that records by itself.

    Args:
        given: samples `(N,)` float32 in [-1, 1] each.
        rate: samples a second.
    """

    given: Iterable[np.ndarray]
    rate: float
    waiting: float = 0.0
    lost: int = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        """Each of them."""
        yield from self.given


class FileChunks:
    """A file of sound as a microphone would give it: no chunk comes before its last sample is over.

    Args:
        path: a file that `sound_file.decode` reads.
        fast: as quick as it is asked for, and nothing ever waits.
        seconds: of a chunk.
        clock, sleep: what tells the time, in seconds, and what waits.

    Attributes:
        rate: samples a second.

    Raises: as `sound_file.decode`; while iterating where a later part of the file can't be read.
    """

    lost = 0

    def __init__(
        self,
        path: Path,
        *,
        fast: bool = False,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        header = read_header(path)
        self.rate, self._seconds = float(header.rate), header.seconds
        self._path, self._fast, self._size = path, fast, max(1, round(seconds * self.rate))
        self._clock, self._sleep = clock, sleep
        self._begin, self._given = clock(), 0.0

    @property
    def waiting(self) -> float:
        """Seconds of sound that are over and were not asked for yet."""
        if self._fast:
            return 0.0
        return max(0.0, min(self._clock() - self._begin, self._seconds) - self._given)

    def __iter__(self) -> Iterator[np.ndarray]:
        """From the beginning of the file to its end."""
        self._begin, self._given = self._clock(), 0.0
        for chunk in chunks(self._path, self._size):
            over = self._given + len(chunk) / self.rate
            early = self._begin + over - self._clock()
            if early > 0 and not self._fast:
                self._sleep(early)
            self._given = over
            yield chunk


class Resampler:
    """A stream of samples at another rate; however it is cut, the same samples come out.

    Args:
        rate: samples a second that come.
        wanted: those that go; as they are where the two are equal.

    Raises:
        MissingExtra: the rates differ, and `soxr` is not installed.
    """

    def __init__(self, rate: float, wanted: float) -> None:
        self._stream: Any = None
        if rate != wanted:
            try:
                import soxr
            except ImportError as error:
                raise MissingExtra("speech", "changing the rate of a sound") from error
            self._stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32")

    def __call__(self, samples: np.ndarray, *, last: bool = False) -> np.ndarray:
        """Samples `(N,)` float32 that come, to those `(M,)` that are known by now, which may be
        none; with `last` all that are left."""
        if self._stream is None:
            return samples
        return np.asarray(self._stream.resample_chunk(samples, last=last), np.float32)
