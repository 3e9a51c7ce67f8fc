"""Counts of n-grams against scikit-learn's, which makes a string of each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from unrolled.baselines.gram_counts import GramCounts
from unrolled.errors import ConfigError, DataError, ModelFileError

TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "it's", "Not", "é"]), max_size=8).map(" ".join),
    min_size=2,
    max_size=6,
)


def _sorted_columns(counts: Any) -> list[tuple[float, ...]]:
    return sorted(map(tuple, np.asarray(counts.todense()).T.tolist()))


def _reference(ngrams: tuple[int, int], min_count: int) -> CountVectorizer:
    words = re.compile(r"\w+(?:'\w+)*")
    return CountVectorizer(
        ngram_range=ngrams, tokenizer=words.findall, token_pattern=None, min_df=min_count
    )


@given(TEXTS, TEXTS, st.sampled_from([(1, 1), (1, 2), (2, 3), (1, 4)]), st.integers(1, 2))
def test_grams_and_counts_are_those_of_scikit_learn(
    texts: list[str], new: list[str], ngrams: tuple[int, int], min_count: int
) -> None:
    other = _reference(ngrams, min_count)
    try:
        expected = other.fit_transform(texts)
    except ValueError:  # nothing is left of the vocabulary
        with pytest.raises(DataError, match="give more texts"):
            GramCounts(ngrams, "word", min_count, 10_000).fit(texts)
        return
    counts = GramCounts(ngrams, "word", min_count, 10_000)
    assert _sorted_columns(counts.fit_transform(texts)) == _sorted_columns(expected)
    assert (counts.transform(texts) != counts.fit_transform(texts)).nnz == 0
    # Each gram has its own column: old and new texts together have the same columns too.
    assert _sorted_columns(counts.transform(texts + new)) == _sorted_columns(
        other.transform(texts + new)
    )


def test_characters_have_a_space_at_both_ends() -> None:
    counts = GramCounts((2, 2), "char", 1, 100).fit(["Ab", "b  a"])
    assert counts.size == 5  # " a", "ab", "b ", " b" and "a "
    once = counts.transform(["AB"]).sum()
    assert once == 3


def test_the_most_common_grams_are_kept_and_the_shorter_of_equals() -> None:
    counts = GramCounts((1, 2), "word", 1, 3).fit(["x y", "x y", "x z"])
    assert counts.size == 3
    # x in 3 texts, y and "x y" in 2; z and "x z" are left out.
    assert counts.transform(["z x z"]).sum() == 1
    assert counts.transform(["x y"]).sum() == 3


def test_no_gram_goes_from_one_text_into_the_next() -> None:
    counts = GramCounts((2, 2), "word", 1, 100).fit(["a b", "c d"])
    assert counts.size == 2


def test_counts_survive_arrays() -> None:
    counts = GramCounts((1, 3), "char", 1, 30).fit(["néé", "one", ""])
    back = GramCounts.from_arrays(counts.to_arrays(), "Rival")
    texts = ["one néé", "", "Ω"]
    assert (back.transform(texts) != counts.transform(texts)).nnz == 0
    assert back.ngrams == (1, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("settings", np.array([1, 2, 7, 1, 30])),
        ("settings", np.array([2, 1, 0, 1, 30])),
        ("settings", np.array([1, 2])),
        ("keys_2", np.array([3, 1])),
        ("columns_2", np.array([0, 0])),
    ],
)
def test_arrays_of_another_kind_are_told(name: str, value: np.ndarray) -> None:
    arrays = GramCounts((1, 2), "word", 1, 30).fit(["a b", "b a"]).to_arrays()
    with pytest.raises(ModelFileError, match="Rival"):
        GramCounts.from_arrays(arrays | {name: value}, "Rival")
    with pytest.raises(ModelFileError, match=f"lacks the array '{name}'"):
        GramCounts.from_arrays({k: v for k, v in arrays.items() if k != name}, "Rival")


def test_impossible_settings_are_told() -> None:
    with pytest.raises(ConfigError, match=r"ngrams is \(2, 1\)"):
        GramCounts((2, 1), "word", 1, 30)
    with pytest.raises(ConfigError, match="analyzer is 'bytes'"):
        GramCounts((1, 1), "bytes", 1, 30)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="min_count is 0"):
        GramCounts((1, 1), "word", 0, 30)
