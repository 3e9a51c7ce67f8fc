"""`Recurrent(cell, compile=...)`: the compiled steps give the loop's numbers and gradients."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.layers import LSTMCell, Recurrent, compiled
from unrolled.layers.states import State, map_state, tensors_of

# torch's tracer asks every tensor for its `grad`, and hides the warning of it where it is no error.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")

B, I, H = 3, 4, 5  # noqa: E741


class Pair(NamedTuple):
    h: Tensor
    sum: Tensor


class Own(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.read = torch.nn.Linear(I, 2 * H, dtype=torch.float64)
        self.mix = torch.nn.Linear(H, H, dtype=torch.float64)
        self.first = torch.nn.Parameter(torch.randn(H, dtype=torch.float64))
        self.traced = 0

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a, b = self.read(x).chunk(2, -1)
        return a, torch.sigmoid(b)

    def step(self, projected: tuple[Tensor, Tensor], state: Pair) -> tuple[Tensor, Pair]:
        a, gate = projected
        h = gate * torch.tanh(a + self.mix(state.h)) + (1 - gate) * state.h
        return h * state.sum.cos(), Pair(h, state.sum + h)

    def initial_state(self, batch: int, like: Tensor) -> Pair:
        return Pair(self.first.expand(batch, -1), like.new_zeros(batch, H))


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Programs of 3 steps, so that few steps hold several of them and a rest."""
    monkeypatch.setattr(compiled, "STRETCH", 3)
    yield
    torch.compiler.reset()


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def results(layer: Recurrent, x: Tensor, state: State, **options: Any) -> list[Tensor]:
    """Output, final state, and all gradients."""
    x = x.clone().requires_grad_()
    state = map_state(lambda part: part.clone().requires_grad_(), state)
    y, final = layer(x, state, **options)
    loss = y.sin().sum() + sum(part.cos().sum() for part in tensors_of(final))
    leaves = [x, *tensors_of(state), *layer.parameters()]
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [y, *tensors_of(final), *[torch.zeros(()) if g is None else g for g in gradients]]


def assert_same(got: list[Tensor], want: list[Tensor]) -> None:
    assert len(got) == len(want)
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("reverse", [False, True])
def test_numbers_and_gradients_are_the_loops(reverse: bool) -> None:
    cell, state = Own(), Pair(some(B, H), some(B, H))
    plain = Recurrent(cell, reverse=reverse)
    layer = Recurrent(cell, reverse=reverse, compile="aot_eager")
    lengths, starts = torch.tensor([8, 4, 0]), torch.zeros(8, B).bool()
    starts[4, 0] = starts[2, 1] = True
    for options in ({}, {"lengths": lengths, "starts": starts}):
        x = some(8, B, I)  # two programs of 3, and two single steps
        assert_same(results(layer, x, state, **options), results(plain, x, state, **options))
    with torch.no_grad():
        y, final = layer(x, state, lengths=lengths, starts=starts)
    assert isinstance(final, Pair)
    assert_same([y, *final], results(plain, x, state, lengths=lengths, starts=starts)[:3])


def test_layers_of_an_lstm_stream_with_the_program_of_one_step() -> None:
    cells = [LSTMCell(I, H, dtype=torch.float64), LSTMCell(H, H, dtype=torch.float64)]
    layer, x = Recurrent(cells, compile="aot_eager"), some(4, B, I)
    want, ends = Recurrent(cells)(x)
    state, outputs = None, []
    for x_t in x:
        y_t, state = layer.step(x_t, state)
        outputs.append(y_t)
    assert_same([torch.stack(outputs), *tensors_of(state)], [want, *tensors_of(ends)])


def test_it_is_the_compiler_that_runs_the_steps_and_few_programs_are_made() -> None:
    programs: list[int] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        programs.append(sum(node.op == "call_function" for node in graph.graph.nodes))
        return graph.forward

    for _ in range(3):  # each cell has its own, whatever others have
        layer = Recurrent(Own())
        layer.__dict__["_compiled"] = {(0, 0): compiled.CompiledSteps(backend, 3)}
        layer._backend = "given"
        programs.clear()
        for steps in (1, 8):
            layer(some(steps, B, I))
        made = len(programs)
        assert 2 <= made <= 4
        assert max(programs) > 2 * min(programs)
        for steps in (5, 9, 2, 20):
            layer(some(steps, B, I))
        assert len(programs) == made


def test_a_copy_and_a_pickle_compile_their_own(tmp_path: Any) -> None:
    layer, x = Recurrent(Own(), compile="eager"), some(4, B, I)
    want, _ = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert "_compiled" not in other.__dict__
        torch.testing.assert_close(other(x)[0], want)
        with torch.no_grad():
            other.cell.mix.weight.mul_(2)
        assert not torch.allclose(other(x)[0], want)
    assert "compile='eager'" in repr(layer)


def test_what_is_wrong_with_a_cell_is_said_in_plain_words() -> None:
    cell = Own()
    cell.step = lambda projected, state: state
    with pytest.raises(
        ShapeError, match=r"Own.step, its state: got a tensor of .*, expected a Pair"
    ):
        Recurrent(cell, compile="eager")(some(4, B, I))


def test_a_model_that_holds_a_recurrent_is_compiled_without_a_break() -> None:
    cell, x = Own(), some(5, B, I)
    starts = torch.zeros(5, B).bool()
    starts[2, 1] = True
    for layer in (Recurrent(cell), Recurrent(cell, compile="eager")):
        model = torch.compile(layer, backend="eager", fullgraph=True)
        got, _ = model(x, starts=starts)
        torch.testing.assert_close(got, Recurrent(cell)(x, starts=starts)[0])
