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
    rival = NGram(3).fit(store_of([200], seed=1).ids, 6)
    bits = -rival.log2_probabilities(store.ids)
    kept = np.ones(len(store), dtype=bool)
    kept[store.document_starts] = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_CHUNK", chunk)
        assert rival_nats(rival, store) == pytest.approx(bits[kept].sum() * math.log(2))


def test_without_a_part_to_choose_by_the_rival_learns_all_for_all_that() -> None:
    learn = store_of([400], seed=1)
    rival, said = gate.choose_rival(learn, None, SIX)
    assert said == ""
    want = NGram(rival.order, discounts=rival.discounts).fit(np.asarray(learn.ids), 6)
    for name, array in want.to_arrays().items():
        np.testing.assert_array_equal(rival.to_arrays()[name], array)


@pytest.mark.parametrize("length", [1, 3, 9])
def test_a_rival_of_few_tokens_is_chosen_by_one_of_them(length: int) -> None:
    rival, said = gate.choose_rival(store_of([length]), None, SIX)
    assert said == ""
    assert math.isfinite(rival_nats(rival, store_of([4])))


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_where_documents_begin_is_told_of_any_place(lengths: list[int]) -> None:
    store = store_of(lengths)
    told = store.begins_document(np.arange(len(store)).reshape(1, -1))
    assert np.flatnonzero(told[0]).tolist() == store.document_starts.tolist()


def test_of_a_large_text_the_rival_counts_a_sample_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learn, choose = store_of([400], seed=1), store_of([80], seed=2)
    rival, said = gate.choose_rival(learn, choose, SIX)
    assert said == ""
    monkeypatch.setattr(gate, "MOST", 150)
    sampled, said = gate.choose_rival(learn, choose, SIX)
    assert said == " on 150 of 401 tokens"
    want = NGram(sampled.order, discounts=sampled.discounts).fit(
        np.concatenate([learn.ids[-150:], choose.ids]), 6
    )
    for name, array in want.to_arrays().items():
        np.testing.assert_array_equal(sampled.to_arrays()[name], array)
    assert rival.order >= 2


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
