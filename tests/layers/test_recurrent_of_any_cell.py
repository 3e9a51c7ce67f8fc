"""`Recurrent` runs a user's own cell, with lengths, resets and streaming."""

from __future__ import annotations

import doctest
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from unrolled.errors import DTypeError, ShapeError
from unrolled.layers import LSTM, Recurrent, recurrent
from unrolled.layers.cells import LSTMStep, cell_of
from unrolled.layers.states import tensors_of


class Memory(NamedTuple):
    fast: Tensor
    slow: Tensor


class TwoSpeeds(torch.nn.Module):
    """A cell with a learned first state, a state in two parts and a projection in two parts."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(7, 5)
        self.mix = torch.nn.Linear(5, 5)
        self.first = torch.nn.Parameter(torch.randn(5))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        read = self.table(x)
        return read, torch.sigmoid(read)

    def step(self, projected: tuple[Tensor, Tensor], state: Memory) -> tuple[Tensor, Memory]:
        read, gate = projected
        fast = torch.tanh(read + self.mix(state.slow))
        slow = gate * state.slow + (1 - gate) * fast
        return torch.cat([fast, slow], -1), Memory(fast, slow)

    def initial_state(self, batch: int, like: Tensor) -> Memory:
        return Memory(like.new_zeros(batch, 5), self.first.expand(batch, -1))


def assert_same(got: object, want: object) -> None:
    for a, b in zip(tensors_of(got), tensors_of(want), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("reverse", [False, True])
def test_lengths_and_resets_of_a_users_cell_equal_separate_sequences(reverse: bool) -> None:
    layer = Recurrent(TwoSpeeds(), reverse=reverse)
    x = torch.randint(7, (6, 3))
    lengths, starts = torch.tensor([6, 4, 0]), torch.zeros(6, 3).bool()
    starts[2, 0] = starts[4, 1] = True
    given = Memory(torch.randn(3, 5), torch.randn(3, 5))
    y, state = layer(x, given, lengths=lengths, starts=starts)
    row = [Memory(part.fast[None], part.slow[None]) for part in map(Memory, *given)]
    if reverse:
        late, _ = layer(x[2:, :1], row[0])
        early, end = layer(x[:2, :1])
    else:
        early, _ = layer(x[:2, :1], row[0])
        late, end = layer(x[2:, :1])
    assert_same(y[:, :1], torch.cat([early, late]))
    assert_same([part[0] for part in state], [part[0] for part in end])
    short, end = layer(x[:4, 1:2], row[1])
    assert_same(y[:4, 1:2], short)
    assert (y[4:, 1] == 0).all()
    assert_same([part[1] for part in state], [part[0] for part in end])
    assert (y[:, 2] == 0).all()
    assert_same([part[2] for part in state], [part[2] for part in given])
    assert isinstance(state, Memory)


def test_a_reset_goes_to_the_cells_own_first_state_and_trains_it() -> None:
    layer = Recurrent(TwoSpeeds())
    starts = torch.zeros(4, 2).bool()
    starts[2, 1] = True
    y, _ = layer(torch.randint(7, (4, 2)), Memory(*torch.randn(2, 2, 5)), starts=starts)
    y[2:, 1].sum().backward()
    assert (layer.cell.first.grad != 0).any()


def test_streaming_a_users_cell_equals_the_whole_sequence() -> None:
    layer = Recurrent(TwoSpeeds())
    x = torch.randint(7, (5, 2))
    want, want_state = layer(x)
    state, outputs = None, []
    for x_t in x:
        y_t, state = layer.step(x_t, state)
        outputs.append(y_t)
    assert_same((torch.stack(outputs), state), (want, want_state))


def test_the_parameters_of_a_users_cell_are_the_layers() -> None:
    layer = Recurrent(TwoSpeeds())
    names = {name for name, _ in layer.named_parameters()}
    assert names == {"cell.table.weight", "cell.mix.weight", "cell.mix.bias", "cell.first"}


def test_a_cell_of_a_layer_runs_alone() -> None:
    layer = LSTM(3, 4, num_layers=2, bidirectional=True)
    x = torch.randn(5, 2, 3)
    cell = cell_of(layer, 0, 1)
    assert isinstance(cell, LSTMStep)
    y, (h, c) = Recurrent(cell, reverse=True)(x)
    deep, (h_n, c_n) = LSTM(3, 4, bidirectional=True), (None, None)
    deep.load_state_dict({k: v for k, v in layer.state_dict().items() if "_l0" in k})
    want, (h_n, c_n) = deep(x)
    assert_same((y, h, c), (want[..., 4:], h_n[1], c_n[1]))


def test_the_worked_example_of_the_docstring_runs() -> None:
    result = doctest.testmod(recurrent)
    assert result.attempted >= 8
    assert result.failed == 0


def test_errors_name_the_argument_what_came_and_what_was_expected() -> None:
    layer = Recurrent(TwoSpeeds())
    x = torch.randint(7, (4, 2))
    with pytest.raises(ShapeError, match=r"state: got .*\(3, 5\).*expected .*\(2, 5\)"):
        layer(x, Memory(torch.zeros(3, 5), torch.zeros(3, 5)))
    with pytest.raises(ShapeError, match=r"state: got"):
        layer.step(x[0], torch.zeros(2, 5))
    with pytest.raises(ShapeError, match=r"x: got shape \(4,\), expected \(T, B, \.\.\.\)"):
        layer(x[:, 0])
    with pytest.raises(ShapeError, match="at least one"):
        layer(x[:0])
    with pytest.raises(ShapeError, match=r"starts: got shape \(2, 4\)"):
        layer(x, starts=torch.zeros(2, 4).bool())
    with pytest.raises(DTypeError, match=r"lengths: got dtype torch\.float32"):
        layer(x, lengths=torch.ones(2))
