"""The encoder and the language model: streaming, locked dropouts, tied weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.data.batch import Batch
from unrolled.layers import GRU, LSTM
from unrolled.layers.states import tensors_of
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.text_encoder import TextEncoder, locked_dropout
from unrolled.training import check_leaks, diagnose

V, E, H = 11, 5, 7


def encoder(embedding_dropout: float = 0.0, **options: Any) -> TextEncoder:
    torch.manual_seed(1)
    return TextEncoder(LSTM(E, H, 2, **options), V, embedding_dropout=embedding_dropout)


def ids(steps: int = 9, rows: int = 3) -> Tensor:
    return torch.randint(V, (steps, rows), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("tie", [False, True])
@pytest.mark.parametrize("size", [E, H])
def test_one_step_at_a_time_gives_the_scores_of_the_whole(tie: bool, size: int) -> None:
    model = LanguageModel(
        TextEncoder(GRU(size, H, 2, weight_dropout=0.5, input_dropout=0.5), V), tie_weights=tie
    ).eval()
    whole, last = model(ids())
    state = None
    for t, row in enumerate(ids()):
        logits, state = model.step(row, state)
        torch.testing.assert_close(logits, whole[t])
    torch.testing.assert_close(state, last)
    assert whole.shape == (9, 3, V)


def test_a_start_is_as_a_new_sequence() -> None:
    model = LanguageModel(encoder()).eval()
    starts = torch.zeros(9, 3, dtype=torch.bool)
    starts[4, 1] = True
    got, _ = model(ids(), starts=starts)
    torch.testing.assert_close(got[4:, 1:2], model(ids()[4:, 1:2])[0])
    torch.testing.assert_close(got[:, :1], model(ids()[:, :1])[0])


def test_tied_weights_are_one_matrix_that_learns_from_both_sides() -> None:
    plain = LanguageModel(TextEncoder(LSTM(H, H), V), tie_weights=True).eval()
    hidden, _ = plain.encoder(ids())
    torch.testing.assert_close(
        plain(ids())[0], hidden @ plain.encoder.embedding.weight.T + plain.bias
    )
    assert plain.projection is None
    projected = LanguageModel(encoder(), tie_weights=True)
    assert projected.projection is not None
    names = {name for name, _ in projected.named_parameters()}
    assert "readout.weight" not in names
    logits, _ = projected(torch.zeros(3, 1, dtype=torch.int64))
    logits[..., 4].sum().backward()
    gradient = projected.encoder.embedding.weight.grad
    assert gradient is not None
    assert gradient[4].any()  # scored, never read
    assert gradient[0].any()  # read
    assert not gradient[5].any()


def test_embedding_dropout_drops_a_word_in_all_its_places() -> None:
    made = encoder(embedding_dropout=0.5).train()
    torch.manual_seed(3)
    read = made.embed(ids(200, 1))
    whole = made.eval().embed(ids(200, 1))
    for word in range(V):
        places = (ids(200, 1) == word).squeeze(1)
        got, want = read[places], whole[places]
        assert torch.equal(got, torch.zeros_like(got)) or torch.equal(got, 2 * want)
    assert not torch.equal(read, 2 * whole)
    assert read.any()


def test_locked_dropout_is_one_mask_for_all_steps_and_none_in_evaluation() -> None:
    x = torch.ones(6, 4, 50)
    dropped = locked_dropout(x, 0.5)
    assert torch.equal(dropped, dropped[:1].expand_as(x))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(dropped[0, 0], dropped[0, 1])
    assert locked_dropout(x, 0.5, training=False) is x
    assert locked_dropout(x, 0.0) is x


def test_the_dropouts_are_for_training_and_come_back() -> None:
    made = encoder(embedding_dropout=0.3, weight_dropout=0.4, input_dropout=(0.5, 0.2))
    model = LanguageModel(made, dropout=0.3)
    torch.manual_seed(5)
    first = model(ids())[0]
    model.eval()
    assert made.recurrent.weight_dropout == 0
    assert torch.equal(model(ids())[0], model(ids())[0])
    plain = LanguageModel(encoder()).eval()
    plain.load_state_dict(model.state_dict())
    assert torch.equal(plain(ids())[0], model(ids())[0])
    model.train()
    assert (made.recurrent.weight_dropout, made.recurrent.input_dropout) == (0.4, (0.5, 0.2))
    torch.manual_seed(5)
    assert torch.equal(model(ids())[0], first)
    assert not torch.equal(model(ids())[0], first)


def test_looking_through_the_network_leaves_its_dropouts_on() -> None:
    made = encoder(weight_dropout=0.4, input_dropout=(0.5, 0.2))
    model = LanguageModel(made, dropout=0.3)
    starts = torch.zeros(ids().shape, dtype=torch.bool)
    check_leaks(model, Batch(ids(), ids(), starts=starts), warn=False)
    assert (made.recurrent.weight_dropout, made.recurrent.input_dropout) == (0.4, (0.5, 0.2))
    diagnose(model, lambda: model.loss(model(ids())[0], ids()), warn=False)
    assert (made.recurrent.weight_dropout, made.recurrent.input_dropout) == (0.4, (0.5, 0.2))
    assert made.recurrent.training


def test_lengths_end_a_row() -> None:
    model = LanguageModel(encoder()).eval()
    lengths = torch.tensor([9, 4, 1])
    hidden, state = model.encoder(ids(), lengths=lengths)
    assert not hidden[4:, 1].any()
    _, alone = model.encoder(ids()[:4, 1:2])
    for part, want in zip(tensors_of(state), tensors_of(alone), strict=True):
        torch.testing.assert_close(part[:, 1:2], want)
