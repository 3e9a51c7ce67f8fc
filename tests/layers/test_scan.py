"""`scan` against the sums that a linear recurrence stands for, values and gradients."""

from __future__ import annotations

import doctest
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import scan as module
from unrolled.layers.paths import use_path
from unrolled.layers.scan import scan

STEPS, BATCH, HIDDEN = 5, 3, 4
FACTORS = [(HIDDEN,), (BATCH, HIDDEN), (STEPS, BATCH, HIDDEN), (STEPS, 1, HIDDEN), (1,), ()]
DOUBLES = [torch.float64, torch.complex128]
without = pytest.mark.skipif(not kernels.available(), reason=f"kernels: {kernels.why_not()}")
paths = pytest.mark.parametrize(
    "path", [pytest.param("native", marks=without), "reference", "loop"]
)


@contextmanager
def forced(path: str) -> Iterator[None]:
    """One of the three ways in which a scan runs; "loop" is that of a machine without kernels."""
    if path == "loop":
        with mock.patch.dict(os.environ, UNROLLED_KERNELS="off"):
            yield
    else:
        with use_path(path):
            yield


def by_sums(
    a: Tensor,
    b: Tensor,
    h0: Tensor,
    lengths: list[int],
    starts: Tensor,
    reverse: bool,
) -> tuple[Tensor, Tensor]:
    """Each state as the sum of what came in since the last reset, times the factors it has passed;
    row by row, each row turned round where the scan is."""
    a = a.expand(b.shape) if a.dim() == 3 else a.expand(b.shape[1:]).expand(b.shape)
    rows, lasts = [], []
    for row, length in enumerate(lengths):
        steps = list(range(length))[:: -1 if reverse else 1]
        states: dict[int, Tensor] = {}
        for k, t in enumerate(steps):
            # Steps from the last reset to this one; the given state has survived without a reset.
            cut = [
                j for j in range(k + 1) if (j or not reverse) and starts[steps[j] + reverse, row]
            ]
            begin = cut[-1] if cut else 0
            state = torch.zeros_like(h0[row])
            for j in range(begin, k + 1):
                passed = a[steps[j + 1 : k + 1], row].prod(0)
                state = state + passed * b[steps[j], row]
            if not cut:
                state = state + a[steps[: k + 1], row].prod(0) * h0[row]
            states[t] = state
        beyond = [torch.zeros_like(h0[row])] * (len(b) - length)
        rows.append(torch.stack([states[t] for t in range(length)] + beyond))
        lasts.append(states[steps[-1]] if steps else h0[row])
    return torch.stack(rows, 1), torch.stack(lasts)


def drawn(
    factor: tuple[int, ...], dtype: torch.dtype = torch.float64, seed: int = 0
) -> list[Tensor]:
    """a, b and h0, leaves."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (factor, (STEPS, BATCH, HIDDEN), (BATCH, HIDDEN))
    return [
        torch.randn(shape, dtype=dtype, generator=generator).requires_grad_() for shape in shapes
    ]


def gradients(outputs: tuple[Tensor, Tensor], leaves: list[Tensor], **options: Any) -> Any:
    generator = torch.Generator().manual_seed(9)
    wide = torch.promote_types(outputs[0].dtype, torch.float64)
    loss = sum(
        (out * torch.randn(out.shape, dtype=wide, generator=generator)).sum() for out in outputs
    )
    loss = torch.view_as_real(loss).sum() if loss.is_complex() else loss
    return torch.autograd.grad(loss, leaves, **options)


@settings(max_examples=20)
@paths
@pytest.mark.parametrize("factor", FACTORS)
@given(
    dtype=st.sampled_from(DOUBLES),
    lengths=st.none() | st.lists(st.integers(0, STEPS), min_size=BATCH, max_size=BATCH),
    cuts=st.none() | st.integers(0, 2 ** (STEPS * BATCH) - 1),
    reverse=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_scan_is_the_sum_of_what_came_in_since_the_last_reset(
    path: str,
    factor: tuple[int, ...],
    dtype: torch.dtype,
    lengths: list[int] | None,
    cuts: int | None,
    reverse: bool,
    seed: int,
) -> None:
    leaves = drawn(factor, dtype, seed)
    a, b, h0 = leaves
    starts = None
    if cuts is not None:
        bits = [bool(cuts >> k & 1) for k in range(STEPS * BATCH)]
        starts = torch.tensor(bits).view(STEPS, BATCH)
    row_lengths = [STEPS] * BATCH if lengths is None else lengths
    real = torch.arange(STEPS)[:, None, None] < torch.tensor(row_lengths)[:, None]
    given_a = a.masked_fill(~real, torch.nan) if factor == (STEPS, BATCH, HIDDEN) else a
    options: dict[str, Any] = {
        "lengths": None if lengths is None else torch.tensor(lengths),
        "starts": starts,
        "reverse": reverse,
    }
    with forced(path):
        got = scan(given_a, b.masked_fill(~real, torch.nan), h0, **options)
        found = gradients(got, leaves, retain_graph=True)
        again = gradients(got, leaves)
    none = torch.zeros(STEPS + 1, BATCH).bool()
    if starts is not None:
        none[:STEPS] = starts & real[..., 0]
    want = by_sums(a, b, h0, row_lengths, none, reverse)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    expected = gradients(want, leaves, materialize_grads=True)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(again, found, rtol=0, atol=0)


@paths
@pytest.mark.parametrize("dtype", DOUBLES)
@pytest.mark.parametrize("factor", FACTORS[:3])
def test_torchs_own_check_agrees_with_both_derivatives(
    factor: tuple[int, ...], dtype: torch.dtype, path: str
) -> None:
    options = {"lengths": torch.tensor([5, 0, 3]), "starts": torch.rand(STEPS, BATCH) < 0.3}
    leaves = drawn(factor, dtype)
    with forced(path):
        assert torch.autograd.gradcheck(lambda *x: scan(*x, **options), leaves, fast_mode=True)
        assert torch.autograd.gradgradcheck(lambda *x: scan(*x, **options), leaves, fast_mode=True)


@paths
@pytest.mark.parametrize("which", range(3))
def test_a_gradient_that_is_not_wanted_does_not_change_the_others(which: int, path: str) -> None:
    with forced(path):
        _compare_wanted(which)


def _compare_wanted(which: int) -> None:
    leaves = drawn((HIDDEN,))
    want = gradients(scan(*leaves), leaves)
    for only in (0, 1):  # and a loss of one output only
        full = torch.autograd.grad(scan(*leaves)[only].square().sum(), leaves)
        alone = [leaf.detach().requires_grad_(k == which) for k, leaf in enumerate(leaves)]
        (got,) = torch.autograd.grad(scan(*alone)[only].square().sum(), alone[which])
        torch.testing.assert_close(got, full[which], rtol=1e-12, atol=1e-12)
    alone = [leaf.detach().requires_grad_(k == which) for k, leaf in enumerate(leaves)]
    (got,) = gradients(scan(*alone), [alone[which]])
    torch.testing.assert_close(got, want[which], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_single_precision_is_double_precision_rounded(dtype: torch.dtype) -> None:
    leaves = drawn((STEPS, BATCH, HIDDEN), dtype)
    doubles = [leaf.detach().to(torch.promote_types(dtype, torch.float64)) for leaf in leaves]
    doubles = [leaf.requires_grad_() for leaf in doubles]
    got, want = scan(*leaves), scan(*doubles)
    assert got[0].dtype == dtype
    for one, other in zip(
        (*got, *gradients(got, leaves)), (*want, *gradients(want, doubles)), strict=True
    ):
        torch.testing.assert_close(one, other.to(dtype), rtol=1e-4, atol=1e-4)


def test_a_real_factor_of_complex_inputs_has_a_real_gradient() -> None:
    a = torch.randn(HIDDEN, dtype=torch.float64, requires_grad=True)
    _, b, h0 = drawn((), torch.complex128)
    h, last = scan(a, b, h0)
    assert h.dtype == torch.complex128
    (got,) = gradients((h, last), [a])
    complex_a = a.detach().to(torch.complex128).requires_grad_()
    (want,) = gradients(scan(complex_a, b, h0), [complex_a])
    assert got.dtype == torch.float64
    torch.testing.assert_close(got, want.real)


def test_no_state_is_zeros() -> None:
    a, b, h0 = drawn((HIDDEN,))
    torch.testing.assert_close(scan(a, b), scan(a, b, torch.zeros_like(h0)), rtol=0, atol=0)


def test_the_inputs_stay_as_they_are_and_may_change_after_the_call() -> None:
    a, b, h0 = (leaf.detach() for leaf in drawn((HIDDEN,)))
    before = [a.clone(), b.clone(), h0.clone()]
    lengths, starts = torch.tensor([5, 2, 0]), torch.rand(STEPS, BATCH) < 0.5
    leaf = b.clone().requires_grad_()
    h, last = scan(a, leaf, h0, lengths=lengths, starts=starts)
    (want,) = gradients((h, last), [leaf], retain_graph=True)
    lengths.fill_(0)
    starts.fill_(True)
    (got,) = gradients((h, last), [leaf])
    torch.testing.assert_close(got, want, rtol=0, atol=0)
    torch.testing.assert_close([a, b, h0], before, rtol=0, atol=0)
    assert last.untyped_storage().data_ptr() != h.untyped_storage().data_ptr()


def test_strides_conjugates_and_broadcasts_are_read_for_what_they_are() -> None:
    a, b, h0 = (leaf.detach() for leaf in drawn((STEPS, BATCH, HIDDEN), torch.complex128))
    want = scan(a, b, h0)
    strided = b.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    turned = a.transpose(0, 1).contiguous().transpose(0, 1)
    got = scan(turned.conj().resolve_conj().conj(), strided, h0.t().contiguous().t())
    torch.testing.assert_close(got, want, rtol=1e-14, atol=1e-14)
    one = b[:1].expand(STEPS, -1, -1)
    torch.testing.assert_close(scan(a, one, h0), scan(a, one.clone(), h0), rtol=0, atol=0)


@paths
@pytest.mark.parametrize("reverse", [False, True])
def test_nan_before_a_reset_and_in_another_row_is_not_seen(reverse: bool, path: str) -> None:
    with forced(path):
        _spoil(reverse)


def _spoil(reverse: bool) -> None:
    a, b, h0 = (leaf.detach() for leaf in drawn((HIDDEN,)))
    starts = torch.zeros(STEPS, BATCH).bool()
    starts[2, 0] = True
    spoiled = b.clone()
    spoiled[slice(2, None) if reverse else slice(2), 0] = torch.nan
    seen = slice(2) if reverse else slice(2, None)
    want, _ = scan(a, b, h0, starts=starts, reverse=reverse)
    leaf = spoiled.requires_grad_()
    got, _ = scan(a, leaf, h0, starts=starts, reverse=reverse)
    torch.testing.assert_close(got[:, 1:], want[:, 1:], rtol=0, atol=0)
    torch.testing.assert_close(got[seen, 0], want[seen, 0], rtol=0, atol=0)
    assert got[:, 0].isnan().any()
    (slope,) = torch.autograd.grad(got[seen].sum(), leaf)
    assert slope.isfinite().all()


# torch's own jvp uses what torch deprecates
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_functional_transforms_go_through() -> None:
    a, b, h0 = (leaf.detach() for leaf in drawn((HIDDEN,)))

    def loss(a: Tensor, b: Tensor) -> Tensor:
        return scan(a, b, h0)[0].square().sum()

    per_row = torch.func.vmap(lambda b: scan(a, b.unsqueeze(1))[0].squeeze(1), 1, 1)
    torch.testing.assert_close(per_row(b), scan(a, b)[0])
    (want,) = torch.autograd.grad(loss(a.requires_grad_(), b), a)
    torch.testing.assert_close(torch.func.grad(loss)(a.detach(), b), want)
    _, slope = torch.func.jvp(lambda a: loss(a, b), (a.detach(),), (torch.ones_like(a),))
    torch.testing.assert_close(slope, want.sum())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("dtype", DOUBLES)
def test_a_compiled_scan_has_no_graph_break_and_the_same_numbers(dtype: torch.dtype) -> None:
    leaves = drawn((HIDDEN,), dtype)
    options = {"lengths": torch.tensor([5, 0, 3]), "starts": torch.rand(STEPS, BATCH) < 0.3}
    torch._dynamo.reset()
    compiled = torch.compile(scan, backend="aot_eager", fullgraph=True)
    got, want = compiled(*leaves, **options), scan(*leaves, **options)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(gradients(got, leaves), gradients(want, leaves))
    torch._dynamo.reset()


def test_a_path_that_is_asked_for_runs_or_says_why_not() -> None:
    a, b, h0 = (leaf.detach() for leaf in drawn((HIDDEN,)))
    with use_path("aten"), pytest.raises(ConfigError, match="PyTorch has no scan"):
        scan(a, b, h0)
    with use_path("native"), pytest.raises(ConfigError, match="b has no rows"):
        scan(a, b[:, :0])
    h, last = scan(a, b[:, :0], h0[:0])
    assert (h.shape, last.shape) == ((STEPS, 0, HIDDEN), (0, HIDDEN))
    refused = pytest.raises(ConfigError, match="the kernels are not there")
    with mock.patch.dict(os.environ, UNROLLED_KERNELS="off"), use_path("native"), refused:
        scan(a, b, h0)


def test_bad_input_is_one_line_that_names_the_argument() -> None:
    a, b, h0 = (leaf.detach() for leaf in drawn((HIDDEN,)))
    cases: list[tuple[type[Exception], str, tuple[Any, ...], dict[str, Any]]] = [
        (ShapeError, r"b: got shape \(3, 4\), expected \(T, B, H\)", (a, b[0], h0), {}),
        (ShapeError, "b: got no time steps", (a, b[:0], h0), {}),
        (ShapeError, r"h0: got shape \(2, 4\), expected \(B, H\) = \(3, 4\)", (a, b, h0[:2]), {}),
        (ShapeError, r"a: got shape \(3,\), expected what broadcasts", (a[:3], b, h0), {}),
        (ShapeError, r"a: got shape \(1, 5, 3, 4\)", (b[None], b, h0), {}),
        (DTypeError, "b: got torch.float16", (a, b.half(), h0), {}),
        (DTypeError, "a: got torch.int64", (a.long(), b, h0), {}),
        (ShapeError, "lengths: got 6 for row 1", (a, b), {"lengths": torch.tensor([1, 6, 2])}),
        (ShapeError, "starts: got shape", (a, b), {"starts": torch.zeros(3, 5).bool()}),
        (DTypeError, "starts: got dtype", (a, b), {"starts": torch.zeros(5, 3)}),
    ]
    for kind, message, arguments, options in cases:
        with pytest.raises(kind, match=message) as caught:
            scan(*arguments, **options)
        assert "\n" not in str(caught.value)


def test_the_examples_run() -> None:
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
