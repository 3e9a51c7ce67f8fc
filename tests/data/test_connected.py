"""Connected speech joined from single recordings: what stands where, and of whom it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.connected import join_recordings, join_sounds
from unrolled.data.recordings import Recording, Recordings
from unrolled.data.spoken_channel import active_level
from unrolled.errors import ConfigError, DataError, ShapeError

RATE = 1000
DIGITS = ("one", "two", "three", "four")


def single(text: str, speaker: str | None, seed: int, loud: float = 0.1) -> Recording:
    draws = np.random.default_rng(seed)
    values = draws.normal(0, loud, int(draws.integers(200, 500))).astype(np.float32)
    return Recording(text, len(values) / RATE, RATE, values=values, speaker=speaker)


def loaded(one: Recording) -> np.ndarray:
    assert one.values is not None
    return one.values


SINGLE = Recordings(
    tuple(
        single(text, speaker, 10 * number + place, loud)
        for number, (speaker, loud) in enumerate([("ann", 0.02), ("bob", 0.1), ("eve", 0.2)])
        for place, text in enumerate(DIGITS)
    ),
    labelled=True,
    name="digits",
)

sounds = st.lists(
    st.integers(1, 300).map(lambda n: np.linspace(0.1, 1, n, dtype=np.float32)),
    min_size=1,
    max_size=5,
)


@given(sounds, st.lists(st.floats(0, 0.3), min_size=6, max_size=6))
def test_with_pauses_and_plain_cuts_each_sound_stands_whole_at_its_place(
    parts: list[np.ndarray], pauses: list[float]
) -> None:
    gaps = pauses[: len(parts) + 1]
    joined, begins = join_sounds(parts, gaps, RATE, fade=0)
    left = joined.copy()
    for begin, part in zip(begins, parts, strict=True):
        np.testing.assert_array_equal(joined[begin : begin + len(part)], part)
        left[begin : begin + len(part)] = 0
    assert not left.any()
    assert len(joined) == sum(map(len, parts)) + sum(round(gap * RATE) for gap in gaps)
    assert begins[0] == round(gaps[0] * RATE)


@given(sounds, st.lists(st.floats(-0.4, 0.3), min_size=6, max_size=6), st.floats(0, 0.1))
def test_away_from_fades_and_overlaps_the_samples_are_those_of_the_sound(
    parts: list[np.ndarray], gaps: list[float], fade: float
) -> None:
    joined, begins = join_sounds(parts, gaps[: len(parts) + 1], RATE, fade=fade)
    assert begins == sorted(begins)
    for at, (begin, part) in enumerate(zip(begins, parts, strict=True)):
        shared = len(part) // 2
        low, high = len(part) - shared, shared
        # What is neither in the first half nor in the last can be touched by nothing.
        np.testing.assert_array_equal(joined[begin + high : begin + low], part[high:low])
        if at + 1 < len(begins):
            assert begins[at + 1] >= begin + low


@pytest.mark.parametrize("gap", [-0.05, -0.2])
def test_overlapping_sounds_are_crossfaded_at_one_level(gap: float) -> None:
    flat = np.full(400, 0.5, np.float32)
    joined, begins = join_sounds([flat, flat, flat], [0, gap, gap, 0], RATE, fade=0)
    np.testing.assert_allclose(joined, 0.5, atol=1e-6)
    assert begins == [0, 400 + round(gap * RATE), 800 + 2 * round(gap * RATE)]


def test_a_fade_rises_from_nothing_and_ends_in_nothing() -> None:
    joined, _ = join_sounds([np.ones(100, np.float32)], [0.01, 0.01], RATE, fade=0.02)
    assert 0 < joined[10] < 0.01 < 0.99 < joined[29]
    np.testing.assert_allclose(joined, joined[::-1], atol=1e-7)
    np.testing.assert_array_equal(joined[30:90], 1)


@pytest.mark.parametrize(
    ("parts", "gaps", "told"),
    [
        ([], [0], "got none"),
        ([np.ones(0)], [0, 0], "without samples"),
        ([np.ones((2, 2))], [0, 0], "without samples"),
        ([np.ones(3)], [0], "got 1, expected 2"),
    ],
)
def test_sounds_and_gaps_that_do_not_fit_are_told(parts: Any, gaps: Any, told: str) -> None:
    with pytest.raises(ShapeError, match=told):
        join_sounds(parts, gaps, RATE)


def test_texts_places_and_parts_belong_together() -> None:
    drawn = join_recordings(SINGLE, loaded, count=30, rate=RATE, level=False, fade=0, seed=1)
    assert (len(drawn), drawn.kind, drawn.labelled) == (30, "sound", False)
    assert drawn.name == "digits, joined"
    for one in drawn.items:
        told = [part.split(" at ") for part in one.place.split(", ")]
        assert one.text == " ".join(word for word, _ in told)
        assert 3 <= len(told) <= 7
        assert one.values is not None
        assert (one.values.dtype, one.rate) == (np.float32, RATE)
        assert one.seconds == len(one.values) / RATE
        for word, when in told:
            begin = float(when.removesuffix(" s"))
            mine = [p for p in SINGLE.items if (p.text, p.speaker) == (word, one.speaker)]
            part = loaded(mine[0])
            # the place is told to a hundredth of a second
            near = range(round(begin * RATE) - 6, round(begin * RATE) + 7)
            assert any(np.array_equal(one.values[at : at + len(part)], part) for at in near)


def test_all_of_one_are_of_one_speaker_and_none_comes_twice_while_there_are_others() -> None:
    drawn = join_recordings(SINGLE, loaded, count=60, rate=RATE, words=(2, 4), seed=2)
    assert {one.speaker for one in drawn.items} == {"ann", "bob", "eve"}
    for one in drawn.items:
        assert max(Counter(one.text.split()).values()) == 1
    more = join_recordings(SINGLE, loaded, count=20, rate=RATE, words=(7, 7), seed=2)
    for one in more.items:
        assert set(Counter(one.text.split()).values()) == {1, 2}
    nobody = replace(SINGLE, items=tuple(replace(one, speaker=None) for one in SINGLE.items))
    assert {one.speaker for one in join_recordings(nobody, loaded, count=9, rate=RATE).items} == {
        None
    }


def test_pauses_and_ends_are_as_long_as_was_asked() -> None:
    drawn = join_recordings(
        SINGLE, loaded, count=40, rate=RATE, words=(2, 2), pauses=(0.1, 0.2), ends=(0.3, 0.4),
        fade=0,
    )  # fmt: skip
    inner = []
    for one in drawn.items:
        assert one.values is not None
        heard = np.flatnonzero(one.values)
        assert 290 <= heard[0] <= 410
        assert 290 <= len(one.values) - heard[-1] - 1 <= 410
        inner.append(int(np.diff(heard).max()))
    assert 90 <= min(inner) < 130
    assert 170 < max(inner) <= 210


def test_parts_are_brought_to_one_level() -> None:
    loud = Recordings(tuple(single(text, "ann", 5, 0.02 * 3**at) for at, text in enumerate(DIGITS)))
    asked: dict[str, Any] = {"count": 5, "rate": RATE, "words": (4, 4), "pauses": (0.2, 0.2)}
    for level in (True, False):
        for one in join_recordings(loud, loaded, level=level, ends=(0, 0), **asked).items:
            assert one.values is not None
            runs = np.split(one.values, np.flatnonzero(np.diff(np.flatnonzero(one.values)) > 100))
            levels = [active_level(run, RATE) for run in runs if len(run) > 50]
            assert (max(levels) < 1.5 * min(levels)) == level
            assert np.abs(one.values).max() <= 1


def test_the_same_seed_gives_the_same_recordings_however_many() -> None:
    few, again, many = (
        join_recordings(SINGLE, loaded, count=count, rate=RATE, seed=7) for count in (4, 4, 8)
    )
    assert few.digest() == again.digest() == many.select(range(4)).digest()
    assert few.digest() != join_recordings(SINGLE, loaded, count=4, rate=RATE, seed=8).digest()


def test_the_recordings_joined_are_left_as_they_were() -> None:
    before = SINGLE.digest()
    join_recordings(SINGLE, loaded, count=10, rate=RATE, pauses=(-0.1, 0.0))
    assert SINGLE.digest() == before


def test_a_silent_recording_can_be_joined() -> None:
    silent = Recording("hush", 0.3, RATE, values=np.zeros(300, np.float32), speaker="ann")
    data = replace(SINGLE, items=(silent, SINGLE.items[0]))
    for one in join_recordings(data, loaded, count=5, rate=RATE, words=(2, 2)).items:
        assert one.values is not None
        assert np.isfinite(one.values).all()
        assert "hush" in one.text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"count": 0}, "count: got 0"),
        ({"seed": -1}, "seed: got -1"),
        ({"rate": 0}, "rate: got 0"),
        ({"words": (5, 3)}, "fewest before the most"),
        ({"pauses": (0.3, 0.1)}, "pauses: got"),
        ({"pauses": (float("nan"), 1)}, "pauses: got"),
        ({"pauses": 0.3}, "pauses: got"),
        ({"ends": (-0.1, 0.1)}, "ends: got .*0 or more"),
        ({"ends": (0, float("inf"))}, "ends: got"),
        ({"fade": -1}, "fade: got -1"),
        ({"fade": float("nan")}, "fade: got nan"),
    ],
)
def test_what_cannot_be_joined_is_told(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        join_recordings(SINGLE, loaded, **{"count": 2, "rate": RATE, **wrong})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "load", "told"),
    [
        (SINGLE.select([]), loaded, "digits: holds no recordings"),
        (replace(SINGLE, kind="features"), loaded, "digits: holds features"),
        (SINGLE, lambda one: np.full(9, np.nan), "digits, '.*': holds samples that are not finite"),
        (SINGLE, lambda one: np.ones((9, 2)), r"got samples of shape \(9, 2\)"),
        (SINGLE, lambda one: np.ones(0), r"got samples of shape \(0,\)"),
    ],
)
def test_recordings_that_cannot_be_joined_are_told(data: Any, load: Any, told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        join_recordings(data, load, count=2, rate=RATE)
    assert "\n" not in str(caught.value)
