"""The kernel that asks n-gram models: the oracle against the equation, the fast code against the
oracle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoding.ngrams.small import random_trie
from unrolled.decoding.ngrams.trie import Trie


def ask(
    native: Any,
    function: str,
    trie: Trie,
    sentences: list[list[int]],
    states: list[int],
    threads: int = 1,
) -> tuple[np.ndarray, list[int]]:
    """Scores of all tokens, and the states after; nothing around what it writes is touched."""
    tokens = np.array([token for one in sentences for token in one], np.int32)
    offsets = np.cumsum([0, *map(len, sentences)])
    after = np.array([-7, *states, -7], np.int32)
    found = np.full(len(tokens) + 2, -7.0)
    model = native.NGram()
    model.order, model.tokens, model.nodes = trie.order, trie.vocabulary_size, len(trie)
    for name in ("first_child", "token", "log_prob", "backoff", "suffix"):
        setattr(model, name, getattr(trie, name).ctypes.data)
    call = native.NGramScores()
    call.model, call.sentences, call.threads = model, len(sentences), threads
    call.tokens, call.offsets = tokens.ctypes.data, offsets.ctypes.data
    call.states, call.log_probs = after[1:].ctypes.data, found[1:].ctypes.data
    getattr(native, function)(call)
    assert found[0] == found[-1] == after[0] == after[-1] == -7
    return found[1:-1], after[1:-1].tolist()


def draw(trie: Trie, seed: int, many: int = 12) -> tuple[list[list[int]], list[int]]:
    """Sentences, which mostly follow grams of the model, and states to begin at."""
    random = np.random.default_rng(seed)
    sentences = []
    for _ in range(many):
        one: list[int] = []
        for _ in range(random.integers(0, 6)):
            one += trie.gram(int(random.integers(len(trie))))
        sentences.append(one)
    states = [trie.shortened(int(random.integers(len(trie)))) for _ in range(many)]
    return sentences, states


@settings(max_examples=60)
@given(seed=st.integers(0, 2**31), tokens=st.integers(1, 9), order=st.integers(1, 5))
def test_the_fast_code_and_python_find_what_the_oracle_finds(
    native: Any, seed: int, tokens: int, order: int
) -> None:
    trie = random_trie(seed, tokens, order)
    sentences, states = draw(trie, seed)
    want, want_after = ask(native, "oracle_ngram_scores", trie, sentences, states)
    got, after = ask(native, "ngram_scores", trie, sentences, states)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=0)
    assert after == want_after
    place = 0
    for sentence, state, end in zip(sentences, states, after, strict=True):
        for token in sentence:
            log10, state = trie.step(state, token)
            assert abs(math.log(10) * log10 - got[place]) <= 1e-12 * abs(got[place])
            place += 1
        assert state == end


def test_the_oracle_is_the_equation_on_a_model_worked_by_hand(native: Any) -> None:
    # Grams 0 1 2, 1, 2; and 1 2 is not in the model, nor is 0 2.
    trie = random_trie(0, 3, 3, 2)
    grams = {tuple(trie.gram(node)): node for node in range(len(trie))}
    log_prob = {gram: float(trie.log_prob[node]) for gram, node in grams.items()}
    backoff = {gram: float(trie.backoff[node]) for gram, node in grams.items()}

    def p(context: tuple[int, ...], token: int) -> float:
        if (*context, token) in log_prob:
            return log_prob[*context, token]
        return backoff.get(context, 0.0) + p(context[1:], token)

    for gram, node in grams.items():
        for token in range(3):
            got, _ = ask(native, "oracle_ngram_scores", trie, [[token]], [node])
            assert abs(got[0] - math.log(10) * p(gram, token)) <= 1e-12


def test_a_run_of_thousands_of_children_is_searched_to_its_ends(native: Any) -> None:
    trie = random_trie(3, 5000, 2, 30000)
    sentences = [[first, second] for first in (0, 17, 4999) for second in range(0, 5000, 7)]
    states = [0] * len(sentences)
    want, _ = ask(native, "oracle_ngram_scores", trie, sentences, states)
    got, _ = ask(native, "ngram_scores", trie, sentences, states)
    np.testing.assert_array_equal(got, want)


def test_the_bits_are_the_same_on_any_threads_and_however_sentences_are_cut(native: Any) -> None:
    trie = random_trie(5, 9, 4)
    sentences, states = draw(trie, 5, 3000)
    want, after = ask(native, "ngram_scores", trie, sentences, states)
    assert len(want) > 16384
    for threads in (2, 3, 50):
        got, other = ask(native, "ngram_scores", trie, sentences, states, threads)
        assert got.tobytes() == want.tobytes()
        assert other == after
    halves = [one[: len(one) // 2] for one in sentences]
    rests = [one[len(one) // 2 :] for one in sentences]
    _, between = ask(native, "ngram_scores", trie, halves, states)
    got, other = ask(native, "ngram_scores", trie, rests, between)
    assert other == after
    ends = np.cumsum([len(one) for one in sentences])
    assert [*got] == [
        x for end, rest in zip(ends, rests, strict=True) for x in want[end - len(rest) : end]
    ]


def test_no_sentences_and_empty_ones_are_fine(native: Any) -> None:
    trie = random_trie(1)
    assert ask(native, "ngram_scores", trie, [], [])[1] == []
    assert ask(native, "ngram_scores", trie, [[], []], [3, 0])[1] == [3, 0]
