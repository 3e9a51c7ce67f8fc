"""Each cell that is a module: its equation unit by unit in Python's numbers, and its gradients."""

from __future__ import annotations

import copy
import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import unrolled
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import (
    GRUCell,
    IndRNNCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    Recurrent,
    RNNCell,
    SLSTMCell,
)
from unrolled.layers.slstm import SLSTMState
from unrolled.layers.states import State, map_state, tensors_of

T, B, I, H = 5, 3, 4, 6  # noqa: E741
FORMS: dict[str, tuple[type, dict[str, Any]]] = {
    "RNN tanh": (RNNCell, {}),
    "RNN relu": (RNNCell, {"nonlinearity": "relu"}),
    "GRU": (GRUCell, {}),
    "LSTM": (LSTMCell, {}),
    "minGRU": (MinGRUCell, {}),
    "minLSTM": (MinLSTMCell, {}),
    "IndRNN relu": (IndRNNCell, {}),
    "IndRNN tanh": (IndRNNCell, {"nonlinearity": "tanh"}),
    "IndRNN within": (IndRNNCell, {"steps": 2}),
    "sLSTM": (SLSTMCell, {}),
    "sLSTM in heads": (SLSTMCell, {"heads": 3}),
    "sLSTM exp": (SLSTMCell, {"forget_gate": "exp"}),
}
OWN = {name: form for name, form in FORMS.items() if form[0] not in (RNNCell, GRUCell, LSTMCell)}
every_form = pytest.mark.parametrize("form", FORMS)
every_own_form = pytest.mark.parametrize("form", OWN)


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def cell_of(form: str, **options: Any) -> Any:
    """A cell in float64 whose parameters are all far from zero."""
    kind, own = FORMS[form]
    cell = kind(I, H, **own, **options, dtype=torch.float64)
    for parameter in cell.parameters():
        torch.nn.init.normal_(parameter, std=0.8)
    return cell


def state_for(cell: Any, batch: int = B) -> State:
    if isinstance(cell, LSTMCell):
        return some(batch, H), some(batch, H)
    if isinstance(cell, SLSTMCell):
        return SLSTMState(some(batch, H), some(batch, H), some(batch, H).exp(), some(batch, H))
    return some(batch, H)


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


def positive(v: float) -> float:
    return v + 0.5 if v >= 0 else sigmoid(v)


def total(weight: Tensor, bias: Tensor | None, row: int, v: list[float]) -> float:
    shift = 0.0 if bias is None else bias[row].item()
    return sum(w * one for w, one in zip(weight[row].tolist(), v, strict=True)) + shift


def one_step(cell: Any, x: list[float], state: list[list[float]]) -> list[list[float]]:
    """The paper's equation for one row, unit by unit; the state's parts as lists of H numbers."""

    def from_x(k: int, u: int) -> float:
        return total(cell.weight_ih, cell.bias_ih, k * H + u, x)

    def from_h(k: int, u: int) -> float:
        return total(cell.weight_hh, cell.bias_hh, k * H + u, state[0])

    after: list[list[float]] = [[] for _ in state]
    for u in range(H):
        if isinstance(cell, RNNCell):
            v = from_x(0, u) + from_h(0, u)
            new = [max(v, 0.0) if cell.nonlinearity == "relu" else math.tanh(v)]
        elif isinstance(cell, GRUCell):
            r, z = (sigmoid(from_x(k, u) + from_h(k, u)) for k in (0, 1))
            n = math.tanh(from_x(2, u) + r * from_h(2, u))
            new = [(1 - z) * n + z * state[0][u]]
        elif isinstance(cell, LSTMCell):
            i, f, g, o = (from_x(k, u) + from_h(k, u) for k in range(4))
            c = sigmoid(f) * state[1][u] + sigmoid(i) * math.tanh(g)
            new = [sigmoid(o) * math.tanh(c), c]
        elif isinstance(cell, MinGRUCell):
            z = sigmoid(from_x(0, u))
            new = [(1 - z) * state[0][u] + z * positive(from_x(1, u))]
        elif isinstance(cell, MinLSTMCell):
            f, i = sigmoid(from_x(0, u)), sigmoid(from_x(1, u))
            new = [f / (f + i) * state[0][u] + i / (f + i) * positive(from_x(2, u))]
        elif isinstance(cell, IndRNNCell):
            weight = cell.weight_hh[u].item()
            if cell.steps:
                most = 2 ** (1 / cell.steps)
                weight = min(max(weight, -most), most)
            v = from_x(0, u) + weight * state[0][u]
            new = [max(v, 0.0) if cell.nonlinearity == "relu" else math.tanh(v)]
        else:
            new = sLSTM_unit(cell, u, from_x, state)
        for part, value in zip(after, new, strict=True):
            part.append(value)
    return after


def sLSTM_unit(
    cell: SLSTMCell, u: int, from_x: Callable[[int, int], float], state: list[list[float]]
) -> list[float]:
    """xLSTM's equations 8 to 14, without the stabiliser: c and n as they are, m as 0."""
    size = H // cell.heads
    head, place = divmod(u, size)
    past = state[0][head * size : (head + 1) * size]
    i, f, z, o = (
        from_x(k, u) + total(cell.weight_hh[head], None, k * size + place, past) for k in range(4)
    )
    forget = sigmoid(f) if cell.forget_gate == "sigmoid" else math.exp(f)
    c = forget * state[1][u] + math.exp(i) * math.tanh(z)
    n = forget * state[2][u] + math.exp(i)
    return [sigmoid(o) * c / n, c, n, 0.0]


def plain(state: State) -> State:
    """A state of the sLSTM without its stabiliser; others as they are."""
    if isinstance(state, SLSTMState):
        scale = state.m.exp()
        return SLSTMState(state.h, state.c * scale, state.n * scale, torch.zeros_like(state.m))
    return state


@every_form
@pytest.mark.parametrize("bias", [True, False])
def test_the_equations_are_the_papers(form: str, bias: bool) -> None:
    cell = cell_of(form, bias=bias)
    x, state = some(T, B, I), state_for(cell)
    y, final = Recurrent(cell)(x, state)
    for b in range(B):
        row = [part[b].tolist() for part in tensors_of(plain(state))]
        for t in range(T):
            row = one_step(cell, x[t, b].tolist(), row)
            torch.testing.assert_close(y[t, b], torch.tensor(row[0], dtype=torch.float64))
        for got, want in zip(tensors_of(plain(final)), row, strict=True):
            torch.testing.assert_close(got[b], torch.tensor(want, dtype=torch.float64))


@every_form
def test_no_state_is_zeros_and_one_call_is_one_step(form: str) -> None:
    cell, x = cell_of(form), some(T, B, I)
    zeros = map_state(torch.zeros_like, state_for(cell))
    y, _ = Recurrent(cell)(x, zeros)
    torch.testing.assert_close(Recurrent(cell)(x)[0], y)
    state = None
    for t in range(T):
        state = cell(x[t], state)
        torch.testing.assert_close(next(tensors_of(state)), y[t])
    alone = None
    for t in range(T):
        alone = cell(x[t, 1], alone)
        assert next(tensors_of(alone)).shape == (H,)
        torch.testing.assert_close(next(tensors_of(alone)), y[t, 1])


@every_form
def test_gradients_are_right_twice(form: str) -> None:
    cell = cell_of(form)
    if isinstance(cell, IndRNNCell) and cell.steps:
        with torch.no_grad():
            cell.weight_hh.mul_(0.4)  # inside: at the bound the gradient is no derivative
    x, state = some(3, 2, I), state_for(cell, 2)
    names = [name for name, _ in cell.named_parameters()]
    parts = list(tensors_of(state))
    leaves = [x, *parts, *cell.parameters()]
    leaves = [leaf.detach().requires_grad_() for leaf in leaves]
    layer = Recurrent(cell)

    def function(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        left = iter(rest)
        given = map_state(lambda _: next(left), state)
        weights = {f"cell.{name}": next(left) for name in names}
        y, after = torch.func.functional_call(layer, weights, (x, given))
        return y, *tensors_of(after)

    checks: list[Callable[..., bool]] = [gradcheck]
    if "sLSTM in" not in form:  # a second derivative of each equation is enough
        checks.append(gradgradcheck)
    assert all(check(function, leaves, fast_mode=True) for check in checks)


@every_form
def test_copies_state_dicts_and_moves_keep_the_numbers(form: str) -> None:
    cell, x = cell_of(form), some(T, B, I)
    want, _ = Recurrent(cell)(x)
    assert torch.equal(Recurrent(copy.deepcopy(cell))(x)[0], want)
    assert torch.equal(Recurrent(pickle.loads(pickle.dumps(cell)))(x)[0], want)
    saved = io.BytesIO()
    torch.save(cell.state_dict(), saved)
    saved.seek(0)
    fresh = cell_of(form)
    assert not torch.equal(Recurrent(fresh)(x)[0], want)
    fresh.load_state_dict(torch.load(saved, weights_only=True))
    assert torch.equal(Recurrent(fresh)(x)[0], want)
    single, _ = Recurrent(cell.float())(x.float())
    torch.testing.assert_close(single.double(), want, rtol=1e-3, atol=1e-4)
    y, state = Recurrent(copy.deepcopy(cell).bfloat16())(x.bfloat16())
    assert {part.dtype for part in (y, *tensors_of(state))} == {torch.bfloat16}
    torch.testing.assert_close(y.double(), want, rtol=0.2, atol=0.2)
    assert Recurrent(cell.to("meta"))(x.float().to("meta"))[0].shape == (T, B, H)


@every_own_form
def test_fresh_parameters_are_finite_and_the_repr_says_what_is_not_default(form: str) -> None:
    kind, options = FORMS[form]
    cell = kind(I, H, **options)
    assert all(parameter.isfinite().all() for parameter in cell.parameters())
    shown = ", ".join(f"{name}={value}" for name, value in options.items())
    assert repr(cell) == f"{kind.__name__}({I}, {H}{', ' + shown if shown else ''})"
    assert "bias=False" in repr(kind(I, H, bias=False))
    assert kind(I, H, bias=False).bias_ih is None


@every_own_form
def test_a_bad_call_of_our_own_cells_is_named(form: str) -> None:
    cell = cell_of(form)
    x, state = some(B, I), state_for(cell)
    short = map_state(lambda part: part[1:], state)
    with pytest.raises(ShapeError, match=r"input: got shape \(3, 3\), expected .* with I = 4"):
        cell(x[:, 1:])
    with pytest.raises(ShapeError, match=r"input: got shape \(1, 3, 4\), expected \(B, I\)"):
        cell(x[None])
    with pytest.raises(DTypeError, match=r"input: got dtype torch.float32, expected torch.float64"):
        cell(x.float())
    with pytest.raises(DTypeError, match="input: got list, expected a tensor"):
        cell([1.0])
    with pytest.raises(ConfigError, match="input: got a tensor on meta, expected cpu"):
        cell(x.to("meta"))
    with pytest.raises(ShapeError, match=r"hx: got tensors of shapes .*\(2, 6\).*\(3, 6\)"):
        cell(x, short)
    with pytest.raises(DTypeError, match=r"hx: got dtype torch.float32, expected torch.float64"):
        cell(x, map_state(Tensor.float, state))
    with pytest.raises(ShapeError, match=r"x: got shape \(1, 3, 3\), expected \(T, B, I\)"):
        Recurrent(cell)(x[None, :, 1:])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MinGRUCell(0, 3), "input_size: got 0"),
        (lambda: SLSTMCell(3, 0), "hidden_size: got 0"),
        (lambda: SLSTMCell(3, 4, heads=3), "heads: got 3, expected a divisor of H = 4"),
        (lambda: SLSTMCell(3, 4, forget_gate="tanh"), "forget_gate: got 'tanh'"),
        (lambda: IndRNNCell(3, 4, nonlinearity="gelu"), "nonlinearity: got 'gelu'"),
        (lambda: IndRNNCell(3, 4, steps=0), "steps: got 0"),
    ],
)
def test_arguments_without_a_meaning_are_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()


@pytest.mark.parametrize("kind", [MinGRUCell, MinLSTMCell])
def test_the_minimal_cells_equal_the_layers_with_their_weights(kind: type) -> None:
    layer = getattr(unrolled, kind.__name__.removesuffix("Cell"))(I, H)
    cell, x, state = kind(I, H), torch.randn(T, B, I), torch.randn(B, H)
    weights = {"weight_ih": layer.weight_l0, "bias_ih": layer.bias_l0}
    cell.load_state_dict({name: value.detach() for name, value in weights.items()})
    y, final = Recurrent(cell)(x, state)
    want, (end,) = layer(x, state[None])
    torch.testing.assert_close((y, final), (want, end))


def test_the_recurrent_weights_of_indrnn_stay_within_the_bound() -> None:
    steps = 3
    cell = IndRNNCell(1, 2000, steps=steps)
    assert ((cell.weight_hh >= 0) & (cell.weight_hh <= cell.bound)).all()
    assert (cell.weight_hh > 1).any()
    assert ((IndRNNCell(1, 2000).weight_hh >= 0) & (IndRNNCell(1, 2000).weight_hh <= 1)).all()
    with torch.no_grad():
        cell.weight_hh.fill_(9.0)
        cell.weight_ih.zero_()
    y, _ = Recurrent(cell)(torch.zeros(steps, 1, 1), torch.ones(1, 2000))
    torch.testing.assert_close(y[-1], torch.full((1, 2000), 2.0))


def test_a_recurrent_weight_at_the_bound_comes_back_but_does_not_go_further() -> None:
    cell = IndRNNCell(1, 4, steps=2, dtype=torch.float64)
    u = torch.tensor([5.0, 5.0, -5.0, -5.0])
    with torch.no_grad():
        cell.weight_hh.copy_(u)
        cell.weight_ih.fill_(20.0)  # so that no unit's sum is below zero
    y, _ = Recurrent(cell)(torch.ones(1, 1, 1, dtype=torch.float64), torch.ones(1, 4).double())
    loss = y[0, 0] @ torch.tensor([1.0, -1.0, 1.0, -1.0]).double()
    loss.backward()
    assert cell.weight_hh.grad.tolist() == [1.0, 0.0, 0.0, -1.0]


@pytest.mark.parametrize("forget_gate", ["sigmoid", "exp"])
def test_the_stabiliser_of_the_slstm_holds_gates_that_no_number_holds(forget_gate: str) -> None:
    cell = SLSTMCell(1, 2, forget_gate=forget_gate)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.weight_ih[:2] = 1.0  # i~ = x
        cell.bias_ih[4:] = 0.5
    x = torch.tensor([300.0, -300.0, 400.0, -400.0]).view(4, 1, 1).requires_grad_()
    for begin in range(4):
        y, state = Recurrent(cell)(x[begin:])
        assert y.isfinite().all()
        assert (state.n >= 1).all()
        # One value was stored, whatever the weight: their mean is that value.
        want = torch.sigmoid(torch.tensor(0.5)) * torch.tanh(torch.tensor(0.5))
        torch.testing.assert_close(y, want.expand_as(y))
        (gradient,) = torch.autograd.grad(y.sum(), x)
        assert gradient.isfinite().all()


def test_the_stabiliser_changes_no_output_and_no_gradient() -> None:
    cell, x, state = cell_of("sLSTM"), some(T, B, I), state_for(SLSTMCell(I, H))
    moved = SLSTMState(state.h, state.c / math.e, state.n / math.e, state.m + 1)
    results = []
    for given in (state, moved):
        y, _ = Recurrent(cell)(x, given)
        results.append((y, *torch.autograd.grad(y.square().sum(), list(cell.parameters()))))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("kind", [GRUCell, MinGRUCell, SLSTMCell, IndRNNCell])
def test_an_input_without_an_axis_of_rows_is_named(kind: Any) -> None:
    layer = Recurrent(kind(3, 4))
    with pytest.raises(ShapeError, match=r"x: got shape \(5, 3\), expected \(T, B, I\) with I = 3"):
        layer(torch.randn(5, 3))
