"""What is kept from call to call never outlives the weights that it was made of."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ShapeError
from unrolled.layers import GRU, LSTM, RNN, use_path

pytestmark = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
every_kind = pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
T, B, I, H = 4, 2, 3, 5  # noqa: E741


def called(kind: type, **options: Any) -> tuple[Any, Tensor]:
    """A layer that has been called before, and an input."""
    layer, x = kind(I, H, **options).double(), torch.randn(T, B, I, dtype=torch.float64)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5)
    layer(x)
    assert layer._prototypes is not None
    return layer, x


def by_reference(layer: Any, x: Tensor) -> Tensor:
    with use_path("reference"):
        y: Tensor = layer(x)[0]
    return y


@every_kind
def test_every_way_to_change_a_weight_is_seen(kind: type) -> None:
    layer, x = called(kind, num_layers=2, bidirectional=True)
    other = kind(I, H, num_layers=2, bidirectional=True).double()

    def assert_seen() -> None:
        before = by_reference(layer, x)
        torch.testing.assert_close(layer(x)[0], before)
        torch.testing.assert_close(layer(x)[0], before)

    with torch.no_grad():
        layer.weight_hh_l1.mul_(2)
    assert_seen()
    layer.load_state_dict(other.state_dict())
    assert_seen()
    layer.weight_hh_l0_reverse.data = torch.randn(layer.weight_hh_l0.shape, dtype=torch.float64)
    assert_seen()
    layer.bias_ih_l0 = torch.nn.Parameter(torch.randn(layer.bias_ih_l0.shape).double())
    assert_seen()
    layer.weight_ih_l0.data = torch.randn(I, len(layer.weight_ih_l0)).double().t()  # not dense
    assert_seen()
    layer.float()
    x = x.float()
    assert_seen()
    layer.double()
    x = x.double()
    assert_seen()


@every_kind
def test_replaced_weights_of_a_call_leave_the_layers_own_in_place(kind: type) -> None:
    layer, x = called(kind)
    own = layer(x)[0]
    weights = {name: torch.randn_like(part) for name, part in layer.named_parameters()}
    replaced = torch.func.functional_call(layer, weights, (x,))[0]
    assert not torch.allclose(replaced, own)
    assert torch.equal(layer(x)[0], own)
    assert torch.equal(torch.func.functional_call(layer, weights, (x,))[0], replaced)


def test_a_weight_of_another_shape_is_refused_after_a_call_too() -> None:
    layer, x = called(LSTM)
    layer.weight_hh_l0.data = torch.zeros(4 * H, H - 1, dtype=torch.float64)
    with pytest.raises(ShapeError):
        layer(x)


def test_another_weight_at_the_same_place_is_looked_at() -> None:
    layer, x = called(LSTM)
    own = layer.weight_hh_l0.data
    layer.weight_hh_l0 = torch.nn.Parameter(own.view(2 * H, 2 * H))
    assert layer.weight_hh_l0.data_ptr() == own.data_ptr()
    with pytest.raises(ShapeError):
        layer(x)


@every_kind
def test_copies_and_pickles_of_a_called_layer_have_their_own(kind: type) -> None:
    layer, x = called(kind)
    want = layer(x)[0].detach()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.__dict__.get("_prototypes") is None
        assert torch.equal(other(x)[0], want)
        with torch.no_grad():
            other.weight_hh_l0.zero_()
        torch.testing.assert_close(other(x)[0], by_reference(other, x))
    assert torch.equal(layer(x)[0], want)


@every_kind
def test_saved_tensors_that_come_back_elsewhere_are_read_there(kind: type) -> None:
    layer, x = called(kind)
    want = torch.autograd.grad(layer(x)[0].square().sum(), list(layer.parameters()))
    with torch.autograd.graph.saved_tensors_hooks(lambda saved: saved.clone(), lambda kept: kept):
        y, _ = layer(x)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(float("nan"))
    found = torch.autograd.grad(y.square().sum(), list(layer.parameters()))
    for one, other in zip(found, want, strict=True):
        torch.testing.assert_close(one, other)


def test_two_threads_may_call_one_layer_at_once() -> None:
    layer, _ = called(LSTM, bidirectional=True)
    inputs = [torch.randn(T + k, B + k, I, dtype=torch.float64) for k in range(4)]
    with torch.no_grad():
        wants = [layer(x)[0] for x in inputs]
        wrong: list[int] = []

        def run(at: int) -> None:
            with torch.no_grad():
                for _ in range(200):
                    if not torch.equal(layer(inputs[at])[0], wants[at]):
                        wrong.append(at)

        threads = [threading.Thread(target=run, args=(at,)) for at in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


@every_kind
def test_a_parametrised_layer_keeps_nothing_of_a_call(kind: type) -> None:
    layer, x = called(kind)
    torch.nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")
    for _ in range(2):
        torch.testing.assert_close(layer(x)[0], by_reference(layer, x))
    with torch.no_grad():
        layer.parametrizations.weight_hh_l0.original0.mul_(3)
    torch.testing.assert_close(layer(x)[0], by_reference(layer, x))
