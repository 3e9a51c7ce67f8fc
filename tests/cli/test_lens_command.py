"""`unrolled lens`: a model, a trace or runs as a page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
import warnings
from base64 import b64decode

import numpy as np
import pytest

import unrolled
from unrolled.lens.sound_parts import Sound


def data_of(path):
    page = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return json.loads(found[1])


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "log.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "lo')
    return folder


def test_a_model_with_a_text_a_file_or_standard_input(call, classifier, tmp_path, typed):
    out = tmp_path / "page.html"
    told = call("lens", classifier, "a superb plot", "--out", out)
    assert (told.code, told.out, told.err) == (0, f"page written to {out}\n", "")
    assert data_of(out)["trace"]["inputs"] == ["a", "superb", "plot"]
    (tmp_path / "text.txt").write_text("a dull plot")
    assert call("lens", classifier, tmp_path / "text.txt", "--out", out).code == 0
    assert data_of(out)["trace"]["inputs"] == ["a", "dull", "plot"]
    typed("a flat plot\n")
    assert call("lens", classifier, "-", "--out", out, "--steps", 2, "--units", 3).code == 0
    trace = data_of(out)["trace"]
    assert trace["inputs"] == ["flat", "plot"]
    assert len(trace["layers"][0]["units"]) == 3


@pytest.mark.parametrize("task", ["generator", "writer", "tagger"])
def test_every_task_of_texts_can_be_looked_at(call, task, request, tmp_path):
    out = tmp_path / "page.html"
    words = "Anna likes New Ulm ." if task == "tagger" else "The quick fox"
    assert call("lens", request.getfixturevalue(task), words, "--out", out).code == 0
    assert data_of(out)["trace"]["layers"]


def test_a_forecaster_reads_a_series_of_a_table_up_to_an_origin(call, forecaster, table, tmp_path):
    out = tmp_path / "page.html"
    words = ["lens", forecaster, table, "--origin", "2024-03-20", "--out", out]
    told = call(*words, "--series", "tea")
    assert (told.code, told.err) == (0, "")
    trace = data_of(out)["trace"]
    assert trace["fan"]["times"] == ["2024-03-21", "2024-03-22", "2024-03-23"]
    assert trace["fan"]["truth"] == pytest.approx([i % 7 + i / 30 for i in (80, 81, 82)], rel=1e-4)
    assert "got 2 series (tea, coffee), expected one; name it with" in call(*words).err


def test_a_forecaster_reads_a_set_of_the_catalog_and_others_read_its_name_as_a_text(
    call, classifier, tmp_path
):
    model, out = tmp_path / "m.unrolled", tmp_path / "page.html"
    table = "data:seattle-weather"
    small = ("--horizon", 3, "--budget", "2 steps", "--no-progress")
    assert call("train", "forecast", table, "--target", "wind", *small, "--out", model).code == 0
    told = call("lens", model, table, "--out", out, "--steps", 20)
    assert (told.code, told.err) == (0, "")
    assert len(data_of(out)["trace"]["fan"]["times"]) == 3
    assert call("lens", classifier, table, "--out", out).code == 0
    assert "seattle" in "".join(data_of(out)["trace"]["inputs"])
    unrolled.trace(unrolled.load(classifier), "a superb plot").save(tmp_path / "a.trace")
    assert "is a trace, which has read its input" in call("lens", tmp_path / "a.trace", table).err


def test_a_translator_reads_a_sentence_or_it_and_a_translation(call, tmp_path):
    model, out = tmp_path / "m.unrolled", tmp_path / "page.html"
    pairs = [(f"eins zwei {n}", f"one two {n}") for n in range(20)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        translator = unrolled.Translator(
            tokenizer="characters", hidden_size=8, embedding_size=6, batch_tokens=100
        )
        translator.fit(pairs, validation=0, holdout=0, budget="1 steps", progress=False)
    translator.save(model)
    told = call("lens", model, "eins 3", "--beam", 2, "--out", out)
    assert (told.code, told.err) == (0, "")
    trace = data_of(out)["trace"]
    assert "".join(trace["source"]["inputs"]) == "eins 3\n"
    assert trace["beam"]["width"] == 2
    assert call("lens", model, "eins 3\tone 3", "--out", out).code == 0
    trace = data_of(out)["trace"]
    assert "".join(trace["expected"]["came"]) == "one 3\n"
    assert "beam" not in trace
    (tmp_path / "pair.txt").write_text("eins\tone\n")
    assert call("lens", model, tmp_path / "pair.txt", "--out", out).code == 0
    assert "".join(data_of(out)["trace"]["expected"]["came"]) == "one\n"
    assert "got 2 lines, expected one sentence" in call("lens", model, "a\nb").err


def test_a_transcriber_reads_a_file_of_sound_or_it_and_a_text(call, tmp_path):
    model, out, sound = tmp_path / "m.unrolled", tmp_path / "page.html", tmp_path / "a.wav"
    random = np.random.default_rng(0)
    noise = [random.normal(size=4000).astype(np.float32) / 9 for _ in range(6)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transcriber = unrolled.Transcriber(hidden_size=8, layers=1, bands=8, channels=2)
        pairs = [((samples, 8000), "a b") for samples in noise]
        transcriber.fit(pairs, validation=0, holdout=0, budget="1 steps", progress=False)
    transcriber.save(model)
    sound.write_bytes(Sound.of(noise[0], 8000).wav())
    told = call("lens", model, sound, "--beam", 2, "--out", out)
    assert (told.code, told.err) == (0, "")
    trace = data_of(out)["trace"]
    assert len(trace["inputs"]) == len(trace["spectrogram"]["path"]) == 12
    assert b64decode(trace["sound"]["wav"]) == sound.read_bytes()
    assert trace["heard"]["reference"] == []
    assert call("lens", model, f"{sound}\tb a", "--out", out).code == 0
    assert [word["text"] for word in data_of(out)["trace"]["heard"]["reference"]] == ["b", "a"]
    assert "give a file of sound" in call("lens", model, "--out", out).err
    assert "there is no such file" in call("lens", model, "b.wav", "--out", out).err


def test_the_beam_is_that_of_a_translator(call, classifier, run, tmp_path):
    for what in ([classifier, "a superb plot"], [run]):
        told = call("lens", *what, "--beam", 2, "--out", tmp_path / "p.html")
        assert told.code == 2
        assert "beam: is " in told.err
        assert not (tmp_path / "p.html").exists()


def test_the_text_that_is_read_is_not_written_over(call, classifier, tmp_path):
    text = tmp_path / "essay.html"
    text.write_text("a dull plot")
    told = call("lens", classifier, text, "--out", text)
    assert told.code != 0
    assert "is an input itself; name another file" in told.err
    assert text.read_text() == "a dull plot"


def test_a_trace_from_its_file(call, classifier, tmp_path):
    file, out = tmp_path / "a.trace", tmp_path / "page.html"
    unrolled.trace(unrolled.load(classifier), "a superb plot").save(file)
    assert call("lens", file, "--out", out).code == 0
    assert data_of(out)["trace"]["inputs"] == ["a", "superb", "plot"]


def test_runs_are_compared_and_a_half_written_line_is_not_there_yet(call, run, tmp_path):
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "log.jsonl").write_text("")
    out = tmp_path / "page.html"
    assert call("lens", run, tmp_path / "two", "--out", out).code == 0
    assert [one["name"] for one in data_of(out)["runs"]] == ["one", "two"]
    assert [one["steps"] for one in data_of(out)["runs"]] == [[1], []]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["MISSING"], ["missing: nothing is there, expected a model"]),
        (["EMPTY", "--out", "page.html"], ["no log.jsonl in this folder", "--run-dir"]),
        (["LETTERS"], ["no log.jsonl in this folder", "--run-dir"]),
        (["FORECASTER", "data:no-such-set"], ["no-such-set"]),
        (["MISSING", "a text"], ["missing: nothing is there, expected a model"]),
        (["x" * 5000], ["nothing is there, expected a model"]),
        (["RUN", "--origin", "2024"], ["series, origin: are for a Forecaster, not for a run"]),
        (["TEXT"], ["text.txt: of another kind or truncated"]),
        (["MODEL"], ["holds a Classifier", "INPUT"]),
        (["MODEL", ""], ["expected a text of at least one character"]),
        (["MODEL", "a", "b"], ["got 2 texts", "put it in quotes"]),
        (["RUN", "LETTERS"], ["no log.jsonl in this folder"]),
        (["RUN", "some text"], ["expected one model, one trace, or run folders"]),
        (["DIARY"], ["log.jsonl: no line of it is that of a run's log"]),
        (["RUN", "--out", "page.txt"], ["--out page.txt: expected a name that ends in .html"]),
        (["RUN", "--port", "70000"], ["port: got 70000"]),
        (["FORECASTER"], ["holds a Forecaster", "give a table"]),
        (["FORECASTER", "no.csv"], ["no.csv"]),
        (["MODEL", "a plot", "--origin", "2024"], ["series, origin: are those of a Forecaster"]),
    ],
)
def test_bad_input_is_one_line(check, run, classifier, forecaster, tmp_path, words, parts):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("a,b\n1,2\n")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("Dear")
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "log.jsonl").write_text("Dear diary,\n")
    places = {
        "MISSING": tmp_path / "missing", "EMPTY": tmp_path / "empty", "RUN": run,
        "LETTERS": tmp_path / "letters",
        "TEXT": tmp_path / "text.txt", "MODEL": classifier, "DIARY": tmp_path / "diary",
        "FORECASTER": forecaster,
    }  # fmt: skip
    check(tmp_path, ["lens", *(places.get(word, word) for word in words)], parts)


CODE = "import sys; from unrolled.cli import main; sys.exit(main())"


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("sent", ["SIGINT", "SIGHUP"])
def test_it_serves_until_ctrl_c_or_until_the_terminal_is_closed(run, sent):
    command = [sys.executable, "-c", CODE, "lens", str(run), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as served:
        address = served.stdout.readline().decode().strip()
        assert served.stdout.readline() == (
            b"Training of one: here, for a browser on this machine; Ctrl-C ends it\n"
        )
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert b'data-live="1"' in answer.read()
        served.send_signal(getattr(signal, sent))
        out, err = served.communicate(timeout=60)
    assert err == b""
    if sent == "SIGINT":
        assert served.returncode == 0
        assert out == b"\nended; a page that is still open keeps what it shows\n"
    else:
        assert served.returncode == -signal.SIGHUP
