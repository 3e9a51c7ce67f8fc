"""The network of a translator: steps are the whole, padding and other rows change nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.tasks.translating.network import Memory, TranslationNetwork
from unrolled.tasks.translating.networks import TranslationNetworks
from unrolled.training.leaks import check_leaks

from .small import network

KINDS = [
    {},
    {"cell": "lstm"},
    {"attention": "additive"},
    {"attention": "none"},
    {"input_feeding": True, "cell": "lstm"},
    {"layers": 1},
    {"layers": 3, "encoder_layers": 2},
    {"directions": 1},
    {"tie_weights": False, "targets": 9},
]


SOURCES = torch.tensor([[3, 4, 5], [6, 7, 1], [8, 1, 0], [1, 0, 0]])
LENGTHS = torch.tensor([4, 3, 2])
TARGETS = torch.tensor(
    [[1, 1, 1], [2, 3, 4], [5, 6, 1], [7, 1, IGNORED_TARGET], [1, IGNORED_TARGET, IGNORED_TARGET]]
)


def step_by_step(model: TranslationNetwork, memory: Memory) -> torch.Tensor:
    state, found = model.begin(memory), []
    for tokens in TARGETS[:-1].clamp(min=0):
        hidden, weights, state = model.step(tokens, state, memory)
        if weights is not None:
            beyond = torch.arange(len(SOURCES)) >= LENGTHS.unsqueeze(1)
            assert not weights[beyond].any()
            torch.testing.assert_close(weights.sum(1), torch.ones(3))
        found.append(model.scores(hidden))
    return torch.stack(found)


@pytest.mark.parametrize("given", KINDS)
def test_the_loss_of_whole_sentences_is_that_of_their_steps(given: dict[str, Any]) -> None:
    model = network(**given)
    memory, _ = model(SOURCES, lengths=LENGTHS)
    scores = step_by_step(model, memory)
    right = cross_entropy(scores.flatten(0, 1), TARGETS[1:].flatten())
    torch.testing.assert_close(model.loss(memory, TARGETS), right)


@pytest.mark.parametrize("given", KINDS)
def test_every_weight_learns(given: dict[str, Any]) -> None:
    model = network(**given)
    memory, _ = model(SOURCES, lengths=LENGTHS)
    model.loss(memory, TARGETS).backward()
    still = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert still == []


@pytest.mark.parametrize("given", KINDS)
def test_a_sentence_does_not_depend_on_the_others_nor_on_padding(given: dict[str, Any]) -> None:
    model = network(**given)
    scores = step_by_step(model, model(SOURCES, lengths=LENGTHS)[0])
    for row, length in enumerate(LENGTHS.tolist()):
        own = SOURCES[:length, row : row + 1]
        memory, _ = model(own)
        state = model.begin(memory)
        for step, token in enumerate(TARGETS[:-1, row].clamp(min=0).tolist()):
            hidden, _, state = model.step(torch.tensor([token]), state, memory)
            torch.testing.assert_close(model.scores(hidden)[0], scores[step, row])


def test_the_encoder_leaks_nothing() -> None:
    starts = torch.zeros(SOURCES.shape, dtype=torch.bool)
    starts[0] = True
    batch = Batch(SOURCES, TARGETS, LENGTHS, starts)
    assert check_leaks(network(dropout=0.3, input_dropout=0.2), batch) == []


def test_without_attention_the_sentence_is_one_vector() -> None:
    model = network(attention="none")
    memory, _ = model(SOURCES, lengths=LENGTHS)
    blind = memory._replace(outputs=torch.full_like(memory.outputs, torch.nan))
    torch.testing.assert_close(model.loss(blind, TARGETS), model.loss(memory, TARGETS))


def test_dropout_is_off_in_evaluation_and_on_in_training() -> None:
    model = network(dropout=0.5, input_dropout=0.5)
    memory, _ = model(SOURCES, lengths=LENGTHS)
    assert torch.equal(memory.outputs, model(SOURCES, lengths=LENGTHS)[0].outputs)
    model.train()
    first = model(SOURCES, lengths=LENGTHS)[0].outputs
    assert not torch.equal(first, model(SOURCES, lengths=LENGTHS)[0].outputs)


def test_labels_are_smoothed_in_training_only() -> None:
    model = network(smoothing=0.2)
    memory, _ = model(SOURCES, lengths=LENGTHS)
    scores = step_by_step(model, memory).flatten(0, 1)
    targets = TARGETS[1:].flatten()
    torch.testing.assert_close(model.loss(memory, TARGETS), cross_entropy(scores, targets))
    model.train()
    smoothed = cross_entropy(scores, targets, label_smoothing=0.2)
    torch.testing.assert_close(model.loss(memory, TARGETS), smoothed)


def test_members_learn_what_each_would_alone() -> None:
    first, second = network(), network()
    both = TranslationNetworks([first, second])
    memories, _ = both(SOURCES, lengths=LENGTHS)
    both.loss(memories, TARGETS).backward()
    found = {name: one.grad.clone() for name, one in first.named_parameters()}
    first.zero_grad()
    memory, _ = first(SOURCES, lengths=LENGTHS)
    (first.loss(memory, TARGETS) / 2).backward()
    for name, one in first.named_parameters():
        torch.testing.assert_close(found[name], one.grad)
