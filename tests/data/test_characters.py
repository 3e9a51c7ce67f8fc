"""Characters as tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import Characters, tokenizer_from_assets
from unrolled.errors import ConfigError

TEXTS = st.text(st.characters(exclude_categories=[]))


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_decoding_gives_back_what_was_encoded(text):
    tokenizer = Characters.learn([text])
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    assert tokenizer.decode(ids) == text
    assert "".join(tokenizer.pieces[i] for i in ids) == text
    assert tokenizer_from_assets(tokenizer.to_assets()) == tokenizer


@settings(max_examples=40, deadline=None)
@given(known=TEXTS, text=TEXTS)
def test_an_unknown_character_becomes_number_0_and_is_counted(known, text):
    tokenizer = Characters.learn([known])
    expected = [one if one in tokenizer else "\ufffd" for one in text]
    assert tokenizer.decode(tokenizer.encode(text)) == "".join(expected)
    assert tokenizer.count_unknown(text) == expected.count("\ufffd")


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_characters_of_a_text_do_not_depend_on_how_it_is_cut(pieces):
    assert Characters.learn(pieces) == Characters.learn(["".join(pieces)])


def test_pieces_are_ordered_begin_with_the_unknown_token_and_have_a_line_break():
    tokenizer = Characters.learn(["hello\0"])
    assert tokenizer.pieces == ("\ufffd", "\0", "\n", "e", "h", "l", "o")
    assert len(tokenizer) == 7
    assert "\ufffd" not in tokenizer


def test_only_the_most_frequent_are_kept_where_that_is_asked():
    text = "aaabbbccd\n\n\n\n"
    assert Characters.learn([text], vocabulary_size=4).pieces == ("\ufffd", "\n", "a", "b")
    assert Characters.learn([text], min_count=2).pieces == ("\ufffd", "\n", "a", "b", "c")
    assert Characters.learn(["x"], vocabulary_size=2).pieces == ("\ufffd", "\n")


def test_a_word_ends_at_a_space_or_mark_and_not_at_a_letter_digit_accent_or_apostrophe():
    tokenizer = Characters.learn(["a1é\u0301'\u2019 -.\n"])
    ends = {tokenizer.pieces[i] for i in range(len(tokenizer)) if tokenizer.begins_word(i)}
    assert ends == {" ", "-", ".", "\n"}


@pytest.mark.parametrize("ids", [[7], [-1], [0, 99]])
def test_a_number_beyond_the_vocabulary_is_refused(ids):
    with pytest.raises(ConfigError, match="of 7 tokens"):
        Characters.learn(["hello\0"]).decode(ids)


@pytest.mark.parametrize("pieces", [[], ["a"], ["\ufffd", "ab"], ["\ufffd", "a", "a"], [3]])
def test_a_list_that_is_no_vocabulary_is_refused(pieces):
    with pytest.raises(ConfigError, match=r"Characters\.learn"):
        Characters(pieces)
