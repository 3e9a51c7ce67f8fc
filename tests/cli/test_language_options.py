"""What `predict`, `evaluate`, `listen` and `lens` are told of the language: models, hot words."""

from __future__ import annotations

import json

import pytest

import unrolled
from tests.cli.test_lens_command import data_of
from unrolled import NGramModel
from unrolled.cli.language import read_hot_words
from unrolled.data import catalog
from unrolled.data.recordings_folder import sounds_in
from unrolled.errors import DataError


@pytest.fixture
def lm(tmp_path):
    return (
        NGramModel(2)
        .fit(["high high", "high high high"] * 20, holdout=0)
        .save(tmp_path / "lm.unrolled")
    )


@pytest.fixture
def other(tmp_path):
    """A model over another alphabet."""
    return NGramModel(2).fit(["раз два три"] * 20, holdout=0).save(tmp_path / "other.unrolled")


@pytest.fixture
def task(transcriber):
    return unrolled.load(transcriber)


SAYS = ("--lm-weight", 1, "--word-bonus", 1, "--unknown-word", -60)


def test_predict_hears_with_the_models_that_it_is_given(call, transcriber, sounds, lm, task):
    sound = sounds_in(sounds / "words")[0]
    alone = call("predict", transcriber, sound).out
    told = call("predict", transcriber, sound, "--lm", lm, *SAYS)
    task.use_language(lm, weight=1.0, word_bonus=1.0, unknown=-60.0)
    assert told == (0, f"{task.predict([sound])[0]}\n", "")
    assert told.out != alone
    told = call("predict", transcriber, sound, "--rerank", lm, "--rerank-weight", 40)
    task.use_language(None, rerank=lm, rerank_weight=40.0)
    assert told == (0, f"{task.predict([sound])[0]}\n", "")


def test_hot_words_come_one_by_one_and_from_a_file(call, transcriber, sounds, task, tmp_path):
    folder = sounds / "words"
    (tmp_path / "hot.txt").write_text("\ufeffmid\t-50\r\n\r\n  low high \n", encoding="utf-8")
    assert read_hot_words(tmp_path / "hot.txt") == {"mid": -50.0, "low high": 3.0}
    told = call("predict", transcriber, folder, "--hot-words", tmp_path / "hot.txt")
    assert told.code == 0
    assert "low" in told.out
    assert "mid" not in told.out
    given = ("--hot-word", "mid=-50", "--hot-word", "low high")
    assert call("predict", transcriber, folder, *given) == told
    both = call(
        *("predict", transcriber, folder, "--hot-words", tmp_path / "hot.txt"),
        *("--hot-word", "low=-50", "--hot-word", "mid=0"),
    )
    assert "low" not in both.out
    assert "mid" in both.out


def test_evaluate_measures_with_them(call, transcriber, sounds, lm, task):
    folder = sounds / "words"
    told = call("evaluate", transcriber, folder, "--json", "--lm", lm, *SAYS, "--hot-word", "low")
    task.use_language(lm, weight=1.0, word_bonus=1.0, unknown=-60.0).bias(["low"])
    want = task.evaluate(folder)
    assert json.loads(told.out)["comparisons"][0]["network"] == want.comparisons[0].network
    assert want.comparisons[0].network > 20


def test_listen_hears_with_them(call, transcriber, sounds, lm):
    talk = ("listen", transcriber, "--file", sounds / "talk.wav", "--fast")
    told = call(*talk, "--hot-word", "mid=-50")
    assert told.code == 0
    assert "low" in told.out
    assert "mid" not in told.out
    told = call(*talk, "--rerank", lm, "--rerank-weight", 40, "--lm", lm, *SAYS)
    assert told.code == 0
    assert "low" not in told.out


def test_the_page_of_the_lens_has_what_they_say_of_each_rival(
    call, transcriber, sounds, task, tmp_path, monkeypatch
):
    sound, out, lm = sounds_in(sounds / "words")[0], tmp_path / "page.html", tmp_path / "lm.arpa"
    NGramModel(2).fit(["low high", "high low"] * 20, holdout=0).write_arpa(lm)
    (tmp_path / "said.dict").write_text("low  L OW\nmid  L OW\nhigh  L OW\n")
    monkeypatch.setattr(catalog, "find", lambda name: tmp_path / "said.dict")
    says = ("--lm", lm, "--lm-weight", 1, "--unknown-word", -4, "--hot-word", "low=2")
    told = call("lens", transcriber, sound, "--out", out, *says)
    assert (told.code, told.err) == (0, "")
    trace = data_of(out)["trace"]
    task.use_language(lm, weight=1.0, unknown=-4.0).bias({"low": 2.0})
    (want,) = task.explain([sound])
    assert trace["heard"]["text"] == want.transcript.text
    assert trace["alike"] == want.to_dict()["words"]
    said = [rival for word in trace["alike"] for rival in word["rivals"]]
    assert any(one["language"] for one in said)
    assert any(one["hot"] for one in said)


@pytest.mark.parametrize("by", ["--hot-words", "--lm", "--rerank", "--pronunciations"])
def test_no_file_that_predict_hears_with_is_replaced(check, transcriber, sounds, lm, tmp_path, by):
    read = tmp_path / "read.txt"
    read.write_bytes(lm.read_bytes() if by in ("--lm", "--rerank") else b"low  L OW\n")
    given = ("--explain",) if by == "--pronunciations" else ()
    sound = sounds_in(sounds / "words")[0]
    words = ("predict", transcriber, sound, by, read, *given, "--out", read)
    check(tmp_path, words, [f"--out {read} is an input itself"])


@pytest.mark.parametrize("by", ["--hot-words", "--lm", "--rerank"])
def test_no_file_that_the_lens_hears_with_is_replaced(check, transcriber, sounds, lm, tmp_path, by):
    read = tmp_path / "read.html"
    read.write_bytes(b"low\n" if by == "--hot-words" else lm.read_bytes())
    words = ("lens", transcriber, sounds_in(sounds / "words")[0], by, read, "--out", read)
    check(tmp_path, words, [f"--out {read} is an input itself"])


@pytest.mark.parametrize("by", ["--fuse", "--rerank"])
def test_no_model_that_a_translator_asks_is_replaced(check, translator, generator, tmp_path, by):
    read = tmp_path / "read.txt"
    read.write_bytes(generator.read_bytes())
    words = ("predict", translator, "--text", "Anna", by, read, "--out", read)
    check(tmp_path, words, [f"--out {read} is an input itself"])


@pytest.mark.parametrize("verb", ["predict", "evaluate", "listen", "lens"])
@pytest.mark.parametrize("by", ["--lm", "--rerank"])
def test_a_model_that_can_not_be_used_stops_unless_it_is_to_be_skipped(
    call, check, transcriber, sounds, other, tmp_path, verb, by
):
    rest = {
        "predict": [sounds_in(sounds / "words")[0]],
        "evaluate": [sounds / "words"],
        "listen": ["--file", sounds / "talk.wav", "--fast"],
        "lens": [sounds_in(sounds / "words")[0], "--out", tmp_path / "page.html"],
    }[verb]
    for given, part in (
        (other, "the language model is over other"),
        (tmp_path / "none.unrolled", "none.unrolled"),
        (transcriber, "holds a Transcriber; "),
    ):
        check(tmp_path, [verb, transcriber, *rest, by, given], [part])
        told = call(verb, transcriber, *rest, by, given, "--skip-lm")
        assert (told.code, told.out) == (0, call(verb, transcriber, *rest).out)
        assert told.err.startswith(f"unrolled: heard without {by} (--skip-lm): ")
        assert part in told.err
        assert told.err.count("\n") == 1


def test_a_model_that_is_skipped_takes_no_other_along_and_hides_no_wrong_number(
    call, check, transcriber, sounds, lm, other, tmp_path
):
    sound = sounds_in(sounds / "words")[0]
    alone = call("predict", transcriber, sound).out
    for good, bad, says in (
        ("--lm", "--rerank", SAYS),
        ("--rerank", "--lm", ("--rerank-weight", 40, "--word-bonus", 0)),
    ):
        want = call("predict", transcriber, sound, good, lm, *says)
        told = call("predict", transcriber, sound, good, lm, *says, bad, other, "--skip-lm")
        assert told.out == want.out != alone
        assert told.err.startswith(f"unrolled: heard without {bad} (--skip-lm): ")
        assert told.err.count("\n") == 1
    none = tmp_path / "none.unrolled"
    for given, part in (
        (["--lm", lm, "--lm-weight", -1], "weight: got -1.0, expected a number from 0 on"),
        (["--lm", none, "--lm-weight", -1], "weight: got -1.0, expected a number from 0 on"),
        (["--lm", lm, "--unknown-word", "nan"], "unknown: got nan"),
        (["--rerank", none, "--rerank-weight", -1], "rerank_weight: got -1.0"),
    ):
        check(tmp_path, ["predict", transcriber, sound, *given, "--skip-lm"], [part])


def test_options_that_go_with_nothing_are_refused(check, transcriber, sounds, lm, tmp_path):
    sound = sounds_in(sounds / "words")[0]
    for given, part in (
        (["--lm-weight", 1], "--lm-weight: goes with --lm, and there is none"),
        (["--word-bonus", 1], "--word-bonus: goes with --lm or --rerank, and there is none"),
        (["--rerank", lm, "--unknown-word", 1], "--unknown-word: goes with --lm"),
        (["--lm", lm, "--rerank-weight", 1], "--rerank-weight: goes with --rerank"),
        (["--skip-lm"], "--skip-lm: goes with --lm or --rerank"),
        (["--lm", lm, "--lm-weight", -1], "weight: got -1.0, expected a number from 0 on"),
        (["--lm", lm, "--beam", 1], "beam"),
    ):
        check(tmp_path, ["predict", transcriber, sound, *given], [part])


def test_bad_hot_words_are_one_line_with_their_place(check, transcriber, sounds, tmp_path):
    sound, path = sounds_in(sounds / "words")[0], tmp_path / "hot.txt"
    for text, parts in (
        ("low\nmid\tmuch\n", [f"{path}, line 2: got 'much', expected a number of nats, such as 3"]),
        ("low\tnan\n", [f"{path}, line 1: got 'nan', expected a number of nats"]),
        ("\n low \n\t3\n", [f"{path}, line 3: no word before the tab"]),
        (" \n\n", [f"{path}: holds no hot words; write one a line"]),
        ("größer\n", ["hot_words: 'größer' has ", "which the recogniser can't write"]),
    ):
        path.write_text(text, encoding="utf-8")
        check(tmp_path, ["predict", transcriber, sound, "--hot-words", path], parts)
    path.write_bytes(b"low\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"line 2"):
        read_hot_words(path)
    check(tmp_path, ["predict", transcriber, sound, "--hot-words", tmp_path / "no"], ["no such f"])
    for word, part in (("low=", "--hot-word 'low=': got ''"), ("low=x", "got 'x', expected a num")):
        check(tmp_path, ["predict", transcriber, sound, "--hot-word", word], [part])


def test_the_lens_hears_with_a_language_in_a_transcriber_alone(check, generator, tmp_path):
    (tmp_path / "run").mkdir()
    unrolled.trace(unrolled.load(generator), "abc").save(tmp_path / "a.trace")
    for what, part in (
        ([generator, "abc"], f"not for {generator}, which holds a Generator"),
        ([tmp_path / "run"], f"for the model of a transcriber, and {tmp_path / 'run'} is a run"),
        ([tmp_path / "a.trace"], "a.trace is a trace; leave it out"),
    ):
        for given in (["--lm", "a"], ["--rerank", "a"], ["--hot-word", "a"], ["--skip-lm"]):
            check(tmp_path, ["lens", *what, *given], [given[0], part])


def test_other_tasks_know_no_hot_words_and_no_lm(check, translator, generator, labeller, tmp_path):
    for model in (translator, generator):
        for given in (["--lm", "a"], ["--hot-word", "a"], ["--skip-lm"]):
            check(tmp_path, ["predict", model, *given], [given[0], f"not for {model}"])
    check(
        tmp_path,
        ["predict", labeller, "a.wav", "--hot-word", "low"],
        ["this model answers with labels of whole recordings"],
    )
