"""The benchmark of words that sound alike: its parts, its sentences, and its scores."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from heard_right_parts import drawn as drawing
from heard_right_parts import groups, making, voices
from heard_right_parts.drawn import Drawn
from heard_right_parts.scores import heard, most_frequent, read_right
from heard_right_parts.sentences import as_written, sentences, without_context

from unrolled import NGramModel
from unrolled.data import read_recordings
from unrolled.data.spoken import TIMBRES
from unrolled.errors import DataError


@pytest.mark.parametrize(
    ("sentence", "written"),
    [
        ("Don\u2019t write!", None),
        ("Tom's well-known, isn't he?", "tom's well known isn't he"),
        ("'Right', he said.", "right he said"),
        ("It is 5 o'clock.", None),
        ("Gr\u00fc\u00df dich, Tom, my friend.", None),
        ("a " * 15, None),
    ],
)
def test_sentences_are_written_as_a_recogniser_writes_them(
    sentence: str, written: str | None
) -> None:
    assert as_written(sentence) == written


def test_words_without_context_are_as_many_and_the_frequent_ones_less_so() -> None:
    pool = ("a b c", "d e", *["a a a a a"] * 720)
    mixed = without_context(pool, 400, 1, 0.5)
    assert [len(one.split()) for one in mixed] == [3, 2, *[5] * 398]
    counts = Counter(" ".join(mixed).split())
    assert set(counts) == {*"abcde"}
    # sqrt(3601) = 60 to 1, where the pool has 3601 to 1
    assert 45 < counts["a"] / ((counts.total() - counts["a"]) / 4) < 80
    assert without_context(pool, 400, 1, 0.5) == mixed


def pretend(monkeypatch: pytest.MonkeyPatch, tell_apart: set[str]) -> None:
    """A speaker who says all words of a group alike, but for these."""

    def same(utterance: Any, others: list[str]) -> bool:
        return not any(tell_apart & {*one.split()} for one in (utterance.text, *others))

    monkeypatch.setattr(drawing, "sound_the_same", same)


def test_groups_and_spellings_take_turns_and_each_sentence_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, {"too"})
    pool = [f"{word} {number}" for number in range(9) for word in ("right", "write", "sea", "see")]
    pool += ["right write", "see the right", "go to it", "two too"]
    some = [("right", "write"), ("see", "sea"), ("to", "too")]
    found = drawing.draw(pool, some, 12, "test", 3)
    assert Counter(one.word for one in found) == dict.fromkeys(("right", "write", "sea", "see"), 3)
    assert len({one.text for one in found}) == 12
    assert all(one.word in one.text.split() and one.word not in one.rivals for one in found)
    assert all(one.utterance.variant in TIMBRES["test"] for one in found)
    every = drawing.draw(pool, some, 1000, "test", 3)
    assert 12 < len(every) <= len(pool)
    assert "right write" not in [one.text for one in every]


def test_the_word_that_counts_is_found_where_words_are_missing_or_more() -> None:
    words = [("turn right now", 1, ("write",)), ("i write to you", 1, ("right",))]
    drawn = [Drawn(*one, voices.way(one[0], "test", 0, 0)) for one in words]
    assert vars(heard(["turn right now", "i write to you"], drawn)) == {
        "right": 100.0,
        "alike": 0.0,
        "of_alike": 100.0,
        "wer": 0.0,
    }
    found = heard(["turn write now", "oh i right to you"], drawn)
    assert (found.right, found.alike, found.of_alike) == (0.0, 100.0, 0.0)
    found = heard(["", "i write you"], drawn)
    assert (found.right, found.alike, found.of_alike) == (50.0, 0.0, 100.0)
    assert most_frequent(drawn, ["right right write"]) == 50.0


@pytest.mark.data
def test_the_parts_share_no_sentence_and_the_groups_sound_alike() -> None:
    whole = sentences()
    parts = [set(one) for one in (whole.train, whole.validation, whole.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) > 100_000
    found = groups.homophones(whole.train)
    assert ("right", "write") in found
    assert len(found) > 30


@pytest.mark.data
def test_what_is_made_is_a_folder_of_recordings_and_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("espeakng_loader")
    monkeypatch.setattr(making, "HELD_OUT", 2)
    making.make(tmp_path, spoken=3, scored=4)
    drawn = making.drawn_in(tmp_path / "test")
    read = read_recordings(tmp_path / "test")
    assert [one.text for one in read.items] == [one.text for one in drawn]
    assert len(drawn) == 4
    many, usual = (read_recordings(tmp_path / one / "train") for one in making.LESSONS)
    assert len(many) == len(usual) == 3
    assert many.texts != usual.texts
    assert [len(one.split()) for one in many.texts] == [len(one.split()) for one in usual.texts]
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")}
    making.make(tmp_path, spoken=3, scored=4)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")} == times
    monkeypatch.setitem(making.LESSONS, "usual", 0.1)
    with pytest.raises(DataError, match=r"usual.validation.manifest\.csv: .*other sentences"):
        making.make(tmp_path, spoken=3, scored=4)


def test_what_a_language_model_reads_right_needs_every_rival_to_be_less_likely() -> None:
    learnt = ["i write to you", "turn right now", "the rite of spring"] * 4
    model = NGramModel(3).fit(learnt, holdout=0)
    words = [
        ("turn right now", 1, ("write", "rite")),
        ("i rite to you", 1, ("write", "right")),  # "write" is likelier there
    ]
    drawn = [Drawn(*one, voices.way(one[0], "test", 0, 0)) for one in words]
    assert read_right(model, drawn[:1]) == 100
    assert read_right(model, drawn) == 50
