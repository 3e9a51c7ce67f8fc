"""Our layers are torch's: classes, constructors, parameters, state dicts, `repr`, and so on."""

from __future__ import annotations

import copy
import inspect
import io
from typing import Any

import pytest
import torch
from torch.nn.utils.parametrizations import weight_norm

from unrolled import kernels
from unrolled.layers import GRU, LSTM, RNN, use_path
from unrolled.layers.states import tensors_of

TORCHS = {RNN: torch.nn.RNN, GRU: torch.nn.GRU, LSTM: torch.nn.LSTM}
every_kind = pytest.mark.parametrize("kind", list(TORCHS))
needs_kernels = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
T, B, I, H = 4, 2, 3, 5  # noqa: E741
OPTIONS: list[dict[str, Any]] = [
    {},
    {"num_layers": 2, "bias": False, "batch_first": True, "dropout": 0.1, "bidirectional": True},
]


@every_kind
def test_a_layer_is_an_instance_of_torchs(kind: type) -> None:
    layer = kind(I, H)
    assert isinstance(layer, TORCHS[kind])
    assert isinstance(layer, torch.nn.RNNBase)


@every_kind
def test_the_constructor_and_the_initial_weights_are_torchs(kind: type) -> None:
    ours, torchs = (dict(inspect.signature(one).parameters) for one in (kind, TORCHS[kind]))
    assert all(part.kind is part.KEYWORD_ONLY for name, part in ours.items() if name not in torchs)
    assert torchs.keys() <= ours.keys()
    for options in OPTIONS:
        torch.manual_seed(1)
        layer = kind(I, H, **options)
        torch.manual_seed(1)
        rival = TORCHS[kind](I, H, **options)
        for (name, ours), (torchs, want) in zip(
            layer.named_parameters(), rival.named_parameters(), strict=True
        ):
            assert name == torchs
            assert torch.equal(ours, want)
        assert repr(layer) == repr(rival)
        assert [len(row) for row in layer.all_weights] == [len(row) for row in rival.all_weights]
    with pytest.raises(ValueError, match="hidden_size must be greater than zero"):
        kind(I, 0)


@every_kind
def test_a_state_dict_travels_both_ways(kind: type) -> None:
    x = torch.randn(T, B, I)
    layer, rival = kind(I, H, bidirectional=True), TORCHS[kind](I, H, bidirectional=True)
    other = TORCHS[kind](I, H, bidirectional=True)

    def assert_equal(one: torch.nn.Module) -> None:
        with use_path("aten"):
            assert torch.equal(layer(x)[0], one(x)[0])
        torch.testing.assert_close(layer(x)[0], one(x)[0])

    rival.load_state_dict(layer.state_dict())
    assert_equal(rival)
    assert not torch.allclose(other(x)[0], rival(x)[0])
    layer.load_state_dict(other.state_dict())
    assert_equal(other)


@every_kind
def test_the_state_may_be_named_hx_or_state_or_have_no_name(kind: type) -> None:
    layer, x = kind(I, H), torch.randn(T, B, I)
    _, state = layer(x)
    want = layer(x, state)[0]
    assert torch.equal(layer(x, hx=state)[0], want)
    assert torch.equal(layer(x, state=state)[0], want)
    assert not torch.equal(layer(x)[0], want)


@every_kind
def test_copies_and_moves_keep_the_numbers(kind: type) -> None:
    layer, x = kind(I, H, num_layers=2), torch.randn(T, B, I)
    want = layer(x)[0]
    assert torch.equal(copy.deepcopy(layer)(x)[0], want)
    saved = io.BytesIO()
    torch.save(layer.state_dict(), saved)
    saved.seek(0)
    fresh = kind(I, H, num_layers=2)
    fresh.load_state_dict(torch.load(saved, weights_only=True))
    assert torch.equal(fresh(x)[0], want)
    torch.testing.assert_close(layer.double()(x.double())[0].float(), want)


@every_kind
@pytest.mark.parametrize("path", ["reference", "aten", pytest.param("native", marks=needs_kernels)])
def test_replaced_and_parametrised_weights_are_used(kind: type, path: str) -> None:
    layer, rival, x = kind(I, H), TORCHS[kind](I, H), torch.randn(T, B, I)
    rival.load_state_dict(layer.state_dict())
    weights = {name: torch.randn_like(value) for name, value in layer.named_parameters()}
    with use_path(path):
        got = torch.func.functional_call(layer, weights, (x,))[0]
        torch.testing.assert_close(got, torch.func.functional_call(rival, weights, (x,))[0])
        for one in (layer, rival):
            weight_norm(one, "weight_hh_l0")
            with torch.no_grad():
                one.parametrizations.weight_hh_l0.original0.fill_(2.0)
        torch.testing.assert_close(layer(x)[0], rival(x)[0])
    path = "auto" if path == "native" else path  # native has the step of two cells only
    with torch.no_grad(), use_path(path):
        torch.testing.assert_close(layer.step(x[0])[0], rival(x[:1])[0][0])


@every_kind
def test_an_empty_batch_gives_empty_outputs(kind: type) -> None:
    layer = kind(I, H, bidirectional=True)
    for path in ("auto", "reference", "aten"):
        with use_path(path):
            lengths, starts = torch.zeros(0).long(), torch.zeros(T, 0).bool()
            y, state = layer(torch.randn(T, 0, I), lengths=lengths, starts=starts)
        assert y.shape == (T, 0, 2 * H)
        assert all(part.shape == (2, 0, H) for part in tensors_of(state))


@every_kind
def test_a_layer_on_the_meta_device_gives_shapes(kind: type) -> None:
    layer = kind(I, H, device="meta")
    for path in ("auto", "reference", "aten"):
        with use_path(path):
            y, _ = layer(torch.randn(T, B, I, device="meta"))
        assert y.is_meta
        assert y.shape == (T, B, H)


def test_hooks_run_once_for_a_call_with_options() -> None:
    layer, calls = GRU(I, H), []
    layer.register_forward_hook(lambda *_: calls.append(1))
    layer(torch.randn(T, B, I), lengths=torch.tensor([1, 4]))
    assert calls == [1]
