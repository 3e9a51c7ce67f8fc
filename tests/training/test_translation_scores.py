"""Scores of translations: sacreBLEU's numbers, its signatures, and what they do at the edges."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import ConfigError, DataError
from unrolled.training.translation_scores import (
    EDGES,
    TranslationScores,
    by_length,
    edges_for,
    sentence_chrf,
    translation_scores,
    usual_tokenize,
)

REFERENCES = ["The cat sat on the mat, and slept.", "It's raining today.", "Two dogs run in snow."]
SAID = ["The cat sat on a mat and slept.", "It's raining today.", "two dogs are running in snow ."]

_texts = st.lists(st.text("abc ,.Ä", max_size=12), min_size=1, max_size=5)


def test_a_score_worked_by_hand_comes_out() -> None:
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples and 1 of 2 quadruples are right, and none missing.
    scores = translation_scores(["a b c d x"], ["a b c d e"])
    assert scores.bleu == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
    assert scores.length_ratio == 1
    # One word of the five is missing: the brevity penalty is exp(1 - 5 / 4).
    short = translation_scores(["a b c d"], ["a b c d e"])
    assert short.bleu == pytest.approx(100 * math.exp(1 - 5 / 4))
    assert short.length_ratio == pytest.approx(4 / 5)


def test_the_numbers_and_signatures_are_those_of_sacrebleu() -> None:
    scores = translation_scores(SAID, REFERENCES)
    assert scores.bleu == sacrebleu.corpus_bleu(SAID, [REFERENCES]).score
    assert scores.chrf == sacrebleu.corpus_chrf(SAID, [REFERENCES]).score
    version = f"version:{sacrebleu.__version__}"
    assert scores.bleu_signature == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|{version}"
    assert scores.chrf_signature == f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|{version}"
    assert scores.exact == pytest.approx(1 / 3)
    for one in (scores.bleu_signature, scores.chrf_signature, f"BLEU {scores.bleu:.2f}"):
        assert one in str(scores)


def test_upper_and_lower_case_are_not_the_same() -> None:
    lower = [text.lower() for text in REFERENCES]
    assert translation_scores(lower, REFERENCES).bleu < 100
    assert translation_scores(REFERENCES, REFERENCES).bleu == pytest.approx(100)


@pytest.mark.parametrize(("tokenize", "right"), [("13a", 0.0), ("zh", 100.0), ("char", 100.0)])
def test_languages_without_spaces_are_cut_as_asked(tokenize: Any, right: float) -> None:
    text = ["他今天去北京"]
    scores = translation_scores(text, text, tokenize=tokenize)
    assert scores.bleu == pytest.approx(right)
    assert scores.chrf == pytest.approx(100)
    assert f"tok:{tokenize}" in scores.bleu_signature


@pytest.mark.parametrize(
    ("texts", "right"),
    [
        (["The cat.", "日本"], "13a"),
        (["他今天去北京", "我用 Python 3", "の"], "zh"),
        (["猫は今日も元気です。"], "char"),
        (["ฉันไปตลาด"], "char"),
        (["Привет", "고양이가 있다"], "13a"),
        (["", "3.14"], "13a"),
    ],
)
def test_the_letters_of_a_language_say_how_it_is_usually_cut(texts: list[str], right: str) -> None:
    assert usual_tokenize(texts) == right


def test_the_international_cut_knows_the_marks_of_unicode() -> None:
    said, right = ["»a b c d e«"], ["a b c d e"]
    assert (
        translation_scores(said, right, tokenize="intl").bleu > translation_scores(said, right).bleu
    )


@given(_texts)
def test_what_is_right_scores_best(texts: list[str]) -> None:
    scores = translation_scores(texts, texts)
    assert scores.exact == 1
    assert scores.length_ratio == 1 or (
        math.isnan(scores.length_ratio) and not "".join(texts).strip()
    )
    assert sentence_chrf(texts, texts) == pytest.approx(np.full(len(texts), 100.0))


@given(_texts, st.data())
def test_scores_are_shares_and_each_sentence_has_one(texts: list[str], data: st.DataObject) -> None:
    others = data.draw(
        st.lists(st.text("abc ,.Ä", max_size=12), min_size=len(texts), max_size=len(texts))
    )
    scores, each = translation_scores(others, texts), sentence_chrf(others, texts)
    for one in (scores.bleu, scores.chrf, 100 * scores.exact, *each):
        assert 0 <= one <= 100 + 1e-9
    assert each.shape == (len(texts),)
    one_alone = [
        sentence_chrf([said], [right])[0] for said, right in zip(others, texts, strict=True)
    ]
    assert each.tolist() == one_alone


def test_a_corpus_of_one_sentence_has_the_chrf_of_the_sentence() -> None:
    for said, right in zip(SAID, REFERENCES, strict=True):
        assert sentence_chrf([said], [right])[0] == translation_scores([said], [right]).chrf


def test_nothing_said_scores_nothing() -> None:
    scores = translation_scores(["", ""], ["a b", "c"])
    assert (scores.bleu, scores.chrf, scores.exact, scores.length_ratio) == (0, 0, 0, 0)
    assert math.isnan(translation_scores(["a"], [""]).length_ratio)


def test_nothing_is_printed_or_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        translation_scores(["the end ."] * 200, ["the end."] * 200)
        sentence_chrf(["the end ."], ["the end."])
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_sacrebleu_is_imported_only_when_something_is_scored() -> None:
    code = (
        "import sys, unrolled.training.translation_scores;"
        "sys.exit('sacrebleu' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rows_by_length_are_the_scores_of_their_sentences() -> None:
    lengths = [0, 3, 4, 5, 9, 11]
    said, right = [f"a b c {n} d" for n in range(6)], [f"a b c {n} e" for n in range(6)]
    rows = by_length(lengths, said, right, (3, 8, 10))
    assert [(row.above, row.upto, row.sentences) for row in rows] == [
        (0, 3, 2),
        (3, 8, 2),
        (8, 10, 1),
        (10, None, 1),
    ]
    assert [row.name for row in rows] == ["up to 3", "4 to 8", "9 to 10", "above 10"]
    assert rows[1].scores == translation_scores(said[2:4], right[2:4])
    # A row that nothing falls into is left out, and one row holds all.
    assert [row.name for row in by_length([1, 9], said[:2], right[:2], (2, 4))] == [
        "up to 2",
        "above 4",
    ]
    (whole,) = by_length(lengths, said, right, ())
    assert (whole.name, whole.scores) == ("any", translation_scores(said, right))


@given(st.lists(st.integers(0, 150), min_size=1, max_size=60), st.integers(1, 8))
def test_every_sentence_is_in_one_row_and_every_row_has_enough(
    lengths: list[int], least: int
) -> None:
    edges = edges_for(lengths, least=least)
    assert set(edges) <= set(EDGES)
    rows = by_length(lengths, ["a"] * len(lengths), ["a"] * len(lengths), edges)
    assert sum(row.sentences for row in rows) == len(lengths)
    assert all(row.sentences >= least for row in rows) or len(rows) == 1


@pytest.mark.parametrize(
    ("said", "right", "told"),
    [
        (["a"], ["a", "b"], "1 translations and 2 references"),
        ([], [], "no translations"),
        ("a", ["a"], "one string"),
        (["a"], "a", "references are one string"),
        (["a", None], ["a", "b"], "translation 2 is of type NoneType"),
        (["a", "b"], ["a", 3], "reference 2 is of type int"),
    ],
)
def test_texts_that_can_not_be_scored_are_told(said: Any, right: Any, told: str) -> None:
    for score in (translation_scores, sentence_chrf):
        with pytest.raises(DataError, match=told):
            score(said, right)


def test_wrong_settings_are_told() -> None:
    wrong: Any = "ja-mecab"
    with pytest.raises(ConfigError, match="'ja-mecab'; choose one of '13a', 'intl', 'zh', 'char'"):
        translation_scores(SAID, REFERENCES, tokenize=wrong)
    for edges in ((3, 3), (5, 2), (0, 4)):
        with pytest.raises(ConfigError, match="rising numbers"):
            by_length([1, 2, 3], SAID, REFERENCES, edges)
    with pytest.raises(DataError, match="2 lengths of sources and 3 translations"):
        by_length([1, 2], SAID, REFERENCES)


def test_scores_are_plain_values() -> None:
    scores = translation_scores(SAID, REFERENCES)
    assert isinstance(scores, TranslationScores)
    assert all(type(one) in (float, str) for one in vars(scores).values())
