"""Our `RNNCell`, `GRUCell` and `LSTMCell` are torch's, and cells of `Recurrent` as well."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.parametrizations import weight_norm

import unrolled
from unrolled.errors import ConfigError, DTypeError, ShapeError, UnrolledError
from unrolled.layers import GRUCell, LSTMCell, Recurrent, RNNCell
from unrolled.layers.states import State, map_state, tensors_of

TORCHS = {RNNCell: torch.nn.RNNCell, GRUCell: torch.nn.GRUCell, LSTMCell: torch.nn.LSTMCell}
every_kind = pytest.mark.parametrize("kind", list(TORCHS))
T, B, I, H = 5, 3, 4, 6  # noqa: E741
OPTIONS: dict[type, list[dict[str, Any]]] = {
    RNNCell: [{}, {"bias": False, "nonlinearity": "relu"}],
    GRUCell: [{}, {"bias": False}],
    LSTMCell: [{}, {"bias": False}],
}


def state_of(kind: type, *shape: int) -> State:
    h = torch.randn(*shape)
    return (h, torch.randn(*shape)) if kind is LSTMCell else h


@every_kind
def test_a_cell_is_torchs_in_class_constructor_repr_and_first_weights(kind: type) -> None:
    assert inspect.signature(kind) == inspect.signature(TORCHS[kind])
    for options in OPTIONS[kind]:
        torch.manual_seed(1)
        cell = kind(I, H, **options)
        torch.manual_seed(1)
        rival = TORCHS[kind](I, H, **options)
        assert isinstance(cell, TORCHS[kind])
        assert repr(cell) == repr(rival)
        assert cell.state_dict().keys() == rival.state_dict().keys()
        assert all(map(torch.equal, cell.parameters(), rival.parameters()))


@every_kind
@pytest.mark.parametrize("shape", [(B,), ()])
def test_a_call_is_torchs_and_a_state_dict_travels_both_ways(
    kind: type, shape: tuple[int, ...]
) -> None:
    for options in OPTIONS[kind]:
        cell, rival = kind(I, H, **options), TORCHS[kind](I, H, **options)
        other = TORCHS[kind](I, H, **options)
        other.load_state_dict(cell.state_dict())
        x, state = torch.randn(*shape, I), state_of(kind, *shape, H)
        for hx in (None, state):
            for one, two in ((cell, other), (kind(I, H, **options), rival)):
                one.load_state_dict(two.state_dict())
                got, want = list(tensors_of(one(x, hx))), list(tensors_of(two(x, hx)))
                assert all(map(torch.equal, got, want))
                assert all(map(torch.equal, tensors_of(one(input=x, hx=hx)), want))


@every_kind
def test_half_precisions_are_torchs(kind: type) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        cell, rival = kind(I, H, dtype=dtype), TORCHS[kind](I, H, dtype=dtype)
        rival.load_state_dict(cell.state_dict())
        x = torch.randn(B, I).to(dtype)
        hx = map_state(partial(Tensor.to, dtype=dtype), state_of(kind, B, H))
        assert all(map(torch.equal, tensors_of(cell(x, hx)), tensors_of(rival(x, hx))))


@every_kind
def test_over_time_it_is_the_layer_with_the_same_weights(kind: type) -> None:
    layer = getattr(unrolled, kind.__name__.removesuffix("Cell"))(I, H, dtype=torch.float64)
    cell = kind(I, H, dtype=torch.float64)
    weights = {name: value.detach() for name, value in layer.named_parameters()}
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in weights.items()})
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    state = map_state(Tensor.double, state_of(kind, B, H))
    lengths, starts = torch.tensor([T, 2, 0]), torch.zeros(T, B).bool()
    starts[2, 0] = True
    layers_state = map_state(lambda part: part[None], state)
    results = []
    for run, given in ((Recurrent(cell), state), (layer, layers_state)):
        y, final = run(x, given, lengths=lengths, starts=starts)
        finals = [part.view(B, H) for part in tensors_of(final)]
        loss = y.square().sum() + sum(part.sin().sum() for part in finals)
        results.append([y, *finals, *torch.autograd.grad(loss, [x, *run.parameters()])])
    assert len(results[0]) >= 7
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want)


@every_kind
def test_parametrised_and_replaced_weights_are_used_over_time(kind: type) -> None:
    cell, x = kind(I, H), torch.randn(T, B, I)
    layer = Recurrent(cell)
    weights = {name: torch.randn_like(value) for name, value in layer.named_parameters()}
    got, _ = torch.func.functional_call(layer, weights, (x,))
    cell.load_state_dict({name.removeprefix("cell."): value for name, value in weights.items()})
    torch.testing.assert_close(got, layer(x)[0])
    weight_norm(cell, "weight_hh")
    with torch.no_grad():
        cell.parametrizations.weight_hh.original0.fill_(2.0)
    assert not torch.allclose(got, layer(x)[0])
    want = None
    for x_t in x:
        want = cell(x_t, want)
    torch.testing.assert_close(next(tensors_of(layer(x)[1])), next(tensors_of(want)))


@every_kind
def test_a_bad_call_raises_torchs_text_and_type_first_and_names_the_argument(kind: type) -> None:
    x, rival = torch.randn(B, I), TORCHS[kind](I, H)
    calls: list[tuple[type, str, tuple[Any, ...]]] = [
        (ShapeError, r"input: got shape \(1, 3, 4\), expected \(B, I\)", (x[None],)),
        (ShapeError, r"input: got shape \(3, 2\), expected .* with I = 4", (x[:, :2],)),
        (DTypeError, r"input: got dtype torch.float64, expected torch.float32", (x.double(),)),
        (ConfigError, r"input: got a tensor on meta, expected cpu", (x.to("meta"),)),
        (ShapeError, r"hx.*: got shape \(2, 6\), expected \(3, 6\)", (x, state_of(kind, 2, H))),
        (ShapeError, r"hx.*: got shape \(3, 5\), expected \(3, 6\)", (x, state_of(kind, 3, 5))),
        (ShapeError, r"hx.*: got shape \(1, 6\), expected \(6,\)", (x[0], state_of(kind, 1, H))),
        (ShapeError, r"hx.*: got shape \(1, 3, 6\)", (x, state_of(kind, 1, 3, H))),
        (
            DTypeError,
            r"hx.*: got dtype torch.float64, expected torch.float32",
            (x, map_state(Tensor.double, state_of(kind, B, H))),
        ),
    ]
    cell = kind(I, H)
    for error, says, arguments in calls:
        with pytest.raises(error, match=says) as ours:
            cell(*arguments)
        assert "\n" not in str(ours.value)
        with pytest.raises((ValueError, RuntimeError)) as torchs:
            rival(*arguments)
        assert isinstance(ours.value, type(torchs.value)), says
        assert str(ours.value).startswith(str(torchs.value).splitlines()[0].rstrip(". "))
    with pytest.raises(UnrolledError, match="input: got list, expected a tensor"):
        cell([1.0])


def test_an_lstm_cells_state_is_a_pair() -> None:
    cell, x = LSTMCell(I, H), torch.randn(B, I)
    for wrong in (torch.randn(B, H), (torch.randn(B, H),)):
        with pytest.raises(ShapeError, match=r"hx: got .*, expected a tuple \(h, c\)"):
            cell(x, wrong)


def test_a_nonlinearity_that_is_none_is_named() -> None:
    cell = RNNCell(I, H, nonlinearity="gelu")
    with pytest.raises(RuntimeError, match="Unknown nonlinearity: gelu"):
        cell(torch.randn(B, I))
    with pytest.raises(ConfigError, match="nonlinearity: got 'gelu', expected 'tanh' or 'relu'"):
        Recurrent(cell)(torch.randn(T, B, I))
