"""What is known of a word as it is written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.tasks.tagging import word_forms
from unrolled.tasks.tagging.sentence_text import sentences_of
from unrolled.tasks.tagging.word_forms import (
    CHARACTERS,
    ENDS,
    FIRST_CHARACTER,
    FIRST_END,
    LENGTH,
    SHAPE,
    WIDTH,
    WORD,
    WordForms,
    ends_of,
    shape_of,
    shortened,
)

SENTENCES = [["The", "walked", "dog", "the"], ["walking", "walked", "talking", "Dog"]]
WORDS = st.text(min_size=1, max_size=40)


@pytest.fixture(scope="module")
def forms() -> WordForms:
    return WordForms.learn(SENTENCES)


def test_a_word_seen_twice_has_a_number_of_its_own_in_any_case(forms: WordForms) -> None:
    assert forms.words == ("dog", "the", "walked")
    assert forms.counts == (2, 2, 2)
    rows = forms.rows(["dog", "DOG", "walking"])
    assert rows[:, WORD].tolist() == [1, 1, 0]
    assert forms.knows("The")
    assert not forms.knows("talking")
    lent = WordForms.learn(SENTENCES, ("talking", "the"))
    assert lent.knows("talking")
    assert [lent.learnt(word) for word in ("The", "talking", "new")] == [True, False, False]


def test_a_new_word_shares_ends_with_those_seen(forms: WordForms) -> None:
    new, old = forms.rows(["stalking", "talking"])
    shared = {
        forms.ends[at - 1] for at in set(new[FIRST_END:LENGTH]) & set(old[FIRST_END:LENGTH]) if at
    }
    assert {"ing>", "g>"} <= shared


def test_of_a_large_text_the_most_frequent_words_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_forms, "_MOST", 3)
    forms = WordForms.learn([["d"] * 5 + ["b"] * 4 + ["a", "a", "c", "c"]])
    assert forms.words == ("a", "b", "d")
    assert forms.counts == (2, 4, 5)


def test_words_known_from_elsewhere_have_numbers_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forms = WordForms.learn(SENTENCES, ["talking", "the", "cat"])
    assert forms.words == ("cat", "dog", "talking", "the", "walked")
    assert forms.counts == (0, 2, 1, 2, 2)
    assert forms.ends == WordForms.learn(SENTENCES).ends
    monkeypatch.setattr(word_forms, "_MOST", 4)
    assert WordForms.learn(SENTENCES, ["cat", "talking"]).words == ("cat", "dog", "the", "walked")


def test_ends_are_those_that_a_word_is_long_enough_for() -> None:
    assert ends_of("ab") == ["<a", "b>", "<ab", "ab>"]
    assert len(ends_of("abcdefgh")) == 2 * ENDS


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("dog", "xx"),
        ("Dog", "Xxx"),
        ("USA", "XX"),
        ("3.14", "d.dd"),
        ("e-mail", "x-xx"),
        ("!!!", "!!"),
    ],
)
def test_shapes(word: str, shape: str) -> None:
    assert shape_of(word) == shape


@settings(max_examples=25)
@given(words=st.lists(WORDS, min_size=1, max_size=4))
def test_any_word_has_numbers_inside_the_tables(words: list[str]) -> None:
    forms = WordForms.learn([*SENTENCES, words])
    rows = forms.rows([*words, "new\u20ac"])
    known, shapes, ends, characters = forms.sizes
    assert rows.shape == (len(words) + 1, WIDTH)
    assert (rows >= 0).all()
    assert rows[:, WORD].max() < known
    assert rows[:, SHAPE].max() < shapes
    assert rows[:, FIRST_END:LENGTH].max() < ends
    assert rows[:, FIRST_CHARACTER:].max() < characters
    assert ((rows[:, FIRST_CHARACTER:] > 0).sum(1) == rows[:, LENGTH]).all()


@given(word=WORDS)
def test_a_long_word_keeps_its_two_ends(word: str) -> None:
    short = shortened(word)
    assert len(short) == min(len(word), CHARACTERS)
    assert word.startswith(short[: CHARACTERS // 2])
    assert word.endswith(short[-(CHARACTERS // 2) :])


def test_forms_come_back_from_json_equal(forms: WordForms) -> None:
    back = WordForms.from_assets(json.loads(json.dumps(forms.to_assets())))
    words = ["Dog", "walks", "\u00e9t\u00e9"]
    np.testing.assert_array_equal(back.rows(words), forms.rows(words))
    assert back.counts == forms.counts


def test_a_text_falls_into_sentences_of_words() -> None:
    text = "Mr. O'Neill didn't pay $3.50, did he?! It's well-known...\nstill\n\nNew block"
    assert sentences_of(text) == [
        ["Mr", "."],
        ["O'Neill", "did", "n't", "pay", "$", "3.50", ",", "did", "he", "?", "!"],
        ["It", "'s", "well", "-", "known", "..."],
        ["still"],
        ["New", "block"],
    ]
    assert sentences_of(" \n") == []
