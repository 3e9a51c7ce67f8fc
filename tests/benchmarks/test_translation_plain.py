"""The plain rival of a `Translator`: the same numbers, and searches that find what there is."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from harness import Disagreement
from torch import Tensor, nn
from translation_tasks import plain_search
from translation_tasks.plain import Plain, Sizes
from translation_tasks.plain_search import PlainTranslator, beam, greedy
from translation_tasks.plain_weights import gradients, plain_of, renamed, sizes_of
from translation_tasks.throughput import check, plain_batch

import unrolled
from unrolled.data.batch import Batch
from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.decoding.beam import search as our_search
from unrolled.decoding.beam_options import BeamOptions
from unrolled.layers.attention import Attention
from unrolled.tasks.translating.decoder import Decoder
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.network import TranslationNetwork
from unrolled.tasks.translating.scorer import NetworkScorer

END = 0
SYMBOLS = 23


def ours(
    cell: str = "LSTM",
    attention: str | None = "multiplicative",
    *,
    feeding: bool = False,
    layers: int = 2,
    shared: bool = True,
    tied: bool = True,
) -> TranslationNetwork:
    """A small network in which every weight counts."""
    torch.manual_seed(0)
    layer = getattr(unrolled, cell)
    size, hidden, decoder = 12, 6, 10
    memory = 2 * hidden
    source = nn.Embedding(SYMBOLS, size)
    target = source if shared else nn.Embedding(SYMBOLS + 3, size)
    network = TranslationNetwork(
        source,
        target,
        layer(size, hidden, 2, bidirectional=True),
        Decoder(
            layer(2 * size if feeding else size, decoder),
            layer(decoder + memory, decoder, layers - 1) if layers > 1 else None,
            None if attention is None else Attention(decoder, memory, attention, 7),
            memory_size=memory,
            size=size,
            feeding=feeding,
        ),
        smoothing=0.1,
        tied=tied,
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.5)
    return network


def batch() -> Batch:
    lengths, answers = torch.tensor([9, 3, 5, 1, 8]), (7, 5, 7, 2, 6)
    inputs = torch.randint(1, SYMBOLS, (9, 5))
    targets = torch.randint(1, SYMBOLS, (8, 5))
    targets[0] = END
    for row, count in enumerate(answers):
        targets[count, row] = END
        targets[count + 1 :, row] = IGNORED_TARGET
    starts = torch.zeros(inputs.shape, dtype=torch.bool)
    starts[0] = True
    return Batch(inputs, targets, lengths, starts)


def loss_of(network: TranslationNetwork, given: Batch) -> Tensor:
    memory, _ = network(given.inputs, lengths=given.lengths, starts=given.starts)
    return network.loss(memory, given.targets)


@pytest.mark.parametrize("cell", ["GRU", "LSTM"])
@pytest.mark.parametrize("attention", ["multiplicative", "additive", None])
@pytest.mark.parametrize(
    ("feeding", "layers", "shared", "tied"),
    [(False, 2, True, True), (True, 1, False, True), (True, 3, True, False)],
)
def test_loss_and_gradients_are_those_of_our_network(
    cell: str, attention: str | None, feeding: bool, layers: int, shared: bool, tied: bool
) -> None:
    network = ours(cell, attention, feeding=feeding, layers=layers, shared=shared, tied=tied)
    plain, given = plain_of(network), batch()
    mine, theirs = loss_of(network, given), plain.loss(*plain_batch(given))
    assert float(theirs.detach()) == pytest.approx(float(mine.detach()), rel=1e-5)
    mine.backward()
    theirs.backward()
    found = gradients(plain, network)
    assert found.keys() == dict(network.named_parameters()).keys()
    for name, (one, other) in found.items():
        assert float((one - other).norm()) <= 1e-5 + 1e-3 * float(one.norm()), name
    check(network.eval(), plain.eval(), given)


def test_one_number_that_differs_is_no_agreement() -> None:
    given = batch()
    for name, _ in ours().named_parameters():
        network = ours()
        plain = plain_of(network)
        changed = dict(plain.named_parameters(remove_duplicate=False))[renamed(name)]
        with torch.no_grad():
            changed[-1] += 0.5
        with pytest.raises(Disagreement):
            check(network.eval(), plain.eval(), given)


def test_every_parameter_has_a_name_of_its_own_in_the_plain_network() -> None:
    for layers, shared in itertools.product((1, 3), (True, False)):
        network = ours("GRU", "additive", layers=layers, shared=shared, tied=False)
        names = dict(network.named_parameters())
        theirs = dict(Plain(sizes_of(network)).named_parameters())
        if shared:
            names["target.weight"] = names.pop("source.weight")
        assert {renamed(name) for name in names} == theirs.keys()


@torch.no_grad()
def greedily(network: TranslationNetwork, source: Tensor, lengths: Tensor, steps: int) -> Any:
    memory, _ = network(source, lengths=lengths)
    state, token, rows = network.begin(memory), torch.full((len(lengths),), END), []
    for _ in range(steps):
        hidden, _, state = network.step(token, state, memory)
        token = network.scores(hidden).argmax(1)
        rows.append(token)
    found = torch.stack(rows, 1).tolist()
    return [row[: row.index(END)] if END in row else row for row in found]


@pytest.mark.parametrize("attention", ["multiplicative", "additive", None])
def test_greedy_answers_are_those_of_our_network(attention: str | None) -> None:
    network = ours("GRU", attention, feeding=True).eval()
    with torch.no_grad():
        network.bias[END] += 2  # so that some end before others
    given = batch()
    found = greedy(plain_of(network).eval(), given.inputs.T, given.lengths, END, 12)
    assert found == greedily(network, given.inputs, given.lengths, 12)
    assert any(len(row) < 12 for row in found)


def test_a_beam_of_one_is_greedy() -> None:
    plain, given = plain_of(ours()).eval(), batch()
    arguments = (given.inputs.T, given.lengths, END, 12)
    assert beam(plain, *arguments, width=1) == greedy(plain, *arguments)


@torch.no_grad()
def test_a_beam_as_wide_as_all_there_is_finds_the_best() -> None:
    symbols, steps, rows = 3, 4, 12
    torch.manual_seed(3)
    plain = Plain(Sizes(symbols, symbols, embedding=5, hidden=4, decoder=6)).eval()
    for parameter in plain.parameters():
        parameter.normal_()
    source, lengths = torch.randint(0, symbols, (rows, 5)), torch.randint(1, 6, (rows,))
    lengths[0] = 5

    def score(row: int, answer: tuple[int, ...]) -> float:
        """By the whole translation at once, through the training's door."""
        inputs = torch.tensor([[END, *answer[:-1]]])
        logits = plain(source[row : row + 1, : lengths[row]], lengths[row : row + 1], inputs)
        picked = logits.log_softmax(-1).gather(-1, torch.tensor(answer).view(1, -1, 1))
        return float(picked.sum()) / ((5 + len(answer)) / 6)

    every = [
        (*answer, END)
        for length in range(steps)
        for answer in itertools.product(range(END + 1, symbols), repeat=length)
    ]
    best = [max(every, key=lambda one, row=row: score(row, one)) for row in range(rows)]
    expected = [list(answer[:-1]) for answer in best]
    assert beam(plain, source, lengths, END, steps, width=81) == expected
    assert len({len(one) for one in expected}) > 1


@torch.no_grad()
@pytest.mark.parametrize("width", [2, 5])
def test_a_beam_finds_what_our_search_finds(width: int) -> None:
    network = ours("GRU", "additive").eval()
    for parameter in network.parameters():
        parameter.normal_()
    network.bias[END] = 1.0
    rows, lengths = torch.randint(1, SYMBOLS, (40, 9)), torch.randint(1, 10, (40,))
    lengths[0] = 9
    sources = [row[:n].numpy() for row, n in zip(rows, lengths.tolist(), strict=True)]
    expected = our_search(
        NetworkScorer(network, sources),
        begin=END,
        end=END,
        sentences=len(sources),
        options=BeamOptions(beam=width, max_length=12),
    )
    found = beam(plain_of(network).eval(), rows, lengths, END, 12, width)
    assert found == [list(one[0].tokens) for one in expected]
    assert len({len(one) for one in found}) > 3


def test_padding_changes_no_answer() -> None:
    plain, given = plain_of(ours("GRU", "additive")).eval(), batch()
    source = given.inputs.T
    for search in (greedy, beam):
        together = search(plain, source, given.lengths, END, 12)
        for row, length in enumerate(given.lengths.tolist()):
            alone = search(
                plain, source[row : row + 1, :length], given.lengths[row : row + 1], END, 12
            )
            assert alone == together[row : row + 1]


def test_text_becomes_text_and_keeps_to_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    tokens = PairTokens.learn(["ab cd"], ["xy"], kind="characters", size=None, shared=False)
    short, long = tokens.sources(["ab", "ab cd"])
    letters = tokens.targets(["xyxy"])[0][1:-1].tolist()
    monkeypatch.setattr(plain_search, "beam", lambda *given: seen.append(given) or [letters] * 2)
    translator = PlainTranslator(plain_of(ours()), tokens, lambda length: length - 1)
    assert translator.beam(["ab", "ab cd"]) == ["xy", "xyxy"]
    ((_, source, lengths, end, steps),) = seen
    assert source[0, : len(short)].tolist() == short.tolist()
    assert source[1].tolist() == long.tolist()
    assert (lengths.tolist(), end, steps) == ([3, 6], tokens.end, 5)
