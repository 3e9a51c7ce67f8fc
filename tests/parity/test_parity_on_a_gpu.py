"""On a GPU: the aten path is cuDNN, the reference path its check, and `explain` says so. Warnings
are errors here too: cuDNN has one for weights that it has to lay out anew at every call."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from unrolled import check_leaks, export_onnx
from unrolled.layers import GRU, LSTM, RNN, MinGRU, MinLSTM, use_path
from unrolled.layers.states import State, map_state, tensors_of

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported"),
    pytest.mark.filterwarnings("ignore:Warning. Profiler clears events"),
]
T, B, I, H = 7, 3, 4, 6  # noqa: E741
KINDS: dict[str, Any] = {
    "tanh": lambda **o: RNN(I, H, **o),
    "relu": lambda **o: RNN(I, H, nonlinearity="relu", **o),
    "gru": lambda **o: GRU(I, H, **o),
    "lstm": lambda **o: LSTM(I, H, **o),
    "projected": lambda **o: LSTM(I, H, proj_size=2, **o),
}
RAGGED = {
    "lengths": torch.tensor([7, 0, 4]),
    "starts": torch.tensor([[0, 0, 1], [0, 1, 0], [1, 0, 0], *[[0, 0, 1]] * 4]).bool(),
}


def layer_of(kind: str, **options: Any) -> Any:
    layer = KINDS[kind](num_layers=2, bidirectional=True, device="cuda", **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5)
    return layer


def state_of(layer: Any) -> State:
    like = next(layer.parameters()).detach()
    h = torch.randn_like(like.new_empty(4, B, layer.proj_size or H))
    return (h, torch.randn_like(like.new_empty(4, B, H))) if layer.mode == "LSTM" else h


def values_and_gradients(layer: Any, x: Any, state: State, options: Any) -> list[torch.Tensor]:
    leaves = map_state(lambda part: part.detach().clone().requires_grad_(), (x, state))
    outputs = [*tensors_of(layer(*leaves, **options))]
    slopes = [torch.linspace(-1, 1, out.numel()).view_as(out).to(out) for out in outputs]
    loss = sum((slope * out).sum() for slope, out in zip(slopes, outputs, strict=True))
    sources = [*tensors_of(leaves), *layer.parameters()]
    return [*outputs, *torch.autograd.grad(loss, sources)]


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_cudnn_and_the_reference_give_the_same_values_and_gradients(
    kind: str, dtype: torch.dtype, ragged: bool
) -> None:
    layer = layer_of(kind, dtype=dtype)
    x, state = torch.randn(T, B, I, dtype=dtype, device="cuda"), state_of(layer)
    options = {name: part.cuda() for name, part in RAGGED.items()} if ragged else {}
    found = {}
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for path in ("aten", "reference"):
            with use_path(path):
                found[path] = values_and_gradients(layer, x, state, options)
    bound = 1e-10 if dtype == torch.float64 else 1e-4
    for a, b in zip(found["aten"], found["reference"], strict=True):
        assert a.device.type == "cuda"
        assert (a - b).abs().max().item() <= bound * max(1.0, b.abs().max().item())


PLAIN = [kind for kind in KINDS if kind != "projected"]
OPTIONS: list[dict[str, Any]] = [
    {"input_dropout": 0.3},
    {"weight_dropout": 0.3},
    {"dropout": 0.3},
    {"merge": "sum"},
    {"residual": True, "merge": "mean"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("training", [False, True])
def test_options_around_a_layer_run_on_cudnn_in_training_and_in_evaluation(
    kind: str, options: dict[str, Any], training: bool
) -> None:
    layer = layer_of(kind, dtype=torch.float64, **options).train(training)
    x = torch.randn(T, B, I, dtype=torch.float64, device="cuda")
    ragged = {name: part.cuda() for name, part in RAGGED.items()}
    for given in ({}, ragged):
        found = {}
        for path in ("aten", "reference"):
            torch.manual_seed(4)
            with use_path(path):
                found[path] = values_and_gradients(layer, x, state_of_zeros(layer), given)
        for a, b in zip(found["aten"], found["reference"], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def state_of_zeros(layer: Any) -> State:
    return map_state(torch.zeros_like, state_of(layer))


@pytest.mark.parametrize("kind", PLAIN)
def test_a_backward_pass_goes_through_evaluation_mode(kind: str) -> None:
    layer = layer_of(kind, dtype=torch.float64, dropout=0.5).eval()
    x, state = torch.randn(T, B, I, dtype=torch.float64, device="cuda"), state_of(layer)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        x.detach(), RAGGED["lengths"].clamp(min=1), enforce_sorted=False
    )
    for given in (x, packed):
        found = {}
        for path in ("aten", "reference"):
            layer.zero_grad()
            with use_path(path):
                layer(given, state)[0][0].sum().backward()
            found[path] = [part.grad.clone() for part in layer.parameters()]
        for a, b in zip(found["aten"], found["reference"], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_give_the_numbers_of_the_whole_sequence(kind: str, gradients: bool) -> None:
    layer = KINDS[kind](num_layers=2, device="cuda", dtype=torch.float64).eval()
    x = torch.randn(T, B, I, dtype=torch.float64, device="cuda")
    with torch.set_grad_enabled(gradients):
        assert layer.explain(x[0], step=True).path == "aten"
        whole, final = layer(x)
        state: State = None
        for x_t, y_t in zip(x, whole, strict=True):
            y, state = layer.step(x_t, state)
            torch.testing.assert_close(y, y_t)
        for a, b in zip(tensors_of(state), tensors_of(final), strict=True):
            torch.testing.assert_close(a, b)
        alone, _ = layer.step(x[0, 0])
        torch.testing.assert_close(alone, whole[0, 0])
        if gradients:
            y.sum().backward()
            assert layer.weight_ih_l0.grad.abs().sum() > 0


def test_what_is_dropped_comes_back_with_torchs_generators() -> None:
    layer = LSTM(I, H, 2, dropout=0.5, device="cuda")
    x = torch.randn(T, B, I, device="cuda")
    layer(x)
    states = torch.get_rng_state(), torch.cuda.get_rng_state()
    first, second = layer(x)[0], layer(x)[0]
    torch.set_rng_state(states[0])
    torch.cuda.set_rng_state(states[1])
    assert torch.equal(layer(x)[0], first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_with_gaps_in_memory_is_as_good_as_another(kind: str) -> None:
    layer, x = layer_of(kind), torch.randn(T, B, I, device="cuda")
    state = state_of(layer)
    gaps = map_state(lambda part: torch.stack([part, part], -1)[..., 0], state)
    for options in ({}, {"lengths": RAGGED["lengths"]}, {"starts": RAGGED["starts"].cuda()}):
        for a, b in zip(
            tensors_of(layer(x, gaps, **options)),
            tensors_of(layer(x, state, **options)),
            strict=True,
        ):
            assert torch.equal(a, b)


def test_rounding_to_tensorfloat_is_no_leak_and_does_not_spoil_an_export(tmp_path: Any) -> None:
    layer = LSTM(40, 64, 2, bidirectional=True, device="cuda")
    x = torch.randn(24, 6, 40, device="cuda")
    lengths = torch.tensor([24, 20, 9, 4, 1, 17], device="cuda")
    assert check_leaks(layer, x, lengths=lengths) == []
    assert export_onnx(layer, tmp_path / "layer.onnx").good


@pytest.mark.parametrize("kind", KINDS)
def test_explain_tells_which_engine_runs(kind: str) -> None:
    layer = layer_of(kind)
    x = torch.randn(T, B, I, device="cuda")
    said = layer.explain(x)
    assert said.path == "aten"
    assert "cuDNN" in said.how
    assert "cuda" in said.how
    assert "native runs on a CPU" in said.reason
    with use_path("native"):
        assert not layer.explain(x).runs
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        layer(x)
    assert any("cudnn_rnn" in event.key for event in seen.key_averages())


@pytest.mark.parametrize("kind", [MinGRU, MinLSTM])
def test_the_minimal_layers_run_on_a_gpu_as_on_the_cpu(kind: Any) -> None:
    layer = kind(I, H, 2, bidirectional=True, dtype=torch.float64)
    x, state = torch.randn(T, B, I).double(), torch.randn(4, B, H).double()
    want = layer(x, state, **RAGGED)
    options = {name: part.cuda() for name, part in RAGGED.items()}
    moved = layer.cuda()
    assert moved.explain(x.cuda()).path == "reference"
    got = moved(x.cuda(), state.cuda(), **options)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a.cpu(), b, rtol=1e-10, atol=1e-10)
