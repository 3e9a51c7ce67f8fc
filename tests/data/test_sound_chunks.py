"""Sound as it comes: files at their pace, streams at another rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.sound_chunks import FileChunks, Resampler
from unrolled.data.sound_file import decode
from unrolled.errors import DataError

RATE = 8000


class Clock:
    """A time that passes only where something waits, or a test says so."""

    def __init__(self) -> None:
        self.now, self.waits = 100.0, 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self.waits += 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """1.05 seconds of noise."""
    found = tmp_path / "noise.wav"
    soundfile.write(found, np.random.default_rng(0).uniform(-0.5, 0.5, 8400), RATE)
    return found


def test_a_chunk_comes_when_its_last_sample_is_over(path: Path) -> None:
    clock = Clock()
    source, over = FileChunks(path, seconds=0.1, clock=clock, sleep=clock.sleep), 0
    parts = []
    for part in source:
        over += len(part)
        assert clock.now - 100 == pytest.approx(over / RATE)
        assert source.waiting == pytest.approx(0, abs=1e-9)
        parts.append(part)
    assert [len(part) for part in parts] == [800] * 10 + [400]
    assert np.array_equal(np.concatenate(parts), decode(path))


def test_who_is_slow_gets_what_waits_at_once_and_is_told_how_much(path: Path) -> None:
    clock = Clock()
    source = FileChunks(path, seconds=0.1, clock=clock, sleep=clock.sleep)
    parts = iter(source)
    next(parts)
    clock.now += 0.35
    assert source.waiting == pytest.approx(0.35)
    waits = clock.waits
    for left in (0.25, 0.15, 0.05):
        next(parts)
        assert source.waiting == pytest.approx(left)
    assert clock.waits == waits
    next(parts)
    assert clock.waits == waits + 1
    clock.now += 100  # no more sound waits than there is
    assert source.waiting == pytest.approx(1.05 - 0.5)


def test_a_fast_file_waits_for_nothing(path: Path) -> None:
    clock = Clock()
    source = FileChunks(path, fast=True, clock=clock, sleep=clock.sleep)
    for part in source:
        clock.now += 5
        assert source.waiting == 0
        assert len(part)
    assert clock.waits == 0


def test_a_file_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        FileChunks(tmp_path / "no.wav")


def test_a_sample_that_is_no_number_is_told_with_its_place(tmp_path: Path) -> None:
    samples = np.zeros(3000, np.float32)
    samples[2500] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(DataError, match=r"sample 2500 \(at 0.312 s\) is nan"):
        list(FileChunks(tmp_path / "nan.wav", fast=True))


@pytest.mark.parametrize("wanted", [8000, 16000, 11025])
@given(cuts=st.lists(st.integers(0, 3000), max_size=6))
def test_however_a_stream_is_cut_the_same_samples_come_at_another_rate(
    wanted: int, cuts: list[int]
) -> None:
    sound = np.sin(np.arange(3000, dtype=np.float32) / 9)
    whole = Resampler(RATE, wanted)(sound, last=True)
    assert abs(len(whole) - 3000 * wanted / RATE) <= 1
    cutting = Resampler(RATE, wanted)
    parts = [cutting(part) for part in np.split(sound, sorted(cuts))]
    parts.append(cutting(sound[:0], last=True))
    found = np.concatenate(parts)
    assert found.shape == whole.shape
    assert np.abs(found - whole).max() <= 1e-6
    times = np.arange(len(whole)) * RATE / wanted / 9
    middle = slice(200, -200)  # the filter does not know what is beyond the ends
    assert np.abs(found - np.sin(times))[middle].max() <= 2e-3
