"""The network of a tagger: rows alone, words alike, members together."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from unrolled.data.batch import Batch
from unrolled.layers import LSTM
from unrolled.layers.crf_sums import Potentials
from unrolled.tasks.tagging.lessons import Sentences
from unrolled.tasks.tagging.network import Sizes, TagNetwork, TagNetworks
from unrolled.tasks.tagging.word_forms import WORD, WordForms
from unrolled.training.leaks import check_leaks

SENTENCES = [
    ["the", "dog", "sleeps", "."],
    ["the", "cat", "sees", "the", "dog"],
    ["sleep", "!"],
    ["a", "cat", "and", "a", "dog", "sleep", "."],
]


def make(size: int, hidden: int, layers: int, directions: int) -> nn.RNNBase:
    return LSTM(size, hidden, layers, bidirectional=directions == 2)


def made(members: int = 2, **options: float) -> tuple[TagNetworks, Sentences]:
    forms = WordForms.learn(SENTENCES)
    sizes = Sizes(*forms.sizes, 6, 5, 7, 2, 2, 3, end=4, shape=2, symbol=3)
    counts = torch.tensor([torch.inf, *forms.counts])
    given = {"dropout": 0.0, "word_dropout": 0.0, "crf": True, **options}
    networks = TagNetworks(
        [TagNetwork(sizes, make, counts, **given) for _ in range(members)]  # type: ignore[arg-type]
    )
    with torch.no_grad():
        for member in networks.each:
            for parameter in member.crf.parameters():
                parameter.normal_()
    return networks, Sentences.of(SENTENCES, forms)


def batch_of(sentences: Sentences) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(rows) for rows in sentences.rows])
    places = torch.zeros(int(lengths.max()), len(lengths), dtype=torch.int64)
    for row, rows in enumerate(sentences.rows):
        places[: len(rows), row] = torch.from_numpy(rows)
    return sentences.table[places], lengths


def test_a_batch_is_its_sentences_one_by_one() -> None:
    networks, sentences = made()
    networks.eval()
    inputs, lengths = batch_of(sentences)
    together, state = networks(inputs, lengths=lengths)
    assert state is None
    assert together.shape == (2, 7, 4, 3)
    for row, length in enumerate(lengths.tolist()):
        alone, _ = networks(inputs[:length, row : row + 1], lengths=lengths[row : row + 1])
        assert torch.allclose(together[:, :length, row], alone[:, :, 0], atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_nothing_leaks_between_sentences_or_from_padding(dropout: float) -> None:
    networks, sentences = made(dropout=dropout, word_dropout=dropout)
    inputs, lengths = batch_of(sentences)
    assert check_leaks(networks, Batch(inputs, lengths=lengths), warn=False) == []


def test_a_rare_word_is_read_as_an_unknown_one_now_and_then_in_training() -> None:
    networks, sentences = made(1, word_dropout=1.0)
    reader = networks.each[0].reader
    inputs, _ = batch_of(sentences)
    many = inputs[:1, :1].expand(4000, 1, -1)
    unknown = reader.words.weight[0]
    seen = float(reader.counts[int(many[0, 0, WORD])])
    share = (reader(many)[..., :6] == unknown).all(-1).float().mean()
    assert share == pytest.approx(1 / (1 + seen), abs=0.04)
    networks.eval()
    assert not (reader(many)[..., :6] == unknown).all(-1).any()


def test_the_loss_is_the_members_mean_in_nats_a_word_and_padding_counts_for_nothing() -> None:
    networks, sentences = made()
    inputs, lengths = batch_of(sentences)
    emissions, _ = networks(inputs, lengths=lengths)
    targets = torch.randint(3, inputs.shape[:2])
    for row, length in enumerate(lengths.tolist()):
        targets[length:, row] = -100
    each = [
        -member.crf(own, targets.clamp(min=0), lengths).sum() / lengths.sum()
        for member, own in zip(networks.each, emissions, strict=True)
    ]
    assert torch.allclose(networks.loss(emissions, targets), torch.stack(each).mean())


def test_every_parameter_learns_and_without_a_crf_its_scores_stay_at_zero() -> None:
    networks, sentences = made(crf=True)
    inputs, lengths = batch_of(sentences)
    targets = torch.zeros(inputs.shape[:2], dtype=torch.int64)
    networks.loss(networks(inputs, lengths=lengths)[0], targets).backward()
    assert all(p.grad is not None and p.grad.any() for p in networks.parameters())
    alone, _ = made(crf=False)
    assert not any(p.requires_grad for member in alone.each for p in member.crf.parameters())


def test_members_answer_as_the_product_of_their_probabilities() -> None:
    networks, sentences = made(3)
    networks.eval()
    inputs, lengths = batch_of(sentences)
    free = Potentials(torch.zeros(3), torch.zeros(3, 3), torch.zeros(3))
    tags, shares = networks.answer(inputs, lengths, free)
    assert shares is not None
    emissions = networks(inputs, lengths=lengths)[0]
    for row, length in enumerate(lengths.tolist()):
        if length > 4:
            continue  # 3 to the power of the length: all sequences are written out
        every = torch.tensor(list(product(range(3), repeat=length))).T
        own = [
            member.crf(emission[:length, row : row + 1].expand(-1, every.shape[1], -1), every)
            for member, emission in zip(networks.each, emissions, strict=True)
        ]
        mean = torch.stack(own).mean(0)
        assert torch.equal(tags[:length, row], every[:, mean.argmax()])
        likely = torch.zeros(length, 3)
        for place, share in enumerate(mean.softmax(0)):
            likely[torch.arange(length), every[:, place]] += share
        assert torch.allclose(shares[:length, row], likely, atol=1e-5)
    assert networks.answer(inputs, lengths, free, shares=False)[1] is None
