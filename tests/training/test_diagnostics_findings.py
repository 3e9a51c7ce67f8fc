"""Each finding is there where its fault was built in, and not without; it names the remedy."""

from __future__ import annotations

import copy
import json
import pickle
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unrolled import (
    GRU,
    LSTM,
    RNN,
    DeadUnits,
    ExplodingGradient,
    IndRNNCell,
    LRUCell,
    MinGRU,
    Recurrent,
    SaturatedGates,
    StateBlowUp,
    VanishingGradient,
    Watch,
    diagnose,
)
from unrolled.errors import ConfigError, DTypeError, Finding, UnrolledWarning
from unrolled.training import Report

T, B, N, H = 40, 4, 2, 16


class LastStep(nn.Module):
    """A layer inside a model, its answer read from the last step."""

    def __init__(self, layer: nn.Module, hidden: int = H) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"reader": layer})
        self.readout = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.encoder["reader"](x)[0][-1])


def look(layer: nn.Module, steps: int = T) -> Report:
    model, x = LastStep(layer), torch.rand(steps, B, N)
    return diagnose(model, lambda: model(x).square().mean(), warn=False)


def kinds(report: Report) -> set[type[Finding]]:
    return {type(finding) for finding in report.findings}


def fill(layer: Any, **values: float | Tensor) -> Any:
    with torch.no_grad():
        for name, value in values.items():
            getattr(layer, f"{name}_l0")[:] = value
    return layer


def chrono(layer: Any, longest: int) -> Any:
    """Tallec & Ollivier 2018: forget gates that stay open for 1 to `longest` steps."""
    spans = torch.linspace(1, longest - 1, H).log()
    fill(layer, bias_ih=0.0, bias_hh=0.0)
    with torch.no_grad():
        if isinstance(layer, nn.LSTM):
            layer.bias_ih_l0[:H] = -spans
        layer.bias_ih_l0[H : 2 * H] = spans
    return layer


def orthogonal(layer: Any) -> Any:
    nn.init.orthogonal_(layer.weight_hh_l0)
    return fill(layer, bias_ih=0.0, bias_hh=0.0)


@pytest.mark.parametrize("kind", [nn.RNN, RNN])
def test_the_plain_rnn_at_200_steps_has_a_vanishing_gradient(kind: Any) -> None:
    report = look(kind(N, H), 200)
    assert kinds(report) == {VanishingGradient}
    (finding,) = report.findings
    text = str(finding)
    assert text.startswith("encoder.reader, layer 0, forward: over 199 steps the gradient")
    assert 'LSTM or GRU with init=("chrono", 200)' in finding.remedy
    assert 'nonlinearity="relu" and init="identity"' in finding.remedy
    assert "orthogonal" not in finding.remedy  # of 200 tanh steps nothing is left either
    assert "\n" not in text


@pytest.mark.parametrize(
    "make",
    [
        lambda: chrono(LSTM(N, H), 200),
        lambda: chrono(GRU(N, H), 200),
        lambda: chrono(nn.LSTM(N, H), 200),
        lambda: fill(RNN(N, H, nonlinearity="relu"), weight_hh=torch.eye(H)),
    ],
    ids=["chrono LSTM", "chrono GRU", "torch's LSTM", "identity relu"],
)
def test_with_the_remedy_nothing_vanishes_at_200_steps(make: Callable[[], nn.Module]) -> None:
    assert kinds(look(make(), 200)) - {StateBlowUp} == set()


def test_an_orthogonal_rnn_keeps_its_gradient_for_longer() -> None:
    plain = look(RNN(N, H))
    assert VanishingGradient in kinds(plain)
    assert plain.findings[0].remedy.count('or init="orthogonal"') == 1
    assert VanishingGradient not in kinds(look(orthogonal(RNN(N, H))))


@pytest.mark.parametrize(
    ("make", "steps"),
    [
        (lambda: LSTM(N, H, init=("chrono", 200)), 200),
        (lambda: GRU(N, H, init=("chrono", 200)), 200),
        (lambda: RNN(N, H, nonlinearity="relu", init="identity"), 200),
        (lambda: RNN(N, H, init="orthogonal"), 50),
    ],
    ids=["LSTM, chrono", "GRU, chrono", "relu, identity", "orthogonal"],
)
def test_each_remedy_works_as_it_is_written(make: Callable[[], nn.Module], steps: int) -> None:
    assert VanishingGradient in kinds(look(RNN(N, H), steps))
    assert VanishingGradient not in kinds(look(make(), steps))


def test_a_remedy_is_one_that_the_layer_has() -> None:
    """No option of an LSTM for a cell of another kind; chrono takes three steps or more."""
    fading = Recurrent(IndRNNCell(N, H, nonlinearity="tanh"))
    torch.nn.init.constant_(fading.cell.weight_hh, 0.3)
    (finding,) = look(fading, 60).findings
    assert finding.remedy.startswith("use a cell that keeps more of its state, or an unrolled.LSTM")
    short = Recurrent([LRUCell(N, H, H, r_min=0.1, r_max=0.5)])
    (finding,) = look(short, 60).findings
    assert finding.remedy.startswith("use an r_min and r_max nearer to 1")
    shut = fill(MinGRU(N, H), bias=50.0)
    assert all("layer_norm" not in one.remedy for one in look(shut, 12).findings)
    forgets = fill(LSTM(N, H), bias_ih=-50.0)
    assert 'init=("chrono", 3)' in " ".join(one.remedy for one in look(forgets, 2).findings)


def test_layer_norm_and_orthogonal_weights_end_an_explosion() -> None:
    def relu(**options: Any) -> RNN:
        return fill(RNN(N, H, nonlinearity="relu", **options), weight_hh=0.3)

    assert ExplodingGradient in kinds(look(relu(), 60))
    assert ExplodingGradient not in kinds(look(relu(layer_norm=True), 60))
    assert ExplodingGradient not in kinds(
        look(RNN(N, H, nonlinearity="relu", init="orthogonal"), 60)
    )


def test_an_untrained_lstm_names_its_own_remedy() -> None:
    (finding,) = look(LSTM(N, H), 200).findings
    assert isinstance(finding, VanishingGradient)
    assert finding.remedy.startswith('use init=("chrono", ')


def test_a_loss_on_every_step_does_not_vanish() -> None:
    layer, x = RNN(N, H), torch.rand(200, B, N)
    report = diagnose(layer, lambda: layer(x)[0].square().mean(), warn=False)
    assert report.findings == ()
    assert (report.layers[0].gradient_carried or 0.0) < 1e-7


def test_only_the_direction_that_reads_to_the_end_is_named() -> None:
    model = LastStep(nn.RNN(N, H, bidirectional=True), 2 * H)
    x = torch.rand(200, B, N)
    report = diagnose(model, lambda: model(x).square().mean(), warn=False)
    assert [finding.where for finding in report.findings] == ["encoder.reader, layer 0, forward"]


def test_a_reset_is_no_vanishing_gradient() -> None:
    layer, x = orthogonal(RNN(N, H)), torch.rand(T, B, N)
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[T // 2] = True
    report = diagnose(layer, lambda: layer(x, starts=starts)[0][-1].square().mean(), warn=False)
    assert report.layers[0].gradient is not None
    assert report.layers[0].gradient[0] == 0.0
    assert report.layers[0].gradient_steps == T - 1 - T // 2
    assert report.findings == ()


def test_large_recurrent_weights_explode() -> None:
    wild = fill(RNN(N, H), weight_hh=3.0 * torch.linalg.qr(torch.randn(H, H))[0], weight_ih=0.01)
    fill(wild, bias_ih=0.0, bias_hh=0.0)
    model, x = LastStep(wild), 1e-9 * torch.rand(12, B, N)
    report = diagnose(model, lambda: model(x).square().mean(), warn=False)
    assert kinds(report) >= {ExplodingGradient}
    finding = next(one for one in report.findings if isinstance(one, ExplodingGradient))
    assert "clip" in finding.remedy
    assert "(threshold 1000; largest singular value of a step 3)" in finding.measured
    assert ExplodingGradient not in kinds(look(orthogonal(RNN(N, H))))


def test_a_gradient_that_overflows_is_an_exploding_one() -> None:
    layer = fill(RNN(N, H, nonlinearity="relu"), weight_hh=2.0, weight_ih=1.0)
    report = look(layer, 60)
    finding = next(one for one in report.findings if isinstance(one, ExplodingGradient))
    assert "is not finite" in finding.measured or "times its size" in finding.measured


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_large_biases_saturate_gates(kind: Any) -> None:
    every = look(fill(kind(N, H), bias_ih=10.0), 12).findings
    found = [one for one in every if isinstance(one, SaturatedGates)]
    named = {one.measured.split(" of the values of ")[1][0] for one in found}
    # Open forget gates are memory: f of the LSTM and z of the GRU are not named.
    assert named == ({"i", "g", "o"} if kind is LSTM else {"r", "n"})
    assert all("layer_norm=True" in one.remedy for one in found)
    assert look(kind(N, H), 12).findings == ()


def test_input_gates_that_are_shut_while_the_unit_remembers_are_not_named() -> None:
    layer = LSTM(N, H)
    with torch.no_grad():
        layer.bias_ih_l0[:H] = -10.0
    assert kinds(look(layer, 10)) == {SaturatedGates}
    with torch.no_grad():
        layer.bias_ih_l0[H : 2 * H] = 10.0
    report = look(layer, 10)
    assert kinds(report) == set()
    assert report.layers[0].saturation["i"][0] == 1.0


def test_forget_gates_that_are_shut_are_named() -> None:
    layer = LSTM(N, H)
    with torch.no_grad():
        layer.bias_ih_l0[H : 2 * H] = -10.0
    (finding,) = look(layer, 10).findings
    assert isinstance(finding, SaturatedGates)
    assert "values of f are below 0.05, so that nothing is kept" in finding.measured
    assert 'init=("chrono", ' in finding.remedy


def test_a_tanh_state_stuck_at_its_ends_is_named() -> None:
    assert SaturatedGates in kinds(look(fill(RNN(N, H), bias_ih=10.0), 12))


def test_very_negative_biases_kill_relu_units() -> None:
    dead = fill(RNN(N, H, nonlinearity="relu"), bias_ih=-50.0)
    finding = next(one for one in look(dead, 12).findings if isinstance(one, DeadUnits))
    assert finding.measured.startswith("100% of the relu units are zero at every step")
    assert 'init="identity"' in finding.remedy
    healthy = fill(RNN(N, H, nonlinearity="relu"), weight_hh=torch.eye(H), bias_ih=0.5)
    assert DeadUnits not in kinds(look(healthy, 12))


@pytest.mark.parametrize(("weight", "found"), [(1.06, {StateBlowUp}), (1.0, set()), (0.9, set())])
def test_a_state_grows_without_end_where_the_recurrent_weight_is_above_one(
    weight: float, found: set[type[Finding]]
) -> None:
    layer = fill(RNN(N, H, nonlinearity="relu"), weight_hh=weight * torch.eye(H))
    fill(layer, weight_ih=0.5, bias_ih=0.0, bias_hh=0.0)
    report = look(layer)
    assert kinds(report) == found
    for finding in report.findings:
        assert "four times as long as the batch's 40 steps" in finding.measured
        assert "spectral radius of a step 1.06" in finding.measured


def test_healthy_networks_are_without_findings() -> None:
    for layer in (nn.GRU(N, H, 2), LSTM(N, H), MinGRU(N, H), chrono(LSTM(N, H), T)):
        assert look(layer, 16).findings == ()


def test_each_finding_is_warned_of_and_quiet_while_the_loss_falls() -> None:
    model, x = LastStep(RNN(N, H)), torch.rand(200, B, N)

    def loss() -> Tensor:
        return model(x).square().mean()

    with pytest.warns(VanishingGradient, match="fades to nothing"):
        diagnose(model, loss)
    stuck, falling = [1.0] * 200, [1.0 - k / 400 for k in range(200)]
    with pytest.warns(UnrolledWarning, match="threshold"):
        diagnose(model, loss, losses=stuck)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kinds(diagnose(model, loss, losses=falling)) == {VanishingGradient}


def test_a_watch_warns_once_of_each_kind_and_only_where_the_loss_no_longer_falls() -> None:
    model, x = LastStep(RNN(N, H)), torch.rand(200, B, N)
    watch = Watch(model, every=50)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(250):
            value = torch.tensor(1.0 - step / 100 if step < 100 else 0.1)
            assert (watch(value, lambda: model(x).square().mean()) is None) == ((step + 1) % 50 > 0)
            if step < 100:
                assert not caught
    assert [one.category for one in caught] == [VanishingGradient]
    assert caught[0].filename == __file__
    assert [step for step, _ in watch.reports] == [50, 100, 150, 200, 250]


class Careless(nn.Module):
    """A model that changes all that a forward pass can change."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(N, H, 2, dropout=0.5)
        self.norm = nn.BatchNorm1d(H)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        noise = torch.rand_like(x) + random.random() + float(np.random.random())
        return self.norm(self.recurrent(x + noise)[0][-1])


def test_the_model_and_all_generators_are_as_before() -> None:
    model, x = Careless(), torch.rand(T, B, N)
    model.norm.eval()
    model(x).square().mean().backward()
    states = copy.deepcopy(model.state_dict())
    gradients = {name: (p.grad, p.grad.clone()) for name, p in model.named_parameters()}
    modes = [module.training for module in model.modules()]
    draws = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()

    def loss() -> Tensor:
        model.zero_grad()
        value = model(x).square().mean()
        value.backward(retain_graph=True)
        return value

    report = diagnose(model, loss, warn=False)
    assert str(report) == str(diagnose(model, loss, warn=False))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, states[name]), name
    for name, parameter in model.named_parameters():
        assert parameter.grad is gradients[name][0]
        assert torch.equal(parameter.grad, gradients[name][1])
    assert modes == [module.training for module in model.modules()]
    assert torch.equal(torch.get_rng_state(), draws[0])
    assert random.getstate() == draws[1]
    assert np.random.get_state()[1].tolist() == draws[2]
    assert not any(module._forward_hooks for module in model.modules())


def test_a_look_is_without_dropout_in_training_too() -> None:
    layer, x = LSTM(N, H, 2, dropout=0.5, zoneout=0.2), torch.rand(T, B, N)
    torch.manual_seed(1)
    training = look_at(layer, x)
    torch.manual_seed(2)
    again = look_at(layer, x)
    assert layer.training
    layer.eval()
    assert training == again == look_at(layer, x)


def look_at(layer: LSTM, x: Tensor) -> str:
    return str(diagnose(layer, lambda: layer(x)[0][-1].square().sum(), warn=False))


def test_a_loss_that_fails_leaves_the_model_as_it_was() -> None:
    model = LastStep(nn.GRU(N, H))

    def loss() -> Tensor:
        raise KeyError("no data")

    with pytest.raises(KeyError):
        diagnose(model, loss)
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


def test_a_graph_made_before_can_still_be_used() -> None:
    model, x = Careless(), torch.rand(T, B, N)
    loss = model(x).square().mean()
    diagnose(model, lambda: model(x).square().mean(), warn=False)
    loss.backward()
    assert model.recurrent.weight_hh_l0.grad is not None


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda model, x: model(x), r"loss: got shape \(4, 1\), expected a function"),
        (lambda model, x: 1.0, "loss: got float, expected a function"),
        (lambda model, x: x.sum(), "has encoder.reader, and none was called"),
    ],
)
def test_a_loss_that_can_not_be_used_is_one_plain_line(loss: Any, words: str) -> None:
    model, x = LastStep(nn.GRU(N, H)), torch.rand(T, B, N)
    with pytest.raises(ConfigError, match=words):
        diagnose(model, lambda: loss(model, x))


def test_a_model_without_recurrent_layers_and_a_loss_that_was_computed_are_plain_errors() -> None:
    model = nn.Linear(2, 1)
    with pytest.raises(ConfigError, match="model: has none; expected a loss that calls"):
        diagnose(model, lambda: model(torch.rand(3, 2)).mean())
    with pytest.raises(ConfigError, match="loss: got Tensor, expected a function that computes"):
        diagnose(model, torch.ones(()))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="rows: got 0"):
        diagnose(model, lambda: torch.ones(()), rows=0)
    with pytest.raises(ConfigError, match=r"points: got 1\.5, expected a whole number from 1 up"):
        diagnose(model, lambda: torch.ones(()), points=1.5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="every: got 0"):
        Watch(model, every=0)
    with pytest.raises(ConfigError, match="rows: got 'all'"):
        Watch(model, rows="all")  # type: ignore[arg-type]
    for call in (lambda: diagnose(3, lambda: torch.ones(())), lambda: Watch(3)):  # type: ignore
        with pytest.raises(DTypeError, match=r"model: got int, expected a torch\.nn\.Module"):
            call()


def test_a_report_is_strict_json_and_a_table() -> None:
    report = look(fill(RNN(N, H, nonlinearity="relu"), weight_hh=2.0, weight_ih=1.0), 200)
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert {one["kind"] for one in plain["findings"]} >= {"StateBlowUp"}
    (layer,) = plain["layers"]
    assert len(layer["gradient"]) == 33
    assert layer["growth"] == "inf"
    lines = str(report).splitlines()
    assert lines[0].split() == [
        "carried", "reach", "radius", "singular", "half-life", "measured", "growth"
    ]  # fmt: skip
    assert lines[1].startswith("encoder.reader, layer 0, forward")
    assert len(lines) == 2 + len(report.findings)


def test_a_finding_survives_pickling() -> None:
    finding = VanishingGradient("here", "too little", "more")
    again = pickle.loads(pickle.dumps(finding))
    assert (type(again), str(again), again.remedy) == (VanishingGradient, str(finding), "more")
