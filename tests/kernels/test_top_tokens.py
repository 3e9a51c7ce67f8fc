"""The kernel that finds the best tokens of each row: the oracle against PyTorch, the fast code
against the oracle."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

UNTOUCHED = 77


def run(
    native: Any,
    name: str,
    products: Tensor,
    bias: Tensor | None,
    top: int,
    again: tuple[Tensor, Tensor, int] | None = None,
    units: tuple[Tensor, Tensor] | None = None,
    threads: int = 1,
) -> tuple[Tensor, Tensor]:
    """Values and tokens; nothing around them is written."""
    rows, vocabulary = products.shape
    real = torch.float64 if name.startswith("oracle") else torch.float32
    products = products.to(torch.int32 if name.endswith("int32") else real).contiguous()
    parts = (*(units or (None, None)), bias, *(again or (None, None))[:2])
    given = [None if x is None else x.to(real).contiguous() for x in parts]
    values = torch.full((rows * top + 16,), UNTOUCHED, dtype=real)
    tokens = torch.full((rows * top + 16,), UNTOUCHED)
    frames = [frame[8:-8] for frame in (values, tokens)]
    getattr(native, name)(
        *(rows, vocabulary, top, again[2] if again else 0, again[0].shape[1] if again else 0),
        threads,
        products.data_ptr(),
        *(0 if x is None else x.data_ptr() for x in given),
        *(frame.data_ptr() for frame in frames),
    )
    for frame in (values, tokens):
        assert (frame[:8] == UNTOUCHED).all()
        assert (frame[-8:] == UNTOUCHED).all()
    return frames[0].view(rows, top), frames[1].view(rows, top)


def numbers(shape: tuple[int, ...], seed: int, size: float = 1.0, grid: float = 0.0) -> Tensor:
    """Numbers that float32 holds; with a grid, many of them equal."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * size
    return ((x / grid).round() * grid if grid else x).double()


shapes = st.tuples(st.integers(1, 5), st.integers(1, 200) | st.integers(1000, 1500))
cases = given(
    shape=shapes,
    share=st.floats(0, 1),
    seed=st.integers(0, 2**31),
    size=st.sampled_from([0.01, 1.0, 10.0, 80.0]),
    tied=st.booleans(),
    bias=st.booleans(),
)


def drawn(
    shape: tuple[int, int], share: float, seed: int, size: float, tied: bool, bias: bool
) -> tuple[Tensor, Tensor | None, int]:
    """Products and bias, and k."""
    products = numbers(shape, seed, size, size / 4 if tied else 0.0).float().double()
    given = numbers(shape[1:], seed + 1, 1.0, 0.25) * size if bias else None
    given = None if given is None else given.float().double()
    return products, given, max(1, min(shape[1], round(share * min(shape[1], 40))))


@settings(max_examples=60)
@cases
def test_the_oracle_gives_a_stable_sort_of_log_softmax(native: Any, **case: Any) -> None:
    products, bias, top = drawn(**case)
    x = products if bias is None else products + bias
    want, tokens = x.sort(dim=-1, descending=True, stable=True)
    values, found = run(native, "oracle_top_tokens", products, bias, top)
    torch.testing.assert_close(found, tokens[:, :top], rtol=0, atol=0)
    log = want - x.logsumexp(-1, keepdim=True)
    torch.testing.assert_close(values, log[:, :top], rtol=1e-12, atol=1e-12)


@settings(max_examples=80)
@cases
def test_the_fast_code_finds_what_the_oracle_finds(native: Any, isa: str, **case: Any) -> None:
    products, bias, top = drawn(**case)
    if bias is not None:  # in float32, whose sums may be equal where those of float64 are not
        products, bias = (products.float() + bias.float()).double(), None
    want, tokens = run(native, "oracle_top_tokens", products, bias, top)
    values, found = run(native, "top_tokens", products, bias, top)
    torch.testing.assert_close(found, tokens, rtol=0, atol=0)
    torch.testing.assert_close(values.double(), want, rtol=1e-6, atol=4e-6)


@settings(max_examples=60)
@cases
def test_whole_numbers_count_in_units_of_their_row_and_token(
    native: Any, isa: str, **case: Any
) -> None:
    products, bias, top = drawn(**case)
    # Powers of two, whose products float32 holds.
    products = (8 * products).round()
    units = tuple(2.0 ** numbers((many,), 7).round() / 8 for many in products.shape)
    whole = units[0][:, None] * units[1] * products
    if bias is not None:
        bias = (64 * bias).round() / 64
        whole = whole + bias
        if not torch.equal(whole.float().double(), whole):
            return
    want, tokens = run(native, "oracle_top_tokens", whole, None, top)
    for name in ("oracle_top_tokens", "top_tokens_int32"):
        values, found = run(native, name, products, bias, top, units=units)
        torch.testing.assert_close(found, tokens, rtol=0, atol=0)
        torch.testing.assert_close(values.double(), want, rtol=1e-6, atol=4e-6)


def test_the_bias_is_added_to_every_score(native: Any, isa: str) -> None:
    products, bias = numbers((3, 171), 0, 4.0, 0.5), numbers((171,), 1, 4.0, 0.5)
    want = run(native, "oracle_top_tokens", products + bias, None, 7)
    values, tokens = run(native, "top_tokens", products, bias, 7)
    torch.testing.assert_close(tokens, want[1], rtol=0, atol=0)
    torch.testing.assert_close(values.double(), want[0], rtol=1e-6, atol=2e-6)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    top=st.integers(1, 8),
    more=st.integers(0, 9),
    size=st.integers(1, 70),
)
def test_the_candidates_are_scored_again(
    native: Any, isa: str, seed: int, top: int, more: int, size: int
) -> None:
    o, weight = numbers((4, size), seed), numbers((300, size), seed + 1)
    bias = numbers((300,), seed + 2)
    rounded = (20 * o @ weight.t()).round()
    units = (torch.full((4,), 0.25).double(), torch.full((300,), 0.2).double())
    again = (o, weight, top + more)
    want = run(native, "oracle_top_tokens", rounded, None, top, again, units)
    values, tokens = run(native, "top_tokens_int32", rounded, None, top, again, units)
    torch.testing.assert_close(tokens, want[1], rtol=0, atol=0)
    torch.testing.assert_close(values.double(), want[0], rtol=1e-5, atol=1e-5)
    # All of them again: as if the product had been good.
    whole = (o, weight, 300)
    values, _ = run(native, "top_tokens_int32", rounded, bias, top, whole, units)
    exact = (o @ weight.t() + bias).log_softmax(-1).topk(top)
    torch.testing.assert_close(values.double(), exact.values, rtol=1e-5, atol=1e-5)


def test_of_candidates_scored_the_same_the_lower_token_comes_first(native: Any, isa: str) -> None:
    weight, o = torch.ones(40, 3).double(), torch.ones(1, 3).double()
    products = torch.arange(40).double()[None]  # the last ones look best, until they are scored
    for name in ("oracle_top_tokens", "top_tokens"):
        _, tokens = run(native, name, products, None, 3, (o, weight, 5))
        assert tokens.tolist() == [[35, 36, 37]]


def test_the_number_of_threads_changes_no_bit(native: Any) -> None:
    products = numbers((37, 9000), 3, 3.0)
    want = run(native, "top_tokens", products, None, 9)
    for threads in (2, 3, 70):
        got = run(native, "top_tokens", products, None, 9, threads=threads)
        torch.testing.assert_close(got, want, rtol=0, atol=0)


@pytest.mark.parametrize("where", [0, 100, 499])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_row_with_what_is_no_number_has_no_values(
    native: Any, isa: str, bad: float, where: int
) -> None:
    products = numbers((3, 500), 4)
    want = run(native, "top_tokens", products, None, 5)
    products[1, where] = bad
    values, tokens = run(native, "top_tokens", products, None, 5)
    assert values[1, 0].isnan()
    assert math.isinf(bad) or values[1].isnan().all()
    assert ((tokens >= 0) & (tokens < 500)).all()
    for row in (0, 2):
        torch.testing.assert_close(values[row], want[0][row], rtol=0, atol=0)
        torch.testing.assert_close(tokens[row], want[1][row], rtol=0, atol=0)


def test_what_can_not_be_is_minus_infinity_and_comes_last(native: Any, isa: str) -> None:
    products = torch.full((1, 90), -torch.inf).double()
    products[0, 40] = 1.0
    values, tokens = run(native, "top_tokens", products, None, 3)
    assert tokens.tolist() == [[40, 0, 1]]
    assert values[0].tolist() == [0.0, -torch.inf, -torch.inf]
