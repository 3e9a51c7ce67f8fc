"""`Microphone`: sound as it is spoken, by PortAudio (the package `sounddevice`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from unrolled.data.sound_chunks import SECONDS
from unrolled.errors import ConfigError, DataError, MissingExtra

# After so long without a chunk it is asked whether the microphone is still there.
_PATIENCE = 0.2


class Microphone:
    """Chunks of what is spoken, each as soon as it is there; iterating opens the microphone, and
    the end of the iteration closes it.

    What is not asked for in time waits in memory: nothing is dropped here.

    Args:
        device: which; its number, or a part of its name as `sounddevice` takes it; None: the usual
            one.
        seconds: of a chunk.

    Attributes:
        rate: samples a second, those that the device likes best.
        name: of the device.
        lost: how many times the system lost sound before it came here.

    Raises:
        MissingExtra: `sounddevice` is not installed.
        ConfigError: PortAudio is not installed, there is no such microphone, or it can't be opened.
        DataError: while iterating, that it is gone.
    """

    def __init__(self, device: int | str | None = None, *, seconds: float = SECONDS) -> None:
        self._library = _library()
        found = _named(self._library, device)
        self.rate, self.name = float(found["default_samplerate"]), str(found["name"])
        self._device, self._size = found["index"], max(1, round(seconds * self.rate))
        # One would do, but some devices give no fewer than two.
        self._channels = min(2, int(found["max_input_channels"]))
        self._queue: SimpleQueue[np.ndarray] = SimpleQueue()
        self.lost = 0

    @property
    def waiting(self) -> float:
        """Seconds of sound that have come and were not asked for yet."""
        return self._queue.qsize() * self._size / self.rate

    def __iter__(self) -> Iterator[np.ndarray]:
        """Samples `(N,)` float32; none where nothing has come for a while."""
        with self._opened() as stream:
            while True:
                try:
                    yield self._queue.get(timeout=_PATIENCE)
                except Empty:
                    if not stream.active:
                        raise DataError(
                            f"the microphone {self.name!r} gives no more sound: see whether it is"
                            " still plugged in"
                        ) from None
                    yield np.zeros(0, np.float32)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            stream = self._started()
        except (self._library.PortAudioError, ValueError) as error:
            raise ConfigError(
                f"device: {self.name!r} can't be opened ({_told(error)}); see whether another"
                " program uses it, and whether this one may"
            ) from error
        try:
            yield stream
        finally:
            stream.close()

    def _started(self) -> Any:
        stream = self._library.InputStream(
            samplerate=self.rate,
            blocksize=self._size,
            device=self._device,
            channels=self._channels,
            dtype="float32",
            callback=self._take,
        )
        try:
            stream.start()
        except BaseException:
            stream.close()
            raise
        return stream

    def _take(self, samples: np.ndarray, count: int, time: Any, status: Any) -> None:
        """What PortAudio calls with each block, in a thread of its own."""
        self.lost += bool(status.input_overflow)
        # The mean is a copy: the block is PortAudio's, which uses it again.
        self._queue.put(samples.mean(axis=1, dtype=np.float32))


def _library() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtra("listen", "listening to a microphone") from error
    except OSError as error:  # its wheels for Linux come without PortAudio
        raise ConfigError(
            "listening to a microphone needs the library PortAudio, which is not installed: on"
            " Debian and Ubuntu apt install libportaudio2; a file needs none (--file)"
        ) from error
    return sounddevice


def _named(library: Any, device: int | str | None) -> dict[str, Any]:
    try:
        found: dict[str, Any] = library.query_devices(device, "input")
    except (library.PortAudioError, ValueError) as error:
        there = [one for one in library.query_devices() if one["max_input_channels"] > 0]
        if not there:
            raise ConfigError(
                "device: there is no microphone here; plug one in, or listen to a file (--file)"
            ) from error
        listed = ", ".join(f"{one['index']} {one['name']!r}" for one in there)
        got = "no usual microphone" if device is None else f"{device!r}, which is no microphone"
        raise ConfigError(f"device: got {got}; there are {listed}") from error
    return found


def _told(error: Exception) -> str:
    """The first of what PortAudio says, which repeats itself in its own numbers."""
    return str(error.args[0] if error.args else error).removesuffix(".")
