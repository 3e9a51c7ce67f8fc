"""eSpeak NG speaks in a process of its own: what it takes, that it repeats, how a crash is told."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled.data import espeak as home
from unrolled.data.espeak import (
    MOST_CHARACTERS,
    RATE,
    Espeak,
    Utterance,
    speak,
    variants,
    voices,
)
from unrolled.errors import ConfigError, DataError, MissingExtra

needs_espeak = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed"
)
# A list after which the library's own state is anything but fresh.
SOME = [
    Utterance("three seven one", voice, variant, speed=speed, pitch=pitch, seed=pitch)
    for voice, variant, speed, pitch in [
        ("en", None, 175, 50),
        ("en-us", "f4", 120, 20),
        ("en-gb-scotland", "whisper", 240, 80),
        ("en", "klatt4", 175, 99),
        ("de", "croak", 80, 0),
    ]
]


def in_a_child(tmp_path: Path, code: str) -> Path:
    """What stands in for the process that speaks."""
    child = tmp_path / "child.py"
    start = f"import os, struct, sys\nos.write(1, struct.pack('<i', {RATE}))\n"
    child.write_text(start + code)
    return child


def pitch_of(samples: np.ndarray) -> float:
    """In Hz, of the middle of the sound, where its autocorrelation is largest."""
    middle = samples[len(samples) // 2 - 1024 : len(samples) // 2 + 1024]
    alike = np.fft.irfft(np.abs(np.fft.rfft(middle, 4096)) ** 2)
    least, most = RATE // 500, RATE // 50
    return RATE / (least + int(alike[least:most].argmax()))


@needs_espeak
def test_speech_is_finite_float32_of_about_the_length_of_the_words() -> None:
    samples, rate = speak("three seven one")
    assert (samples.dtype, samples.ndim, rate) == (np.float32, 1, 22050)
    assert np.isfinite(samples).all()
    assert 0.1 < np.abs(samples).max() <= 1
    assert 0.5 < len(samples) / rate < 1.5


@needs_espeak
def test_the_same_list_gives_the_same_samples_bit_for_bit() -> None:
    rounds = []
    for _ in range(2):
        with Espeak() as espeak:
            rounds.append([espeak.speak(one) for one in SOME])
    for first, second in zip(*rounds, strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(speak("six", seed=3)[0], speak("six", seed=3)[0])


@needs_espeak
def test_the_seed_changes_the_noise_in_the_voice() -> None:
    first, second = (speak("six", variant="whisper", seed=seed)[0] for seed in (1, 2))
    assert len(first) != len(second) or not np.array_equal(first, second)


@needs_espeak
def test_faster_speech_is_shorter_and_a_gap_makes_it_longer() -> None:
    slow, usual, fast = (len(speak("three seven one", speed=s)[0]) for s in (90, 175, 350))
    assert slow > 1.4 * usual > 1.4 * 1.4 * fast
    assert len(speak("three seven one", gap=20)[0]) > usual + 0.2 * RATE


@needs_espeak
def test_pitch_and_volume_are_heard() -> None:
    low, high = (speak("aah", pitch=pitch, pitch_range=0)[0] for pitch in (10, 90))
    assert pitch_of(high) > 1.5 * pitch_of(low)
    loud, faint = (np.abs(speak("aah", volume=volume)[0]).max() for volume in (100, 25))
    assert loud > 2 * faint > 0


@needs_espeak
def test_voices_and_variants_are_names_that_it_speaks_with() -> None:
    assert {"en", "en-us", "en-gb-scotland", "de"} <= set(voices())
    assert {"m1", "m8", "f1", "f5", "whisper"} <= set(variants())
    for names in (voices(), variants()):
        assert names == sorted(set(names))
    spoken = {speak("seven", variant=variant)[0].tobytes() for variant in ("m1", "f2", "croak")}
    spoken |= {speak("seven", voice=voice)[0].tobytes() for voice in ("en", "de", "en-us")}
    assert len(spoken) == 6


@needs_espeak
@pytest.mark.parametrize(
    "text", ["", "...", "\n", "\ud800 one", "[[ <b> \x01 &amp;", "०१२ три 三", "one\nseven"]
)
def test_odd_texts_are_spoken_or_give_no_samples(text: str) -> None:
    samples, _ = speak(text)
    assert np.isfinite(samples).all()


@needs_espeak
def test_a_line_break_does_not_end_the_request() -> None:
    with Espeak() as espeak:
        espeak.speak(Utterance("one\nseven"))
        after = espeak.speak(Utterance("six"))
    assert 0.1 < len(after) / RATE < 1.0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"text": "a" * (MOST_CHARACTERS + 1)}, "5,001 characters"),
        ({"text": "a\0b"}, "NUL"),
        ({"text": b"one"}, "characters to speak"),
        ({"speed": 79}, "speed: got 79"),
        ({"speed": 451}, "from 80 to 450"),
        ({"pitch": 100}, "pitch: got 100"),
        ({"pitch_range": -1}, "pitch_range: got -1"),
        ({"volume": 201}, "volume: got 201"),
        ({"gap": 1.5}, "gap: got 1.5"),
        ({"seed": -1}, "seed: got -1"),
        ({"pitch": True}, "pitch: got True"),
    ],
)
def test_what_cannot_be_asked_for_is_told(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        Utterance(**{"text": "one", **wrong})
    assert "\n" not in str(caught.value)


@needs_espeak
@pytest.mark.parametrize("wrong", [{"voice": "zz"}, {"variant": "../../f1"}, {"voice": "en+f1"}])
def test_a_voice_that_is_not_there_is_told_with_those_that_are(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="expected one of ") as caught:
        speak("one", **wrong)
    assert next(iter(wrong.values())) in str(caught.value)


@needs_espeak
@pytest.mark.parametrize(
    "code",
    [
        "sys.stdin.readline(); os.kill(os.getpid(), 9)",
        "sys.stdin.readline(); os.write(1, struct.pack('<i', 9) + bytes(6))",
        "os._exit(3)",
    ],
    ids=["at the text", "in the midst of the samples", "before it"],
)
def test_a_crash_of_the_library_is_an_error_that_names_the_text(tmp_path: Path, code: str) -> None:
    with Espeak(in_a_child(tmp_path, code)) as espeak:
        for _ in range(2):  # and whoever asks again is told again
            with pytest.raises(DataError, match="broke off at 'some words'") as caught:
                espeak.speak(Utterance("some words"))
            assert "\n" not in str(caught.value)


@needs_espeak
def test_a_text_without_end_is_cut_off_by_its_time_on_the_processor(tmp_path: Path) -> None:
    source = Path(home.__file__).with_name("espeak_child.py").read_text()
    endless = tmp_path / "endless.py"
    endless.write_text(
        source.replace("_MOST_SECONDS = 60.0", "_MOST_SECONDS = 0.1").replace(
            "def _speak(espeak: ctypes.CDLL, request: dict) -> int:",
            "def _speak(espeak: ctypes.CDLL, request: dict) -> int:\n    while True: pass",
        )
    )
    with (
        Espeak(endless) as espeak,
        pytest.raises(DataError, match="broke off"),
    ):
        espeak.speak(Utterance("one"))


@needs_espeak
def test_data_that_are_not_there_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lang", "voices/!v"):
        (tmp_path / name).mkdir(parents=True)
    library, _ = home._installed()
    monkeypatch.setattr(home, "_installed", lambda: (library, tmp_path))
    with pytest.raises(DataError, match="does not start with the data in"):
        speak("one")


def test_without_the_loader_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    for ask in (lambda: speak("one"), voices, variants):
        with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[spoken\]'"):
            ask()


def test_the_process_that_speaks_needs_the_standard_library_alone() -> None:
    source = Path(home.__file__).with_name("espeak_child.py").read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
    }
    assert imported <= set(sys.stdlib_module_names)
