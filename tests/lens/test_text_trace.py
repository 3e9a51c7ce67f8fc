"""`trace_text` against a small generator with the same doors as the real one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

import unrolled
from unrolled.errors import ConfigError
from unrolled.lens.text_trace import trace_text

SYMBOLS = tuple("\n abcdef")


class TinyModel(nn.Module):
    """A generator's model around torch's own layers; its dropout shows whether it is evaluating."""

    def __init__(self, cell: str, layers: int = 2, hidden: int = 6) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(SYMBOLS), 5)
        self.recurrent = getattr(nn, cell)(5, hidden, layers)
        self.dropout = nn.Dropout(0.9)
        self.readout = nn.Linear(hidden, len(SYMBOLS))

    def forward(self, inputs: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        y, state = self.recurrent(self.embedding(inputs), state)
        return self.readout(self.dropout(y)), state

    def step(self, ids: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = self.forward(ids[None], state)
        return logits[0], state


class TinyVocabulary:
    pieces = SYMBOLS

    def encode(self, text: str) -> list[int]:
        return [SYMBOLS.index(symbol) for symbol in text]


def generator(cell: str) -> SimpleNamespace:
    torch.manual_seed(0)
    model = TinyModel(cell)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -1.5, 1.5)
    return SimpleNamespace(model=model, vocabulary=TinyVocabulary())


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_the_trace_is_what_the_whole_sequence_gives(cell: str) -> None:
    made, text = generator(cell), "bad cafe\nfed"
    trace = trace_text(made, text, top=3)
    made.model.eval()
    ids = torch.tensor(made.vocabulary.encode(text))
    with torch.no_grad():
        logits, state = made.model(ids[:, None])
        top_layer, _ = made.model.recurrent(made.model.embedding(ids[:, None]))
    p = logits[:, 0].double().softmax(-1)

    assert trace.text == list(text)
    assert [layer.cell for layer in trace.layers] == [cell, cell]
    torch.testing.assert_close(
        torch.tensor(trace.layers[1].hidden), top_layer[:, 0], atol=6e-4, rtol=0
    )
    last = state if cell != "LSTM" else state[0]
    for k, layer in enumerate(trace.layers):
        torch.testing.assert_close(torch.tensor(layer.hidden[-1]), last[k, 0], atol=6e-4, rtol=0)
        assert (layer.memory is not None) == (cell == "LSTM")
        if layer.memory is not None:
            torch.testing.assert_close(
                torch.tensor(layer.memory[-1]), state[1][k, 0], atol=6e-4, rtol=0
            )
    assert trace.surprise[0] is None
    for step in range(len(text)):
        best = p[step].topk(3)
        assert [s for s, _ in trace.next[step]] == [SYMBOLS[int(k)] for k in best.indices]
        assert [q for _, q in trace.next[step]] == pytest.approx(best.values.tolist(), abs=1e-5)
        if step:
            assert trace.surprise[step] == pytest.approx(
                -float(p[step - 1, ids[step]].log2()), abs=1e-3
            )


def test_keep_reads_all_but_records_the_last_symbols() -> None:
    made, text = generator("LSTM"), "a bad cafe"
    whole, kept = trace_text(made, text), trace_text(made, text, keep=4)
    assert kept.text == list("cafe")
    assert kept.surprise == whole.surprise[-4:]
    assert kept.next == whole.next[-4:]
    assert kept.layers[0].hidden == whole.layers[0].hidden[-4:]
    assert kept.layers[1].memory == whole.layers[1].memory[-4:]
    assert trace_text(made, text, keep=99) == whole


def test_tracing_turns_dropout_off_and_gives_the_model_back_as_it_came() -> None:
    made = generator("GRU")
    made.model.train()
    assert trace_text(made, "cafe") == trace_text(made, "cafe")
    assert made.model.training
    assert all(parameter.grad is None for parameter in made.model.parameters())


def test_top_is_at_most_the_vocabulary() -> None:
    trace = trace_text(generator("GRU"), "a", top=50)
    assert len(trace.next[0]) == len(SYMBOLS)
    assert sum(p for _, p in trace.next[0]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [("", {}, "empty text"), ("a", {"top": 0}, "top=0"), ("a", {"keep": 0}, "keep=0")],
)
def test_arguments_that_make_no_sense_are_refused(
    text: str, options: dict[str, int], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        trace_text(generator("GRU"), text, **options)


def test_a_recurrent_of_other_cells_is_traced_layer_by_layer() -> None:
    made, text = generator("GRU"), "bad cafe"
    model = made.model
    cells = [unrolled.LSTMCell(5, 6), unrolled.MinGRUCell(6, 4), unrolled.SLSTMCell(4, 6)]
    model.recurrent = unrolled.Recurrent(cells)
    trace = trace_text(made, text)
    assert [layer.cell for layer in trace.layers] == ["LSTMCell", "MinGRUCell", "SLSTMCell"]
    ids = torch.tensor(made.vocabulary.encode(text))
    with torch.no_grad(), model.recurrent.record() as records:
        model.recurrent(model.embedding(ids[:, None]))
    (h, c), minimal, state = (record.states[0] for record in records)
    shown = [(h, c), (minimal, None), (state.h, state.c)]
    for layer, (hidden, memory) in zip(trace.layers, shown, strict=True):
        got = torch.tensor(layer.hidden)
        torch.testing.assert_close(got, hidden[:, 0], atol=6e-4, rtol=0)
        assert (layer.memory is None) == (memory is None)
        if memory is not None:
            got = torch.tensor(layer.memory)
            torch.testing.assert_close(got, memory[:, 0], atol=6e-4, rtol=0)
    assert trace.surprise[0] is None
