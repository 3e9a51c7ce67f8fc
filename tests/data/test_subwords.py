"""Subwords as tokens: every text comes back, and none is unknown."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import Subwords, make_tokenizer, tokenizer_from_assets
from unrolled.errors import ConfigError

TEXT = (
    "the cat sat on the mat and the cat isn't the dog's cat,\n  that is: caf\u00e9 \u65e5\u672c\n"
    * 20
)


@pytest.fixture(scope="module")
def tokenizer() -> Subwords:
    return Subwords.learn([TEXT], vocabulary_size=340)


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text(), st.text(" \t\na.,'1\u00e9"), st.sampled_from([TEXT, ""])))
def test_every_text_comes_back_as_it_was(tokenizer, text):
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    assert tokenizer.decode(ids) == text
    assert tokenizer.count_unknown(text) == 0
    assert (ids > 0).all()


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(st.text(), st.text(" \t\r\na.,'1\u00e9"), st.sampled_from([TEXT])))
def test_tokens_are_those_of_the_library(tokenizer, text):
    whole = [tokenizer._tokenizer.encode(line).ids for line in text.split("\n")]
    newline = tokenizer.encode("\n").tolist()
    expected = [i for line in whole for i in (*line, *newline)][:-1]
    assert tokenizer.encode(text).tolist() == expected


@settings(max_examples=50, deadline=None)
@given(lines=st.lists(st.text(" ab\t.\u00e9"), max_size=5))
def test_lines_encoded_one_by_one_are_the_text_encoded_whole(tokenizer, lines):
    parts = [tokenizer.encode(line + "\n") for line in lines]
    whole = tokenizer.encode("".join(line + "\n" for line in lines))
    assert np.concatenate([np.empty(0, np.int64), *parts]).tolist() == whole.tolist()


def test_the_unknown_token_is_not_read_from_its_own_character(tokenizer):
    ids = tokenizer.encode("a\ufffdb")
    assert (ids > 0).all()
    assert tokenizer.decode(ids) == "a\ufffdb"


def test_frequent_words_are_one_token_and_a_line_break_always(tokenizer):
    assert [tokenizer.pieces[i] for i in tokenizer.encode("\n\n the cat")] == [
        "\n",
        "\n",
        " the",
        " cat",
    ]
    assert not any("\n" in piece for piece in tokenizer.pieces if piece != "\n")


def test_pieces_join_to_the_text_where_no_character_is_cut(tokenizer):
    assert (
        "".join(tokenizer.pieces[i] for i in tokenizer.encode("the mat's cat")) == "the mat's cat"
    )
    assert len(tokenizer.encode("\u65e6")) > 1
    assert tokenizer.decode(tokenizer.encode("\u65e6")) == "\u65e6"
    assert tokenizer.decode(tokenizer.encode("\u65e6")[:1]) == "\ufffd"


def test_a_word_begins_with_a_space_or_a_mark(tokenizer):
    begins = {tokenizer.pieces[i]: tokenizer.begins_word(i) for i in range(len(tokenizer))}
    assert begins[" the"]
    assert begins[","]
    assert begins["\n"]
    assert not begins["at"]
    assert not begins["'"]
    assert tokenizer.word_beginnings.shape == (len(tokenizer),)


def test_learning_twice_gives_the_same_and_a_tokenizer_comes_back_from_its_assets(tokenizer):
    assert Subwords.learn(TEXT.splitlines(keepends=True), vocabulary_size=340) == tokenizer
    again = tokenizer_from_assets(copy.deepcopy(tokenizer.to_assets()))
    assert again == tokenizer
    assert again.encode(TEXT).tolist() == tokenizer.encode(TEXT).tolist()


def test_tokens_are_the_same_after_the_table_of_seen_words_began_anew(tokenizer, monkeypatch):
    expected = tokenizer.encode(TEXT).tolist()
    monkeypatch.setattr("unrolled.data.tokens.subwords._MOST_KEPT", 2)
    assert [tokenizer.encode(TEXT).tolist() for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"model": None},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}},
        {"version": "99"},
    ],
)
def test_what_is_no_tokenizer_is_refused_in_one_line(tokenizer, change):
    with pytest.raises(ConfigError, match="no tokenizer of subwords") as caught:
        Subwords(tokenizer.to_assets()["tokenizer"] | change)
    assert "\n" not in str(caught.value)


def test_a_vocabulary_smaller_than_its_bytes_is_refused():
    with pytest.raises(ConfigError, match="from 300 on"):
        make_tokenizer("subwords", [TEXT], vocabulary_size=256)
