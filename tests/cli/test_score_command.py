"""`unrolled score`."""

from __future__ import annotations

import csv
import io

import pytest

import unrolled


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_each_line_of_a_file_has_its_figures(call, generator, tmp_path):
    file = tmp_path / "t.txt"
    file.write_text("The quick brown fox\n\na lazy dog, too\n")
    told = call("score", generator, file)
    texts = ["The quick brown fox", "a lazy dog, too"]
    found = unrolled.load(generator).score(texts)
    assert (told.code, told.err) == (0, "")
    assert rows(told.out) == [
        ["text", "log_probability", "perplexity", "bits_per_character"],
        *(
            [text, *(f"{x:.4f}" for x in (s.log_probability, s.perplexity, s.bits_per_character))]
            for text, s in zip(texts, found, strict=True)
        ),
    ]


def test_the_tokens_of_a_text_add_up_to_it(call, writer):
    text = "The quick dog"
    whole = rows(call("score", writer, "--text", text).out)[1]
    told = rows(call("score", writer, "--text", text, "--per-token").out)
    assert told[0] == ["text", "token", "log_probability"]
    assert {row[0] for row in told[1:]} == {"1"}
    assert "".join(row[1] for row in told[1:]).replace(" ", "") == text.replace(" ", "")
    assert sum(float(row[2]) for row in told[1:]) == pytest.approx(float(whole[1]), abs=1e-3)


def test_a_cache_reaches_python(call, writer):
    text = "The dog jumps over the dog jumps over the dog"
    told = rows(call("score", writer, "--text", text, "--cache").out)[1]
    found = unrolled.load(writer).score([text], cache=True)[0]
    assert told[1] == f"{found.log_probability:.4f}"
    assert told[1] != rows(call("score", writer, "--text", text).out)[1][1]


def test_an_empty_text_is_certain(call, generator):
    assert call("score", generator, "--text", "").out.endswith("\n,0.0000,1.0000,0.0000\n")


def test_scores_go_to_a_file(call, generator, tmp_path):
    out = tmp_path / "s.csv"
    told = call("score", generator, "--text", "a fox", "--out", out)
    assert (told.code, told.out) == (0, "")
    assert out.read_text() == call("score", generator, "--text", "a fox").out


def test_a_line_is_answered_before_the_next_one_is_typed(live, generator):
    talk = live("score", generator, "-")
    for _ in range(2):
        talk.say("a fox\n")
        talk.until("\na fox,-")
    talk.hang_up()
    assert talk.done() == 0


def test_a_model_of_another_task_is_refused(call, classifier):
    told = call("score", classifier, "--text", "a fox")
    assert told == (
        2,
        "",
        f"unrolled: {classifier} holds a Classifier; give the model of a generator, or an n-gram"
        " model\n",
    )
