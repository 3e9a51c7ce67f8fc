"""Suggestions by counting."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.baselines import NGram, WordNGram
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError

TEXT = "The cat sat on the mat. The cat sat on the sofa. The dog sat by the door.\n" * 20


def test_the_likeliest_next_word_comes_first() -> None:
    rival = WordNGram().fit(TEXT)
    words = [word for word, _ in rival.suggest("The cat sat ", 2)]
    assert words[0] == "on"
    assert rival.suggest("The dog sat ", 1)[0][0] == "by"


def test_probabilities_are_those_of_the_grams_under_it() -> None:
    rival = WordNGram(3).fit(TEXT)
    number = {token: k for k, token in enumerate(rival._tokens)}
    shares = rival._grams.next_probabilities([number["sat"], number["on"]])
    for word, p in rival.suggest("The dog sat on ", 3):
        assert p == shares[number[word]]
    assert isinstance(rival._grams, NGram)


def test_a_half_typed_word_is_completed_and_the_rest_divided_by_their_sum() -> None:
    rival = WordNGram().fit(TEXT)
    found = rival.suggest("The cat sat on the s", 5)
    assert next(word for word, _ in found) == "sofa"
    assert {word[0] for word, _ in found} == {"s"}
    assert sum(p for _, p in found) == pytest.approx(1)
    # A word that is complete may still be meant.
    assert rival.suggest("The cat sat on the sofa", 5)[0][0] == "sofa"
    assert rival.suggest("xyz", 5) == []


def test_only_words_are_suggested_and_an_empty_text_will_do() -> None:
    rival = WordNGram().fit(TEXT)
    for text in ("", "The cat sat on the mat", "The cat sat on the mat.", "\n", "never seen "):
        assert all(word[0].isalpha() for word, _ in rival.suggest(text, 50))
    assert rival.suggest("The cat sat on the mat. ", 1)[0][0] == "The"
    assert len(rival.suggest("", 3)) == 3


@pytest.mark.parametrize("order", [1, 2, 5])
def test_only_the_words_that_a_gram_reaches_count(order: int) -> None:
    rival = WordNGram(order).fit(TEXT)
    short = (
        " ".join(["The", "cat", "sat", "on", "the"][max(0, 6 - order) :]) + " " if order > 1 else ""
    )
    assert rival.suggest("The cat sat on the ", 4) == rival.suggest(short, 4)


def test_rare_words_are_one_token_that_is_never_suggested() -> None:
    rival = WordNGram(2, vocabulary_size=4).fit(TEXT)
    assert len(rival._tokens) == 4
    assert all(word in rival._tokens[1:] for word, _ in rival.suggest("", 10))


def test_pieces_count_as_the_whole_and_a_sample_is_told() -> None:
    whole = WordNGram().fit(TEXT)
    pieces = WordNGram().fit(line + "\n" for line in TEXT.splitlines())
    assert whole.suggest("The ", 5) == pieces.suggest("The ", 5)
    assert WordNGram(sample=30).fit(TEXT).learnt_from == 30


def test_a_rival_from_its_arrays_suggests_the_same_bits() -> None:
    rival = WordNGram(4).fit(TEXT)
    arrays = rival.to_arrays()
    assert all(array.dtype.kind in "iuf" for array in arrays.values())
    back = WordNGram.from_arrays(arrays)
    for text in ("", "The cat ", "The cat sat o"):
        assert back.suggest(text, 9) == rival.suggest(text, 9)
    assert (back.name, back.learnt_from) == ("4-gram of words", rival.learnt_from)


def test_bad_input_is_named_in_one_plain_line() -> None:
    with pytest.raises(ConfigError, match="vocabulary_size is 1"):
        WordNGram(vocabulary_size=1)
    with pytest.raises(ConfigError, match="order is 0"):
        WordNGram(0)
    with pytest.raises(NotFittedError, match="fit"):
        WordNGram().suggest("a")
    with pytest.raises(NotFittedError, match="fit"):
        WordNGram().to_arrays()
    with pytest.raises(DataError, match="no words"):
        WordNGram().fit("  ")
    with pytest.raises(ConfigError, match="n is 0"):
        WordNGram().fit("a b").suggest("", 0)
    arrays = WordNGram(2).fit(TEXT).to_arrays()
    with pytest.raises(ModelFileError, match="lacks the array 'learnt_from'"):
        WordNGram.from_arrays({k: v for k, v in arrays.items() if k != "learnt_from"})
    with pytest.raises(ModelFileError, match="WordNGram has"):
        WordNGram.from_arrays(arrays | {"learnt_from": np.zeros((2, 2))})
