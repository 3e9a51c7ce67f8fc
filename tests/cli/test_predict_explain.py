"""`unrolled predict --explain` with a transcriber: which words sound alike, as text and JSON."""

from __future__ import annotations

import json

import pytest

import unrolled
from unrolled.cli.explained import explained
from unrolled.data.recordings_folder import sounds_in
from unrolled.decoding.ngrams import NGramModel
from unrolled.tasks.transcribing.sounds_alike import (
    ExplainedWord,
    Explanation,
    OtherContext,
    Rival,
)
from unrolled.tasks.transcribing.transcript import HeardWord, Transcript


@pytest.fixture
def beside(sounds, tmp_path):
    """The files of a dictionary in which low and mid sound alike, and of a language model."""
    (tmp_path / "said.dict").write_text("low  L OW\nmid  L OW\nhigh  HH AY\n")
    texts = (sounds / "words" / "manifest.csv").read_text().splitlines()[1:]
    ngrams = NGramModel(2).fit([one.split(",")[1] for one in texts], holdout=0.0)
    ngrams.save(tmp_path / "lm.unrolled")
    return tmp_path


def test_a_record_has_what_python_tells(call, transcriber, sounds, beside):
    sound = sounds_in(sounds / "words")[0]
    words = ("--explain", "--pronunciations", beside / "said.dict", "--lm", beside / "lm.unrolled")
    told = call("predict", transcriber, sound, *words, "--format", "jsonl", "--rivals", 1)
    task = unrolled.load(transcriber).use_language(beside / "lm.unrolled")
    (found,) = task.explain(sound, pronunciations=beside / "said.dict", rivals=1)
    record = json.loads(told.out)
    assert record["text"] == task.predict(sound)[0]
    assert record["sounds_alike"] == found.to_dict()["words"]
    assert any(one["rivals"] for one in record["sounds_alike"])


def test_text_has_the_transcript_and_its_rivals(call, transcriber, sounds, beside):
    sounds_ = sounds_in(sounds / "words")[:2]
    words = ("--explain", "--pronunciations", beside / "said.dict")
    task = unrolled.load(transcriber)
    found = task.explain(sounds_, pronunciations=beside / "said.dict")
    told = call("predict", transcriber, sounds_[0], *words)
    assert told == (0, explained(found[0]), "")
    both = call("predict", transcriber, *sounds_, *words)
    expected = (f"{name}: {explained(one)}\n" for name, one in zip(sounds_, found, strict=True))
    assert both == (0, "".join(expected), "")


def test_hot_words_act_on_what_is_told(call, transcriber, sounds, beside):
    sound = sounds_in(sounds / "words")[0]
    words = ("predict", transcriber, sound, "--explain", "--format", "jsonl")
    words += ("--pronunciations", beside / "said.dict")

    def margins(*more):
        told = json.loads(call(*words, *more).out)["sounds_alike"]
        return {
            (at, rival["text"]): rival["margin"]
            for at, word in enumerate(told)
            if word["text"] == "low"
            for rival in word["rivals"]
        }

    before = margins("--hot-word", "low=0")
    after = margins("--hot-word", "low=2")
    assert before
    assert all(abs(after[one] - before[one] - 2) < 2e-4 for one in before)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--near"], "--near: goes with --explain, and there is none"),
        (["--rivals", "2"], "--rivals: goes with --explain, and there is none"),
        (["--explain", "--n-best", "2"], "--explain: can't go together with --n-best"),
        (["--explain", "--format", "srt"], "--explain: can't go together with --format srt"),
        (["--explain", "--rivals", "0"], "rivals: got 0"),
        (["--explain", "--pronunciations", "none.dict"], "none.dict: there is no such file"),
        (["--explain", "--pronunciations", "data:mr"], "data:mr"),
    ],
)
def test_options_that_do_not_go_together_are_told(call, transcriber, sounds, words, told):
    sound = sounds_in(sounds / "words")[0]
    found = call("predict", transcriber, sound, *words)
    assert (found.code, found.out) == (2, "") or (found.code, found.out) == (1, "")
    assert told in found.err
    assert len(found.err.splitlines()) == 1


def test_labels_are_not_explained(call, labeller, sounds):
    found = call("predict", labeller, sounds / "talk.wav", "--explain")
    assert found.code
    assert "explain: this model answers with labels of whole recordings" in found.err


def shown(*rivals):
    words = (
        ExplainedWord(HeardWord("right", 0.5, 0.8, 1.0), rivals, "so it is " * 20),
        ExplainedWord(HeardWord("now", 0.9, 1.0, 1.0), (), "no word"),
    )
    return explained(Explanation(Transcript("right now", -1.0, 1.0), -1.0, 0.0, 0.0, 0.0, words))


def test_the_text_fits_in_80_columns_and_has_the_numbers_in_line():
    others = tuple(OtherContext("antidisestablish", at % 2 == 0, 10.0**at) for at in range(1, 6))
    told = shown(
        Rival("write", "same sound", -0.1, -3.7, 2.0, -0.5, others),
        Rival("antidisestablishmentarianism", "near sound", -1234.5, -3.7, contexts=()),
    )
    lines = told.splitlines()
    assert max(map(len, lines)) <= 80
    titles, first = (next(one for one in lines if name in one) for name in ("rival ", "write "))
    second = next(one for one in lines if one.startswith("  antidis"))
    for title, number in {"sound": "-0.1", "language": "-3.7", "total": "-2.3"}.items():
        assert first[: titles.index(title) + len(title)].endswith(number)
    assert second[: titles.index("sound") + 5].endswith("-1234.5")
    assert first.endswith("  10:1")
    assert second.endswith("over 1,000,000:1")
    assert "after 'antidisestablish' (100:1)" in " ".join(told.split())
    assert lines[-1] == "1 other word has no rival within 10 nats."


def test_parts_that_say_nothing_have_no_column_and_far_rivals_only_a_count():
    told = shown(Rival("write", "same sound", 0.5))
    assert "language" not in told
    assert "1:1.6" in told
    assert shown(Rival("write", "same sound", -11.0)) == (
        "right now\n\n2 words have no rival within 10 nats.\n"
    )
