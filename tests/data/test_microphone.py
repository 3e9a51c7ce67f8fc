"""A microphone, with a stand-in for the library that knows real ones."""

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unrolled.data.microphone import Microphone
from unrolled.errors import ConfigError, DataError, MissingExtra


class PortAudioError(Exception):
    """As sounddevice has it."""


def sounddevice(blocks: list[np.ndarray], *, devices: int = 2, **how: Any) -> Any:
    """A module whose stream gives blocks `(N, channels)` from a thread of its own, then stops."""
    module: Any = ModuleType("sounddevice")
    module.PortAudioError, module.streams = PortAudioError, []
    known = [
        {
            "name": name,
            "index": index,
            "max_input_channels": channels,
            "default_samplerate": 48000.0,
        }
        for index, (name, channels) in enumerate([("Speakers", 0), ("USB", 2), ("Built-in", 1)])
    ][: devices + 1]

    def query_devices(device: Any = None, kind: str | None = None) -> Any:
        if kind is None:
            return known
        inputs = [one for one in known if one["max_input_channels"]]
        if device is None and inputs:
            return inputs[0]
        for one in inputs:
            if device in (one["index"], one["name"]):
                return one
        if device is None:
            raise PortAudioError("Error querying device -1")
        raise ValueError(f"No input device matching {device!r}")

    class InputStream:
        def __init__(self, **options: Any) -> None:
            self.options, self.active, self.closed = options, False, False
            module.streams.append(self)
            if "opening" in how:
                raise how["opening"]

        def start(self) -> None:
            if "starting" in how:
                raise how["starting"]
            self.active = True
            self._thread = threading.Thread(target=self._run)
            self._thread.start()

        def _run(self) -> None:
            # One buffer for all, as PortAudio has it.
            whole = np.empty_like(blocks[0]) if blocks else None
            for place, block in enumerate(blocks):
                buffer = whole[: len(block)]
                buffer[:] = block
                lost = place in how.get("lost", ())
                self.options["callback"](
                    buffer, len(block), None, SimpleNamespace(input_overflow=lost)
                )
            self.active = False

        def close(self) -> None:
            if hasattr(self, "_thread"):
                self._thread.join()
            self.closed = True

    module.query_devices, module.InputStream = query_devices, InputStream
    return module


def use(monkeypatch: pytest.MonkeyPatch, module: Any) -> Any:
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def blocks(count: int, channels: int = 2) -> list[np.ndarray]:
    return [np.full((4800, channels), 0.01 * (at + 1), np.float32) for at in range(count)]


def test_every_block_comes_once_and_in_order_and_the_stream_is_closed(monkeypatch):
    module = use(monkeypatch, sounddevice(blocks(5)))
    microphone = Microphone()
    assert (microphone.rate, microphone.name) == (48000.0, "USB")
    heard = []
    with pytest.raises(DataError, match="the microphone 'USB' gives no more sound"):
        heard.extend(microphone)
    (stream,) = module.streams
    assert stream.closed
    assert stream.options["blocksize"] == 4800
    assert [float(one[0]) for one in heard if len(one)] == pytest.approx(
        [0.01, 0.02, 0.03, 0.04, 0.05]
    )
    assert all(one.shape in ((4800,), (0,)) for one in heard)


def test_both_channels_become_one(monkeypatch):
    block = np.tile(np.array([[0.1, 0.3]], np.float32), (4800, 1))
    module = use(monkeypatch, sounddevice([block]))
    chunks = iter(Microphone())
    assert next(chunks) == pytest.approx(np.full(4800, 0.2))
    chunks.close()
    assert module.streams[0].closed
    assert module.streams[0].options["channels"] == 2


def test_what_waits_and_what_was_lost_is_known(monkeypatch):
    module = use(monkeypatch, sounddevice(blocks(6), lost=(2, 4)))
    microphone = Microphone()
    chunks = iter(microphone)
    next(chunks)
    module.streams[0]._thread.join()
    assert microphone.waiting == pytest.approx(0.5)
    assert microphone.lost == 2
    next(chunks)
    assert microphone.waiting == pytest.approx(0.4)


@pytest.mark.parametrize("device", ["USB", 1])
def test_one_can_be_named_by_its_number_or_name(monkeypatch, device):
    use(monkeypatch, sounddevice([]))
    assert Microphone(device).name == "USB"


def test_one_that_is_not_there_is_told_with_those_that_are(monkeypatch):
    use(monkeypatch, sounddevice([]))
    with pytest.raises(ConfigError) as told:
        Microphone("Blue")
    assert str(told.value) == (
        "device: got 'Blue', which is no microphone; there are 1 'USB', 2 'Built-in'"
    )
    with pytest.raises(ConfigError, match="there are 1 'USB', 2 'Built-in'"):
        Microphone(0)


def test_none_at_all_is_told(monkeypatch):
    use(monkeypatch, sounddevice([], devices=0))
    for device in (None, "USB"):
        with pytest.raises(ConfigError, match="there is no microphone here"):
            Microphone(device)


@pytest.mark.parametrize("when", ["opening", "starting"])
def test_one_that_is_busy_is_told(monkeypatch, when):
    error = PortAudioError("Error opening InputStream: Device unavailable", -9985)
    module = use(monkeypatch, sounddevice([], **{when: error}))
    with pytest.raises(
        ConfigError, match=r"device: 'USB' can't be opened \(Error .* unavailable\)"
    ):
        next(iter(Microphone()))
    assert when == "opening" or module.streams[0].closed


def test_without_the_extra_or_without_portaudio_it_is_told_what_to_install(monkeypatch):
    use(monkeypatch, None)
    with pytest.raises(MissingExtra, match=r"unrolled\[listen\]"):
        Microphone()

    class Finder:
        def find_spec(self, name: str, *rest: Any) -> Any:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")
            return None

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(
        ConfigError, match=r"needs the library PortAudio.* apt install libportaudio2"
    ):
        Microphone()
