"""Utterances, cut at silences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.sound_cut import SoundCutter, Utterance
from unrolled.errors import ConfigError

RATE = 4000


def stream(*parts: tuple[float, float], noise: float = 0.003) -> np.ndarray:
    """Parts one after the other: seconds and loudness of a tone, 0 for silence, with noise."""
    random = np.random.default_rng(3)
    tones = []
    for seconds, loud in parts:
        times = np.arange(round(seconds * RATE)) / RATE
        tones.append(loud * np.sin(2 * np.pi * 500 * times))
    sound = np.concatenate(tones)
    return (sound + noise * random.standard_normal(len(sound))).astype(np.float32)


SPOKEN = stream((0.5, 0), (0.4, 0.3), (0.3, 0), (0.5, 0.2), (1.2, 0), (0.6, 0.3), (1.0, 0))


def cut(sound: np.ndarray, *, cuts: list[int] | None = None, **how: float) -> list[Utterance]:
    cutter = SoundCutter(RATE, **how)
    state, found = cutter.start(), []
    for part in np.split(sound, sorted(cuts or [])):
        some, state = cutter.step(part, state)
        found += some
    return found + cutter.finish(state)


def spans(found: list[Utterance]) -> list[tuple[float, float]]:
    return [(one.start, one.start + len(one.samples) / RATE) for one in found]


def test_an_utterance_is_what_stands_between_silences_with_a_margin():
    first, second = spans(cut(SPOKEN))
    assert first == pytest.approx((0.3, 1.9), abs=0.025)
    assert second == pytest.approx((2.7, 3.7), abs=0.025)
    one, other = cut(SPOKEN)
    for each in (one, other):
        at = round(each.start * RATE)
        assert np.array_equal(each.samples, SPOKEN[at : at + len(each.samples)])


def test_a_shorter_silence_ends_one_where_that_is_asked_for():
    assert len(cut(SPOKEN, after=0.2)) == 3
    assert len(cut(SPOKEN, after=None)) == 1


@given(cuts=st.lists(st.integers(0, len(SPOKEN)), max_size=8))
def test_however_a_stream_is_cut_the_utterances_are_the_same(cuts):
    whole, found = cut(SPOKEN), cut(SPOKEN, cuts=cuts)
    assert spans(found) == spans(whole)
    for one, other in zip(found, whole, strict=True):
        assert np.array_equal(one.samples, other.samples)


def test_what_follows_a_cut_at_once_has_its_margin_too():
    _, second = spans(cut(stream((0.3, 0), (0.5, 0.3), (0.83, 0), (0.5, 0.3))))
    assert second[0] == pytest.approx(0.3 + 0.5 + 0.83 - 0.2, abs=0.025)


def test_a_state_stays_as_it_is():
    cutter = SoundCutter(RATE)
    _, state = cutter.step(SPOKEN[:3000], cutter.start())
    before = state.kept.copy()
    once = cutter.step(SPOKEN[3000:], state)[0]
    again = cutter.step(SPOKEN[3000:], state)[0]
    assert np.array_equal(state.kept, before)
    assert spans(once) == spans(again) != []


@pytest.mark.parametrize("noise", [0.0, 0.0001, 0.01, 0.05])
def test_silence_and_noise_of_any_loudness_are_no_utterance_for_long(noise):
    sound = stream((12, 0), noise=noise)
    assert all(start < 4 for start, _ in spans(cut(sound)))
    if noise < 0.005:
        assert cut(sound) == []


def test_speech_is_found_above_a_loud_background():
    sound = stream((8, 0), (0.5, 0.5), (2, 0), noise=0.03)
    (found,) = [span for span in spans(cut(sound)) if span[0] > 5]
    assert found == pytest.approx((7.8, 8.7), abs=0.05)


def test_a_click_is_none():
    assert cut(stream((1, 0), (0.02, 0.5), (2, 0))) == []


def test_what_never_ends_is_cut_and_no_sample_is_heard_twice_or_lost():
    sound = stream(*[(0.3, 0.3), (0.05, 0)] * 20)
    found = cut(sound, longest=2.0)
    assert len(found) >= 3
    assert all(len(one.samples) <= 2.02 * RATE for one in found)
    for one, after in zip(spans(found), spans(found)[1:], strict=False):
        assert after[0] == pytest.approx(one[1])


def test_what_can_not_work_is_told():
    for how in ({"after": 0.0}, {"longest": float("nan")}, {"margin": -1.0}):
        with pytest.raises(ConfigError, match="expected seconds above 0"):
            SoundCutter(RATE, **how)
