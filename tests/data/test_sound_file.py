"""Files of sound and of features: what is read is what was written, and what is none is refused."""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import features_of, samples_of
from unrolled.data.feature_file import read_features
from unrolled.data.recordings import Recording
from unrolled.data.sound_file import (
    check_samples,
    decode,
    decode_bytes,
    looks_like_sound,
    read_header,
    resample,
)
from unrolled.errors import DataError, MissingExtra


def tone(count: int = 4000, rate: int = 8000, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(count) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "subtype", "bound"),
    [
        ("a.wav", "PCM_U8", 2**-7),
        ("a.wav", "PCM_16", 2**-14),
        ("a.wav", "PCM_24", 2**-22),
        ("a.wav", "PCM_32", 1e-6),
        ("a.wav", "FLOAT", 0.0),
        ("a.wav", "DOUBLE", 0.0),
        ("a.flac", None, 2**-14),
        ("a.ogg", None, 0.05),
        ("a.mp3", None, 0.05),
    ],
)
def test_samples_of_every_form_and_bit_depth_come_back(
    tmp_path: Path, name: str, subtype: str | None, bound: float
) -> None:
    soundfile.write(tmp_path / name, tone(), 8000, subtype=subtype)
    header = read_header(tmp_path / name)
    found = decode(tmp_path / name)
    assert (header.frames, header.rate, header.channels, header.seconds) == (4000, 8000, 1, 0.5)
    assert found.dtype == np.float32
    assert np.abs(found - tone()).max() <= bound


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    parts = np.random.default_rng(1).uniform(-0.5, 0.5, (300_000, channels)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", parts, 96_000, subtype="FLOAT")
    found = decode(tmp_path / "a.wav")
    assert found.shape == (300_000,)
    assert np.abs(found - parts.mean(axis=1)).max() <= 1e-6


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 96_000])
def test_another_rate_keeps_length_and_pitch(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate, rate), rate, subtype="FLOAT")
    found = decode(tmp_path / "a.wav", 16_000)
    assert found.dtype == np.float32
    assert abs(len(found) - 16_000) <= 1
    middle = slice(2000, 14_000)  # a filter rings at both ends
    assert np.abs(found[:16_000] - tone(16_000, 16_000)[: len(found)])[middle].max() <= 1e-3
    spectrum = np.abs(np.fft.rfft(found[:16_000], 16_000))
    assert int(spectrum.argmax()) == 440


def test_the_sphere_files_of_an4_are_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.sph", tone(), 8000, format="NIST", subtype="PCM_16")
    assert np.abs(decode(tmp_path / "a.sph") - tone()).max() <= 2**-14


def test_samples_of_a_file_and_of_an_array_are_alike(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), 8000, subtype="FLOAT")
    file = Recording("a", 0.5, 8000, path=tmp_path / "a.wav")
    array = Recording("a", 0.5, 8000, values=tone())
    for rate in (8000, 16_000):
        assert np.array_equal(samples_of(file, rate), samples_of(array, rate))
    assert samples_of(array, 8000) is array.values


def test_features_and_sounds_are_not_taken_for_each_other(tmp_path: Path) -> None:
    features = Recording("a", 0.5, 100, values=np.zeros((50, 13), np.float32), place="recording 3")
    assert features_of(features) is features.values
    np.save(tmp_path / "a.npy", features.values)
    file = Recording("a", 0.5, 100, path=tmp_path / "a.npy", place="a.npy")
    assert np.array_equal(features_of(file), features.values)
    with pytest.raises(DataError, match=r"a\.npy holds features, expected sound"):
        samples_of(file, 8000)
    with pytest.raises(DataError, match=r"a\.wav holds sound, expected features"):
        features_of(Recording("a", 0.5, 8000, path=tmp_path / "a.wav", place="a.wav"))
    with pytest.raises(DataError, match="recording 3 holds features, expected sound"):
        samples_of(features, 8000)
    with pytest.raises(DataError, match="holds sound, expected features"):
        features_of(Recording("a", 0.5, 8000, values=tone()))


def wav_bytes(samples: np.ndarray, subtype: str = "FLOAT", kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, subtype=subtype, format=kind)
    return file.getvalue()


NOISE = np.random.default_rng(2).uniform(-0.5, 0.5, 4000).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.wav", b"not sound at all", "is not sound that can be read"),
        ("a.wav", b"", "is empty (0 bytes)"),
        ("a.wav", None, "there is no such file"),
        ("a.wav", "folder", "is a folder"),
        ("a.wav", wav_bytes(tone(0)), "holds no sound (0 samples)"),
        ("a.wav", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("a.mp3", b"<html>not found</html>", "no frame of MPEG"),
        ("a.m4a", b"\0\0\0\x18ftypM4A ", "ffmpeg -i a.m4a a.wav"),
        ("a.flac", wav_bytes(NOISE, "PCM_16", "FLAC")[:3000], "can't be read on somewhere after"),
        ("a.wav", wav_bytes(np.array([0, 0, np.nan, 1])), "sample 2 (at 0.000 s) is nan"),
        ("a.wav", wav_bytes(np.array([np.inf, 0])), "sample 0 (at 0.000 s) is inf"),
    ],
)
def test_what_is_no_sound_is_told_with_its_file(
    refused: Callable[..., None], name: str, content: object, told: str
) -> None:
    refused(decode, name, content, told)


def test_nan_is_found_in_any_block_without_keeping_the_others(tmp_path: Path) -> None:
    samples = np.zeros(600_000, np.float32)
    samples[555_555] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(DataError, match="sample 555555 "):
        check_samples(tmp_path / "a.wav", read_header(tmp_path / "a.wav"))


def test_without_the_extra_the_line_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), 8000)
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[speech\]'"):
        resample(tone(), 8000, 16_000)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[speech\]'"):
        read_header(tmp_path / "a.wav")


def cepstra(values: np.ndarray, order: str = ">") -> bytes:
    return struct.pack(f"{order}i", values.size) + values.astype(f"{order}f4").tobytes()


@given(frames=st.integers(1, 9), order=st.sampled_from("><"))
def test_cepstra_of_sphinx_come_back_in_either_order_of_bytes(
    tmp_path_factory: pytest.TempPathFactory, frames: int, order: str
) -> None:
    path = tmp_path_factory.mktemp("mfc") / "a.mfc"
    values = np.random.default_rng(frames).normal(size=(frames, 13)).astype(np.float32)
    path.write_bytes(cepstra(values, order))
    found = read_features(path)
    assert found.dtype == np.float32
    assert np.array_equal(found, values)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int16])
def test_arrays_of_numpy_become_float32(tmp_path: Path, kind: type) -> None:
    values = np.arange(12).reshape(4, 3).astype(kind)
    np.save(tmp_path / "a.npy", values)
    found = read_features(tmp_path / "a.npy")
    assert found.dtype == np.float32
    assert np.array_equal(found, values)


def npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


BAD = np.ones((4, 13), np.float32)
BAD[2, 5] = np.nan


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.npy", None, "there is no such file"),
        ("a.npy", b"no array", "damaged or of another kind"),
        ("a.npy", npy(np.ones((4, 3)))[:-8], "damaged or of another kind"),
        ("a.npy", npy(np.array([[None]])), "it holds objects"),
        ("a.npy", npy(np.ones(5)), "holds (5,) of float64: expected features (T, F)"),
        ("a.npy", npy(np.ones((2, 3), complex)), "of complex128"),
        ("a.npy", npy(np.ones((0, 13))), "holds no frame"),
        ("a.npy", npy(np.full((1, 2), 1e300)), "value 0 of frame 0 is inf"),
        ("a.mfc", cepstra(BAD), "value 5 of frame 2 is nan"),
        ("a.mfc", cepstra(np.ones((0, 13))), "holds no frame"),
        ("a.mfc", cepstra(np.ones((4, 13)))[:-4], "cut short or of another kind"),
        ("a.mfc", cepstra(np.ones((4, 12))), "48 values, which is no multiple of 13"),
        ("a.mfc", b"ab", "cut short or of another kind"),
    ],
)
def test_what_holds_no_features_is_told_with_its_file(
    refused: Callable[..., None], name: str, content: object, told: str
) -> None:
    refused(read_features, name, content, told)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_name_need_not_be_utf_8(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), 8000)
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/lat\xff.wav"))
    (tmp_path / "a.wav").rename(path)
    assert len(decode(path)) == read_header(path).frames == 4000


@pytest.mark.parametrize("kind", ["WAV", "RF64", "AIFF", "FLAC", "OGG", "MP3", "AU", "CAF"])
def test_a_sound_is_told_by_its_first_bytes(kind: str) -> None:
    held = io.BytesIO()
    subtype = "PCM_16" if kind in ("WAV", "RF64", "AIFF", "AU", "CAF") else None
    soundfile.write(held, tone(), 8000, format=kind, subtype=subtype)
    assert looks_like_sound(held.getvalue()[:12])


@pytest.mark.parametrize(
    "name", ["caffeine.wav", "FORMANTS/a.wav", "RIFFS/a.wav", "ID3/a.wav", ".snd/a.wav", "OggS.ogg"]
)
def test_a_name_that_begins_as_a_sound_does_is_a_name(name: str) -> None:
    assert not looks_like_sound(f"{name}\nb.wav\n".encode()[:12])


def test_a_flac_that_does_not_say_how_long_it_is_is_one_line(tmp_path: Path) -> None:
    held = io.BytesIO()
    soundfile.write(held, tone(), 8000, format="FLAC")
    raw = bytearray(held.getvalue())
    # The count of samples: 36 bits, the last of the first 18 bytes of the stream's own header.
    raw[21] &= 0xF0
    raw[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(raw)
    with pytest.raises(DataError, match="does not say how long it is"):
        read_header(tmp_path / "a.flac")
    with pytest.raises(DataError, match="standard input: does not say how long it is"):
        decode_bytes(bytes(raw), "standard input")
