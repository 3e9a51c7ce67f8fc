"""Scores of transcripts: worked by hand, jiwer's numbers, confusions, and alignments as printed."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from typing import Any

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.normalising import normalised
from unrolled.errors import ConfigError, DataError, MissingExtra
from unrolled.training.speech_alignment import Counts, align, edits
from unrolled.training.speech_scores import Confusions, speech_scores

SAID = ["the cat sat on the mat", "five nine", "", "seven", "no"]
HEARD = ["the hat sat on mat", "five nine one", "oh no", "", "no"]

_texts = st.lists(st.text("ab c", max_size=8), min_size=1, max_size=5)


def test_a_score_worked_by_hand_comes_out() -> None:
    scores = speech_scores(HEARD, SAID)
    # hat for cat; the second "the" and "seven" not heard; "one", "oh" and "no" inserted; 10 said.
    assert scores.words == Counts(hits=7, substitutions=1, deletions=2, insertions=3)
    assert scores.words.wrong == 6
    assert scores.wer == pytest.approx(100 * 6 / 10)
    # c to h; "the ", "seven" gone; " one", "oh no" more; of 22 + 9 + 0 + 5 + 2.
    assert scores.characters.wrong == 1 + 4 + 5 + 4 + 5
    assert scores.cer == pytest.approx(100 * 19 / 38)
    assert scores.exact == pytest.approx(1 / 5)
    assert scores.sentence_error_rate == pytest.approx(80)
    assert (scores.recordings, scores.empty) == (5, 1)


def test_the_rate_is_the_corpus_s_and_no_mean_over_sentences() -> None:
    scores = speech_scores(["a b c d e f g h", "x"], ["a b c d e f g h", "y"])
    assert scores.wer == pytest.approx(100 / 9)


def test_insertions_can_take_a_rate_above_100() -> None:
    assert speech_scores(["a b c d"], ["x"]).wer == pytest.approx(400)


def test_without_a_reference_there_is_no_rate() -> None:
    for heard in ("", "a b"):
        scores = speech_scores([heard], [" "])
        assert math.isnan(scores.wer)
        assert math.isnan(scores.cer)
        assert scores.words.insertions == len(heard.split())
        assert scores.exact == float(not heard)


def test_spaces_count_as_characters_unless_they_are_left_out() -> None:
    heard, said = ["ab c"], ["a bc"]
    assert speech_scores(heard, said).cer == pytest.approx(100 * 2 / 4)
    without = speech_scores(heard, said, spaces=False)
    assert without.cer == 0
    assert without.characters.said == 3
    assert without.wer == pytest.approx(100)
    assert "spaces no characters" in without.signature
    assert "spaces" not in speech_scores(heard, said).signature


def test_nothing_but_white_space_is_changed_before_unless_asked() -> None:
    heard, said = ["Don\u2019t  stop,\tUK\n"], ["don't stop UK"]
    assert speech_scores(heard, said).words.wrong == 2
    plain = speech_scores(heard, said, normalise="plain")
    assert plain.words == Counts(3, 0, 0, 0)
    assert plain.exact == 1
    assert "case and punctuation as they are" in speech_scores(heard, said).signature
    assert "lower case, punctuation and symbols read as spaces" in plain.signature


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Don\u2019t stop, U.K.!", "don't stop u k"),
        ("'tis the dogs' rock-n-roll", "tis the dogs rock n roll"),
        ("\uff21\uff22 \ufb01ve £5", "ab five 5"),
        ("Café ÄÖ, été", "café äö été"),
        ("'", ""),
        ("  ", ""),
    ],
)
def test_plain_text_has_small_letters_and_no_marks(text: str, plain: str) -> None:
    assert normalised(text, "plain") == plain
    assert normalised(plain, "plain") == plain
    assert normalised(text, "none") == " ".join(text.split())


def test_empty_references_are_told() -> None:
    assert "1 reference has no word" in speech_scores(HEARD, SAID).signature
    plain = speech_scores(["", "a"], ["", "."], normalise="plain")
    assert "2 references have no word" in plain.signature
    assert "no word" not in speech_scores(["a"], ["b"]).signature


@given(_texts, st.data())
def test_the_counts_are_those_of_jiwer_and_of_the_alignments(
    said: list[str], data: st.DataObject
) -> None:
    heard = data.draw(st.lists(st.text("ab c", max_size=8), min_size=len(said), max_size=len(said)))
    scores, words = speech_scores(heard, said), jiwer.process_words(said, heard)
    assert scores.words.wrong == words.substitutions + words.deletions + words.insertions
    assert scores.words.said == sum(len(text.split()) for text in said)
    if scores.words.said:
        assert scores.wer == pytest.approx(100 * words.wer)
    total, each = align(heard, said)
    summed = [sum(getattr(one.counts, name) for one in each) for name in vars(total)]
    assert Counts(*summed) == total == scores.words
    for one, text, other in zip(each, said, heard, strict=True):
        assert [word for word, _ in one.pairs if word is not None] == text.split()
        assert [word for _, word in one.pairs if word is not None] == other.split()
        assert one.counts.wrong == edits(other.split(), text.split())


@given(_texts)
def test_what_is_right_scores_best(texts: list[str]) -> None:
    scores = speech_scores(texts, texts)
    assert scores.words.wrong == scores.characters.wrong == 0
    assert scores.exact == 1
    assert scores.confusions == Confusions()


def test_edits_of_any_sequences_are_counted() -> None:
    assert edits("kitten", "sitting") == 3
    assert edits([1, 2, 3], [2, 3, 4]) == 2
    assert edits([], [5]) == 1
    assert edits([], []) == 0


def test_confusions_come_with_counts_the_most_frequent_first() -> None:
    said = ["five nine", "five", "nine", "two five", "six"]
    heard = ["nine nine", "nine", "five", "five", "six oh"]
    found = speech_scores(heard, said).confusions
    assert found.substitutions == (("five", "nine", 2), ("nine", "five", 1))
    assert found.deletions == (("two", 1),)
    assert found.insertions == (("oh", 1),)
    assert found.lines() == [
        "heard for said: nine for five (2), five for nine (1)",
        "not heard: two (1)",
        "heard though not said: oh (1)",
    ]
    assert found.lines(1)[0] == "heard for said: nine for five (2)"


def test_all_is_told() -> None:
    lines = str(speech_scores(HEARD, SAID)).splitlines()
    assert lines[0] == "WER 60.00% (1 substitutions, 2 deletions, 3 insertions, 10 words)"
    assert lines[1] == "CER 50.00% (38 characters)"
    assert lines[2] == "sentence error rate 80.00% (5 recordings)"
    assert lines[3] == speech_scores(HEARD, SAID).signature
    assert lines[4:] == speech_scores(HEARD, SAID).confusions.lines()


def test_an_alignment_stands_word_below_word() -> None:
    (one,) = align(["the hat sat on the mat it"], ["the cat sat on mat was it"])[1]
    assert one.lines(("reference", "heard")) == [
        "reference  the cat sat on *** mat was it",
        "heard      the hat sat on the mat *** it",
        "               S          I       D",
    ]


def test_a_long_alignment_goes_on_below() -> None:
    (one,) = align(["the hat sat on the mat it"], ["the cat sat on mat was it"])[1]
    lines = one.lines(("reference", "heard"), width=26)
    assert lines[:3] == ["reference  the cat sat on", "heard      the hat sat on", " " * 15 + "S"]
    assert lines[3:] == [
        "reference  *** mat was it",
        "heard      the mat *** it",
        "           I       D",
    ]
    assert all(len(line) <= 26 for line in lines)
    # A word that fits nowhere still stands on a line.
    (long,) = align(["a" * 40], ["b"])[1]
    assert len(long.lines(("reference", "heard"), width=26)) == 3


@pytest.mark.parametrize(
    ("heard", "said", "told"),
    [
        (["a"], ["a", "b"], "1 transcripts and 2 references"),
        ([], [], "no transcripts"),
        ("a", ["a"], "transcripts are one string"),
        (["a", None], ["a", "b"], "transcript 2 is of type NoneType"),
    ],
)
def test_texts_that_can_not_be_scored_are_told(heard: Any, said: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        speech_scores(heard, said)


def test_an_unknown_way_to_normalise_is_told() -> None:
    wrong: Any = "lower"
    with pytest.raises(ConfigError, match="normalise is 'lower'; choose one of 'none', 'plain'"):
        speech_scores(["a"], ["a"], normalise=wrong)


def test_without_jiwer_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for ask in (lambda: speech_scores(["a"], ["a"]), lambda: edits("a", "b")):
        with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[speech\]'"):
            ask()


def test_jiwer_is_imported_only_when_something_is_scored() -> None:
    code = (
        "import sys, unrolled.training.speech_scores;"
        "sys.exit('jiwer' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
