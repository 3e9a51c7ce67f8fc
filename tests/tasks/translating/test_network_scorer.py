"""A network as a search asks it: rows are put in order, copied and dropped without a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled.tasks.translating.networks import TranslationNetworks
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
    scorer = NetworkScorer(model, SOURCES)
    with torch.no_grad():
        scorer.step(torch.tensor([1, 1, 1, 1]))
        scorer.select(torch.tensor([2, 0, 0, 2]))
        scorer.step(torch.tensor([3, 4, 5, 6]))
        scorer.select(torch.tensor([3, 1]))
        found = scorer.step(torch.tensor([7, 8]))
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


def test_what_no_row_looks_at_is_dropped() -> None:
    scorer = NetworkScorer(network(), SOURCES)
    with torch.no_grad():
        scorer.step(torch.tensor([1, 1, 1, 1]))
        scorer.select(torch.tensor([1, 2]))
        found = scorer.step(torch.tensor([3, 3]))
    assert found.attention is not None
    assert found.attention.shape == (2, 3)


def test_the_best_tokens_are_those_of_all() -> None:
    scorer = NetworkScorer(network(), SOURCES)
    with torch.no_grad():
        found = scorer.step(torch.tensor([1, 2, 3, 4]))
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
