"""`unrolled train transcribe`."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import unrolled
from tests.cli.conftest import TRANSCRIBE

SMALL = (*TRANSCRIBE, "--budget", "2 steps")


def test_a_folder_becomes_a_model_and_the_doctor_and_the_gate_speak(call, sounds, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "transcribe", sounds / "words", *SMALL, "--out", out)
    assert (told.code, told.err) == (0, "")
    model = unrolled.load(out)
    assert told.out.startswith("120 recordings, ")
    assert "(guessed; --audio, --text name others)" in told.out
    assert f"{model.evaluation}\ntrained 2 steps in " in told.out
    for part in ("\nWER %: network ", "\nCER %: network ", "most frequent answer", "by jiwer"):
        assert part in told.out
    assert told.out.endswith(f"saved to {out}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["m.unrolled"]
    assert not model.labelled


def test_a_folder_for_each_label_becomes_a_model_of_labels(call, sounds, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "transcribe", sounds / "labels", *SMALL, "--out", out)
    assert (told.code, told.err) == (0, "")
    assert "\naccuracy: network " in told.out
    assert unrolled.load(out).labels == ("high", "low", "mid")


def test_each_option_reaches_python_under_its_own_name(call, sounds, tmp_path):
    options = {
        "tokenizer": "subwords", "vocabulary_size": 300, "cell": "lstm", "hidden_size": 6,
        "layers": 2, "directions": 2, "sample_rate": 3000, "bands": 12, "channels": 3,
        "subsampling": 2, "level_after": 9, "dropout": 0.25, "smoothing": 0.05, "augment": 0.5,
        "batch_seconds": 5.0, "learning_rate": 0.01, "weight_decay": 0.03, "average": 0.9,
        "patience": 3, "head": "ctc", "seed": 11, "device": "cpu", "precision": "fp32",
    }  # fmt: skip
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    out = tmp_path / "m.unrolled"
    told = call(
        "train", "transcribe", sounds / "words", *words, "--budget", "2 steps", "--out", out
    )
    assert told.code == 0, told.err
    assert unrolled.load(out).get_params() == {**options, "warm_start": False}


def test_columns_parts_and_what_is_apart_can_be_named(call, sounds, tmp_path):
    table = tmp_path / "said.tsv"
    rows = (sounds / "words" / "manifest.csv").read_text().splitlines()[1:]
    lines = [f"{sounds / 'words'}/{row.replace(',', chr(9))}\tanna" for row in rows]
    table.write_text("\n".join(["here\twords\twho", *lines, ""]))
    out = tmp_path / "m.unrolled"
    words = ("--audio", "here", "--text", "words", "--speaker", "who", "--apart", "text")
    more = ("--validation", table, "--test", sounds / "words", *SMALL, "--out", out)
    told = call("train", "transcribe", table, *words, *more)
    assert told.code == 2
    assert "words" in told.err  # the test's columns have other names
    more = ("--validation", table, "--test", table, *SMALL, "--out", out)
    told = call("train", "transcribe", table, *words, *more)
    assert told.code == 0, told.err
    assert "measured on all of said.tsv, 120 recordings" in told.out
    told = call("train", "transcribe", table, *words, "--validation", "0", *SMALL, "--out", out)
    assert told.code == 0, told.err


def test_what_file_names_tell_is_read_by_a_pattern(call, sounds, tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    for path in (sounds / "labels").rglob("*.wav"):
        shutil.copy(path, folder / f"{path.parent.name}_{path.name}")
    out = tmp_path / "m.unrolled"
    words = ("--pattern", "{label}_{take}.wav", *SMALL, "--out", out)
    told = call("train", "transcribe", folder, *words)
    assert told.code == 0, told.err
    assert unrolled.load(out).labels == ("high", "low", "mid")


def test_the_frames_a_second_of_features_can_be_told(call, tmp_path):
    random, folder = np.random.default_rng(0), tmp_path / "features"
    for at in range(30):
        place = folder / "ab"[at % 2]
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / f"{at}.npy", random.normal(size=(12, 5)).astype(np.float32))
    out = tmp_path / "m.unrolled"
    small = ("--hidden-size", 4, "--layers", 1, "--budget", "1 steps", "--out", out)
    told = call("train", "transcribe", folder, "--frame-rate", 50, *small)
    assert told.code == 0, told.err
    assert unrolled.load(out).framing.frame_rate == 50


def test_what_can_not_be_read_stops_it_or_is_left_out_and_told(call, check, sounds, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(sounds / "words", folder)
    (folder / "003.wav").write_bytes(b"no sound at all")
    out = tmp_path / "m.unrolled"
    words = ("train", "transcribe", folder, *SMALL, "--out", out)
    check(tmp_path, words, ["003.wav", "--skip"])
    told = call(*words, "--skip")
    assert told.code == 0, told.err
    assert told.out.startswith("119 recordings, ")
    assert "left out, sounds that can't be used: 1 (line 5); the first: " in told.out
    assert out.exists()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--hidden-size", "0"), ["hidden_size"]),
        (("--apart", "nobody"), ["apart: got 'nobody'"]),
        (("--subsampling", "7"), ["subsampling: got 7"]),
    ],
)
def test_what_can_not_work_is_told_and_nothing_is_written(check, sounds, tmp_path, words, parts):
    out = tmp_path / "m.unrolled"
    check(tmp_path, ("train", "transcribe", sounds / "words", *words, "--out", out), parts)
