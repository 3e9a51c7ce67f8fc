"""`checkpoint=` of a layer: the gradients of the plain call, in the memory of a segment."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import GRU, LSTM, RNN, use_path

from .test_layer_options import (
    LENGTHS,
    STARTS,
    B,
    H,
    I,
    T,
    assert_alike,
    every_kind,
    layer_of,
    native,
    some,
    state_of,
    together,
    values_and_gradients,
)

every_path = pytest.mark.parametrize("path", ["reference", "aten", native])
needs_kernels = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)


def with_and_without(layer: Any, k: Any, x: Any, state: Any, **call: Any) -> list[list[Tensor]]:
    found = []
    for checkpoint in (None, k):
        layer.checkpoint = checkpoint
        found.append(values_and_gradients(layer, x, state, **call))
    return found


@every_path
@pytest.mark.parametrize("k", [1, 2, 4, 6])
@every_kind
def test_a_stack_in_segments_has_the_gradients_of_the_whole(kind: type, k: int, path: str) -> None:
    layer = layer_of(kind, num_layers=2, batch_first=k == 2)
    x, starts, state = some(T, B, I), STARTS, state_of(layer)
    if layer.batch_first:
        x, starts = x.transpose(0, 1).contiguous(), starts.t()
    with use_path(path):
        for start in (state, None):
            for call in ({}, {"lengths": LENGTHS, "starts": starts}):
                assert_alike(*with_and_without(layer, k, x, start, **call))


@pytest.mark.parametrize("path", ["reference", native])
@every_kind
def test_both_directions_in_segments_have_the_gradients_of_the_whole(kind: type, path: str) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=True)
    x, state = some(T, B, I), state_of(layer)
    with use_path(path):
        for start in (state, None):
            for call in ({}, {"lengths": LENGTHS, "starts": STARTS}):
                assert_alike(*with_and_without(layer, 2, x, start, **call))


@pytest.mark.parametrize("path", ["reference", native])
@pytest.mark.parametrize("two", [{}, {"bidirectional": True, "merge": "mean"}])
@every_kind
def test_every_option_has_the_same_masks_in_segments(
    kind: type, two: dict[str, Any], path: str
) -> None:
    layer = layer_of(kind, **together(kind, **two))
    x, state = some(T, B, I), state_of(layer)
    with use_path(path):
        assert_alike(*with_and_without(layer, 2, x, state, lengths=LENGTHS, starts=STARTS))


@every_path
def test_a_packed_batch_in_segments_has_the_gradients_of_the_whole(path: str) -> None:
    layer = layer_of(LSTM, num_layers=2)
    packed = pack_padded_sequence(some(T, B, I), torch.tensor([2, 6, 4]), enforce_sorted=False)
    with use_path(path):
        assert_alike(*with_and_without(layer, 2, packed, state_of(layer)))


def kept_bytes(layer: Any, x: Tensor) -> int:
    """Bytes that autograd holds after a call, each storage once, but for x and the parameters."""
    given = {one.untyped_storage().data_ptr() for one in (x, *layer.parameters())}
    kept: dict[int, int] = {}
    alive = []

    def pack(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        if storage.data_ptr() not in given:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(saved)
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        layer(x)
    return sum(kept.values())


@every_path
@every_kind
def test_only_the_states_between_segments_are_kept(kind: type, path: str) -> None:
    steps, k = 60, 6
    layer = layer_of(kind, num_layers=2, checkpoint=k)
    states = 2 * (2 if kind is LSTM else 1) * B * H * 8
    with use_path(path):
        assert kept_bytes(layer, some(steps, B, I)) <= (steps / k) * states


def test_a_budget_becomes_steps_and_explain_tells_them() -> None:
    layer, x = layer_of(GRU, checkpoint="1GB"), some(T, B, I)
    assert "in one piece, which checkpoint='1GB' has room for" in str(layer.explain(x))
    long = some(400, B, I)
    layer.checkpoint = "20KB"
    said = str(layer.explain(long))
    assert "in segments of " in said
    want = values_and_gradients(layer, long, None)
    layer.checkpoint = None
    assert_alike(values_and_gradients(layer, long, None), want)
    layer.checkpoint = "1KB"
    with pytest.raises(ConfigError, match="400 steps need at least"):
        layer(long)
    with torch.no_grad():
        assert layer(long)[0].shape == (400, B, H)


@every_kind
def test_a_derivative_of_a_derivative_goes_through_segments(kind: type) -> None:
    layer, x = layer_of(kind), some(T, 1, I)

    def penalty() -> list[Tensor]:
        own = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(layer(own)[0].sum(), own, create_graph=True)
        return list(torch.autograd.grad(slope.square().sum(), [own, *layer.parameters()]))

    want = penalty()
    layer.checkpoint = 2
    assert_alike(penalty(), want)


@needs_kernels
def test_a_record_is_refused_under_checkpoint() -> None:
    layer = layer_of(RNN, checkpoint=2)
    with layer.record(), pytest.raises(ConfigError, match=r"set layer\.checkpoint = None"):
        layer(some(T, B, I))


@pytest.mark.parametrize("checkpoint", [0, -1, 1.5, True, "much", "0 MB", "12"])
def test_a_checkpoint_without_a_meaning_is_refused(checkpoint: Any) -> None:
    with pytest.raises(ConfigError, match="checkpoint: got"):
        LSTM(I, H, checkpoint=checkpoint)


@needs_kernels
def test_explain_tells_what_a_checkpoint_does_not_do() -> None:
    layer, x = GRU(I, H, checkpoint=3), torch.randn(9, B, I)
    assert "in segments of 3 steps, which the backward pass" in str(layer.explain(x))
    assert "segments" not in str(layer.explain(x, return_gates=True))
    assert layer.explain(x, return_gates=True).path == "reference"
    with torch.no_grad():
        assert layer.explain(x, return_gates=True).path == "native"
    assert "segments" not in str(layer.explain(x[0], step=True))
    layer.checkpoint = "200B"
    said = layer.explain(x)
    assert not said.runs
    assert "GRU: native can't run this call: checkpoint: got a budget of 200 B" in str(said)
    with pytest.raises(ConfigError, match="checkpoint: got a budget of 200 B"):
        layer(x)
    layer.step(x[0])[0].sum().backward()  # of one step nothing can be cut off
    layer.requires_grad_(False)
    assert "in one piece, and nothing is kept" in str(layer.explain(x))
    layer(x)
    layer.checkpoint = 3
    assert "in segments of 3 steps, and nothing is kept" in str(layer.explain(x))
