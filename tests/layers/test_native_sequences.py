"""Whole sequences on the kernels: values and gradients are those of the reference path."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from unrolled import kernels
from unrolled.layers import use_path
from unrolled.layers.states import tensors_of

from .native_calls import MODES, TOLERANCE, Drawn, assert_near, calls, layer_of, run, state_of

pytestmark = [
    pytest.mark.skipif(not kernels.available(), reason=f"native kernels: {kernels.why_not()}"),
    # torch says so once for every LSTM with a projection on a CPU, its own and ours.
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported"),
]
every_mode = pytest.mark.parametrize("mode", MODES)

SMALLEST = Drawn(
    {"mode": "LSTM", "input": 1, "hidden": 1},
    *(1, 1, "padded", "dense", False, None, None, "grad", "all", "all", "dense"),
)
EMPTY = Drawn(
    {"mode": "GRU", "input": 3, "hidden": 5, "dtype": torch.float64, "bidirectional": True},
    *(4, 2, "padded", "dense", False, (0, 0), None, "grad", "all", "all", "dense"),
)


@settings(max_examples=250)
@example(SMALLEST)
@example(EMPTY)
@given(calls())
def test_values_and_gradients_are_those_of_the_reference(call: Drawn) -> None:
    values, gradients = run(call, "native")
    want_values, want_gradients = run(call, "reference")
    tolerance = TOLERANCE[call.layer.get("dtype", torch.float64)]
    assert_near(values, want_values, tolerance)
    assert_near(gradients, want_gradients, 10 * tolerance)


def ragged(mode: str, **options: Any) -> tuple[Any, list[Tensor], dict[str, Tensor]]:
    """A layer, its input and state with gradients, and lengths and starts."""
    layer = layer_of(mode, 2, 3, bidirectional=True, **options)
    x = torch.randn(3, 2, 2, dtype=torch.float64)
    leaves = [x, *tensors_of(state_of(layer, 2))]
    starts = torch.tensor([[0, 1], [1, 0], [0, 0]]).bool()
    options = {"lengths": torch.tensor([3, 2]), "starts": starts}
    return layer, [leaf.requires_grad_() for leaf in leaves], options


def function_of(layer: Any, options: dict[str, Tensor]) -> Any:
    """The layer on native as a function of the input, the state and every parameter."""
    names = [name for name, _ in layer.named_parameters()]

    def function(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        lstm = layer.mode == "LSTM"
        hx = rest[:2] if lstm else rest[0]
        weights = dict(zip(names, rest[2 if lstm else 1 :], strict=True))
        with use_path("native"):
            return tuple(tensors_of(torch.func.functional_call(layer, weights, (x, hx), options)))

    return function


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        *product(MODES, [{}, {"num_layers": 2, "bias": False}]),
        ("LSTM", {"proj_size": 2}),
    ],
)
def test_gradients_are_the_slopes_that_are_measured(mode: str, options: dict[str, Any]) -> None:
    layer, leaves, given_ = ragged(mode, **options)
    inputs = (*leaves, *layer.parameters())
    assert torch.autograd.gradcheck(function_of(layer, given_), inputs, fast_mode=True)


@every_mode
def test_gradients_for_many_vectors_at_once_are_those_for_each(mode: str) -> None:
    layer, leaves, given_ = ragged(mode)
    outputs = function_of(layer, given_)(*leaves, *layer.parameters())
    inputs = [*leaves, *layer.parameters()]
    slopes = [torch.randn(3, *out.shape, dtype=out.dtype) for out in outputs]
    got = torch.autograd.grad(outputs, inputs, slopes, is_grads_batched=True, retain_graph=True)
    for at in range(3):
        one = [slope[at] for slope in slopes]
        want = torch.autograd.grad(outputs, inputs, one, retain_graph=True)
        assert_near([part[at] for part in got], want, 1e-12)


# Relu's second derivative is zero, or undefined at the kink.
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "RNN_RELU"])
def test_second_derivatives_are_right(mode: str) -> None:
    layer, leaves, given_ = ragged(mode)
    inputs = (*leaves, *layer.parameters())
    assert torch.autograd.gradgradcheck(function_of(layer, given_), inputs, fast_mode=True)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@every_mode
def test_a_bad_number_stays_in_its_row(mode: str, bad: float) -> None:
    for dtype in (torch.float32, torch.float64):
        layer = layer_of(mode, 3, 21, dtype, bidirectional=True)
        clean = torch.randn(5, 4, 3, dtype=dtype)
        spoilt = clean.clone()
        spoilt[2, 1, 0] = bad
        slopes, found = [torch.randn(5, 4, 42, dtype=dtype), None], []
        for x in (clean, spoilt):
            x.requires_grad_()
            with use_path("native"):
                y, final = layer(x)
            (dx,) = torch.autograd.grad(y, x, slopes[0])
            found.append([y, dx, *(part.transpose(0, 1) for part in tensors_of(final))])
        for a, b in zip(*found, strict=True):
            rows = 1 if a.shape[0] == 5 else 0
            for row in (0, 2, 3):
                assert torch.equal(a.select(rows, row), b.select(rows, row))
        if math.isnan(bad):
            assert found[1][0][:, 1].isnan().any()
        with use_path("reference"):
            want = layer(spoilt)[0]
        torch.testing.assert_close(found[1][0], want, equal_nan=True)


SHAPES = [
    ("a row for each thread, and more", 23, 5, 40),
    ("fewer rows than threads", 40, 2, 100),
    ("one row, whose units are shared", 40, 1, 100),
]


@pytest.mark.parametrize(
    ("steps", "batch", "hidden"), [s[1:] for s in SHAPES], ids=lambda v: str(v)
)
@every_mode
def test_the_number_of_threads_changes_no_bit(
    mode: str, steps: int, batch: int, hidden: int
) -> None:
    layer = layer_of(mode, 24, 2 * hidden if mode.startswith("RNN") else hidden, torch.float32)
    x = torch.randn(steps, batch, 24, requires_grad=True)
    lengths = torch.randint(1, steps + 1, (batch,))
    lengths[0] = steps
    before = torch.get_num_threads()
    found: list[list[Tensor]] = []
    try:
        for threads in (1, 2, 3, 1, 3):
            torch.set_num_threads(threads)
            with use_path("native"):
                y, final = layer(x, lengths=lengths)
            outputs = [y, *tensors_of(final)]
            loss = sum((out * out).sum() for out in outputs)
            found.append(outputs + list(torch.autograd.grad(loss, [x, *layer.parameters()])))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            assert torch.equal(a, b)


@every_mode
def test_packed_and_padded_batches_give_the_same_numbers(mode: str) -> None:
    """By rows of unequal length in any order; the weights' gradients too."""
    layer = layer_of(mode, 4, 19, num_layers=2, bidirectional=True)
    x, lengths = torch.randn(6, 4, 4, dtype=torch.float64), torch.tensor([3, 6, 1, 4])
    state = state_of(layer, 4)
    with use_path("native"):
        y, final = layer(x, state, lengths=lengths)
        packed, packed_final = layer(pack_padded_sequence(x, lengths, enforce_sorted=False), state)
    want = pack_padded_sequence(y, lengths, enforce_sorted=False)
    assert_near([packed.data, *tensors_of(packed_final)], [want.data, *tensors_of(final)], 1e-13)
    slopes = torch.randn_like(want.data)
    got = torch.autograd.grad(packed.data, list(layer.parameters()), slopes)
    assert_near(got, torch.autograd.grad(want.data, list(layer.parameters()), slopes), 1e-12)


@every_mode
def test_dropout_between_layers_of_packed_data_draws_what_torch_draws(mode: str) -> None:
    layer = layer_of(mode, 4, 19, num_layers=2, dropout=0.5)
    packed = pack_padded_sequence(torch.randn(6, 4, 4).double(), torch.tensor([6, 4, 3, 1]))
    found = []
    for path in ("native", "aten"):
        torch.manual_seed(7)
        with use_path(path):
            found.append(layer(packed)[0].data)
    assert_near(found[:1], found[1:], 1e-13)
