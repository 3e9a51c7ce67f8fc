"""A file that holds less than it promises is found out, and a whole one is not."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unrolled.data.sound_ends import lacks_last_page, missing_share

SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, 8000)


def written(path: Path, subtype: str = "PCM_16") -> bytes:
    soundfile.write(path, SOUND, 8000, subtype=subtype)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("a.wav", "PCM_16"), ("a.wav", "FLOAT"), ("a.wav", "PCM_U8"), ("a.aiff", "PCM_16"),
     ("a.au", "PCM_16")],
)  # fmt: skip
def test_the_missing_share_is_what_was_cut_off(tmp_path: Path, name: str, subtype: str) -> None:
    raw = written(tmp_path / name, subtype)
    assert missing_share(tmp_path / name) == 0
    assert not lacks_last_page(tmp_path / name)
    (tmp_path / name).write_bytes(raw[: len(raw) - len(raw) // 4])
    assert abs(missing_share(tmp_path / name) - 0.25) <= 0.01


@pytest.mark.parametrize("unknown", [0xFFFFFFFF, 0x7FFFFFFF, 0])
def test_a_file_that_was_written_to_a_pipe_promises_nothing(tmp_path: Path, unknown: int) -> None:
    raw = written(tmp_path / "a.wav")
    at = raw.index(b"data") + 4
    (tmp_path / "a.wav").write_bytes(raw[:at] + struct.pack("<I", unknown) + raw[at + 4 :])
    assert missing_share(tmp_path / "a.wav") == 0


def test_an_ogg_that_breaks_off_lacks_its_last_page(tmp_path: Path) -> None:
    raw = written(tmp_path / "a.ogg", "VORBIS")
    assert not lacks_last_page(tmp_path / "a.ogg")
    (tmp_path / "a.ogg").write_bytes(raw[: raw.rindex(b"OggS")])
    assert lacks_last_page(tmp_path / "a.ogg")
    assert missing_share(tmp_path / "a.ogg") == 0


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", b".snd", b"hello"])
def test_what_is_no_sound_promises_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert missing_share(tmp_path / "a") == 0
    assert not lacks_last_page(tmp_path / "a")
