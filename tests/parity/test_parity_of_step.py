"""`layer.step` gives the numbers of the whole sequence, on every path that has it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import GRU, LSTM, RNN, use_path
from unrolled.layers.states import State, map_state, tensors_of

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")

needs_kernels = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
T, B, I, H = 6, 3, 5, 19  # noqa: E741


def layer_of(kind: type, dtype: torch.dtype = torch.float32, **options: Any) -> Any:
    layer = kind(I, H, **options).to(dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.4)
    return layer


def state_of(layer: torch.nn.RNNBase, batch: int = B) -> State:
    dtype = layer.weight_ih_l0.dtype
    h = torch.randn(layer.num_layers, batch, layer.proj_size or H, dtype=dtype)
    if layer.mode != "LSTM":
        return h
    return h, torch.randn(layer.num_layers, batch, H, dtype=dtype)


def assert_streams(layer: Any, path: str, batch: int = B) -> None:
    """`step` after `step` equals torch's layer on the whole sequence, outputs and final state."""
    x = torch.randn(T, batch, I, dtype=layer.weight_ih_l0.dtype)
    whole = x.transpose(0, 1) if layer.batch_first else x
    for state in (None, state_of(layer, batch)):
        with use_path("reference"):
            want, want_state = layer(whole, state)
        outputs = []
        with use_path(path):
            for x_t in x:
                y_t, state = layer.step(x_t, state)
                outputs.append(y_t)
        got = torch.stack(outputs, 1 if layer.batch_first else 0)
        torch.testing.assert_close(got, want)
        for a, b in zip(tensors_of(state), tensors_of(want_state), strict=True):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("path", ["reference", "aten", "auto"])
@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_streaming_equals_the_whole_sequence(kind: type, path: str) -> None:
    for options in ({}, {"num_layers": 2, "batch_first": True}, {"bias": False}):
        assert_streams(layer_of(kind, torch.float64, **options), path)
    if kind is LSTM:
        assert_streams(layer_of(kind, torch.float64, proj_size=4, num_layers=2), path)


@needs_kernels
@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_the_native_step_streams_as_the_whole_sequence(kind: type, batch: int) -> None:
    for options in ({}, {"num_layers": 3, "batch_first": True}, {"bias": False}):
        with torch.no_grad():
            assert_streams(layer_of(kind, **options), "native", batch)


@needs_kernels
@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_the_native_step_leaves_the_given_state_alone(kind: type) -> None:
    layer = layer_of(kind, num_layers=2)
    state = state_of(layer)
    before = map_state(torch.clone, state)
    with torch.no_grad(), use_path("native"):
        y, after = layer.step(torch.randn(B, I), state)
        kept = map_state(torch.clone, after)
        y.zero_()
    for a, b in zip(tensors_of(state), tensors_of(before), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(tensors_of(after), tensors_of(kept), strict=True):
        assert torch.equal(a, b)


@needs_kernels
@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_the_native_step_reads_strided_tensors_as_they_are_meant(kind: type) -> None:
    layer = layer_of(kind)
    x = torch.randn(I, B).t()
    state = map_state(lambda s: s.transpose(1, 2).contiguous().transpose(1, 2), state_of(layer))
    with torch.no_grad():
        layer.weight_hh_l0.set_(layer.weight_hh_l0.t().contiguous().t())
        with use_path("native"):
            got, _ = layer.step(x, state)
        with use_path("reference"):
            want, _ = layer.step(x, state)
    torch.testing.assert_close(got, want)


@needs_kernels
def test_the_native_step_drops_out_between_layers_as_the_reference() -> None:
    layer, x = layer_of(GRU, num_layers=2, dropout=0.5), torch.randn(B, I)
    found = []
    for path in ("native", "reference"):
        torch.manual_seed(3)
        with torch.no_grad(), use_path(path):
            found.append(layer.step(x)[0])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("path", ["reference", "aten", "auto"])
def test_a_step_of_one_sequence_needs_no_batch(path: str) -> None:
    layer = layer_of(LSTM, torch.float64, num_layers=2, batch_first=True)
    x, state = torch.randn(I, dtype=torch.float64), state_of(layer, 1)
    alone = map_state(lambda s: s[:, 0], state)
    with use_path(path):
        y, after = layer.step(x, alone)
        want, want_after = layer.step(x.unsqueeze(0), state)
    torch.testing.assert_close(y, want[0])
    for a, b in zip(tensors_of(after), tensors_of(want_after), strict=True):
        torch.testing.assert_close(a, b[:, 0])


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_step_passes_gradients_to_the_state_and_the_weights(kind: type) -> None:
    layer = layer_of(kind, torch.float64)
    x = torch.randn(T, B, I, dtype=torch.float64)
    state = map_state(lambda s: s.requires_grad_(), state_of(layer))
    sources = [*tensors_of(state), *layer.parameters()]
    want = torch.autograd.grad(layer(x, state)[0].square().sum(), sources)
    streamed, loss = state, torch.zeros((), dtype=torch.float64)
    for x_t in x:
        y_t, streamed = layer.step(x_t, streamed)
        loss = loss + y_t.square().sum()
    for a, b in zip(torch.autograd.grad(loss, sources), want, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_step_of_two_directions_names_the_argument_to_change(kind: type) -> None:
    with pytest.raises(ConfigError, match=r"bidirectional=False \(directions=1\)"):
        layer_of(kind, bidirectional=True).step(torch.randn(B, I))
