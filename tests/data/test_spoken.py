"""Digits and commands spoken by eSpeak NG: what is drawn, by whom it is spoken, that it repeats."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest

from unrolled.data.espeak import variants, voices
from unrolled.data.memory import PARTS
from unrolled.data.recordings import Recordings
from unrolled.data.spoken import (
    ACCENTS,
    COMMANDS,
    DIGITS,
    TIMBRES,
    spoken_commands,
    spoken_digits,
)
from unrolled.errors import ConfigError, DataError, MissingExtra

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed"
)


def values_of(recordings: Recordings) -> list[np.ndarray]:
    return [one.values for one in recordings.items if one.values is not None]


def test_the_same_seed_gives_the_same_samples_however_many_are_drawn() -> None:
    few, again, many = (spoken_digits(count, words=(1, 3), seed=4) for count in (6, 6, 9))
    assert few.digest() == again.digest() == many.select(range(6)).digest()
    assert few.digest() != spoken_digits(6, words=(1, 3), seed=5).digest()
    assert few.texts != spoken_digits(6, words=(1, 3), seed=4, part="test").texts


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("words", [(1, 1), (3, 7), (2, 2)])
def test_each_holds_what_its_text_says_for_as_long_as_it_says(
    words: tuple[int, int], rate: int
) -> None:
    drawn = spoken_digits(12, words=words, rate=rate, seed=1)
    assert (len(drawn), drawn.kind, drawn.labelled) == (12, "sound", words == (1, 1))
    for one in drawn.items:
        said = one.text.split(" ")
        assert set(said) <= set(DIGITS)
        assert words[0] <= len(said) <= words[1]
        assert one.values is not None
        assert (one.values.dtype, one.values.ndim, one.rate) == (np.float32, 1, rate)
        assert one.seconds == len(one.values) / rate
        assert 0.08 * len(said) < one.seconds < 1.5 * len(said) + 1
        assert np.isfinite(one.values).all()
        assert 0.03 < np.abs(one.values).max() <= 1


def test_the_rate_changes_neither_the_words_nor_how_long_they_take() -> None:
    coarse, fine = (spoken_digits(8, words=(1, 3), rate=rate, seed=9) for rate in (8000, 16000))
    assert coarse.texts == fine.texts
    for one, other in zip(coarse.items, fine.items, strict=True):
        assert abs(one.seconds - other.seconds) < 0.001


def test_what_is_not_recorded_is_the_same_speech_without_noise_and_room() -> None:
    plain, recorded = (
        spoken_digits(8, words=(2, 3), seed=9, recorded=one) for one in (False, True)
    )
    assert plain.texts == recorded.texts
    assert [one.place for one in plain.items] == [one.place for one in recorded.items]
    # Digital silence around the voice, which no recording has.
    quiet = [np.mean(np.abs(values) < 1e-6) for values in values_of(plain)]
    assert min(quiet) > 0.01
    for one, other in zip(values_of(plain), values_of(recorded), strict=True):
        assert not np.array_equal(one, other)


def test_all_digits_lengths_accents_and_timbres_come_up() -> None:
    drawn = spoken_digits(400, words=(1, 3), seed=2)
    counts = Counter(" ".join(drawn.texts).split())
    assert set(counts) == set(DIGITS)
    assert min(counts.values()) > 0.5 * max(counts.values())
    assert set(Counter(text.count(" ") for text in drawn.texts)) == {0, 1, 2}
    assert {one.speaker for one in drawn.items} == set(TIMBRES["train"])
    assert {one.place.split(", ")[1].split("+")[0] for one in drawn.items} == set(ACCENTS)


def test_levels_lengths_and_clipping_vary_widely() -> None:
    drawn = spoken_digits(150, seed=3)
    peaks = [np.abs(values).max() for values in values_of(drawn)]
    assert min(peaks) < 0.06
    assert max(peaks) == 1
    assert 3 <= sum((np.abs(values) >= 0.999).sum() > 3 for values in values_of(drawn)) <= 40
    seconds = [one.seconds for one in drawn.items]
    assert max(seconds) > 3 * min(seconds)


def test_no_timbre_of_the_test_is_heard_in_training_or_validation() -> None:
    heard = {part: {one.speaker for one in spoken_digits(60, part=part).items} for part in PARTS}
    for part, timbres in heard.items():
        assert timbres <= set(TIMBRES[part])
    names = [name for part in PARTS for name in TIMBRES[part]]
    assert len(names) == len(set(names))
    assert set(names) <= set(variants())
    assert set(ACCENTS) <= set(voices())


def test_timbres_of_one_family_are_in_one_part() -> None:
    family = {name: name.rstrip("0123456789") for part in PARTS for name in TIMBRES[part]}
    several = Counter(family.values())
    # m1 ... m8 and f1 ... f5 are unrelated people; a number elsewhere marks a copy with changes.
    assert {name for name, count in several.items() if count > 1} == {"m", "f", "klatt"}
    assert {part for part in PARTS for name in TIMBRES[part] if name.startswith("klatt")} == {
        "train"
    }


def test_commands_are_labels_of_the_whole() -> None:
    drawn = spoken_commands(60, seed=1)
    assert drawn.labelled
    assert set(drawn.texts) == set(COMMANDS)
    assert {one.rate for one in drawn.items} == {16000}
    own = spoken_commands(8, commands=("lights on", "lights off"), rate=8000)
    assert set(own.texts) == {"lights on", "lights off"}
    assert own.labelled


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"count": 0}, "count: got 0"),
        ({"seed": -1}, "seed: got -1"),
        ({"part": "dev"}, "part: got 'dev'"),
        ({"rate": 44100}, "rate: got 44100"),
        ({"words": (7, 3)}, "the fewest before the most"),
        ({"words": (0, 3)}, "words: got 0"),
        ({"words": 3}, "words: got 0"),
        ({"words": (1, 101)}, "words: got 101"),
    ],
)
def test_what_cannot_be_drawn_is_told(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("(", r"\(")) as caught:
        spoken_digits(**{"count": 2, **wrong})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("commands", ["yes", (), ("go", "go")])
def test_commands_that_are_none_or_there_twice_are_told(commands: Any) -> None:
    with pytest.raises(ConfigError, match="each once"):
        spoken_commands(2, commands=commands)


def test_a_command_that_nothing_is_said_for_is_told() -> None:
    with pytest.raises(DataError, match=r"eSpeak NG says nothing for '\.\.\."):
        spoken_commands(2, commands=("...",))


def test_without_the_resampler_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[spoken\]'"):
        spoken_digits(1)
