"""Recordings that can't be used: one plain line with the place, or left out and told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from unrolled.data import read_recordings, samples_of
from unrolled.data.recordings_rows import with_texts
from unrolled.errors import DataError

GOOD = np.random.default_rng(0).uniform(-0.5, 0.5, 800).astype(np.float32)


def sound(
    path: Path, samples: np.ndarray = GOOD, rate: int = 8000, subtype: str = "PCM_16"
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def line(data: Any, **options: Any) -> DataError:
    """The error of one line that reading gives."""
    with pytest.raises(DataError) as caught:
        read_recordings(data, **options)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good recordings and one of each kind that can't be used, in folders of labels."""
    sound(tmp_path / "no" / "good.wav")
    sound(tmp_path / "yes" / "good.wav")
    write(tmp_path / "yes" / "a_none.wav", b"not sound")
    sound(tmp_path / "yes" / "b_short.wav", GOOD[:0])
    sound(tmp_path / "yes" / "c_nan.wav", np.array([0, np.nan], np.float32), subtype="FLOAT")
    write(tmp_path / "yes" / "d_empty.wav", b"")
    return tmp_path


def test_the_first_is_told_with_its_file_and_the_others_are_counted(folder: Path) -> None:
    error = line(folder)
    assert error.file == str(folder / "yes" / "a_none.wav")
    assert "is not sound that can be read (Format not recognised)" in str(error)
    assert "3 more can't be used either (yes/b_short.wav, yes/c_nan.wav, yes/d_empty.wav)" in str(
        error
    )
    assert "skip=True" in str(error)


def test_the_others_are_read_where_the_bad_may_be_left_out(folder: Path) -> None:
    found = read_recordings(folder, skip=True)
    assert found.texts == ("no", "yes")
    note = next(one for one in found.notes if one.startswith("left out"))
    assert "left out, sounds that can't be used: 4 (yes/a_none.wav, yes/b_short.wav, " in note
    assert "is not sound that can be read" in note


def test_where_nothing_is_left_it_is_an_error_even_then(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", b"none")
    write(tmp_path / "a.txt", "one")
    assert "nothing else is left" in str(line(tmp_path, skip=True))


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"),
    [(8000, 1, "PCM_U8"), (96_000, 1, "PCM_24"), (48_000, 6, "FLOAT")],
)
def test_eight_bits_96_kilohertz_and_six_channels_are_read(
    tmp_path: Path, rate: int, channels: int, subtype: str
) -> None:
    path = sound(tmp_path / "a.wav", np.stack([GOOD] * channels, 1), rate, subtype)
    found = read_recordings([(path, "one")])
    assert found.seconds == 800 / rate
    assert samples_of(found.items[0], rate).shape == (800,)
    assert abs(len(samples_of(found.items[0], 16_000)) - 800 * 16_000 / rate) <= 1


def test_many_bad_ones_are_told_in_one_short_line(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / "yes" / f"{number:02}.wav", b"none")
        sound(tmp_path / "no" / f"{number:02}.wav")
    error = line(tmp_path)
    assert "39 more can't be used either (yes/01.wav, " in str(error)
    assert "yes/06.wav, ...)" not in str(error)
    assert str(error).count("yes/") == 6
    note = read_recordings(tmp_path, skip=True).notes[-1]
    assert "left out, sounds that can't be used: 40 (" in note
    assert note.count("yes/") == 5


def test_a_row_of_a_manifest_is_told_with_its_line(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    rows = 'audio,text\na.wav,"two\nlines"\nnone.wav,three\na.wav,\n,four\n'
    manifest = write(tmp_path / "list.csv", rows)
    error = line(manifest)
    assert (error.file, error.line) == (str(manifest), 6)
    assert "names no sound in column 'audio'" in str(error)
    assert "2 more can't be used either (line 4, line 5)" in str(error)
    found = read_recordings(manifest, skip=True)
    assert found.texts == ("two lines",)
    left = [note for note in found.notes if note.startswith("left out")]
    assert [note.split(" (")[0] for note in left] == [
        "left out, transcripts without a sound: 1",
        "left out, sounds that can't be used: 1",
        "left out, sounds without a transcript: 1",
    ]


def test_sounds_and_transcripts_without_each_other_are_listed(tmp_path: Path) -> None:
    sound(tmp_path / "1-2-0.flac")
    sound(tmp_path / "1-2-1.flac")
    lines = write(tmp_path / "1-2.trans.txt", "1-2-0 ONE\n\n1-2-7 SEVEN\n")
    error = line(tmp_path)
    assert (error.file, error.line) == (str(lines), 3)
    assert "there is no sound 1-2-7 beside it" in str(error)
    assert "1 more can't be used either (1-2-1.flac)" in str(error)
    assert read_recordings(tmp_path, skip=True).texts == ("ONE",)


def test_the_same_for_texts_beside_sounds(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        sound(tmp_path / name)
    for name in ("a.txt", "c.txt"):
        write(tmp_path / name, "one")
    error = line(tmp_path)
    assert error.file == str(tmp_path / "c.txt")
    assert "1 more can't be used either (b.wav)" in str(error)
    assert read_recordings(tmp_path, skip=True).texts == ("one",)


def test_the_same_for_lists_of_sphinx(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sound(tmp_path / "wav" / "ann" / f"{name}.wav")
    write(tmp_path / "etc" / "x.fileids", "ann/a\nann/b\nann/c\n")
    write(tmp_path / "etc" / "x.transcription", "ONE (a)\nTHREE (c)\nFOUR (d)\n")
    error = line(tmp_path)
    assert (error.file, error.line) == (str(tmp_path / "etc" / "x.fileids"), 3)
    assert "2 more can't be used either (d, ann/b)" in str(error)
    assert read_recordings(tmp_path, skip=True).texts == ("ONE",)
    write(tmp_path / "etc" / "x.transcription", "ONE\n")
    error = line(tmp_path)
    assert (error.file, error.line) == (str(tmp_path / "etc" / "x.transcription"), 1)


def test_a_name_that_does_not_fit_the_pattern_is_told(tmp_path: Path) -> None:
    sound(tmp_path / "7_ann_0.wav")
    other = sound(tmp_path / "other.wav")
    pattern = "{label}_{speaker}_{take}.wav"
    assert line(tmp_path, pattern=pattern).file == str(other)
    assert read_recordings(tmp_path, pattern=pattern, skip=True).texts == ("7",)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds no sound"),
        ({"a.m4a": b"x"}, "ffmpeg -i a.m4a a.wav"),
        (
            {"a.wav": GOOD},
            "nothing tells what is said in the sounds that it holds: expected a folder for each",
        ),
        ({"yes/a.wav": GOOD}, "1 label only"),
        (
            {"yes/a.wav": GOOD, "no/a.wav": GOOD, "b.wav": GOOD},
            "holds 1 sound in no folder of a label",
        ),
        ({"train/a.wav": GOOD, "test/a.wav": GOOD}, "parts of a set, test, train: name the folder"),
        ({"x/train-1/1/a.wav": GOOD, "x/dev-1/1/a.wav": GOOD}, "parts of a set, dev-1, train-1"),
        ({"no/a/a.wav": GOOD, "train/b/a.wav": GOOD}, "name one of those in it (no, train)"),
        ({"a.csv": b"audio,text\n", "b.csv": b"path,sentence\n"}, "holds the lists a.csv, b.csv"),
    ],
)
def test_a_folder_without_a_known_layout_is_one_line(
    tmp_path: Path, files: dict[str, Any], told: str
) -> None:
    for name, content in files.items():
        if isinstance(content, bytes):
            write(tmp_path / name, content)
        else:
            sound(tmp_path / name, content)
    error = line(tmp_path)
    assert error.file == str(tmp_path)
    assert told in str(error)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.csv", None, "there is no such file"),
        ("none", None, "there is no such file or folder"),
        ("a.tar.gz", b"x", "is an archive: unpack it"),
        ("a.zip", b"x", "is an archive: unpack it"),
        ("a.py", b"x", "ends in '.py': expected a folder, a sound"),
        ("a.csv", b"a.wav,yes\nb.wav,no\n", "'a.wav' looks like a part of a row"),
        (
            "a.csv",
            b"name,text\nx,yes\n",
            "no column looks like sounds (the columns are 'name', 'text')",
        ),
        ("a.csv", b"audio,mood\na.wav,calm\n", "no column looks like what is said"),
        ("a.csv", b"a|b|c|d\n", "has 4 columns"),
        ("a.csv", b"a|b\nc\n", "line 2: has 0 marks | where the first line has 1"),
        ("a.jsonl", b'{"audio": ["a.wav"], "text": "one"}\n', "holds list where text is expected"),
        (
            "a.jsonl",
            b'{"audio": "a.wav", "text": "one", "offset": 1.5}\n',
            "cut the sound into files",
        ),
        ("a.jsonl", b'{"audio": "a.wav", "text": "\\ud800"}\n', "'\\ud800': take it out"),
        ("a.jsonl", b"{\n", "line 1: is not JSON"),
        ("a.fileids", b"a\n", "has no .transcription"),
        ("a.trans.txt", b"\xff\n", "byte 0xff at offset 0 is not UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        write(tmp_path / name, content)
    error = line(tmp_path / name)
    assert error.file == str(tmp_path / name)
    assert told in str(error)


FEATURES = np.ones((50, 13), np.float32)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (3, "got int, expected a folder"),
        (GOOD, "without their rate: give (samples, rate), such as (samples, 16000); and with its"),
        ([], "holds no recording"),
        (["a.wav"], "recording 0 is str 'a.wav', expected (sound, text)"),
        ([(GOOD, 8000)], "recording 0 is (samples, rate) without a text"),
        ([(GOOD, "one")], "recording 0: got samples of shape (800,) without their rate"),
        ([((GOOD, 0), "one")], "recording 0: its rate is 0"),
        ([((GOOD, 8000), 1)], "recording 0: its text is int, expected text"),
        ([((GOOD * 30_000, 8000), "one")], "divide them by their full scale"),
        ([((np.stack([GOOD] * 2), 8000), "one")], "samples of shape (2, 800)"),
        ([((GOOD > 0, 8000), "one")], "got bool of shape (800,)"),
        ([((GOOD[:0], 8000), "one")], "recording 0: holds no sound (0 samples)"),
        ([((GOOD * np.nan, 8000), "one")], "recording 0: sample 0 is nan"),
        ([((GOOD, 8000), "one"), ((GOOD, 8000), "")], "recording 1: has no transcript"),
        ([((GOOD, 8000), None)], "recording 0: has no transcript"),
        ([(FEATURES * np.inf, "one")], "recording 0: value 0 of frame 0 is inf"),
        (
            [(FEATURES, "one"), (FEATURES, "b"), (FEATURES[:, :5], "c")],
            "recording 2: has 5 features",
        ),
        (
            [(FEATURES, "one"), ((GOOD, 8000), "two")],
            "sounds (recording 1) and ready-made features",
        ),
        (([GOOD], ["one", "two"]), "got 1 sounds and 2 texts"),
    ],
)
def test_values_that_cannot_be_used_are_one_line(data: Any, told: str) -> None:
    error = line(data)
    assert error.file is None
    assert told in str(error)


def test_of_features_those_of_another_width_may_be_left_out() -> None:
    found = read_recordings([(FEATURES, "a"), (FEATURES[:, :5], "b"), (FEATURES, "c")], skip=True)
    assert found.texts == ("a", "c")
    assert "features of another number a frame: 1 (recording 1)" in found.notes[-1]


def test_what_would_stop_the_training_may_be_left_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sound(tmp_path / f"{name}.wav")
        write(tmp_path / f"{name}.txt", "one")
    sound(tmp_path / "loud.wav", GOOD * 30_000, subtype="FLOAT")
    long = np.random.default_rng(1).uniform(-0.5, 0.5, 80_000)
    raw = sound(tmp_path / "cut.flac", long).read_bytes()
    write(tmp_path / "cut.flac", raw[: len(raw) // 2])
    half = len(raw) // 2
    write(tmp_path / "worn.flac", raw[:half] + bytes(200) + raw[half + 200 :])
    for name in ("loud", "cut", "worn"):
        write(tmp_path / f"{name}.txt", "two")
    error = line(tmp_path)
    assert error.file == str(tmp_path / "cut.flac")
    assert "can't be read on somewhere after 0.00 s" in str(error)
    assert "2 more can't be used either (loud.wav, worn.flac); skip=True (--skip)" in str(error)
    found = read_recordings(tmp_path, skip=True)
    assert found.texts == ("one", "one")
    assert (
        "left out, sounds that can't be used: 3 (cut.flac, loud.wav, worn.flac)" in found.notes[-1]
    )
    for ending in ("flac", "txt"):
        (tmp_path / f"cut.{ending}").unlink()
    assert "samples reach 14,9" in str(line(tmp_path))


def test_a_flac_that_is_damaged_inside_is_told_with_its_place(tmp_path: Path) -> None:
    long = np.random.default_rng(1).uniform(-0.5, 0.5, 800_000)
    raw = bytearray(sound(tmp_path / "a.flac", long).read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 4000] = bytes(4000)
    write(tmp_path / "a.flac", bytes(raw))
    error = line(tmp_path / "a.flac", texts=False)
    assert error.file == str(tmp_path / "a.flac")
    assert re.search(r"a.flac: can't be read on somewhere after 32.\d\d s", str(error))


def test_a_stray_sound_beside_the_folders_of_labels_is_left_out(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        for name in ("a", "b"):
            sound(tmp_path / label / f"{name}.wav")
    sound(tmp_path / "stray.wav")
    found = read_recordings(tmp_path)
    assert found.texts == ("no", "no", "yes", "yes")
    told = "left out, sounds in no folder of a label: 1 (stray.wav)"
    assert any(note.startswith(told) for note in found.notes)
    sound(tmp_path / "other.wav")
    error = str(line(tmp_path))
    assert "holds 2 sounds in no folder of a label (other.wav, stray.wav): move them" in error


def test_a_sound_that_metadata_names_is_looked_for_where_it_belongs(tmp_path: Path) -> None:
    sound(tmp_path / "wavs" / "a.wav")
    write(tmp_path / "metadata.csv", "a|one\nb|two\n")
    error = line(tmp_path)
    assert (error.file, error.line) == (str(tmp_path / "metadata.csv"), 2)
    assert f"{tmp_path / 'wavs' / 'b.wav'}: there is no such file" in str(error)


def test_recordings_made_by_hand_need_their_texts() -> None:
    pairs = [((GOOD, 8000), "one"), ((GOOD, 8000), "two"), ((GOOD, 8000), "three")]
    whole = read_recordings(pairs)
    some = replace(whole, items=(whole.items[0], replace(whole.items[1], text=" "), whole.items[2]))
    with pytest.raises(
        DataError, match=r"1 of 3 recordings have no transcript, the first is"
    ) as told:
        with_texts(some)
    assert (
        "the first is recording 1: write what is said; skip=True (--skip) leaves them out"
        in str(told.value)
    )
    kept = with_texts(some, skip=True)
    assert kept.texts == ("one", "three")
    assert kept.notes[-1].startswith("left out, 1 of 3 recordings have no transcript")
    assert with_texts(whole) is whole
    none = replace(whole, items=tuple(replace(one, text="") for one in whole.items))
    with pytest.raises(DataError, match="no recording has a transcript"):
        with_texts(none, skip=True)
