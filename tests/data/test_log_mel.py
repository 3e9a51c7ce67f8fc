"""Frames of log-mel energies: Kaldi's, and the same however a sound comes."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kaldi_native_fbank import OnlineFbank
from numpy.lib.stride_tricks import sliding_window_view

from unrolled.data import log_mel
from unrolled.data.log_mel import FLOOR, Frames, LogMel, Samples
from unrolled.errors import ConfigError, DataError, MissingExtra

KINDS = (
    LogMel(),
    LogMel(8000, 80),
    LogMel(8000, 23, window=20, hop=20),
    LogMel(11025, 30, window=32, hop=12.5, low=100, high=4000),
)


def sound(count: int, seed: int = 0, size: float = 0.1) -> Samples:
    return (np.random.default_rng(seed).normal(size=count) * size).astype(np.float32)


def by_the_equation(mel: LogMel, samples: Samples) -> Frames:
    """What the docstring of `LogMel` says, in double precision."""
    size, fft = mel.window_size, 1 << (mel.window_size - 1).bit_length()
    x = sliding_window_view(samples.astype(float), size)[:: mel.hop_size]
    x = x - x.mean(1, keepdims=True)
    x = x - 0.97 * np.concatenate((x[:, :1], x[:, :-1]), 1)
    x = x * np.hanning(size) ** 0.85
    power = np.abs(np.fft.rfft(x, fft)) ** 2
    ends = 1127 * np.log1p(np.array([mel.low, mel.high or mel.rate / 2]) / 700)
    edges = np.linspace(*ends, mel.bands + 2)[:, None]
    at = 1127 * np.log1p(np.arange(fft // 2 + 1) * mel.rate / fft / 700)
    up = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return np.log(np.maximum(power @ np.clip(np.minimum(up, down), 0, None).T, 2**-23))


@given(st.sampled_from(KINDS), st.lists(st.integers(0, 2000), max_size=8), st.integers(0, 99))
def test_any_cutting_into_chunks_gives_the_frames_of_the_whole(
    mel: LogMel, cuts: list[int], seed: int
) -> None:
    samples = sound(2000, seed)
    left, found = None, []
    for chunk in np.split(samples, sorted(cuts)):
        frames, left = mel.stream(chunk, left)
        assert len(left) < mel.window_size
        found.append(frames)
    np.testing.assert_array_equal(np.concatenate(found), mel.of(samples))


@pytest.mark.parametrize("mel", KINDS)
def test_frames_are_those_of_the_equation(mel: LogMel) -> None:
    samples = sound(5000)
    np.testing.assert_allclose(mel.of(samples), by_the_equation(mel, samples), atol=2e-3)


def test_a_long_sound_gives_bit_for_bit_what_a_new_bank_of_kaldi_gives() -> None:
    mel = LogMel(8000)
    samples = sound(8000 * 25)
    mel.of(samples[:777])
    bank = OnlineFbank(log_mel._options(mel))
    bank.accept_waveform(8000, samples.tolist())
    fresh = np.stack([bank.get_frame(t) for t in range(bank.num_frames_ready)])
    np.testing.assert_array_equal(mel.of(samples), fresh)


def test_sounds_that_are_streamed_in_turn_do_not_mix() -> None:
    mel = LogMel()
    sounds = [sound(3000, seed, 10.0**-seed) for seed in range(3)]
    left, found = [None] * 3, [[], [], []]
    for chunks in zip(*(np.split(one, 7 * np.arange(60, 400, 60)) for one in sounds), strict=True):
        for k, chunk in enumerate(chunks):
            frames, left[k] = mel.stream(chunk, left[k])
            found[k].append(frames)
    for one, frames in zip(sounds, found, strict=True):
        np.testing.assert_array_equal(np.concatenate(frames), mel.of(one))


def test_threads_may_share_one() -> None:
    mel = LogMel(8000)
    sounds = [sound(3000 + 37 * seed, seed) for seed in range(24)]
    alone = [mel.of(one) for one in sounds]
    with ThreadPoolExecutor(4) as pool:
        for ours, theirs in zip(pool.map(mel.of, sounds), alone, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_an_interrupt_spoils_no_later_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    mel, samples = LogMel(), sound(3000)
    whole = mel.of(samples)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(log_mel.np, "stack", interrupt)
        with pytest.raises(KeyboardInterrupt):
            mel.of(samples[:1000])
    np.testing.assert_array_equal(mel.of(samples), whole)


def test_a_bank_that_has_counted_far_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    mel, samples = LogMel(), sound(3000)
    whole = mel.of(samples)
    bank = log_mel._Bank(mel)
    bank.fill(np.empty_like(whole), samples)
    before, bank._done = bank._bank, 1 << 30
    frames = np.empty_like(whole)
    bank.fill(frames, samples)
    assert bank._bank is not before
    np.testing.assert_array_equal(frames, whole)


def test_a_bank_holds_no_frames_of_sounds_that_are_done() -> None:
    bank = log_mel._Bank(LogMel())
    for _ in range(2):
        bank.fill(np.empty((3, 40), np.float32), sound(720))
    assert bank._bank is not None
    with pytest.raises(RuntimeError, match="already removed"):
        bank._bank.get_frame(bank._done - 1)


@given(
    st.sampled_from([6000, 8000, 11025, 16000, 22050, 44100, 48000, 96000]),
    st.integers(3, 160),
    st.floats(10, 60),
    st.sampled_from([1.0, 5.0, 9.7]),
    st.sampled_from([0.0, 20.0, 300.0]),
    st.integers(0, 500),
)
# The first band has no frequency but 0, which lies on its very edge.
@example(16000, 120, 25.0, 5.0, 0.0, 0)
def test_what_kaldi_can_not_fill_is_refused_and_the_rest_has_frames(
    rate: int, bands: int, window: float, hop: float, low: float, more: int
) -> None:
    try:
        mel = LogMel(rate, bands, window, hop, low)
    except ConfigError:
        bare = object.__new__(LogMel)
        vars(bare).update(rate=rate, bands=bands, window=window, hop=hop, low=low, high=0.0)
        with pytest.raises(ValueError, match="num_mel_bins too large"):
            OnlineFbank(log_mel._options(bare))
    else:
        count = mel.window_size + more
        assert mel.of(sound(count)).shape == (mel.frames(count), bands)
        assert mel.frames(mel.window_size - 1) == 0
        assert mel.frames(mel.window_size) == 1


@pytest.mark.parametrize("mel", KINDS)
def test_a_tone_is_loudest_in_the_band_that_is_nearest(mel: LogMel) -> None:
    for hertz in (700.0, 1500.0, 3000.0):
        tone = np.sin(2 * np.pi * hertz * np.arange(4000) / mel.rate).astype(np.float32)
        loudest = mel.of(tone).mean(0).argmax()
        assert abs(mel.centres[loudest] - hertz) <= np.diff(mel.centres).max()
        assert abs(int(np.abs(mel.centres - hertz).argmin()) - loudest) <= 1


def test_silence_lies_at_the_floor_and_offsets_do_not_count() -> None:
    silent = np.zeros(1000, np.float32)
    assert (LogMel().of(silent) == np.float32(np.log(np.float32(FLOOR)))).all()
    np.testing.assert_array_equal(LogMel().of(silent + np.float32(0.5)), LogMel().of(silent))


def test_it_survives_json() -> None:
    assert LogMel(**json.loads(json.dumps(asdict(KINDS[3])))) == KINDS[3]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rate": 0}, "rate=0; expected at least 100 Hz"),
        ({"bands": 0}, "bands=0; expected 3 or more"),
        ({"hop": 0.01}, "hop=0.01; expected at least one sample, 0.0625 ms"),
        ({"hop": 30}, "window=25.0; expected no shorter than hop=30"),
        ({"low": -1}, "low=-1; expected from 0 to below the highest"),
        ({"low": 8000}, "low=8000; expected from 0 to below the highest"),
        ({"high": 8001}, "high=8001; expected 0, or up to half of the rate, 8000 Hz"),
        ({"window": float("nan")}, "window=nan; expected a finite number"),
        (
            {"rate": 8000, "bands": 128},
            "bands=128, of which some would hold no frequency of a window of 25 ms at 8000 Hz; "
            "take at most bands=95, or a longer window",
        ),
    ],
)
def test_values_that_can_not_work_are_named(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        LogMel(**wrong)  # type: ignore[arg-type]
    assert told in str(caught.value)


def test_as_many_bands_as_the_message_offers_can_be_had() -> None:
    assert LogMel(8000, 95).of(sound(400)).shape == (3, 95)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (sound(399), "399 samples (24.9 ms) has no frame; one needs 400 samples (25 ms at 16000"),
        (np.zeros(0, np.float32), "0 samples (0 ms) has no frame"),
        (np.zeros((400, 2), np.float32), "shape (400, 2); expected (N,): one channel"),
        (np.zeros(400, np.int16), "dtype int16; expected float32 in [-1, 1]: divide"),
        (sound(400) * 32768, "expected float32 in [-1, 1]: divide"),
        (np.append(sound(400), np.float32("nan")), "sample 400 of 401 is nan; expected finite"),
        (np.append(np.float32("-inf"), sound(400)), "sample 0 of 401 is -inf; expected finite"),
    ],
)
def test_samples_that_can_not_be_used_are_told_in_a_line(samples: Samples, told: str) -> None:
    with pytest.raises(DataError) as caught:
        LogMel().of(samples)
    assert told in str(caught.value)
    if len(samples) >= 400:
        with pytest.raises(DataError):
            LogMel().stream(samples)


def test_a_missing_library_gives_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log_mel._bank.cache_clear()
    monkeypatch.setitem(sys.modules, "kaldi_native_fbank", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[speech\]'"):
        LogMel().of(sound(400))
