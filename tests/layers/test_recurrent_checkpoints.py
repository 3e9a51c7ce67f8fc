"""`Recurrent(cell, checkpoint=...)`: kept in segments, the same numbers and gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers import LSTMCell, MinGRUCell, Recurrent, SLSTMCell
from unrolled.layers.cells import cell_of
from unrolled.layers.states import State, map_state, tensors_of

T, B, I, H = 11, 4, 3, 5  # noqa: E741
LENGTHS = torch.tensor([11, 6, 0, 9])
STARTS = torch.zeros(T, B).bool()
STARTS[0, 0] = STARTS[4, 0] = STARTS[8, 3] = STARTS[4, 1] = STARTS[8, 1] = True
DOUBLE = torch.float64


class Own(torch.nn.Module):
    """A cell with a learned first state, `emit`, and a count of the longest input it has seen."""

    def __init__(self, inputs: int = I) -> None:
        super().__init__()
        self.read = torch.nn.Linear(inputs, H, dtype=DOUBLE)
        self.mix = torch.nn.Linear(H, H, dtype=DOUBLE)
        self.first = torch.nn.Parameter(torch.randn(H, dtype=DOUBLE))
        self.skip = torch.nn.Linear(inputs, H, dtype=DOUBLE)
        self.longest = self.calls = 0

    def project(self, x: Tensor) -> Tensor:
        self.longest, self.calls = max(self.longest, len(x)), self.calls + 1
        return self.read(x)

    def step(self, projected: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(projected + self.mix(h))
        return h, h

    def emit(self, y: Tensor, x: Tensor) -> Tensor:
        return y * self.skip(x)

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return self.first.expand(batch, -1)


CELLS: dict[str, Any] = {
    "own": lambda: Own(),
    "LSTM": lambda: LSTMCell(I, H, dtype=DOUBLE),
    "sLSTM": lambda: SLSTMCell(I, H, dtype=DOUBLE),
    "linear": lambda: MinGRUCell(I, H, dtype=DOUBLE),
    "both": lambda: (Own(), LSTMCell(I, H, dtype=DOUBLE)),
    "deep": lambda: [Own(), LSTMCell(H, H, dtype=DOUBLE), MinGRUCell(H, H, dtype=DOUBLE)],
}
BUDGETS = {
    "own": 4,
    "LSTM": 6,
    "sLSTM": 10,
    "linear": 6,
    "both": 10,
    "deep": 16,
}  # KB: 3 to 8 steps
OPTIONS: list[dict[str, Any]] = [{}, {"lengths": LENGTHS, "starts": STARTS}]


def results(layer: Recurrent, x: Tensor, state: State, **options: Any) -> list[Tensor]:
    """Output, final state, and all gradients."""
    x = x.clone().requires_grad_()
    if state is not None:
        state = map_state(lambda part: part.clone().requires_grad_(), state)
    y, final = layer(x, state, **options)
    loss = y.sin().sum() + sum(part.cos().sum() for part in tensors_of(final))
    leaves = [x, *(tensors_of(state) if state is not None else ()), *layer.parameters()]
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [y, *tensors_of(final), *[torch.zeros(()) if g is None else g for g in gradients]]


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("checkpoint", [4, "budget"])
@pytest.mark.parametrize("name", CELLS)
def test_numbers_and_gradients_are_those_without(
    name: str, checkpoint: int | str, options: dict[str, Any], given: bool
) -> None:
    cell, x = CELLS[name](), torch.randn(T, B, I, dtype=DOUBLE)
    if checkpoint == "budget":
        checkpoint = f"{BUDGETS[name]}KB"
    plain, layer = Recurrent(cell), Recurrent(cell, checkpoint=checkpoint)
    state = None
    if given:
        state = map_state(lambda part: torch.rand_like(part) + 0.5, plain(x)[1])
    got = results(layer, x, state, **options)
    for one, other in zip(got, results(plain, x, state, **options), strict=True):
        torch.testing.assert_close(one, other)


def test_a_reset_between_two_segments_in_reverse_goes_to_the_learned_state() -> None:
    cell, x = Own(), torch.randn(8, 1, I, dtype=DOUBLE)
    starts = torch.zeros(8, 1).bool()
    starts[4] = True
    plain = Recurrent(cell, reverse=True)
    layer = Recurrent(cell, reverse=True, checkpoint=4)
    got, want = results(layer, x, None, starts=starts), results(plain, x, None, starts=starts)
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other)
    assert (got[-1] != 0).all()


def test_a_segment_projects_its_own_part_again() -> None:
    cell, x = Own(), torch.randn(T, B, I, dtype=DOUBLE)
    y, _ = Recurrent(cell, checkpoint=4)(x)
    assert (cell.longest, cell.calls) == (4, 3)
    y.sum().backward()
    assert (cell.longest, cell.calls) == (4, 6)


def test_a_smaller_budget_makes_shorter_segments_and_a_too_small_one_is_refused() -> None:
    x, longest = torch.randn(T, B, I, dtype=DOUBLE), []
    for budget in ("1MB", "4KB", "3KB"):
        cell = Own()
        Recurrent(cell, checkpoint=budget)(x)
        longest.append(cell.longest)
    assert T == longest[0] > longest[1] > longest[2] > 0
    with pytest.raises(ConfigError, match=r"checkpoint: got a budget of 10 B, .* need at least"):
        Recurrent(Own(), checkpoint="10B")(x)


# As in test_compiled_steps.py.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_compiled_steps_run_in_segments() -> None:
    cell, x = Own(), torch.randn(T, B, I, dtype=DOUBLE)
    got = results(Recurrent(cell, checkpoint=4, compile="eager"), x, None)
    for one, other in zip(got, results(Recurrent(cell), x, None), strict=True):
        torch.testing.assert_close(one, other)
    torch.compiler.reset()


def test_what_checkpoint_can_not_be_is_refused() -> None:
    for wrong in (0, -3, True, "much", 2.5):
        with pytest.raises(ConfigError, match="checkpoint: got"):
            Recurrent(Own(), checkpoint=wrong)
    view = cell_of(torch.nn.LSTM(I, H), 0)
    with pytest.raises(ConfigError, match=r"checkpoint: got LSTMStep, expected a cell that is"):
        Recurrent(view, checkpoint=4)
