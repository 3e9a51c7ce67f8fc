"""What augmentation does to sounds and frames: how much, where, and never more than asked."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.log_mel import Frames, LogMel, Samples
from unrolled.data.sound_augment import (
    Augment,
    at_speed,
    coloured_noise,
    shifted,
    with_noise,
)
from unrolled.errors import ConfigError, DataError, MissingExtra

RATE = 8000
OFF = Augment(
    speed=0,
    gain=0,
    shift=0,
    noise=0,
    stretch=0,
    contrast=0,
    equalise=0,
    echo=0,
    warp=0,
    time_masks=0,
    band_masks=0,
)
CENTRES = LogMel(RATE).centres


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tone(hertz: float, count: int = RATE) -> Samples:
    return np.sin(2 * np.pi * hertz * np.arange(count) / RATE).astype(np.float32)


def loudest(samples: Samples) -> float:
    """The frequency of the largest line of the spectrum, in Hz."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(power.argmax() * RATE / len(samples))


def power(samples: Samples) -> float:
    return float(np.square(samples, dtype=float).mean())


def noise_of(count: int, seed: int = 0) -> Samples:
    return drawn(seed).normal(size=count).astype(np.float32)


def frames_of(length: int, bands: int = 40, seed: int = 0) -> Frames:
    return drawn(seed).normal(size=(length, bands)).astype(np.float32)


@given(st.integers(0, 99), st.integers(0, 3000), st.integers(0, 60))
def test_strengths_of_zero_change_nothing_bit_for_bit(seed: int, count: int, length: int) -> None:
    samples, frames = noise_of(count, seed), frames_of(length, seed=seed)
    np.testing.assert_array_equal(OFF.of_samples(samples, RATE, drawn(seed)), samples)
    np.testing.assert_array_equal(OFF.of_frames(frames, drawn(seed), CENTRES), frames)


@given(st.integers(0, 99), st.integers(0, 3000), st.integers(0, 60))
def test_the_same_seed_makes_the_same_and_what_came_is_not_written_to(
    seed: int, count: int, length: int
) -> None:
    samples, frames = noise_of(count, 1), frames_of(length)
    samples.flags.writeable = frames.flags.writeable = False
    noises = (noise_of(50, 2), noise_of(5000, 3))
    made = [Augment().of_samples(samples, RATE, drawn(seed), noises) for _ in range(2)]
    seen = [Augment().of_frames(frames, drawn(seed), CENTRES) for _ in range(2)]
    np.testing.assert_array_equal(*made)
    np.testing.assert_array_equal(*seen)
    assert made[0].dtype == seen[0].dtype == np.float32


def test_another_seed_makes_another() -> None:
    samples, frames = noise_of(2000), frames_of(60)
    one, two = (Augment(noise=1, speed=0).of_samples(samples, RATE, drawn(k)) for k in (1, 2))
    assert not np.array_equal(one, two)
    one, two = (Augment().of_frames(frames, drawn(k), CENTRES) for k in (1, 2))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("factor", [0.9, 0.95, 1.07, 1.1])
def test_speed_changes_length_by_the_factor_and_moves_the_spectrum(factor: float) -> None:
    fast = at_speed(tone(1000), factor)
    assert abs(len(fast) - RATE / factor) <= 1
    assert abs(loudest(fast) - 1000 * factor) <= 1.5
    assert abs(power(fast[500:-500]) - 0.5) <= 0.01


def test_speeds_stay_in_their_range_and_fill_it() -> None:
    samples = noise_of(1000)
    counts = [len(replace(OFF, speed=0.1).of_samples(samples, RATE, drawn(k))) for k in range(200)]
    assert abs(min(counts) - 1000 / 1.1) <= 1
    assert abs(max(counts) - 1000 / 0.9) <= 1
    assert len(set(counts)) == 21


@given(st.integers(-80, 80))
def test_a_shift_moves_all_samples_and_lets_silence_in(by: int) -> None:
    samples = noise_of(400)
    moved = shifted(samples, by)
    for n in range(400):
        assert moved[n] == (samples[n - by] if 0 <= n - by < 400 else 0)


def test_shifts_are_no_longer_than_asked_nor_than_a_tenth_of_the_sound() -> None:
    for count, shift, most in ((8000, 10.0, 80), (300, 100.0, 30)):
        samples = np.ones(count, np.float32)
        lost = [
            count - replace(OFF, shift=shift).of_samples(samples, RATE, drawn(k)).sum()
            for k in range(100)
        ]
        assert 0.9 * most <= max(lost) <= most


def test_gain_is_within_its_decibels() -> None:
    samples = noise_of(100)
    gains = [
        10
        * np.log10(power(replace(OFF, gain=6).of_samples(samples, RATE, drawn(k))) / power(samples))
        for k in range(200)
    ]
    assert -6.001 <= min(gains) <= -5
    assert 5 <= max(gains) <= 6.001


@given(st.floats(-5, 60), st.floats(0, 2), st.integers(0, 99))
def test_noise_has_the_asked_ratio_to_the_sound(snr: float, slope: float, seed: int) -> None:
    samples = 0.1 * tone(440)
    noise = coloured_noise(len(samples), slope, drawn(seed))
    added = with_noise(samples, noise, snr).astype(float) - samples
    assert abs(10 * np.log10(power(samples) / power(added)) - snr) <= 0.05


def test_noise_comes_as_often_as_asked_and_within_its_range() -> None:
    samples = 0.1 * tone(440)
    noisy = replace(OFF, noise=0.25, least_snr=5, most_snr=15)
    found = [noisy.of_samples(samples, RATE, drawn(k)) - samples for k in range(400)]
    ratios = [10 * np.log10(power(samples) / power(one)) for one in found if one.any()]
    assert 70 <= len(ratios) <= 130
    assert 4.99 <= min(ratios) <= 6
    assert 14 <= max(ratios) <= 15.01


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_made_noise_falls_with_the_asked_slope(slope: float) -> None:
    noise = coloured_noise(1 << 17, slope, drawn())
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    low, high = spectrum[100:1000].mean(), spectrum[10_000:50_000].mean()
    steps = np.arange(1.0, len(spectrum) + 1)
    wanted = (steps[100:1000] ** -slope).mean() / (steps[10_000:50_000] ** -slope).mean()
    assert abs(np.log(low / high) - np.log(wanted)) <= 0.15
    assert abs(noise.mean()) <= 1e-6 + 1e-3 * noise.std()


@given(st.integers(1, 3000))
def test_made_noise_has_the_asked_length_and_is_never_silent(count: int) -> None:
    noise = coloured_noise(count, 1.0, drawn(count))
    assert noise.shape == (count,)
    assert noise.dtype == np.float32
    assert np.isfinite(noise).all()
    assert noise.any()


def test_half_of_the_noise_is_recorded_where_recordings_are_given() -> None:
    samples, hum = 0.1 * tone(440), tone(1234, 1000)
    noisy = replace(OFF, noise=1.0)
    hums = sum(
        abs(loudest(noisy.of_samples(samples, RATE, drawn(k), (hum,)) - samples) - 1234) <= 20
        for k in range(200)
    )
    assert 70 <= hums <= 130


def test_silence_and_silent_noise_add_nothing() -> None:
    silent, samples = np.zeros(500, np.float32), noise_of(500)
    np.testing.assert_array_equal(with_noise(silent, samples, 10), silent)
    np.testing.assert_array_equal(with_noise(samples, silent, 10), samples)
    noisy = replace(OFF, noise=1.0)
    for k in range(20):
        made = noisy.of_samples(samples, RATE, drawn(k), (silent, np.zeros(0, np.float32)))
        assert np.isfinite(made).all()


def test_warps_stay_in_their_range_and_the_ends_stay() -> None:
    ramp = np.tile(CENTRES.astype(np.float32), (2, 1))
    band = 10
    found = [
        replace(OFF, warp=0.1).of_frames(ramp, drawn(k), CENTRES)[0] / CENTRES for k in range(200)
    ]
    factors = [one[band] for one in found]
    assert 0.899 <= min(factors) <= 0.92
    assert 1.08 <= max(factors) <= 1.101
    assert max(abs(one[-1] - 1) for one in found) <= 1e-6


def test_frames_that_are_no_bands_change_their_pace_and_masks_alone() -> None:
    frames = frames_of(20)
    changed = replace(OFF, warp=0.1, contrast=0.2, equalise=3.0, echo=1.0)
    np.testing.assert_array_equal(changed.of_frames(frames, drawn()), frames)


def test_paces_stay_in_their_range_and_fill_it() -> None:
    ramp = np.arange(1000, dtype=np.float32)[:, None]
    counts = [len(replace(OFF, stretch=0.2).of_frames(ramp, drawn(k))) for k in range(200)]
    assert 1000 * np.exp(-0.2) - 1 <= min(counts) <= 830
    assert 1200 <= max(counts) <= 1000 * np.exp(0.2) + 1


def test_contrast_moves_values_about_the_mean_of_their_band_within_its_range() -> None:
    frames = frames_of(50)
    parts = [
        (one - frames.mean(0)) / (frames - frames.mean(0))
        for one in (
            replace(OFF, contrast=0.2).of_frames(frames, drawn(k), CENTRES) for k in range(100)
        )
    ]
    assert max(np.ptp(one) for one in parts) <= 1e-2
    found = [float(np.median(one)) for one in parts]
    assert np.exp(-0.2) - 1e-4 <= min(found) <= 0.85
    assert 1.18 <= max(found) <= np.exp(0.2) + 1e-4


def test_an_echo_comes_as_often_as_asked_and_takes_nothing_away() -> None:
    frames = frames_of(50)
    heard = [replace(OFF, echo=0.25).of_frames(frames, drawn(k), CENTRES) for k in range(400)]
    assert 70 <= sum(not np.array_equal(one, frames) for one in heard) <= 130
    assert min((one - frames).min() for one in heard) >= -1e-5


@given(
    st.integers(1, 80),
    st.integers(1, 30),
    st.integers(0, 5),
    st.integers(0, 40),
    st.floats(0, 1),
    st.integers(0, 4),
    st.integers(0, 40),
    st.integers(0, 999),
)
def test_masks_are_no_longer_than_asked_and_never_all(
    length: int,
    bands: int,
    times: int,
    longest: int,
    share: float,
    widths: int,
    widest: int,
    seed: int,
) -> None:
    frames = frames_of(length, bands, seed)
    masks = replace(
        OFF,
        time_masks=times,
        time_width=longest,
        time_share=share,
        band_masks=widths,
        band_width=widest,
        band_share=1.0,
    )
    seen = masks.of_frames(frames, drawn(seed))
    masked = (seen != frames) if length > 1 else np.zeros(frames.shape, bool)
    rows, columns = masked.all(1), masked.all(0)
    assert rows.sum() <= min(times * min(longest, share * length), length - 1)
    assert columns.sum() <= min(widths * widest, bands - 1)
    # Outside whole rows and columns nothing is changed; inside stands the mean of the band.
    assert not (masked & ~rows[:, None] & ~columns).any()
    mean = np.broadcast_to(frames.mean(0), frames.shape)
    np.testing.assert_array_equal(seen[masked], mean[masked])


def test_masks_of_all_lengths_up_to_the_longest_are_drawn() -> None:
    frames = frames_of(100)
    one = replace(OFF, time_masks=1, time_width=12, time_share=1)
    found = {int((one.of_frames(frames, drawn(k)) != frames).all(1).sum()) for k in range(300)}
    assert found == set(range(13))


@pytest.mark.parametrize("name", [one.name for one in fields(Augment) if "snr" not in one.name])
def test_strengths_that_can_not_work_are_named(name: str) -> None:
    for wrong in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match=f"Augment got {name}={wrong}; expected"):
            Augment(**{name: wrong})


@pytest.mark.parametrize("name", ["time_masks", "time_width", "band_masks", "band_width"])
def test_what_is_counted_must_be_whole(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}=1.5; expected a whole number, 0 or more"):
        Augment(**{name: 1.5})


def test_ratios_in_the_wrong_order_are_named() -> None:
    with pytest.raises(ConfigError, match="least_snr=30 and most_snr=20"):
        Augment(least_snr=30, most_snr=20)


def test_what_can_not_be_augmented_is_told() -> None:
    with pytest.raises(DataError, match=r"shape \(4, 2\); expected \(N,\)"):
        Augment().of_samples(np.zeros((4, 2), np.float32), RATE, drawn())
    with pytest.raises(DataError, match=r"got frames of shape \(4,\); expected \(T, F\)"):
        Augment().of_frames(np.zeros(4, np.float32), drawn())
    with pytest.raises(DataError, match=r"shape \(4, 3\) and 40 centres"):
        Augment().of_frames(frames_of(4, 3), drawn(), CENTRES)
    noisy, wrong = replace(OFF, noise=1.0), (np.full(9, np.nan, np.float32),)
    rng = drawn()
    with pytest.raises(DataError, match="is nan; expected finite"):
        _ = [noisy.of_samples(noise_of(9), RATE, rng, wrong) for _ in range(50)]


def test_it_survives_json() -> None:
    some = Augment(speed=0.05, time_masks=1)
    assert Augment(**json.loads(json.dumps(asdict(some)))) == some


def test_a_missing_library_gives_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[speech\]'"):
        at_speed(noise_of(100), 1.1)
