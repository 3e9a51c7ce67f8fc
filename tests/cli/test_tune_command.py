"""`unrolled tune` of a transcriber: the weights of language models, kept in the model's file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import soundfile

import unrolled
from tests.tasks.transcribing.small import RATE, tone

TEXT = "low mid high\nmid low\nhigh\nlow high\nmid mid low\nhigh high\n" * 20


@pytest.fixture
def lm(call, tmp_path):
    (tmp_path / "lines.txt").write_text(TEXT)
    path = tmp_path / "lm.unrolled"
    assert call("train", "ngram", tmp_path / "lines.txt", "--out", path).code == 0
    return path


@pytest.fixture
def model(transcriber, tmp_path):
    return Path(shutil.copy(transcriber, tmp_path / "model.unrolled"))


@pytest.fixture
def few(tmp_path):
    """Four recordings with transcripts, of which two are not what is heard."""
    folder = tmp_path / "few"
    folder.mkdir()
    rows = ["audio,text"]
    for at, (said, written) in enumerate(
        [("low", "low"), ("mid high", "mid high"), ("high", "low"), ("mid", "high")]
    ):
        soundfile.write(folder / f"{at}.wav", tone(said.split(), at), RATE)
        rows.append(f"{at}.wav,{written}")
    (folder / "manifest.csv").write_text("\n".join([*rows, ""]))
    return folder


def test_what_is_chosen_is_kept_in_the_file_and_used_from_then_on(call, model, few, lm):
    told = call("tune", model, few, "--lm", lm, "--rerank", lm, "--beam", 4)
    assert told.code == 0, told.err
    tuned = unrolled.load(model)
    assert tuned.language_weights.told == "4 recordings of few"
    assert tuned.language is None
    steps = told.err.splitlines()
    turns = 2 * (3 + 1)  # of each number, and of all together
    assert [one.split(" ")[0] for one in steps] == ["without", *["weight"] * turns, "rerank_weight"]
    lines = told.out.splitlines()
    assert lines[0].split() == ["WER", "%", "CER", "%"]
    assert lines[1].startswith("without a language model ")
    assert lines[2].startswith("with the weights chosen ")
    assert lines[-1] == f"saved to {model} (replaced the file that was there)"
    assert str(tuned.language_weights) in call("info", model).out

    tuned.use_language(lm, rerank=lm)
    sounds = sorted(few.glob("*.wav"))
    said = "".join(f"{one}\t{text}\n" for one, text in zip(sounds, tuned.predict(few), strict=True))
    found = call("predict", model, *sounds, "--lm", lm, "--rerank", lm)
    assert found == (0, said, "")


def test_json_holds_every_try(call, model, few, lm, tmp_path):
    out, before = tmp_path / "tuned.unrolled", model.read_bytes()
    told = call("tune", model, few, "--lm", lm, "--out", out, "--json", "--beam", 2)
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert model.read_bytes() == before
    assert found["saved"] == str(out)
    assert found["recordings"] == 4
    assert found["without"] == {name: found["trials"][0][name] for name in ("wer", "cer")}
    assert found["trials"][0]["weights"] is None
    assert found["with"] in found["trials"]
    assert found["with"]["wer"] == min(one["wer"] for one in found["trials"][1:])
    weights = vars(unrolled.load(out).language_weights)
    assert found["with"]["weights"] == {k: one for k, one in weights.items() if k != "told"}


def test_a_model_that_does_not_help_is_told(call, model, few, tmp_path):
    (tmp_path / "wrong.txt").write_text("high high high high high\n" * 50)
    wrong = tmp_path / "wrong.unrolled"
    call("train", "ngram", tmp_path / "wrong.txt", "--holdout", 0, "--out", wrong)
    right = tmp_path / "few"
    (right / "manifest.csv").write_text("audio,text\n0.wav,low\n1.wav,mid high\n")
    told = call("tune", model, right, "--rerank", wrong)
    assert told.code == 0, told.err
    assert "\nthe language model does not help: no weight makes fewer words wrong; " in told.out
    assert "; leave --rerank out\n" in told.out
    assert unrolled.load(model).language_weights.rerank_weight == 0.0


def test_the_columns_are_read_as_evaluate_reads_them(call, model, few, lm):
    (few / "manifest.csv").write_text(
        "file,words,who\n0.wav,low,a\n1.wav,mid high,b\nno.wav,mid,c\n"
    )
    how = ("--audio", "file", "--text", "words", "--speaker", "who", "--beam", 2)
    told = call("tune", model, few / "manifest.csv", "--lm", lm, *how)
    assert told.code == 2
    assert "no.wav" in told.err
    told = call("tune", model, few / "manifest.csv", "--lm", lm, *how, "--skip")
    assert told.code == 0, told.err
    assert ", of 2 recordings, " in told.out


def test_what_can_not_be_tuned_is_one_line_and_costs_nothing(
    check, model, few, lm, labeller, translator, tmp_path
):
    (tmp_path / "other.txt").write_text("раз два три\n" * 50)
    other = tmp_path / "other.arpa"
    from unrolled import NGramModel

    NGramModel(2).fit((tmp_path / "other.txt").read_text(), holdout=0).write_arpa(other)
    for words, parts in (
        ([model, few], ["give --lm, --rerank or both"]),
        ([lm, few, "--lm", lm], [f"{lm} holds an n-gram model; tune takes the model of a t"]),
        ([translator, few, "--lm", lm], ["--lm: only a transcriber", "takes it as --rerank"]),
        ([model, few, few, "--lm", lm], [f"{model} holds a Transcriber: expected one FILE"]),
        ([model, few, "--lm", lm, "--source", 1], ["--source: not for", "unrolled tune --help"]),
        ([model, few, "--lm", lm, "--length-penalty", 1], ["--length-penalty: not for"]),
        ([labeller, few, "--lm", lm], ["this model answers with labels of whole recordings"]),
        ([model, few, "--lm", other], ["is over other words than the recogniser writes"]),
        ([model, few, "--lm", model], [f"{model}: holds a Transcriber; the language model takes"]),
        ([model, few, "--lm", "none.unrolled"], ["none.unrolled"]),
        ([model, tmp_path / "nowhere", "--lm", lm], ["nowhere"]),
        ([model, few, "--lm", lm, "--beam", 1], ["beam"]),
        ([model, few, "--lm", lm, "--out", "tuned.txt"], ["--out tuned.txt: expected a name"]),
        ([model, few, "--lm", lm, "--out", lm], [f"--out {lm} is an input itself"]),
    ):
        check(tmp_path, ["tune", *words], parts)
