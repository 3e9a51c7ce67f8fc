"""What holds of every kind of tokenizer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import TextStream, Tokenizer, make_tokenizer, tokenizer_from_assets
from unrolled.errors import ConfigError

KINDS = ["characters", "words", "subwords"]
TEXT = 'He said: "It isn\'t so -- caf\u00e9, \U0001f44d."\nAnd (then) left.\n'


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request) -> Tokenizer:
    return make_tokenizer(request.param, [TEXT, TEXT])


def test_number_0_is_unknown_and_a_line_break_has_a_number(tokenizer):
    assert isinstance(tokenizer, Tokenizer)
    assert tokenizer.pieces[0] == tokenizer.decode([0]) == "\ufffd"
    ids = tokenizer.encode("\n")
    assert ids.shape == (1,)
    assert ids[0] > 0
    assert tokenizer.pieces[ids[0]] == "\n"
    assert len(tokenizer.pieces) == len(tokenizer) == len(tokenizer.word_beginnings)


def test_a_piece_is_what_its_number_decodes_to(tokenizer):
    assert [tokenizer.decode([i]) for i in range(len(tokenizer))] == list(tokenizer.pieces)


def test_the_learnt_text_comes_back(tokenizer):
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT


def test_nothing_is_encoded_and_decoded_to_nothing(tokenizer):
    ids = tokenizer.encode("")
    assert (ids.dtype, ids.shape) == (np.int64, (0,))
    assert tokenizer.decode(ids) == tokenizer.decode([]) == ""
    assert tokenizer.count_unknown("") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_of_no_text_knows_the_line_break(kind):
    tokenizer = make_tokenizer(kind, [])
    assert tokenizer.decode(tokenizer.encode("\n")) == "\n"


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 40), text=st.one_of(st.just(TEXT), st.text()))
def test_what_streams_out_is_what_decoding_gives(tokenizer, cut, text):
    ids = tokenizer.encode(text).tolist()
    before = ids[:cut]
    stream = TextStream(tokenizer, before)
    written = "".join([stream.push(i) for i in ids[cut:]]) + stream.end()
    if tokenizer.kind == "subwords":
        assert written == tokenizer.decode(ids[cut:])
    else:
        assert tokenizer.decode(before) + written == tokenizer.decode(ids)


def test_a_number_that_is_not_known_is_refused(tokenizer):
    for bad in (len(tokenizer), -1):
        with pytest.raises(ConfigError, match=f"token {bad} is not in this vocabulary of"):
            tokenizer.decode([0, bad])


def test_a_surrogate_does_no_harm(tokenizer):
    assert tokenizer.decode(tokenizer.encode("a\ud800"))


@pytest.mark.parametrize(
    "assets",
    [{}, [], None, {"kind": "letters"}, *({"kind": kind} for kind in KINDS)],
)
def test_assets_that_are_no_tokenizer_are_refused(assets):
    with pytest.raises(ValueError, match="tokenizer"):
        tokenizer_from_assets(assets)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "letters"}, "characters, words, subwords"),
        ({"kind": "characters", "lower": True}, "lower= is an option of words"),
        ({"kind": "subwords", "min_count": 2}, "min_count= is an option of characters and words"),
        ({"kind": "words", "min_count": 0}, "min_count=0"),
        ({"kind": "words", "vocabulary_size": 1.5}, "vocabulary_size=1.5"),
        ({"kind": "characters", "vocabulary_size": 1}, "vocabulary_size=1"),
    ],
)
def test_a_bad_option_is_told_by_its_name(options, told):
    with pytest.raises(ConfigError, match=told):
        make_tokenizer(pieces=["text"], **options)
