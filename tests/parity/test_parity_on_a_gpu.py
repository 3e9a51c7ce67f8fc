"""On a GPU: the aten path is cuDNN, the reference path its check, and `explain` says so."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from unrolled.layers import GRU, LSTM, RNN, MinGRU, MinLSTM, use_path
from unrolled.layers.states import State, map_state, tensors_of

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported"),
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
