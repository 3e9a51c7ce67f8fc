"""Rooms, bands, noises and levels: each does to a sound what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.spoken_channel import (
    active_level,
    coloured_noise,
    in_room,
    through_channel,
    within_band,
)

RATE = 8000


def tone(hertz: float, seconds: float = 0.5, height: float = 0.5) -> np.ndarray:
    return height * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def power(samples: np.ndarray) -> float:
    return float(np.square(samples, dtype=np.float64).mean())


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.floats(1e-4, 1.0), st.integers(1, 6000))
def test_a_recording_is_16_bits_of_as_many_samples_neither_empty_nor_too_loud(
    seed: int, height: float, count: int
) -> None:
    voice = np.random.default_rng(seed).normal(0, height, count).astype(np.float32)
    draws = [np.random.default_rng(seed) for _ in range(2)]
    first, second = (
        through_channel(voice, RATE, one, around=[voice, np.zeros(9, np.float32)]) for one in draws
    )
    np.testing.assert_array_equal(first, second)
    assert (first.dtype, first.shape) == (np.float32, (count,))
    assert 0.03 <= np.abs(first).max() <= 1
    np.testing.assert_array_equal(first * 32768, np.round(first * 32768))


def test_silence_stays_silence() -> None:
    nothing = np.zeros(100, np.float32)
    assert not through_channel(nothing, RATE, np.random.default_rng(0)).any()


def test_the_voice_is_heard_above_the_noise() -> None:
    voice = np.concatenate([np.zeros(4000), tone(700), np.zeros(4000)])
    for seed in range(40):
        heard = through_channel(voice, RATE, np.random.default_rng(seed))
        assert power(heard[4000:8000]) > 1.5 * power(heard[:4000])


def test_how_loud_the_voice_came_in_changes_nothing() -> None:
    for seed in range(20):
        loud, faint = (
            through_channel(tone(700, 0.5, height), RATE, np.random.default_rng(seed))
            for height in (1.0, 1e-3)
        )
        np.testing.assert_allclose(loud, faint, atol=0.02 * np.abs(loud).max())


def test_other_voices_are_heard_now_and_then() -> None:
    voice, other = tone(700), tone(1234.0, 0.5, 1.0)
    changed = 0
    for seed in range(100):
        alone, among = (
            through_channel(voice, RATE, np.random.default_rng(seed), around=[one])
            for one in (np.zeros(9), other)
        )
        changed += not np.array_equal(alone, among)
    assert 3 <= changed <= 30


@pytest.mark.parametrize(("before", "after"), [(0, 0), (9000, 0), (4000, 12000)])
def test_the_active_level_counts_the_loud_parts_alone(before: int, after: int) -> None:
    sound = np.concatenate([np.zeros(before), tone(500), np.zeros(after)])
    assert abs(active_level(sound, RATE) - 0.5 / np.sqrt(2)) < 0.01


def test_a_room_adds_a_tail_that_fades_and_leaves_the_sound_itself() -> None:
    click = np.zeros(RATE)
    click[100] = 1.0
    for seed in range(10):
        heard = in_room(click, RATE, np.random.default_rng(seed))
        assert not heard[:100].round(12).any()
        assert abs(heard[100] - 1) < 1e-9
        tail = heard[101:]
        assert 0.009 < np.square(tail).sum() < 1.001
        assert power(tail[:160]) > 4 * power(tail[640:800])
        assert np.abs(tail[int(0.6 * RATE) :]).max() < 1e-9


@given(st.floats(0, 2), st.integers(1, 5000))
def test_noise_has_unit_power_and_the_slope_that_was_asked_for(slope: float, count: int) -> None:
    noise = coloured_noise(count, slope, np.random.default_rng(count))
    assert noise.shape == (count,)
    assert count < 10 or abs(power(noise) - 1) < 1e-6
    long = np.square(np.abs(np.fft.rfft(coloured_noise(2**16, slope, np.random.default_rng(1)))))
    # from 1/16 to 1/4 of the band: two octaves
    fall = np.log2(long[1900:2200].mean() / long[7600:8800].mean()) / 2
    assert abs(fall - slope) < 0.25


@pytest.mark.parametrize(
    ("hertz", "decibels"), [(1000, 0), (300, -3), (150, -12), (3400, -3), (3900, -6)]
)
def test_a_band_weakens_what_is_outside_by_its_slopes(hertz: float, decibels: float) -> None:
    sound = tone(hertz, 2.0)
    middle = slice(4000, 12000)
    heard = within_band(sound, RATE, 300, 3400, np.zeros(7))[middle]
    got = 10 * np.log10(power(heard) / power(sound[middle]))
    expected = -10 * np.log10((1 + (300 / hertz) ** 4) * (1 + (hertz / 3400) ** 8))
    assert abs(got - expected) < 0.05
    assert abs(got - decibels) < 1


def test_without_an_upper_bound_the_treble_stays() -> None:
    sound = tone(3900, 2.0)
    heard = within_band(sound, RATE, 20, np.inf, np.zeros(7))
    np.testing.assert_allclose(heard[4000:12000], sound[4000:12000], atol=1e-3)


def test_the_curve_of_a_band_goes_through_its_knots() -> None:
    decibels = np.array([0.0, 0.0, -6.0, 3.0, 9.0, 0.0, 0.0])
    for hertz, expected in [(500, -6), (1000, 3), (1000 * 2**0.5, 6), (2000, 9), (50, 0)]:
        sound = tone(hertz, 2.0)
        heard = within_band(sound, RATE, 1e-3, np.inf, decibels)[4000:12000]
        assert abs(10 * np.log10(power(heard) / power(sound[4000:12000])) - expected) < 0.05
