"""`unrolled predict` with a transcriber: sounds by name, a line each, and those that fail."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import soundfile

import unrolled
from unrolled.data.recordings_folder import sounds_in


@pytest.fixture
def few(sounds, tmp_path):
    """Three sounds in a folder; the second is none."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("000", "002"):
        shutil.copy(sounds / "words" / f"{name}.wav", folder)
    (folder / "001.wav").write_bytes(b"RIFF and no more")
    return folder


def test_one_sound_is_a_line_and_several_have_their_names(call, transcriber, sounds):
    task = unrolled.load(transcriber)
    first, second = sounds_in(sounds / "words")[:2]
    said = task.predict([first, second])
    assert call("predict", transcriber, first) == (0, f"{said[0]}\n", "")
    told = call("predict", transcriber, first, second)
    assert told == (0, f"{first}\t{said[0]}\n{second}\t{said[1]}\n", "")
    told = call("predict", transcriber, sounds / "words")
    assert len(told.out.splitlines()) == 120
    assert told.out.startswith(f"{first}\t{said[0]}\n{second}\t{said[1]}\n")


def test_a_label_of_silence_comes_with_a_warning(call, labeller, tmp_path):
    quiet = tmp_path / "quiet.wav"
    soundfile.write(quiet, np.zeros(4000, np.float32), 4000)
    told = call("predict", labeller, quiet)
    assert (told.code, len(told.out.splitlines())) == (0, 1)
    assert told.err.startswith(f"unrolled: {quiet}: silence, nothing in it is louder than -60 dB")
    told = call("predict", labeller, quiet, "--format", "jsonl")
    assert json.loads(told.out)["silent"] is True


def test_a_table_of_sounds_is_read(call, transcriber, sounds):
    told = call("predict", transcriber, sounds / "words" / "manifest.csv")
    assert told == call("predict", transcriber, sounds / "words")


def test_names_come_on_standard_input_a_line_each(call, transcriber, sounds, typed):
    names = [str(one) for one in sounds_in(sounds / "words")[:3]]
    expected = call("predict", transcriber, *names)
    typed(f"{names[0]}\n\n{names[1]}\r\n{names[2]}")
    assert call("predict", transcriber, "-") == expected
    typed("\n".join(names))
    assert call("predict", transcriber) == expected
    typed("")
    assert call("predict", transcriber, "-") == (0, "", "")


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_sound_that_is_piped_in_is_heard(call, transcriber, sounds, typed, tmp_path, kind):
    samples, rate = soundfile.read(sounds_in(sounds / "words")[0])
    file = tmp_path / f"a.{kind}"
    soundfile.write(file, samples, 2 * rate)  # mp3 knows none below 8 kHz
    typed(file.read_bytes())
    assert call("predict", transcriber, "-") == call("predict", transcriber, file)
    if kind == "wav":  # as a program writes it that does not know yet how much will come
        raw = bytearray(file.read_bytes())
        raw[4:8] = raw[40:44] = b"\xff" * 4
        typed(bytes(raw))
        assert call("predict", transcriber, "-") == call("predict", transcriber, file)
    typed(file.read_bytes())
    subtitles = call("predict", transcriber, "-", "--format", "srt")
    assert subtitles == call("predict", transcriber, file, "--format", "srt")


def test_what_is_piped_in_and_no_sound_is_one_line(call, transcriber, typed):
    typed(b"RIFF....WAVE and no more")
    told = call("predict", transcriber, "-")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("unrolled: standard input: is not sound that can be read")
    assert len(told.err.splitlines()) == 1


def test_a_sound_that_can_not_be_used_is_told_by_its_name_alone(call, transcriber, tmp_path):
    soundfile.write(tmp_path / "a.wav", 9000 * np.ones(4000), 8000, subtype="FLOAT")
    told = call("predict", transcriber, tmp_path / "a.wav")
    assert told.code == 1
    assert told.err.startswith(f"unrolled: {tmp_path / 'a.wav'}: samples reach 9,000, expected")
    assert "recording" not in told.err


def test_a_name_is_answered_before_the_next_one_comes(transcriber, sounds, live):
    first, second = sounds_in(sounds / "words")[:2]
    talk = live("predict", transcriber, "-")
    for name in (first, second):
        talk.say(f"{name}\n")
        assert talk.until("\n").startswith(f"{name}\t")
    talk.hang_up()
    assert talk.done() == 0


def test_one_that_can_not_be_read_does_not_cost_the_others(call, transcriber, few, typed):
    told = call("predict", transcriber, few)
    assert told.code == 1
    names = [line.split("\t")[0] for line in told.out.splitlines()]
    assert names == [str(few / "000.wav"), str(few / "002.wav")]
    assert told.err.startswith(f"unrolled: {few / '001.wav'}: ")
    assert told.err.count("\n") == 1
    assert "skip" not in told.err
    missing = few / "no.wav"
    files = (few / "000.wav", missing, few / "empty", few / "002.wav")
    (few / "empty").mkdir()
    told = call("predict", transcriber, *files)
    assert (told.code, len(told.out.splitlines())) == (1, 2)
    first, second = told.err.splitlines()
    assert first.startswith(f"unrolled: {missing}: there is no such file")
    assert second.startswith(f"unrolled: {few / 'empty'}: holds no sound")
    typed("\n".join(map(str, files)))
    assert call("predict", transcriber, "-") == told


def test_json_lines_have_words_with_times_and_the_next_best(call, transcriber, sounds):
    talk = sounds / "talk.wav"
    told = call("predict", transcriber, talk, "--format", "jsonl", "--n-best", 2, "--beam", 4)
    (found,) = map(json.loads, told.out.splitlines())
    expected = unrolled.load(transcriber).transcribe([talk], n_best=2, beam=4)[0]
    assert found["sound"] == str(talk)
    assert found["text"] == expected.text
    assert [one["text"] for one in found["words"]] == expected.text.split()
    for shown, word in zip(found["words"], expected.words, strict=True):
        for name in ("start", "end", "confidence"):
            assert shown[name] == pytest.approx(getattr(word, name), abs=1e-3)
    assert [one["text"] for one in found["alternatives"]] == [expected.alternatives[0].text]


def test_the_best_come_as_a_table(call, transcriber, sounds):
    talk = sounds / "talk.wav"
    told = call("predict", transcriber, talk, "--n-best", 3)
    (best,) = unrolled.load(transcriber).transcribe([talk], n_best=3)
    rows = [line.split("\t") for line in told.out.splitlines()]
    assert rows[0] == ["sound", "rank", "score", "text"]
    texts = [best.text, *(one.text for one in best.alternatives)]
    assert [row[1::2] for row in rows[1:]] == [
        [str(rank), text] for rank, text in enumerate(texts, start=1)
    ]


@pytest.mark.parametrize(("suffix", "first"), [("srt", "1\n00:00:"), ("vtt", "WEBVTT\n\n00:00:")])
def test_subtitles_of_one_sound(call, transcriber, labeller, sounds, tmp_path, suffix, first):
    talk, out = sounds / "talk.wav", tmp_path / f"talk.{suffix}"
    told = call("predict", transcriber, talk, "--format", suffix)
    assert told.code == 0
    assert told.out.startswith(first)
    assert "low high mid" in told.out.splitlines()
    assert call("predict", transcriber, talk, "--out", out) == (0, "", "")
    assert out.read_text() == told.out
    assert " --> 00:00:" in call("predict", labeller, talk, "--format", suffix).out
    for sources, word in (([talk, talk], "one sound"), ([sounds / "words"], "one sound")):
        told = call("predict", transcriber, *sources, "--format", suffix)
        assert (told.code, told.out) == (2, "")
        assert word in told.err


def test_what_goes_to_a_file_is_complete_or_what_was_there_stays(
    call, transcriber, sounds, few, tmp_path
):
    first, out = sounds_in(sounds / "words")[0], tmp_path / "said.jsonl"
    assert call("predict", transcriber, first, "--out", out) == (0, "", "")
    assert json.loads(out.read_text())["sound"] == str(first)
    before = out.read_text()
    told = call("predict", transcriber, few / "001.wav", "--out", out)
    assert (told.code, told.out, told.err.count("\n")) == (1, "", 1)
    assert out.read_text() == before
    told = call("predict", transcriber, few, "--out", out)
    assert told.code == 1
    assert len(out.read_text().splitlines()) == 2
    assert not [path for path in tmp_path.iterdir() if "part" in path.name]


def test_labels_are_told(call, labeller, sounds):
    folder = sounds / "labels"
    told = call("predict", labeller, folder)
    rows = [line.split("\t") for line in told.out.splitlines()]
    right = sum(name.split("/")[-2] == label for name, label in rows)
    assert (told.code, len(rows)) == (0, 60)
    assert right > 50


def test_what_can_not_work_is_refused(call, check, transcriber, classifier, sounds, tmp_path):
    talk = sounds / "talk.wav"
    for words, part in (
        ((transcriber, talk, "--text", "hello"), "--text: not for "),
        ((transcriber, talk, "--alignment"), "--alignment: not for "),
        ((transcriber, talk, "--format", "mp3"), "--format: got 'mp3'"),
        ((transcriber, talk, "--out", tmp_path / "a.wav"), "--out "),
        ((transcriber, talk, "--beam", 0), "beam: got 0"),
        ((transcriber, talk, "--n-best", 9), "n_best: got 9"),
        ((transcriber, talk, "--n-best", 2, "--format", "srt"), "--n-best: not for subtitles"),
        ((transcriber, talk, "-"), "INPUT: - "),
        ((classifier, "a.csv", "b.csv"), "expected one INPUT, got a.csv, b.csv"),
        ((classifier, "a.csv", "--format", "srt"), "--format: not for "),
    ):
        check(tmp_path, ("predict", *words), [part])


def test_at_a_terminal_sounds_are_asked_for(transcriber, live):
    talk = live("predict", transcriber, terminal=True)
    assert talk.done() == 2
