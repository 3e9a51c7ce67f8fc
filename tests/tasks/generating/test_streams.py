"""Long streams: side by side as one by one, and the rival on the same tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled.baselines import NGram
from unrolled.data.token_store import TokenStore
from unrolled.data.tokens import Characters
from unrolled.tasks.generating import gate, streams
from unrolled.tasks.generating.gate import rival_nats
from unrolled.tasks.generating.interpolation import best_weight
from unrolled.tasks.generating.neural_cache import NeuralCache
from unrolled.tasks.generating.reading import Reader
from unrolled.tasks.generating.scoring import log_probabilities
from unrolled.tasks.generating.streams import score_stream

CHARACTERS = ("a", "b", " ", ".")
SIX = Characters(("\ufffd", "\n", *CHARACTERS))


def store_of(lengths: list[int], seed: int = 0) -> TokenStore:
    """Documents of random tokens, each behind a line break (token 1)."""
    draws = np.random.default_rng(seed)
    documents = [np.concatenate([[1], draws.integers(1, 6, length)]) for length in lengths]
    starts = np.cumsum([0, *(len(one) for one in documents[:-1])])
    ids = np.concatenate(documents).astype(np.uint16)
    return TokenStore(ids, starts, np.bincount(ids, minlength=6), int(sum(lengths)))


def worded(seed: int, documents: int) -> TokenStore:
    """Documents of ten words, some of them frequent: a long context tells much."""
    draws = np.random.default_rng(seed)
    words = np.random.default_rng(9).integers(2, 6, (9, 4))
    rows = [np.append(1, words[draws.zipf(1.6, 10) % 9]) for _ in range(documents)]
    starts = np.cumsum([0, *map(len, rows[:-1])])
    ids = np.concatenate(rows).astype(np.uint16)
    return TokenStore(ids, starts, np.bincount(ids, minlength=6), len(ids) - documents)


def by_document(reader: Reader, store: TokenStore) -> float:
    edges = [*store.document_starts.tolist(), len(store)]
    rows = [store.ids[begin + 1 : end].astype(np.int64) for begin, end in pairwise(edges)]
    return -sum(float(log_probabilities(reader, [row])[0].sum()) for row in rows)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any),
    rows=st.integers(1, 5),
    scores=st.sampled_from([1, 40, 1 << 20]),
)
def test_documents_side_by_side_cost_what_they_cost_alone(
    lengths: list[int], rows: int, scores: int, reader_of: Callable[..., Reader]
) -> None:
    reader, store = reader_of("characters", CHARACTERS), store_of(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "ROWS", rows)
        patch.setattr(streams, "SCORES", scores)
        got = score_stream(reader, store)
    assert got.tokens == sum(lengths)
    assert got.nats == pytest.approx(by_document(reader, store), rel=1e-5, abs=1e-5)


def test_a_cache_goes_on_from_document_to_document(reader_of: Callable[..., Reader]) -> None:
    reader, store = reader_of("characters", CHARACTERS), store_of([20] * 6)
    same = score_stream(reader, store, NeuralCache(size=30, weight=0.0))
    assert same.nats == pytest.approx(score_stream(reader, store).nats, rel=1e-5)
    repeated = TokenStore(
        np.tile(store.ids[:21], 6), np.arange(6) * 21, store.counts, store.characters
    )
    cached = score_stream(reader, repeated, NeuralCache(size=30, theta=1.0, weight=0.5))
    assert cached.nats < 0.8 * score_stream(reader, repeated).nats


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), chunk=st.integers(1, 50))
def test_the_rival_is_scored_on_the_same_tokens(lengths: list[int], chunk: int) -> None:
    store = store_of(lengths)
    learnt = store_of([200], seed=1).ids
    rival = NGram(3).fit(learnt, 6)
    nats = 0.0
    for begin, end in pairwise([*store.document_starts.tolist(), len(store)]):
        both = np.concatenate([learnt, store.ids[begin:end]])
        nats -= rival.log2_probabilities(both)[len(learnt) + 1 :].sum() * math.log(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_CHUNK", chunk)
        assert rival_nats(rival, store) == pytest.approx(nats)


def test_without_a_part_to_choose_by_the_rival_learns_all_for_all_that() -> None:
    learn = store_of([400], seed=1)
    rival = gate.choose_rival(learn, None, SIX)
    assert rival.sample == ""
    assert rival.unlearnt is None
    order, discounts = rival.ngram.order, rival.ngram.discounts
    want = NGram(order, discounts=discounts).fit(np.asarray(learn.ids), 6)
    for name, array in want.to_arrays().items():
        np.testing.assert_array_equal(rival.ngram.to_arrays()[name], array)


@pytest.mark.parametrize("length", [1, 3, 9])
def test_a_rival_of_few_tokens_is_chosen_by_one_of_them(length: int) -> None:
    rival = gate.choose_rival(store_of([length]), None, SIX)
    assert rival.sample == ""
    assert math.isfinite(rival_nats(rival.ngram, store_of([4])))


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_where_documents_begin_is_told_of_any_place(lengths: list[int]) -> None:
    store = store_of(lengths)
    told = store.begins_document(np.arange(len(store)).reshape(1, -1))
    assert np.flatnonzero(told[0]).tolist() == store.document_starts.tolist()


def test_of_a_large_text_the_rival_counts_a_sample_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learn, choose = store_of([400], seed=1), store_of([80], seed=2)
    rival = gate.choose_rival(learn, choose, SIX)
    assert rival.sample == ""
    monkeypatch.setattr(gate, "MOST", 150)
    sampled = gate.choose_rival(learn, choose, SIX)
    assert sampled.sample == " on 150 of 401 tokens"
    want = NGram(sampled.ngram.order, discounts=sampled.ngram.discounts).fit(
        np.concatenate([learn.ids[-150:], choose.ids]), 6
    )
    for name, array in want.to_arrays().items():
        np.testing.assert_array_equal(sampled.ngram.to_arrays()[name], array)
    assert rival.ngram.order >= 2


def test_the_rival_tells_what_the_validation_part_was_to_it_before_it_learnt_it() -> None:
    learn, choose = worded(1, 20), worded(2, 6)
    rival = gate.choose_rival(learn, choose, SIX)
    assert rival.unlearnt is not None
    assert rival.ngram.order > 2
    before = NGram(rival.ngram.order, discounts=rival.ngram.discounts).fit(learn.ids, 6)
    for begin, end in pairwise([*choose.document_starts.tolist(), len(choose)]):
        ids = np.concatenate([learn.ids, choose.ids[begin:end]])
        want = before.log2_probabilities(ids)[len(learn) + 1 :] * math.log(2)
        np.testing.assert_allclose(rival.unlearnt[begin + 1 : end], want, rtol=1e-12)


def test_the_rival_is_the_best_of_all_orders_and_discounts() -> None:
    kinds = set()
    for learn, choose in (
        (store_of([400], seed=1), store_of([80], seed=2)),
        (worded(1, 20), worded(11, 6)),
    ):
        rival = gate.choose_rival(learn, choose, SIX).ngram
        bits = {
            (order, discounts): NGram(order, discounts=discounts)
            .fit(learn.ids, 6)
            .bits_per_token(choose.ids)
            for order in range(2, 9)
            for discounts in gate.DISCOUNTS
        }
        assert bits[rival.order, rival.discounts] == pytest.approx(min(bits.values()))
        kinds.add(rival.discounts)
    assert kinds == {"one", "three"}


def test_a_validation_part_without_tokens_leaves_the_usual_share(
    reader_of: Callable[..., Reader],
) -> None:
    empty, learn = store_of([0]), store_of([40])
    rival = gate.Rival(NGram(2).fit(learn.ids, 6), "", np.zeros(len(empty)))
    assert gate.share_of(rival, reader_of("characters", CHARACTERS), empty) == 0.2


def test_the_share_is_weighed_token_by_token(
    reader_of: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrolled.tasks.generating.streams.ROWS", 3)
    monkeypatch.setattr("unrolled.tasks.generating.streams.CHUNK", 4)
    monkeypatch.setattr("unrolled.tasks.generating.interpolation._DOUBT", 0.0)
    reader = reader_of("characters", CHARACTERS)
    choose = store_of([9, 4, 12, 7], seed=5)
    network = np.zeros(len(choose))
    for begin, end in pairwise([*choose.document_starts.tolist(), len(choose)]):
        row = np.asarray(choose.ids[begin + 1 : end], dtype=np.int64)
        network[begin + 1 : end] = log_probabilities(reader, [row])[0]
    ngram = np.log(np.random.default_rng(0).uniform(0.01, 0.6, len(choose)))
    counted = ~choose.begins_document(np.arange(len(choose)))
    want = best_weight(network[counted], ngram[counted])
    rival = gate.Rival(NGram(2).fit(choose.ids, 6), "", ngram)
    assert 0 < want < 1
    assert gate.share_of(rival, reader, choose) == pytest.approx(want, rel=1e-3)


def test_scores_of_many_tokens_are_made_in_parts(
    reader_of: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    from unrolled.tasks.generating import scoring

    reader = reader_of("characters", CHARACTERS)
    rows = [np.random.default_rng(n).integers(1, 6, n) for n in (0, 1, 7, 30)]
    whole = log_probabilities(reader, rows)
    monkeypatch.setattr(scoring, "SCORES", 60)
    for one, other in zip(whole, log_probabilities(reader, rows), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        ids = torch.tensor([1, *rows[2]])
        logits, _ = reader.model(ids[:-1].unsqueeze(1))
    want = logits[:, 0].log_softmax(-1).gather(1, ids[1:].unsqueeze(1))[:, 0]
    np.testing.assert_allclose(whole[2], want, rtol=1e-4, atol=1e-5)
