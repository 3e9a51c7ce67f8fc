"""Linear cells, `h' = a * h + b`: the scan gives what their steps give, values and gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.layers import MinGRUCell, MinLSTMCell, Recurrent, scan
from unrolled.layers.states import tensors_of
from unrolled.layers.unroll import loop, unroll

T, B, I, H = 7, 4, 3, 5  # noqa: E741
LENGTHS = torch.tensor([7, 3, 0, 5])
STARTS = torch.zeros(T, B).bool()
STARTS[0, 0] = STARTS[2, 0] = STARTS[3, 0] = STARTS[4, 3] = STARTS[4, 1] = True


class Decay(torch.nn.Module):
    """A user's linear cell: `a` the same at all steps, complex where asked, `emit` of the real
    part, a first state that is learned."""

    linear = True

    def __init__(self, dtype: torch.dtype, *, emits: bool) -> None:
        super().__init__()
        real = torch.empty(0, dtype=dtype).real.dtype
        self.a = torch.nn.Parameter(0.5 * torch.randn(H, dtype=dtype))
        self.read = torch.nn.Linear(I, H, dtype=real)
        self.turn = torch.nn.Parameter(torch.randn(H, dtype=dtype))
        self.first = torch.nn.Parameter(torch.randn(H, dtype=dtype))
        self.skip = torch.nn.Linear(I, H, dtype=real)
        self.steps = 0
        if emits:
            self.emit = self._emit

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.a, self.turn * self.read(x)

    def step(self, projected: tuple[Tensor, Tensor], h: Tensor) -> tuple[Tensor, Tensor]:
        self.steps += 1
        a, b = projected
        h = a * h + b
        return h, h

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return self.first.expand(batch, -1)

    def _emit(self, y: Tensor, x: Tensor) -> Tensor:
        return y.real + self.skip(x)


def some(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"lengths": LENGTHS},
    {"starts": STARTS},
    {"lengths": LENGTHS, "starts": STARTS},
]
CELLS = {
    "real": lambda: Decay(torch.float64, emits=False),
    "complex": lambda: Decay(torch.complex128, emits=True),
    "minGRU": lambda: MinGRUCell(I, H, dtype=torch.float64),
    "minLSTM": lambda: MinLSTMCell(I, H, dtype=torch.float64),
}


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_the_scan_gives_what_the_steps_give(
    name: str, reverse: bool, options: dict[str, Any], given: bool
) -> None:
    cell = CELLS[name]()
    dtype = torch.complex128 if name == "complex" else torch.float64
    x = some(T, B, I).requires_grad_()
    state = some(B, H, dtype=dtype).requires_grad_() if given else None
    leaves = [x, *cell.parameters(), *([state] if given else [])]
    weights = torch.randn(T, B, H, dtype=torch.float64), some(B, H, dtype=dtype)
    results = []
    for runner in (None, loop):
        y, last = unroll(cell, x, state, **options, reverse=reverse, runner=runner)
        loss = (y * weights[0]).sum().real + (last * weights[1]).sum().real
        gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
        found = [gradient is not None for gradient in gradients]
        results.append([y, last, *[g for g in gradients if g is not None]])
        assert sum(found) >= 3
    assert len(results[0]) == len(results[1])
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want)


def test_a_linear_cell_takes_no_step_of_its_own_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, x = Decay(torch.float64, emits=False), some(T, B, I)
    scans: list[int] = []
    real_scan = scan.scan

    def counted(*arguments: Any, **options: Any) -> tuple[Tensor, Tensor]:
        scans.append(1)
        return real_scan(*arguments, **options)

    monkeypatch.setattr(scan, "scan", counted)
    layer = Recurrent((cell, Decay(torch.float64, emits=False)))
    layer(x, lengths=LENGTHS, starts=STARTS)
    assert (scans, cell.steps) == ([1, 1], 0)
    assert Recurrent(cell, compile="aot_eager")(x)[0].shape == (T, B, H)
    assert (scans, cell.steps) == ([1, 1, 1], 0)
    with layer.record() as records:
        y, _ = layer(x, lengths=LENGTHS, starts=STARTS)
        y.sum().backward()
    assert cell.steps == T
    torch.testing.assert_close(records[0].states[0], y[..., :H].detach() * 1)
    assert (records[0].d_states[0][0, 0] != 0).all()


@pytest.mark.parametrize("name", CELLS)
def test_streaming_a_linear_cell_equals_the_whole_sequence(name: str) -> None:
    layer, x = Recurrent([CELLS[name](), MinGRUCell(H, 2, dtype=torch.float64)]), some(T, B, I)
    want, ends = layer(x)
    state, outputs = None, []
    for x_t in x:
        y_t, state = layer.step(x_t, state)
        outputs.append(y_t)
    torch.testing.assert_close(torch.stack(outputs), want)
    for got, end in zip(tensors_of(state), tensors_of(ends), strict=True):
        torch.testing.assert_close(got, end)


def test_a_reset_of_a_linear_cell_goes_to_its_first_state_and_trains_it() -> None:
    cell, x = Decay(torch.float64, emits=False), some(T, 1, I)
    starts = torch.zeros(T, 1).bool()
    starts[4] = True
    y, _ = Recurrent(cell)(x, some(1, H), starts=starts)
    torch.testing.assert_close(y[4:], Recurrent(cell)(x[4:])[0])
    y[4:].sum().backward()
    assert (cell.first.grad != 0).all()


def test_half_precision_runs_step_by_step() -> None:
    cell = Decay(torch.float64, emits=False).bfloat16()
    y, last = Recurrent(cell)(some(T, B, I).bfloat16(), lengths=LENGTHS, starts=STARTS)
    assert (y.dtype, last.dtype, cell.steps) == (torch.bfloat16, torch.bfloat16, T)
