"""Any model that holds recurrent layers can be looked through, whatever it does around them."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unrolled import GRU, LSTM, RNN, MinGRU, Recurrent, diagnose
from unrolled.errors import ConfigError
from unrolled.training.diagnostics_follow import follow

T, B, N, H = 12, 3, 4, 5


def close(one: Any, other: Any, bound: float = 1e-9) -> bool:
    one = torch.as_tensor(one, dtype=torch.float64)
    other = torch.as_tensor(other, dtype=torch.float64)
    return one.shape == other.shape and bool(((one - other).abs() <= bound).all())


class Spiral(nn.Module):
    """A complex cell, `h' = a h + x`, whose output is made from all states together."""

    linear = True

    def __init__(self, size: float) -> None:
        super().__init__()
        self.a = nn.Parameter(size * torch.exp(1j * torch.tensor([0.3, 1.2], dtype=torch.float64)))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.a, torch.complex(x[..., :2], x[..., 2:])

    def step(self, projected: tuple[Tensor, Tensor], h: Tensor) -> tuple[Tensor, Tensor]:
        a, x = projected
        return a * h + x, a * h + x

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return torch.zeros(batch, 2, dtype=torch.complex128)

    def emit(self, y: Tensor, x: Tensor) -> Tensor:
        return y.real + x[..., :2]


@pytest.mark.parametrize(
    "layer",
    [
        nn.LSTM(N, H, 2, bidirectional=True, proj_size=3),
        GRU(N, H, 2, bidirectional=True, dropout=0.5),
        nn.RNN(N, H, 2, nonlinearity="relu"),
        MinGRU(N, H, 2, bidirectional=True),
        LSTM(N, H, bias=False),
    ],
    ids=lambda layer: str(layer),
)
def test_following_a_layer_gives_its_own_output_and_state(layer: Any) -> None:
    layer = layer.double().eval()
    x = torch.randn(T, B, N, dtype=torch.float64)
    _, state = layer(x)
    y, after = layer(x, state)
    run = follow(layer, x, state)
    assert close(run.y.detach(), y.detach())
    lstm = isinstance(after, tuple)
    for part in range(2 if lstm else 1):
        finals = torch.stack([final[part] if lstm else final for final in run.finals])
        assert close(finals.detach(), (after[part] if lstm else after).detach())


@pytest.mark.parametrize("reverse", [False, True])
def test_following_a_cell_of_ones_own_gives_its_output(reverse: bool) -> None:
    class Leaky(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Parameter(torch.randn(N, dtype=torch.float64))

        def project(self, x: Tensor) -> Tensor:
            return x

        def step(self, projected: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            h = 0.9 * h + projected
            return 2 * h, h

        def initial_state(self, batch: int, like: Tensor) -> Tensor:
            return self.first.expand(batch, -1)

    layer = Recurrent(Leaky(), reverse=reverse)
    x, lengths = torch.randn(T, B, N, dtype=torch.float64), torch.tensor([T, 0, 5])
    run = follow(layer, x, None, lengths)
    assert close(run.y.detach(), layer(x, lengths=lengths)[0].detach())
    assert [stage.reverse for stage in run.stages] == [reverse]
    report = diagnose(layer, lambda: layer(x, lengths=lengths)[0].square().sum(), warn=False)
    (one,) = report.layers
    assert (one.direction, one.rows) == ("reverse" if reverse else "forward", 2)
    assert close(one.spectral_radius, 0.9)


def test_a_complex_linear_cell_is_measured_by_its_moduli() -> None:
    x = torch.randn(T, B, 4, dtype=torch.float64)
    run = follow(Recurrent(Spiral(0.8)), x)
    h, a = torch.zeros(B, 2, dtype=torch.complex128), Spiral(0.8).a.detach()
    for x_t, y_t in zip(x, run.y.detach(), strict=True):
        h = a * h + torch.complex(x_t[:, :2], x_t[:, 2:])
        assert close(y_t, h.real + x_t[:, :2])
    from unrolled.training.diagnostics import _measure
    from unrolled.training.diagnostics_capture import LayerCall

    (one,) = _measure(LayerCall("spiral", Recurrent(Spiral(0.8)), x, None, None, None), 8, 3)
    assert close(one.spectral_radius, 0.8)
    assert close(one.singular_value, 0.8)
    assert close(one.half_life, math.log(2) / -math.log(0.8))
    assert close(one.half_life_measured, math.log(2) / -math.log(0.8), 0.1)


class Around(nn.Module):
    """Uses a layer twice, changes its output in place, and reads its state."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.inner = nn.Sequential(layer)

    def forward(self, x: Tensor) -> Tensor:
        layer = self.inner[0]
        y, h = layer(x[:2])
        y, h = layer(x, h)
        y *= 2.0
        return y.square().sum() + h.square().sum()


def test_an_output_changed_in_place_and_a_layer_called_twice_are_no_trouble() -> None:
    layer = nn.GRU(N, H).double()
    model, x = Around(layer), torch.randn(T, B, N, dtype=torch.float64)
    (one,) = diagnose(model, lambda: model(x), warn=False).layers
    assert (one.name, one.steps) == ("inner.0", T)

    def plain() -> Tensor:
        y, h = layer(x, layer(x[:2])[1])
        return (2 * y).square().sum() + h.square().sum()

    (other,) = diagnose(layer, plain, warn=False).layers
    assert close(one.gradient, other.gradient)
    before = float(model(x).detach())
    assert close(before, float(plain().detach()))


def test_a_compiled_model_is_looked_through_as_it_is() -> None:
    model, x = Around(nn.LSTM(N, H)), torch.randn(T, B, N)
    model.forward = lambda x: model.inner[0](x)[0].square().sum()  # type: ignore[method-assign]
    compiled = torch.compile(model, backend="eager")
    compiled(x)
    (one,) = diagnose(compiled, lambda: compiled(x), warn=False).layers
    (other,) = diagnose(model, lambda: model(x), warn=False).layers
    assert one.name == other.name == "inner.0"
    assert one.gradient == other.gradient


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_dtypes_and_autocast_are_measured(dtype: torch.dtype) -> None:
    layer, x = RNN(N, H), torch.randn(T, B, N)
    (one,) = diagnose(layer, lambda: layer(x)[0].square().sum(), warn=False).layers
    if dtype is torch.bfloat16:
        with torch.autocast("cpu", dtype):
            (mixed,) = diagnose(
                layer, lambda: layer(x)[0].float().square().sum(), warn=False
            ).layers
        assert close(mixed.gradient, one.gradient, 0.2)
    layer, x = layer.to(dtype), x.to(dtype)
    (other,) = diagnose(layer, lambda: layer(x)[0].square().sum(), warn=False).layers
    assert close(other.gradient, one.gradient, 0.5 if dtype is torch.bfloat16 else 1e-4)
    assert close(other.spectral_radius, one.spectral_radius, 0.05)


def test_a_look_inside_no_grad_has_the_gradient_all_the_same() -> None:
    layer, x = LSTM(N, H), torch.randn(T, B, N)
    with torch.no_grad():
        report = diagnose(layer, lambda: layer(x)[0].square().sum(), warn=False)
    assert report.layers[0].gradient is not None


def test_a_single_step_and_an_empty_batch_can_be_looked_at() -> None:
    layer = LSTM(N, H)
    one = diagnose(layer, lambda: layer(torch.randn(1, B, N))[0].square().sum(), warn=False)
    assert one.layers[0].growth is None
    assert one.findings == ()
    none = diagnose(
        layer,
        lambda: layer(torch.randn(T, B, N), lengths=torch.zeros(B, dtype=torch.int64))[0].sum(),
        warn=False,
    )
    assert none.layers == ()
    assert "carried" in str(none)


def test_a_state_that_is_not_finite_is_found_and_no_error() -> None:
    layer, x = LSTM(N, H), torch.full((T, B, N), torch.nan)
    report = diagnose(layer, lambda: layer(x)[0].square().sum(), warn=False)
    assert {type(one).__name__ for one in report.findings} >= {"ExplodingGradient", "StateBlowUp"}
    assert str(report)


def test_nan_in_a_weight_is_named() -> None:
    layer, x = LSTM(N, H), torch.zeros(T, B, N)
    with torch.no_grad():
        layer.weight_hh_l0[1, 2] = torch.nan
    with pytest.raises(ConfigError, match="model: got NaN in weight_hh_l0, expected numbers"):
        diagnose(layer, lambda: layer(x)[0].square().sum())
