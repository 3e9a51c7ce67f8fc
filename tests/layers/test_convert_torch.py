"""Layers from and to `torch.nn`: complete, proven, and nothing lost in silence."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import unrolled
from unrolled import from_torch, to_torch
from unrolled.errors import ConfigError, ParityError
from unrolled.layers import GRU, LSTM, RNN, MinGRU, convert, parity
from unrolled.layers.parity import difference

# torch says so once for every LSTM with a projection on a CPU, its own and ours.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")

I, H = 3, 5  # noqa: E741
CASES: dict[str, tuple[type[torch.nn.RNNBase], dict[str, Any]]] = {
    "tanh": (torch.nn.RNN, {"num_layers": 2, "bidirectional": True}),
    "relu": (torch.nn.RNN, {"nonlinearity": "relu", "batch_first": True}),
    "gru": (torch.nn.GRU, {"num_layers": 3, "bidirectional": True, "dropout": 0.4}),
    "gru without biases": (torch.nn.GRU, {"bias": False}),
    "lstm": (torch.nn.LSTM, {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    "projected": (torch.nn.LSTM, {"num_layers": 2, "bidirectional": True, "proj_size": 2}),
}


def torch_layer(case: str, dtype: torch.dtype = torch.float64) -> Any:
    kind, options = CASES[case]
    layer = kind(I, H, **options, dtype=dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5)
    return layer


@pytest.mark.parametrize("case", CASES)
def test_a_layer_of_torch_comes_over_whole_and_goes_back(case: str) -> None:
    source = torch_layer(case)
    source.weight_hh_l0.requires_grad_(False)
    source.eval()
    layer, report = from_torch(source)
    back, back_report = to_torch(layer)
    assert type(layer) is getattr(unrolled, type(source).__name__)
    assert type(back) is type(source)
    assert repr(layer) == repr(source) == repr(back)
    for other in (layer, back):
        assert not other.training
        for (name, a), (own, b) in zip(
            source.named_parameters(), other.named_parameters(), strict=True
        ):
            assert name == own
            assert torch.equal(a, b)
            assert a.data_ptr() != b.data_ptr()
            assert a.requires_grad == b.requires_grad
    for found in (report, back_report):
        assert found.values <= 1e-13
        assert found.gradients is not None
        assert found.gradients <= 1e-13
    x = torch.randn(4, 2, I, dtype=torch.float64)
    torch.testing.assert_close(layer(x), source(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_the_dtype_goes_along(dtype: torch.dtype) -> None:
    layer, report = from_torch(torch_layer("lstm", dtype))
    assert layer.weight_ih_l0.dtype == dtype
    assert report.tolerance == parity.TOLERANCES[dtype]


@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
def test_a_cell_of_torch_comes_over_and_goes_back(name: str) -> None:
    options = {"nonlinearity": "relu"} if name == "RNNCell" else {}
    source = getattr(torch.nn, name)(I, H, **options, dtype=torch.float64)
    cell, report = from_torch(source)
    back, _ = to_torch(cell)
    assert type(cell) is getattr(unrolled.layers, name)
    assert type(back) is type(source)
    assert repr(back) == repr(source)
    for a, b in zip(source.parameters(), back.parameters(), strict=True):
        assert torch.equal(a, b)
    assert report.gradients is not None
    assert report.gradients <= 1e-13


def test_a_parametrised_weight_comes_over_as_it_is_now() -> None:
    source = torch_layer("gru without biases")
    torch.nn.utils.parametrizations.weight_norm(source, "weight_hh_l0")
    layer, report = from_torch(source)
    assert report.good
    torch.testing.assert_close(layer.weight_hh_l0, source.weight_hh_l0, rtol=0, atol=0)


def test_a_conversion_leaves_the_source_and_torchs_generator_alone() -> None:
    source = torch_layer("lstm")
    before, state = copy.deepcopy(source.state_dict()), torch.get_rng_state()
    layer, _ = from_torch(source)
    to_torch(layer)
    assert torch.equal(torch.get_rng_state(), state)
    assert source.training
    assert layer.training
    assert all(parameter.grad is None for parameter in source.parameters())
    for name, value in source.state_dict().items():
        assert torch.equal(value, before[name])


def test_two_gates_in_the_wrong_order_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a wrong conversion table would do."""

    def swapped(*arguments: Any) -> Any:
        layer = made(*arguments)
        with torch.no_grad():
            i, f, *rest = layer.weight_hh_l0.chunk(4)
            layer.weight_hh_l0.copy_(torch.cat([f, i, *rest]))
        return layer

    made = convert._made
    monkeypatch.setattr(convert, "_made", swapped)
    with pytest.raises(ParityError, match=r"torch.nn.LSTM to unrolled.LSTM.*output 0 at T = 7"):
        from_torch(torch_layer("lstm"))


def test_a_gradient_that_does_not_flow_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(LSTM):
        def forward(self, input: Any, hx: Any = None, **options: Any) -> Any:
            return super().forward(input.detach() + 0 * input, hx, **options)

    monkeypatch.setattr(convert.ours, "LSTM", Stopped, raising=False)
    with pytest.raises(ParityError, match="the gradient of the input"):
        from_torch(torch_layer("lstm"))


def test_a_report_says_in_one_line_what_was_found() -> None:
    report = from_torch(torch_layer("gru"))[1]
    line = str(report)
    assert line.startswith("torch.nn.GRU to unrolled.GRU: values differ by at most ")
    assert "gradients by at most" in line
    assert "(tolerance 1e-09; TxB = 7x3)" in line
    assert "\n" not in line
    with pytest.raises(AttributeError):
        report.values = 0.0  # type: ignore[misc]


def test_nan_and_other_shapes_are_never_near() -> None:
    one = torch.ones(2)
    assert difference(one, one) == 0
    assert difference(100 * one + 1, 100 * one) == pytest.approx(0.01)
    nan = torch.tensor([1.0, float("nan")])
    for got, want in ((one, nan), (nan, one)):
        assert not difference(got, want) <= 1e9
    assert difference(torch.ones(2, 1), one) == float("inf")


def test_what_can_not_be_converted_is_named() -> None:
    with pytest.raises(ConfigError, match=r"module: got Linear, expected one of torch.nn's RNN"):
        from_torch(torch.nn.Linear(2, 2))
    with pytest.raises(ConfigError, match=r"module: got LSTM.*; ours is ours already"):
        from_torch(LSTM(I, H))
    with pytest.raises(ConfigError, match=r"layer: got MinGRU, expected one of unrolled's RNN"):
        to_torch(MinGRU(I, H))
    with pytest.raises(ConfigError, match="layer: got LSTM"):
        to_torch(torch.nn.LSTM(I, H))
    with pytest.raises(ConfigError, match="tolerance: got -1"):
        from_torch(torch.nn.LSTM(I, H), tolerance=-1)
    with pytest.raises(ConfigError, match="weight_ih_l0: got a meta tensor"):
        from_torch(torch.nn.LSTM(I, H, device="meta"))


def test_a_weight_that_is_not_finite_is_named() -> None:
    for bad, convert_ in ((torch.nn.GRU(I, H), from_torch), (GRU(I, H), to_torch)):
        with torch.no_grad():
            bad.bias_hh_l0[1] = float("nan")
        with pytest.raises(ConfigError, match="bias_hh_l0: got NaN or infinity"):
            convert_(bad)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"layer_norm": True}, "layer_norm"),
        ({"peephole": True}, "peephole"),
        ({"zoneout": 0.1}, "zoneout"),
        ({"residual": True, "num_layers": 2}, "residual"),
        ({"merge": "sum", "bidirectional": True}, "merge"),
    ],
)
def test_an_option_that_torch_lacks_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}: got .*which torch.nn lacks"):
        to_torch(LSTM(I, H, **options))


def test_options_that_change_nothing_in_evaluation_are_noted() -> None:
    layer = LSTM(I, H, recurrent_dropout=0.2, weight_dropout=0.1, residual=True)
    _, report = to_torch(layer)
    assert "left out recurrent_dropout=0.2 and weight_dropout=0.1, in training only" in str(report)
    assert layer.training


def test_a_stack_of_our_rnn_goes_to_torch_with_its_nonlinearity() -> None:
    back, _ = to_torch(RNN(I, H, 2, nonlinearity="relu"))
    assert back.nonlinearity == "relu"
