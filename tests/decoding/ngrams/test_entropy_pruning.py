"""Relative-entropy pruning."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding.ngrams.small import same, texts
from unrolled import NGramModel
from unrolled.decoding.ngrams.pruning import prune_by_entropy
from unrolled.decoding.ngrams.sums import context_sums
from unrolled.decoding.ngrams.vocabulary import BEGIN, END


@given(texts, st.sampled_from([1e-6, 1e-4, 1e-2, 0.1]))
def test_every_context_of_a_pruned_model_sums_to_one(lines, threshold):
    trie = prune_by_entropy(NGramModel(4).fit(lines, holdout=0).trie, threshold)
    assert (np.abs(context_sums(trie) - 1) <= 1e-5).all()


@given(texts)
def test_nothing_is_left_out_at_zero_and_all_but_words_at_infinity(lines):
    trie = NGramModel(3).fit(lines, holdout=0).trie
    assert same(prune_by_entropy(trie, 0.0), trie)
    bare = prune_by_entropy(trie, math.inf)
    assert bare.counts == [trie.vocabulary_size]
    assert (bare.log_prob[1:] == trie.log_prob[1 : 1 + trie.vocabulary_size]).all()
    assert not bare.backoff.any()


@given(texts)
def test_a_higher_threshold_leaves_fewer_grams(lines):
    trie = NGramModel(4).fit(lines, holdout=0).trie
    sizes = [len(prune_by_entropy(trie, one)) for one in (0, 1e-5, 1e-3, 0.05, 1.0)]
    assert sizes == sorted(sizes, reverse=True)


def test_the_raised_perplexity_is_the_relative_entropy_of_both_models():
    # One pair is left out; the same sum over all words by the two models' own answers.
    model = NGramModel(2).fit("a b\na b\na c\nb a\nc c b\nb c a a\n" * 2, holdout=0)
    trie = model.trie
    first, last = trie.starts[2:4]
    p = 10.0 ** trie.log_prob.astype(float)
    raised = {}
    for node in range(first, last):
        context = int(trie.parent[node])
        kept = np.ones(len(trie), dtype=bool)
        kept[node] = False
        other = trie.select(kept)
        # Its back-off weight, so that the context sums to 1 again.
        seen = slice(other.first_child[context], other.first_child[context + 1])
        shorter = p[1 + other.token[seen]].sum()
        left = (1 - (10.0 ** other.log_prob[seen].astype(float)).sum()) / (1 - shorter)
        other.backoff[context] = np.log10(left)
        own = model.next_probabilities(context)
        model.trie = other
        after = model.next_probabilities(context)
        model.trie = trie
        weight = p[1 + END if context == 1 + BEGIN else context]
        raised[node] = math.expm1(weight * float((own * np.log(own / after)).sum()))
    least = sorted(raised.values())
    for threshold in (0.5 * (a + b) for a, b in pairwise(least) if b > a + 1e-6):
        kept = {tuple(trie.gram(node)) for node in raised if raised[node] >= threshold}
        found = prune_by_entropy(trie, threshold)
        assert {tuple(found.gram(node)) for node in range(found.starts[2], len(found))} == kept


def test_a_suffix_that_was_left_out_is_passed_over():
    trie = NGramModel(4).fit("d a b c\nd a b c\nd a b c\nb e\nb f\nb g\nx b h\n", holdout=0).trie
    pruned = prune_by_entropy(trie, 0.02)
    grams = {tuple(pruned.gram(node)): node for node in range(len(pruned))}
    passed = 0
    for gram, node in grams.items():
        ends = [gram[at:] for at in range(1, len(gram) + 1)]
        if gram:
            assert pruned.suffix[node] == next(grams[end] for end in ends if end in grams)
            passed += ends[0] not in grams
    assert passed
