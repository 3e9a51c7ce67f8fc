"""Words by their letters: all of them are found, nothing else is, and each beginning knows its
best word."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unrolled.decoding.word_trie import NO_WORD, WordTrie

WORDS = st.lists(
    st.lists(st.integers(1, 4), min_size=1, max_size=6).map(tuple), min_size=1, unique=True
)


def walk(trie: WordTrie, letters: tuple[int, ...]) -> int:
    node = 0
    for letter in letters:
        node = trie.longer(node, letter)
        if node < 0:
            break
    return node


@given(words=WORDS, others=WORDS, seed=st.integers(0, 2**31))
def test_words_are_found_by_their_letters_and_nothing_else_is(
    words: list[tuple[int, ...]], others: list[tuple[int, ...]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    tokens = random.permutation(len(words)).tolist()
    scores = random.normal(size=len(words))
    trie = WordTrie.of(words, tokens, scores)
    for word, token in zip(words, tokens, strict=True):
        assert trie.word[walk(trie, word)] == token
    beginnings = {word[:size] for word in words for size in range(1, len(word) + 1)}
    assert len(trie.letter) == 1 + len(beginnings)
    for other in others:
        node = walk(trie, other)
        assert (node >= 0) == (other in beginnings)
        if node >= 0 and other not in words:
            assert trie.word[node] == NO_WORD


@given(words=WORDS, seed=st.integers(0, 2**31))
def test_a_beginning_knows_the_best_of_its_words(words: list[tuple[int, ...]], seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=len(words))
    trie = WordTrie.of(words, range(len(words)), scores)
    for word in words:
        for size in range(1, len(word) + 1):
            best = max(s for w, s in zip(words, scores, strict=True) if w[:size] == word[:size])
            assert trie.best[walk(trie, word[:size])] == np.float32(best)


def test_of_no_words_there_is_the_beginning_alone() -> None:
    trie = WordTrie.of([], [], np.zeros(0))
    assert trie.longer(0, 1) == -1
    assert trie.first.tolist() == [1, 1]
