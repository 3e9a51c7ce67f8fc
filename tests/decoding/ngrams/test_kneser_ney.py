"""Counts and the estimate, against arithmetic by hand."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from tests.decoding.ngrams.small import texts
from unrolled import NGramModel
from unrolled.decoding.ngrams.counting import count_grams, with_marks
from unrolled.decoding.ngrams.kneser_ney import discounts_of
from unrolled.decoding.ngrams.sums import context_sums

TEXT = "a b\na b\na c\n"


def p(model, *gram):
    """p of the last word after the others, as the model is asked."""
    context, word = gram[:-1], gram[-1]
    state = model.start() if context[:1] == ("<s>",) else 0
    for one in context[context[:1] == ("<s>",) :]:
        _, state = model.step(one, state)
    return math.exp(model.step(word, state)[0])


def test_two_words_worked_by_hand():
    # <s> a b </s> twice, <s> a c </s> once.
    # Pairs, counted as they stand, since none is longer: <s> a 3, a b 2, b </s> 2, a c 1, c </s> 1:
    # n1 = 2, n2 = 2, n3 = 1, n4 = 0, Y = 2 / (2 + 4) = 1/3,
    # D1 = 1 - 2/3 * 2/2 = 1/3, D2 = 2 - 3/3 * 1/2 = 3/2, D3 = 3 - 0 = 3.
    # Words, by how many different ones stand before them: a 1, b 1, c 1, </s> 2, of 5:
    # n3 = 0, so D = 1/2, 1, 3/2; handed over: (3 * 1/2 + 1) / 5 = 1/2, to each of <unk>, </s>, a,
    # b and c a fifth of it.
    model = NGramModel(2).fit(TEXT, holdout=0)
    taken = model._provenance["discounts"]
    np.testing.assert_allclose(taken, [[0.5, 1, 1.5], [1 / 3, 1.5, 3]], rtol=1e-12)
    assert "grams of length 1" in model.notes[0]
    expected = {
        ("<unk>",): 0.1,
        ("a",): 0.5 / 5 + 0.1,
        ("</s>",): (2 - 1) / 5 + 0.1,
        # After a: 3, of which (3/2 + 1/3) / 3 = 11/18 is handed over.
        ("a", "b"): (2 - 1.5) / 3 + 11 / 18 * 0.2,
        ("a", "c"): (1 - 1 / 3) / 3 + 11 / 18 * 0.2,
        ("a", "</s>"): 11 / 18 * 0.3,
        ("b", "</s>"): (2 - 1.5) / 2 + 1.5 / 2 * 0.3,
        ("<s>", "a"): 0 + 3 / 3 * 0.2,
    }
    for gram, value in expected.items():
        assert p(model, *gram) == pytest.approx(value, rel=1e-6), gram


def test_three_words_worked_by_hand():
    # Threes as they stand: <s> a b 2, <s> a c 1, a b </s> 2, a c </s> 1. Pairs by what stands
    # before them: a b 1, a c 1, b </s> 1, c </s> 1; but <s> a as it stands, 3. Each time there is
    # no n3 or n2, so D = 1/2, 1, 3/2 throughout. Words as above.
    model = NGramModel(3).fit(TEXT, holdout=0)
    assert "length 1, 2, 3" in model.notes[0]
    a_b = (1 - 0.5) / 2 + 0.5 * 0.2
    b_end = (1 - 0.5) / 1 + 0.5 * 0.3
    expected = {
        ("a", "b"): a_b,
        ("b", "</s>"): b_end,
        ("<s>", "a"): (3 - 1.5) / 3 + 1.5 / 3 * 0.2,
        ("<s>", "a", "b"): (2 - 1) / 3 + (1 + 0.5) / 3 * a_b,
        ("a", "b", "</s>"): (2 - 1) / 2 + 1 / 2 * b_end,
        ("a", "b", "c"): 1 / 2 * 0.5 * 0.2,
    }
    for gram, value in expected.items():
        assert p(model, *gram) == pytest.approx(value, rel=1e-6), gram


def test_what_is_left_out_by_its_count_is_handed_over():
    # a c, c </s> and their threes stand there once.
    model = NGramModel(2, prune_counts=[0, 1]).fit(TEXT, holdout=0)
    assert model.trie.counts == [6, 3]
    # After a: of 3, b's 3/2 and all of c's 1.
    handed = (1.5 + 1) / 3
    assert p(model, "a", "b") == pytest.approx(0.5 / 3 + handed * 0.2, rel=1e-6)
    assert p(model, "a", "c") == pytest.approx(handed * 0.2, rel=1e-6)


@given(texts)
def test_counts_are_those_of_a_plain_count(lines):
    words = [[ord(one) for one in line.split()] for line in lines]
    flat = np.array([one for line in words for one in line])
    marked = with_marks(flat, np.array([len(line) for line in words]))
    levels = count_grams(marked, 128, 4)
    said = [(1, *line, 2) for line in words]
    grams = [
        Counter(one[i : i + n] for one in said for i in range(len(one) - n + 1))
        for n in range(1, 6)
    ]
    names = [[()], *([] for _ in levels)]
    for n, level in enumerate(levels, start=1):
        names[n] = [
            (*names[n - 1][prefix], token)
            for prefix, token in zip(level.prefixes.tolist(), level.tokens.tolist(), strict=True)
        ]
        for place, gram in enumerate(names[n]):
            assert n == 1 or names[n - 1][level.suffixes[place]] == gram[1:]
            if gram == (1,):
                assert level.adjusted[place] == 0
                continue
            assert level.occurrences[place] == grams[n - 1][gram]
            before = sum(longer[1:] == gram for longer in grams[n])
            raw = n == 4 or gram[0] == 1
            assert level.adjusted[place] == (grams[n - 1][gram] if raw else before)
        assert n == 1 or len(names[n]) == len(grams[n - 1])


def test_discounts_are_none_where_the_counts_can_not_tell():
    assert discounts_of(np.array([1, 1, 2, 2])) is None
    # n1 = 1, n2 = 3, n3 = 9: D2 = 2 - 3 / 7 * 9 / 3 > 0; n3 = 30 makes it negative.
    assert discounts_of(np.repeat([1, 2, 3], [1, 3, 9])) is not None
    assert discounts_of(np.repeat([1, 2, 3], [1, 3, 30])) is None


@given(texts)
def test_every_context_sums_to_one(lines):
    for order in (1, 2, 4):
        for counts in ([0], [0, 1], [0, 0, 2]):
            model = NGramModel(order, prune_counts=counts).fit(lines, holdout=0)
            assert (np.abs(context_sums(model.trie) - 1) <= 1e-5).all()
            for state in range(0, len(model.trie), 3):
                assert abs(model.next_probabilities(state).sum() - 1) <= 1e-5


def test_the_uniform_distribution_gives_an_unknown_word_what_is_left():
    model = NGramModel(1).fit("a b c d\n", holdout=0)
    # 5 tokens once each, D1 = 1/2: a half is handed over, to <unk> and the five alike.
    assert p(model, "zebra") == pytest.approx(0.5 / 6, rel=1e-6)
    assert p(model, "a") == pytest.approx(0.5 / 5 + 0.5 / 6, rel=1e-6)
