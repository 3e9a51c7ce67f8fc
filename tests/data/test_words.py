"""Words as tokens: what a token is, and that spaces come back where they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import Words, make_tokenizer, tokenizer_from_assets
from unrolled.data.tokens.word_pattern import join_keys
from unrolled.data.tokens.word_scan import WordScan
from unrolled.errors import ConfigError

WORDS = ["the", "cat", "isn't", "she's", "O'Brien", "well-known", "1980s", "3.14", "1,000", "café"]
WORDS += ["U.S.", "rock'n'roll", "5", "and/or", "$5.00", "50%", "I'd", "10:30", "\u00fcber", "x"]
MARKS = [",", ".", "?", "!", ";", ":", "..."]


@st.composite
def phrases(draw) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
    kind = draw(st.sampled_from(["{}", '"{}"', "({})", "'{}'", "\u201c{}\u201d", "- {}", "[{}]"]))
    mark = draw(st.sampled_from(["", *MARKS]))
    return kind.format(" ".join(words) + (mark if kind[0] in "\"'" else "")) + mark


@st.composite
def typed_texts(draw) -> str:
    joined = st.sampled_from([" ", "\n", " - ", " \u2014 ", "\n\n", "--"])
    text = draw(phrases())
    for phrase in draw(st.lists(phrases(), max_size=5)):
        text += draw(joined) + phrase
    return text


def tokens(text: str, **options) -> list[str]:
    tokenizer = Words.learn([text], min_count=1, **options)
    return [tokenizer.pieces[i] for i in tokenizer.encode(text)]


@settings(max_examples=60, deadline=None)
@given(typed_texts())
def test_usually_typed_text_comes_back_as_it_was(text):
    tokenizer = Words.learn([text], min_count=1)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.count_unknown(text) == 0


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_any_text_has_tokens_that_are_read_from_what_they_decode_to(text):
    tokenizer = Words.learn([text], min_count=1)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    again = tokenizer.decode(ids)
    assert [one for one in again if not one.isspace()] == [
        one for one in text if not (one.isspace() or one in "\u2060\ufeff")
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(typed_texts(), st.text()), max_size=5))
def test_lines_encoded_one_by_one_are_the_text_encoded_whole(lines):
    lines = [line + "\n" for line in lines]
    tokenizer = Words.learn(lines)
    parts = [tokenizer.encode(line) for line in lines]
    whole = tokenizer.encode("".join(lines))
    assert np.concatenate([np.empty(0, np.int64), *parts]).tolist() == whole.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't can't she'll", "do n't ca n't she 'll"),
        ("It\u2019s O'Brien's", "It \u2019s O'Brien 's"),
        ("well-known 3.14, 1,000", "well - known 3.14 , 1,000"),
        ("e.g. U.S.A. end.", "e.g. U.S.A. end ."),
        ("end.Next", "end . Next"),
        ("wait... what?!", "wait ... what ? !"),
        ("great :-) fun", "great :-) fun"),
        ("\u6211\u4eec\u5403\u996d\u3002ok", "\u6211 \u4eec \u5403 \u996d \u3002 ok"),
        ("\U0001f44d\U0001f3fd\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea"),
        ("na\u00efve cafe\u0301", "na\u00efve cafe\u0301"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u093f\u0928\u094d\u0926\u0940"),
        ("x_1 = f(y)", "x _ 1 = f ( y )"),
    ],
)
def test_a_token_is(text, expected):
    assert " ".join(tokens(text)) == expected


def test_line_breaks_of_web_pages_are_line_breaks():
    assert tokens("one<br /><br>two\n") == ["one", "\n", "\n", "two", "\n"]


def test_text_with_tokens_set_apart_reads_as_typed_text():
    typed, apart = (
        "It's fine, and I don't (really) care.",
        "It 's fine , and I do n't (really) care .",
    )
    tokenizer = Words.learn([typed], min_count=1)
    assert tokenizer.encode(apart).tolist() == tokenizer.encode(typed).tolist()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("either-or", "either - or"),
        ("or,It", "or, It"),
        ("It\u2019s", "It's"),
        ("\u201cor\u201d or\u2026", '"or" or...'),
        ("or.....", "or..."),
        ("\U0001f44d\U0001f3fd", "\U0001f44d"),
        ("O\u2019Brien", "O'Brien"),
        ("O\u2019Neill Os", "\ufffd \ufffd"),
    ],
)
def test_a_mark_written_otherwise_is_no_unknown_word(text, read):
    tokenizer = Words.learn(["either - or, It's O'Brien O \"or\" ... \U0001f44d"], min_count=1)
    assert tokenizer.decode(tokenizer.encode(text)) == read


def test_a_plain_apostrophe_is_read_as_the_typographic_one_where_only_that_is_known():
    tokenizer = Words.learn(["it\u2019s O\u2019Brien"], min_count=1)
    assert tokenizer.count_unknown("it's O'Brien") == 0


def test_upper_case_is_read_as_lower_case_where_that_is_asked():
    tokenizer = Words.learn(["The the THE"], lower=True)
    assert tokenizer.keys == ("\ufffd", "\n", "the")
    assert tokenizer.decode(tokenizer.encode("THE The")) == "the the"
    assert Words.learn(["The the THE the"]).count_unknown("THE the") == 1


def test_the_most_frequent_words_are_kept_and_of_equals_the_first():
    text = "b b b a a c c d"
    assert Words.learn([text]).keys == ("\ufffd", "\n", "b", "a", "c")
    assert Words.learn([text], vocabulary_size=4).keys == ("\ufffd", "\n", "b", "a")
    tokenizer = Words.learn([text], vocabulary_size=3)
    assert tokenizer.decode(tokenizer.encode("a b c")) == "\ufffd b \ufffd"
    assert tokenizer.count_unknown("a b c") == 2


def test_only_the_tail_of_a_contraction_begins_no_word():
    tokenizer = Words.learn(["don't, he's\n-"], min_count=1)
    ends = {p for i, p in enumerate(tokenizer.pieces) if not tokenizer.begins_word(i)}
    assert ends == {"n't", "'s"}
    assert tokenizer.word_beginnings.sum() == len(tokenizer) - 2


@settings(max_examples=20, deadline=None)
@given(typed_texts(), st.booleans())
def test_a_tokenizer_comes_back_from_its_assets(text, lower):
    tokenizer = make_tokenizer("words", [text], lower=lower, min_count=1)
    again = tokenizer_from_assets(tokenizer.to_assets())
    assert again == tokenizer
    assert again.encode(text).tolist() == tokenizer.encode(text).tolist()


def test_tokens_are_the_same_after_the_table_of_seen_words_began_anew(monkeypatch):
    texts = ["don't a b c.", "a. d (c) don't\nb"]
    tokenizer = Words.learn(texts, min_count=1)
    expected = [tokenizer.encode(text).tolist() for text in texts]
    monkeypatch.setattr("unrolled.data.tokens.word_scan._MOST_KEPT", 2)
    for _ in range(2):
        assert [tokenizer.encode(text).tolist() for text in texts] == expected


def test_counting_keeps_the_frequent_words_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr("unrolled.data.tokens.words._MOST_COUNTED", 20)
    rare = [f"the cat {' '.join(f'w{10 * k + i}' for i in range(10))}" for k in range(10)]
    assert set(Words.learn(rare).keys) == {"\ufffd", "\n", "the", "cat"}


@pytest.mark.parametrize(
    "keys", [[], ["a"], ["\ufffd", "a"], ["\ufffd", "\n", "a", "a"], ["\ufffd", 3]]
)
def test_a_list_that_is_no_vocabulary_is_refused(keys):
    with pytest.raises(ConfigError, match=r"Words\.learn"):
        Words(keys)


@settings(max_examples=60, deadline=None)
@given(st.one_of(typed_texts(), st.text()))
def test_keys_are_what_the_numbers_stand_for_and_join_to_the_same_text(text):
    tokenizer = Words.learn([text], min_count=1)
    ids, keys = tokenizer.encode(text), WordScan(None).keys(text)
    known = [key for key in keys if key != tokenizer.keys[0]]  # U+FFFD is the unknown token
    assert known == [tokenizer.keys[i] for i in ids if i]
    assert join_keys(keys) == tokenizer.decode(ids)
