"""A network as a search asks it: rows are put in order, copied and dropped without a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled import kernels
from unrolled.layers.attention import Attention
from unrolled.layers.paths import use_path
from unrolled.tasks.translating import scorer
from unrolled.tasks.translating.looking import SharedLook
from unrolled.tasks.translating.network import Memory
from unrolled.tasks.translating.networks import TranslationNetworks
from unrolled.tasks.translating.rounding import rounded
from unrolled.tasks.translating.scorer import NetworkScorer

from .small import network

KINDS: list[dict[str, Any]] = [
    {},
    {"cell": "lstm", "attention": "additive"},
    {"input_feeding": True, "layers": 1},
    {"attention": "none", "layers": 3},
]
SOURCES = [np.array(one) for one in ([3, 6, 8, 1], [4, 7, 1], [5, 1], [9, 2, 2, 2, 2, 1])]


@pytest.mark.parametrize("given", KINDS)
def test_a_row_goes_on_as_what_it_was(given: dict[str, Any]) -> None:
    model = network(**given)
    asked = NetworkScorer(model, SOURCES)
    with torch.no_grad():
        asked.step(torch.tensor([1, 1, 1, 1]))
        asked.select(torch.tensor([2, 0, 0, 2]))
        asked.step(torch.tensor([3, 4, 5, 6]))
        asked.select(torch.tensor([3, 1]))
        found = asked.step(torch.tensor([7, 8]))
        for row, (sentence, tokens) in enumerate([(2, [1, 6, 7]), (0, [1, 4, 8])]):
            alone = NetworkScorer(model, [SOURCES[sentence]])
            for token in tokens:
                right = alone.step(torch.tensor([token]))
            torch.testing.assert_close(found.all()[row], right.all()[0])
            if right.attention is None:
                assert found.attention is None
                continue
            assert found.attention is not None
            width = right.attention.shape[1]
            torch.testing.assert_close(found.attention[row, :width], right.attention[0])
            assert not found.attention[row, width:].any()


@pytest.mark.parametrize("path", ["auto", "reference"])
@pytest.mark.parametrize("given", [*KINDS, {"cell": "rnn"}])
def test_in_bfloat16_a_step_is_nearly_what_it_is_in_float32(
    given: dict[str, Any], path: str
) -> None:
    model = network(**given)
    with torch.no_grad(), use_path(path):
        found = [NetworkScorer(model, SOURCES, precision=one) for one in ("bf16", "fp32")]
        for tokens in ([1, 1, 1, 1], [3, 4, 5, 6], [7, 8, 2, 2]):
            low, right = (one.step(torch.tensor(tokens)).all() for one in found)
            assert low.dtype == torch.float32
            assert 0 < (low - right).abs().max() <= 0.03
            for one in found:
                one.select(torch.tensor([3, 1, 1, 0]))


def test_where_the_scores_alone_are_rounded_the_best_are_those_of_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = network(targets=500, tie_weights=False)
    monkeypatch.setattr(scorer, "supports_bfloat16", lambda device: False)
    auto, right = (NetworkScorer(model, SOURCES, precision=one) for one in ("auto", "fp32"))
    with torch.no_grad():
        values, tokens = auto.step(torch.tensor([1, 2, 3, 4])).top(6)
        expected = right.step(torch.tensor([1, 2, 3, 4])).top(6)
    assert torch.equal(tokens, expected[1])
    torch.testing.assert_close(values, expected[0], atol=2e-3, rtol=0)


@pytest.mark.skipif(not kernels.available(), reason=f"kernels: {kernels.why_not()}")
@pytest.mark.parametrize("there", [True, False])
def test_the_layers_are_rounded_unasked_where_the_processor_does_it(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network()
    monkeypatch.setattr(scorer, "supports_bfloat16", lambda device: there)
    auto, other = (
        NetworkScorer(model, SOURCES, precision=one).step(torch.tensor([1, 2, 3, 4])).all()
        for one in ("auto", "bf16" if there else "fp32")
    )
    assert torch.equal(auto, other)


def test_rounding_leaves_the_decoder_as_it_is() -> None:
    model = network()
    decoder = model.decoder
    memory, _ = model(torch.tensor([[3], [1]]))
    vectors, state = model.target(torch.tensor([1])), model.begin(memory)
    before = decoder.step(vectors, state, memory)[0]
    assert not torch.equal(rounded(decoder).step(vectors, state, memory)[0], before)
    assert torch.equal(decoder.step(vectors, state, memory)[0], before)


@pytest.mark.parametrize(
    "owners", [[0, 1, 2, 3], [0, 0, 2, 2, 3, 3], [2, 0, 2, 2, 0], [3, 3], [1, 0, 3, 1, 2, 0]]
)
@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
def test_rows_of_a_sentence_share_its_memory(kind: str, owners: list[int]) -> None:
    attention = Attention(6, 6, kind)
    memory, lengths = torch.randn(5, 4, 6), torch.tensor([5, 2, 1, 4])
    queries, rows = torch.randn(1, len(owners), 6), torch.tensor(owners)
    look = SharedLook(attention)
    look.share(rows)
    assert look.sentences.tolist() == sorted(set(owners))
    with torch.no_grad():
        own, keys = memory[:, look.sentences], attention.keys(memory)
        given = look.prepared(Memory(own, own[0], lengths[look.sentences], keys[:, look.sentences]))
        found = look(queries, given.keys, given.outputs, given.lengths)
        right = attention(queries, keys[:, rows], memory[:, rows], lengths[rows])
    for one, other in zip(found, right, strict=True):
        torch.testing.assert_close(one, other)


def test_nothing_is_kept_for_a_gradient() -> None:
    asked = NetworkScorer(network(), SOURCES)
    assert not any(one._sentences.outputs.requires_grad for one in asked._each)


def test_what_no_row_looks_at_is_dropped() -> None:
    asked = NetworkScorer(network(), SOURCES)
    with torch.no_grad():
        asked.step(torch.tensor([1, 1, 1, 1]))
        asked.select(torch.tensor([1, 2]))
        found = asked.step(torch.tensor([3, 3]))
    assert found.attention is not None
    assert found.attention.shape == (2, 3)


def test_the_best_tokens_are_those_of_all() -> None:
    asked = NetworkScorer(network(), SOURCES)
    with torch.no_grad():
        found = asked.step(torch.tensor([1, 2, 3, 4]))
        values, tokens = found.top(3)
        right = found.all().topk(3)
    torch.testing.assert_close(values, right.values)
    assert torch.equal(tokens, right.indices)
    torch.testing.assert_close(found.all().detach().exp().sum(), torch.tensor(4.0))


def test_members_answer_with_the_mean_of_their_probabilities() -> None:
    first, second = network(), network()
    both = NetworkScorer(TranslationNetworks([first, second]), SOURCES)
    each = [NetworkScorer(one, SOURCES) for one in (first, second)]
    tokens = torch.tensor([1, 2, 3, 4])
    with torch.no_grad():
        found = both.step(tokens)
        parts = [one.step(tokens) for one in each]
    mean = torch.stack([one.all().exp() for one in parts]).mean(0)
    torch.testing.assert_close(found.all(), mean.log())
    assert found.attention is not None
    weights = torch.stack([one.attention for one in parts if one.attention is not None])
    torch.testing.assert_close(found.attention, weights.mean(0))
