"""The best tokens of a readout: both paths, ties, int8, bad input."""

from __future__ import annotations

import doctest
import os
from typing import Any
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import readout_top as module
from unrolled.layers.paths import use_path
from unrolled.layers.readout_top import Readout, readout_top

without = pytest.mark.skipif(not kernels.available(), reason=f"kernels: {kernels.why_not()}")
paths = pytest.mark.parametrize("path", [pytest.param("native", marks=without), "reference"])


def drawn(rows: int, vocabulary: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """o, weight and bias: small whole numbers, so that products are exact and many are equal."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((rows, size), (vocabulary, size), (vocabulary,))
    o, weight, bias = (torch.randint(-3, 4, s, generator=generator).float() for s in shapes)
    return o, weight, bias


@paths
@settings(max_examples=30)
@given(
    rows=st.integers(1, 5),
    vocabulary=st.integers(1, 200),
    share=st.floats(0, 1),
    seed=st.integers(0, 999),
    bias=st.booleans(),
)
def test_it_is_a_stable_sort_of_log_softmax(
    path: str, rows: int, vocabulary: int, share: float, seed: int, bias: bool
) -> None:
    o, weight, b = drawn(rows, vocabulary, 3, seed)
    k = max(1, round(share * vocabulary))
    scores = (o @ weight.t() + (b if bias else 0)).double()
    order = scores.sort(dim=-1, descending=True, stable=True).indices[:, :k]
    with use_path(path):
        values, tokens = readout_top(o, weight, b if bias else None, k)
    torch.testing.assert_close(tokens, order, rtol=0, atol=0)
    want = scores.log_softmax(-1).gather(-1, order).float()
    torch.testing.assert_close(values, want, rtol=1e-5, atol=1e-5)


@without
def test_calls_of_one_readout_do_not_see_one_another() -> None:
    o, weight, bias = drawn(9, 70, 4)
    readout = Readout(weight, bias)
    want = readout.top(o, 5)
    for rows in (slice(2, 5), slice(0, 9), slice(8, 9), slice(0, 0)):
        values, tokens = readout.top(o[rows], 5)
        torch.testing.assert_close(values, want[0][rows], rtol=0, atol=1e-6)
        torch.testing.assert_close(tokens, want[1][rows], rtol=0, atol=0)
    kept = [part.clone() for part in want]
    readout.top(o.flip(0), 7)
    torch.testing.assert_close(list(want), kept, rtol=0, atol=0)


@without
def test_int8_gives_the_tokens_of_float32_and_nearly_their_values() -> None:
    generator = torch.Generator().manual_seed(5)
    o = torch.randn(30, 64, generator=generator).tanh()
    weight, bias = torch.randn(900, 64, generator=generator) * 0.4, torch.randn(900)
    want = readout_top(o, weight, bias, 8)
    values, tokens = readout_top(o, weight, bias, 8, precision="int8")
    torch.testing.assert_close(tokens, want[1], rtol=0, atol=0)
    assert ((values - want[0]).abs() <= 0.01).all()
    # What differs is the sum over the vocabulary, one number for each row.
    apart = values - want[0]
    assert ((apart - apart[:, :1]).abs() <= 1e-5).all()
    values, tokens = readout_top(o, weight[:5], bias[:5], 5, precision="int8")
    torch.testing.assert_close((values, tokens), readout_top(o, weight[:5], bias[:5], 5))


@without
def test_strided_arguments_are_read_for_what_they_are() -> None:
    o, weight, bias = drawn(6, 50, 4)
    turned = (
        o.t().contiguous().t(),
        weight.t().contiguous().t(),
        torch.stack([bias, bias], 1)[:, 0],
    )
    for precision in ("float32", "int8"):
        got = readout_top(*turned, 4, precision=precision)
        torch.testing.assert_close(got, readout_top(o, weight, bias, 4, precision=precision))


def test_other_dtypes_run_in_operations_and_nothing_is_recorded() -> None:
    o, weight, bias = drawn(3, 20, 4)
    weight.requires_grad_()
    values, _ = readout_top(o, weight, bias, 3)
    assert not values.requires_grad
    doubles = readout_top(o.double(), weight.double(), bias.double(), 3)
    assert doubles[0].dtype == torch.float64
    torch.testing.assert_close(doubles[0].float(), values)
    halves = readout_top(o.bfloat16(), weight.bfloat16(), bias.bfloat16(), 3)
    assert halves[0].dtype == torch.float32
    assert ((halves[0] - values).abs() <= 0.1).all()


def test_a_path_or_a_precision_that_is_asked_for_runs_or_says_why_not() -> None:
    o, weight, bias = drawn(3, 20, 4)
    with use_path("aten"), pytest.raises(ConfigError, match="PyTorch has no such layer"):
        readout_top(o, weight, bias, 3)
    with use_path("native"), pytest.raises(ConfigError, match=r"the weight is torch\.float64"):
        readout_top(o.double(), weight.double(), bias.double(), 3)
    with mock.patch.dict(os.environ, UNROLLED_KERNELS="off"):
        readout_top(o, weight, bias, 3)
        with pytest.raises(ConfigError, match="'int8' can't be had: the kernels are not there"):
            readout_top(o, weight, bias, 3, precision="int8")
    if kernels.available():
        with use_path("reference"), pytest.raises(ConfigError, match="needs the kernels"):
            readout_top(o, weight, bias, 3, precision="int8")


def test_bad_input_is_one_line_that_names_the_argument() -> None:
    o, weight, bias = drawn(3, 20, 4)
    cases: list[tuple[type[Exception], str, tuple[Any, ...]]] = [
        (
            ShapeError,
            r"o: got shape \(3, 3\), expected \(R, E\) with E = 4",
            (o[:, 1:], weight, bias, 3),
        ),
        (ShapeError, r"weight: got shape \(4,\), expected \(V, E\)", (o, weight[0], bias, 3)),
        (
            ShapeError,
            r"bias: got shape \(19,\), expected \(V,\) = \(20,\)",
            (o, weight, bias[1:], 3),
        ),
        (
            DTypeError,
            r"o: got torch.float64, expected torch.float32",
            (o.double(), weight, bias, 3),
        ),
        (DTypeError, r"bias: got torch.float64", (o, weight, bias.double(), 3)),
        (DTypeError, r"weight: got torch.int64", (o, weight.long(), bias, 3)),
        (ConfigError, "k: got 21, expected 1 to V = 20", (o, weight, bias, 21)),
        (ConfigError, "k: got 0, expected 1 to V = 20", (o, weight, bias, 0)),
    ]
    for kind, message, arguments in cases:
        with pytest.raises(kind, match=message) as caught:
            readout_top(*arguments)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="precision: got 'bfloat16'"):
        Readout(weight, bias, precision="bfloat16")


def test_the_examples_run() -> None:
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
