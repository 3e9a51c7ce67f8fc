"""A recogniser that goes on learning hears as it did before, or says in one line what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.tasks.transcribing.small import ONCE, labelled, spoken
from unrolled import Transcriber
from unrolled.errors import ConfigError, DataError

SMALL: dict[str, Any] = {
    "hidden_size": 6, "layers": 1, "subsampling": 4, "augment": 0.0, "warm_start": True,
}  # fmt: skip


def features(count: int, size: int = 5, frames: int = 12) -> list[tuple[np.ndarray, str]]:
    random = np.random.default_rng(0)
    return [
        (random.normal(size=(frames, size)).astype(np.float32), "ab"[at % 2]) for at in range(count)
    ]


def weights(model: Transcriber) -> np.ndarray:
    return model.model.readout.weight.detach().numpy().copy()


@pytest.fixture
def of_sound() -> Transcriber:
    return Transcriber(**SMALL, channels=2, bands=16).fit(labelled(30), **ONCE)


@pytest.fixture
def of_features() -> Transcriber:
    return Transcriber(**SMALL).fit(features(30), frame_rate=50, **ONCE)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sample_rate": 8000}, "sample_rate: got 8000, but .* a network with 4000"),
        ({"bands": 20}, "bands: got 20, but .* a network with 16"),
        ({"subsampling": 2}, "subsampling: got 2, but .* a network with 4"),
        ({"level_after": 30}, "level_after: got 30, but .* a network with 15"),
        ({"hidden_size": 8}, "hidden_size: got 8, but .* a network with 6"),
    ],
)
def test_another_argument_than_before_is_named(
    of_sound: Transcriber, given: dict[str, Any], said: str
) -> None:
    before = weights(of_sound)
    with pytest.raises(ConfigError, match=f"{said}; use the same, or warm_start=False"):
        of_sound.set_params(**given).fit(labelled(30), **ONCE)
    np.testing.assert_array_equal(weights(of_sound), before)


def test_the_same_arguments_and_none_go_on(of_sound: Transcriber) -> None:
    settings = of_sound.settings
    of_sound.set_params(sample_rate=4000, bands=16, level_after=15).fit(labelled(30), **ONCE)
    of_sound.set_params(sample_rate=None, bands=None, subsampling=None, channels=None)
    of_sound.fit(labelled(30), **ONCE)
    assert of_sound.settings == settings


def test_sound_and_features_are_not_taken_for_one_another(
    of_sound: Transcriber, of_features: Transcriber
) -> None:
    with pytest.raises(ConfigError, match=r"got ready-made features, but .* hears sound"):
        of_sound.fit(features(30), **ONCE)
    with pytest.raises(ConfigError, match=r"got sound, but .* hears ready-made features"):
        of_features.fit(labelled(30), **ONCE)


def test_features_of_another_width_or_rate_are_told(of_features: Transcriber) -> None:
    with pytest.raises(ConfigError, match=r"features of 7 numbers a frame, but .* reads 5"):
        of_features.fit(features(30, size=7), **ONCE)
    with pytest.raises(ConfigError, match=r"100 frames a second, but .* reads 50"):
        of_features.fit(features(30), frame_rate=100, **ONCE)
    before = weights(of_features)
    of_features.fit(features(30), **ONCE)  # at the rate as before
    assert not np.array_equal(weights(of_features), before)


def test_the_frames_a_second_of_features_are_told_to_fit(of_features: Transcriber) -> None:
    (heard,) = of_features.transcribe([features(1)[0][0]])
    assert heard.seconds == pytest.approx(12 / 50)
    assert of_features.evaluate(features(6)).held_out == "all of recordings, 6 recordings"
    for wrong in (0, -1, float("nan"), float("inf"), "a"):
        with pytest.raises(ConfigError, match=f"frame_rate: got {wrong!r}, expected frames"):
            Transcriber(**SMALL).fit(features(30), frame_rate=wrong, **ONCE)


@pytest.mark.parametrize("rate", [50.0, 200.0])
def test_the_doctor_counts_steps_by_the_frames_a_second(rate: float) -> None:
    data = [(one, "ab ab ab") for one, _ in features(30, frames=24)]
    model = Transcriber(**{**SMALL, "subsampling": 2})
    # Whatever the rate, 24 frames are 12 steps, and 8 symbols go in.
    model.fit(data, frame_rate=rate, tell=lambda _: None, **ONCE)
    assert "too long" not in str(model.checkup)
    model = Transcriber(**SMALL)
    model.fit(data, frame_rate=rate, tell=lambda _: None, **ONCE)
    assert "too long" in str(model.checkup)


def test_biases_begin_at_how_often_symbols_are_said_and_stay_in_a_warm_start() -> None:
    data, still = spoken(30), {"learning_rate": 1e-9, "average": 0.0}
    model = Transcriber("words", **SMALL, channels=2, bands=16, **still).fit(data, **ONCE)
    said = [one for text in data.texts for one in text.split()]
    steps = data.seconds * model.framing.frame_rate / 4
    shares = model.model.readout.bias.detach().softmax(-1).numpy()
    assert shares[0] == pytest.approx((steps - len(said) + 1) / (steps + len(shares)), rel=1e-3)
    for number, piece in enumerate(model.symbols.pieces if model.symbols else ()):
        if number:
            wanted = (said.count(piece) + 1) / (steps + len(shares))
            assert shares[number] == pytest.approx(wanted, rel=1e-3)
    with torch.no_grad():
        model.model.readout.bias.uniform_(-1, 1)
    there = model.model.readout.bias.detach().clone()
    model.fit(data, **ONCE)
    torch.testing.assert_close(model.model.readout.bias.detach(), there, rtol=0, atol=1e-5)


def test_where_no_word_occurs_twice_there_is_nothing_to_learn() -> None:
    data = spoken(30)
    items = (replace(one, text=f"w{at} x{at}") for at, one in enumerate(data.items))
    with pytest.raises(DataError, match="no transcript holds words that have a symbol"):
        Transcriber("words", **SMALL).fit(replace(data, items=tuple(items)), **ONCE)
