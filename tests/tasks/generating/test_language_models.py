"""Members of a language model: each learns by itself, together they answer as one."""

from __future__ import annotations

import pytest
import torch

from unrolled.errors import ShapeError
from unrolled.layers import GRU, LSTM
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.language_models import LanguageModels
from unrolled.tasks.text_encoder import TextEncoder
from unrolled.training.losses import token_loss

SYMBOLS, T, B = 7, 5, 3


def members(count: int, cell: type = LSTM, **options: object) -> list[LanguageModel]:
    torch.manual_seed(0)
    return [LanguageModel(TextEncoder(cell(4, 6, 2), SYMBOLS), **options) for _ in range(count)]


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(SYMBOLS, (T + 1, B), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cell", [LSTM, GRU])
def test_the_answer_is_the_mean_of_the_probabilities(cell: type, tokens: torch.Tensor) -> None:
    each = members(3, cell)
    together = LanguageModels(each).eval()
    state, states = None, [None] * 3
    for part in (tokens[:2], tokens[2:]):
        logits, state = together(part, state)
        answers = [one(part, own) for one, own in zip(each, states, strict=True)]
        want = torch.stack([own.softmax(-1) for own, _ in answers]).mean(0)
        torch.testing.assert_close(logits.exp(), want)
        states = [own for _, own in answers]


@pytest.mark.parametrize("cell", [LSTM, GRU])
def test_steps_give_the_numbers_of_the_whole_sequence(cell: type, tokens: torch.Tensor) -> None:
    together = LanguageModels(members(2, cell)).eval()
    whole, after = together(tokens)
    state = None
    for row, want in zip(tokens, whole, strict=True):
        logits, state = together.step(row, state)
        torch.testing.assert_close(logits, want)
    torch.testing.assert_close(state, after)


def test_rows_and_starts_are_each_members_own(tokens: torch.Tensor) -> None:
    each = members(2)
    together = LanguageModels(each).eval()
    lengths, starts = torch.tensor([T, 2, 4]), torch.rand(T, B) < 0.3
    hidden, _ = together.read(tokens[:-1], lengths=lengths, starts=starts)
    want = [one.read(tokens[:-1], lengths=lengths, starts=starts)[0] for one in each]
    torch.testing.assert_close(hidden, torch.cat(want, -1))


def test_each_learns_what_it_would_alone(tokens: torch.Tensor) -> None:
    together, alone = LanguageModels(members(2)).train(), members(2)
    outputs, state = together(tokens[:-1])
    loss = together.loss(outputs, tokens[1:])
    loss.backward()
    costs = []
    for mine, own in zip(together.each, alone, strict=True):
        logits, _ = own.train()(tokens[:-1])
        cost = own.loss(logits, tokens[1:])
        cost.backward()
        costs.append(cost.detach())
        for one, other in zip(mine.parameters(), own.parameters(), strict=True):
            torch.testing.assert_close(one.grad, other.grad / 2)
    torch.testing.assert_close(loss.detach(), torch.stack(costs).mean())
    again, _ = together(tokens[:-1], state)
    assert torch.isfinite(together.loss(again, tokens[1:]))


def test_outside_training_the_loss_is_of_the_answer_together(tokens: torch.Tensor) -> None:
    together = LanguageModels(members(2)).eval()
    logits, _ = together(tokens[:-1])
    torch.testing.assert_close(together.loss(logits, tokens[1:]), token_loss(logits, tokens[1:]))


def test_targets_have_the_probabilities_that_all_tokens_have(tokens: torch.Tensor) -> None:
    together = LanguageModels(members(3)).eval()
    hidden, _ = together.read(tokens[:-1])
    want = together.scores(hidden).gather(-1, tokens[1:].unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(together.log_probabilities(hidden, tokens[1:]), want)


@pytest.mark.parametrize("layers", [2, 3, 6])
def test_a_state_of_another_model_is_told(layers: int, tokens: torch.Tensor) -> None:
    together = LanguageModels(members(2)).eval()
    state = (torch.zeros(layers, B, 6), torch.zeros(layers, B, 6))
    with pytest.raises(ShapeError, match=f"got {layers} layers, expected 4"):
        together.read(tokens, state)


def test_what_is_lent_is_the_first_members() -> None:
    each = members(2)
    assert LanguageModels(each).encoder is each[0].encoder
    assert LanguageModels(each).recurrent is each[0].encoder.recurrent
