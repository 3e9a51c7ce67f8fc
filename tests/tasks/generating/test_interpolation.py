"""The n-gram model's share in the answers: one number, however it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.token_store import TokenStore
from unrolled.errors import ConfigError
from unrolled.tasks.generating import interpolation, scoring, streams
from unrolled.tasks.generating.interpolation import USUAL, best_weight, interpolated
from unrolled.tasks.generating.neural_cache import NeuralCache
from unrolled.tasks.generating.places import place_of, place_to_arrays
from unrolled.tasks.generating.reading import Reader
from unrolled.tasks.generating.scoring import log_probabilities
from unrolled.tasks.generating.streams import score_stream

SYMBOLS = "ab .'"


def one_by_one(reader: Reader, ids: list[int]) -> list[float]:
    """By the definition: the network step by step, the n-gram model by all tokens before."""
    mix = reader.interpolation
    assert mix is not None
    alone = Reader(reader.model, reader.tokenizer)
    at, found = alone.beginning(), []
    before = [*mix.ngram._end.tolist(), alone.newline]
    for token in ids:
        network = float(at.logits[0].double().softmax(-1)[token])
        ngram = float(mix.ngram.next_probabilities(before)[token])
        found.append(math.log((1 - mix.weight) * network + mix.weight * ngram))
        at = alone.step([token], at.place)
        before.append(token)
    return found


def store_of(documents: list[list[int]]) -> TokenStore:
    ids = np.array([token for one in documents for token in [1, *one]], dtype=np.uint8)
    begins = np.cumsum([0, *(len(one) + 1 for one in documents)])[:-1]
    return TokenStore(ids, begins, np.bincount(ids, minlength=7), len(ids))


texts = st.lists(st.integers(1, 6), max_size=12)


@settings(max_examples=30, deadline=None)
@given(text=texts, members=st.sampled_from([1, 2]))
def test_a_text_costs_what_it_does_step_by_step(
    text: list[int], members: int, reader_of: Callable[..., Reader]
) -> None:
    reader = reader_of("characters", SYMBOLS, weight=0.3, members=members)
    want = one_by_one(reader, text)
    (row,) = log_probabilities(reader, [np.array(text, dtype=np.int64)])
    np.testing.assert_allclose(row, want, rtol=1e-4, atol=1e-5)
    at, steps = reader.beginning(), []
    for token in text:
        steps.append(float(at.logits[0].log_softmax(-1)[token]))
        at = reader.step([token], at.place)
    np.testing.assert_allclose(steps, want, rtol=1e-4, atol=1e-5)
    read = reader.read(text)
    np.testing.assert_allclose(read.logits, at.logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(read.place.grams, at.place.grams)


@settings(max_examples=30, deadline=None)
@given(documents=st.lists(texts.filter(bool), min_size=1, max_size=5), steps=st.integers(1, 7))
def test_documents_of_a_stream_cost_what_each_does(
    documents: list[list[int]], steps: int, reader_of: Callable[..., Reader]
) -> None:
    reader = reader_of("characters", SYMBOLS, weight=0.3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK", steps)
        patch.setattr(streams, "ROWS", 3)
        scored = score_stream(reader, store_of(documents))
    alone = Reader(reader.model, reader.tokenizer)
    rows = [np.array(one) for one in documents]
    assert scored.nats == pytest.approx(-sum(sum(one_by_one(reader, one)) for one in documents))
    assert scored.network == pytest.approx(
        -sum(one.sum() for one in log_probabilities(alone, rows)), rel=1e-5
    )


@pytest.mark.parametrize("steps", [1, 2, 5, 9])
def test_rows_side_by_side_are_read_as_each_alone(
    steps: int, reader_of: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "CHUNK", steps)  # long rows come in parts
    reader = reader_of("characters", SYMBOLS, weight=0.3)
    rows = [np.array(one, dtype=np.int64) for one in ([2, 3, 4], [], [5, 2, 3, 3, 1, 4], [6])]
    for row, found in zip(rows, log_probabilities(reader, rows), strict=True):
        np.testing.assert_allclose(found, one_by_one(reader, row.tolist()), rtol=1e-4, atol=1e-5)


def test_a_cache_is_mixed_with_all_that_answers(reader_of: Callable[..., Reader]) -> None:
    reader = reader_of("characters", SYMBOLS, weight=0.3)
    store = store_of([[2, 3, 2, 3, 2, 3]])
    plain = score_stream(reader, store)
    nothing = score_stream(reader, store, NeuralCache(weight=0.0))
    assert nothing.nats == pytest.approx(plain.nats)
    cached = score_stream(reader, store, NeuralCache(size=9, theta=1.0, weight=0.2))
    assert cached.nats != pytest.approx(plain.nats, rel=1e-3)
    assert cached.network == pytest.approx(plain.network)


def test_a_place_is_arrays_and_back(reader_of: Callable[..., Reader]) -> None:
    reader = reader_of("characters", SYMBOLS, weight=0.3)
    place = reader.read([2, 3, 4]).place
    arrays = place_to_arrays(place)
    back = place_of(arrays, reader)
    want, found = reader.step([2], place), reader.step([2], back)
    np.testing.assert_array_equal(want.logits, found.logits)
    assert not np.shares_memory(arrays["grams"], place.grams)
    for wrong in (
        {name: array for name, array in arrays.items() if name != "grams"},
        {**arrays, "grams": arrays["grams"][:, 1:]},
        {**arrays, "grams": arrays["grams"] + 10_000},
        {**arrays, "grams": arrays["grams"].astype(float)},
        {**arrays, "grams": arrays["grams"].repeat(2, axis=0)},
        {**arrays, "grams": arrays["grams"][0, 0]},
    ):
        with pytest.raises(ConfigError, match="grams"):
            place_of(wrong, reader)


@pytest.mark.parametrize("weight", [0.0, 0.1, 0.9])
def test_shares_are_of_probabilities(weight: float) -> None:
    first, second = torch.randn(2, 5).log_softmax(-1)
    want = (1 - weight) * first.exp() + weight * second.exp()
    torch.testing.assert_close(interpolated(first, second, weight).exp(), want)


@pytest.mark.parametrize("seed", range(4))
def test_the_best_share_makes_the_text_likeliest(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(seed)
    network, ngram = np.log(rng.uniform(0.01, 1, (2, 4000)) ** rng.uniform(0.5, 2, (2, 1)))
    monkeypatch.setattr(interpolation, "_DOUBT", 0.0)
    found = best_weight(network, ngram)
    grid = np.linspace(0, 0.999, 1000)
    costs = [-np.logaddexp(network + np.log1p(-w), ngram + np.log(w + 1e-300)).mean() for w in grid]
    own = -np.logaddexp(network + math.log1p(-found), ngram + math.log(found)).mean()
    assert own <= min(costs) + 1e-5


def test_few_tokens_say_little_and_none_nothing() -> None:
    assert best_weight(np.zeros(0), np.zeros(0)) == USUAL
    sure = best_weight(np.full(3, -9.0), np.full(3, -0.1))
    assert USUAL < sure < 0.25
    assert best_weight(np.full(100_000, -0.1), np.full(100_000, -9.0)) == 0.0
    assert best_weight(np.full(100_000, -9.0), np.full(100_000, -0.1)) < 1.0
