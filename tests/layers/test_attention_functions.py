"""Additive and multiplicative attention as functions: both paths, their gradients, bad input."""

from __future__ import annotations

import doctest
import os
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import attention_additive, attention_multiplicative
from unrolled.layers.attention_additive import additive_attention
from unrolled.layers.attention_multiplicative import multiplicative_attention
from unrolled.layers.paths import use_path

STEPS, SOURCES, BATCH, WIDTH, MEMORY = 5, 6, 4, 7, 8
LENGTHS = [6, 1, 4, 0]
without = pytest.mark.skipif(not kernels.available(), reason=f"kernels: {kernels.why_not()}")
PATHS = [pytest.param("native", marks=without), "reference"]
paths = pytest.mark.parametrize("path", PATHS)
scores = pytest.mark.parametrize("score", ["additive", "multiplicative"])
Outputs = tuple[Tensor, Tensor]


def drawn(
    score: str, steps: int = STEPS, dtype: torch.dtype = torch.float64, seed: int = 0
) -> list[Tensor]:
    """q, k, m, v; or q, m."""
    generator = torch.Generator().manual_seed(seed)
    shapes: list[tuple[int, ...]] = [(steps, BATCH, MEMORY), (SOURCES, BATCH, MEMORY)]
    if score == "additive":
        shapes = [(steps, BATCH, WIDTH), (SOURCES, BATCH, WIDTH), shapes[1], (WIDTH,)]
    return [torch.randn(s, generator=generator, dtype=dtype).requires_grad_() for s in shapes]


def attend(
    score: str, tensors: list[Tensor] | tuple[Tensor, ...], lengths: list[int] | None = None
) -> Outputs:
    given = None if lengths is None else torch.tensor(lengths)
    if score == "additive":
        return additive_attention(*tensors, lengths=given)
    return multiplicative_attention(*tensors, lengths=given, scale=0.4)


def by_equation(score: str, tensors: list[Tensor], lengths: list[int]) -> Outputs:
    """Number by number from the equations."""
    q, m = tensors[0], tensors[-2] if score == "additive" else tensors[1]
    c, a = [], []
    for t in range(len(q)):
        for b, length in enumerate(lengths):
            if score == "additive":
                e = [
                    (tensors[3] * (q[t, b] + tensors[1][s, b]).tanh()).sum() for s in range(length)
                ]
            else:
                e = [0.4 * (q[t, b] * m[s, b]).sum() for s in range(length)]
            powers = [one.exp() for one in e]
            weights = [one / sum(powers) for one in powers]
            zeros = [torch.zeros(()).double()] * (SOURCES - length)
            a.append(torch.stack([*weights, *zeros]))
            c.append(sum((w * m[s, b] for s, w in enumerate(weights)), 0 * m[0, b]))
    return torch.stack(c).view(len(q), BATCH, -1), torch.stack(a).view(len(q), BATCH, -1)


def gradients(outputs: Outputs, leaves: list[Tensor], **options: Any) -> Any:
    generator = torch.Generator().manual_seed(9)
    loss = sum((y * torch.randn(y.shape, generator=generator).to(y)).sum() for y in outputs)
    return torch.autograd.grad(loss, leaves, **options)  # type: ignore[arg-type]


@paths
@scores
@pytest.mark.parametrize("steps", [1, STEPS, 20])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_attention_is_its_equation(
    score: str, path: str, steps: int, lengths: list[int] | None
) -> None:
    leaves = drawn(score, steps)
    with use_path(path):
        got = attend(score, leaves, lengths)
        found = gradients(got, leaves)
    want = by_equation(score, leaves, lengths or [SOURCES] * BATCH)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found, gradients(want, leaves), rtol=1e-11, atol=1e-11)


@paths
@scores
def test_torchs_own_check_agrees_with_both_derivatives(score: str, path: str) -> None:
    leaves = drawn(score)

    def run(*tensors: Tensor) -> Outputs:
        return attend(score, tensors, LENGTHS)

    with use_path(path):
        assert torch.autograd.gradcheck(run, leaves)
        assert torch.autograd.gradgradcheck(run, leaves)


@paths
@scores
def test_what_stands_beyond_a_rows_length_changes_nothing(score: str, path: str) -> None:
    leaves = drawn(score)
    beyond = torch.arange(SOURCES)[:, None] >= torch.tensor(LENGTHS)
    spoiled = [
        leaf.detach().masked_fill(beyond[..., None], torch.nan).requires_grad_()
        if leaf.dim() == 3 and len(leaf) == SOURCES
        else leaf
        for leaf in leaves
    ]
    with use_path(path):
        want, got = (attend(score, x, LENGTHS) for x in (leaves, spoiled))
        torch.testing.assert_close(got, want, rtol=0, atol=0)
        torch.testing.assert_close(gradients(got, spoiled), gradients(want, leaves), rtol=0, atol=0)


@paths
@scores
def test_a_row_without_sources_draws_nothing(score: str, path: str) -> None:
    leaves = drawn(score)
    with use_path(path):
        c, a = attend(score, leaves, LENGTHS)
        slopes = gradients((c, a), leaves)
    assert (c[:, 3] == 0).all()
    assert (a[:, 3] == 0).all()
    assert all((slope[:, 3] == 0).all() for slope in slopes if slope.dim() == 3)
    torch.testing.assert_close(a[:, :3].sum(-1), torch.ones(STEPS, 3).double())


@without
@scores
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_paths_give_the_same_numbers(score: str, dtype: torch.dtype) -> None:
    leaves = drawn(score, 20, dtype)
    results = []
    for path in ("native", "reference"):
        with use_path(path):
            outputs = attend(score, leaves, LENGTHS)
            results.append((*outputs, *gradients(outputs, leaves)))
    bound = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(results[0], results[1], rtol=bound, atol=bound)


@without
@scores
def test_one_wanted_gradient_or_one_output_alone_is_what_it_is_among_all(score: str) -> None:
    leaves = drawn(score)
    with use_path("native"):
        for only in (0, 1):
            full = torch.autograd.grad(attend(score, leaves, LENGTHS)[only].square().sum(), leaves)
            for which in range(len(leaves)):
                alone = [x.detach().requires_grad_(k == which) for k, x in enumerate(leaves)]
                loss = attend(score, alone, LENGTHS)[only].square().sum()
                if not loss.requires_grad:
                    continue  # the weights of an additive score do not see m
                (got,) = torch.autograd.grad(loss, alone[which])
                torch.testing.assert_close(got, full[which], rtol=1e-12, atol=1e-12)


@without
@scores
def test_strides_are_read_for_what_they_are(score: str) -> None:
    leaves = drawn(score)
    turned = [
        x.detach().transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
        if x.dim() == 3
        else x
        for x in leaves
    ]
    sliced = [
        torch.cat([x.detach(), x.detach()], -1)[..., : x.shape[-1]].requires_grad_() for x in leaves
    ]
    reverse = [x.detach().flip(-1).requires_grad_() for x in leaves]
    with use_path("native"):
        want = attend(score, leaves, LENGTHS)
        for other in (turned, sliced):
            got = attend(score, other, LENGTHS)
            torch.testing.assert_close(got, want, rtol=0, atol=0)
            torch.testing.assert_close(
                gradients(got, other), gradients(want, leaves, retain_graph=True), rtol=0, atol=0
            )
        strided = [torch.stack([x, x], -1)[..., 0] for x in reverse]
        torch.testing.assert_close(attend(score, strided), attend(score, reverse), rtol=0, atol=0)


@without
@scores
def test_lengths_may_change_after_the_call(score: str) -> None:
    leaves = drawn(score)
    lengths = torch.tensor(LENGTHS)
    rest: Any = {"lengths": lengths}
    with use_path("native"):
        function = additive_attention if score == "additive" else multiplicative_attention
        outputs = function(*leaves, **rest)
        want = gradients(outputs, leaves, retain_graph=True)
        lengths.fill_(2)
        torch.testing.assert_close(gradients(outputs, leaves), want, rtol=0, atol=0)


@paths
def test_a_half_precision_call_runs_in_operations(path: str) -> None:
    q, k, m, v = (x.detach().bfloat16() for x in drawn("additive"))
    if path == "native":
        with use_path(path), pytest.raises(ConfigError, match=r"q is torch\.bfloat16"):
            additive_attention(q, k, m, v)
        return
    c, a = additive_attention(q, k, m, v, torch.tensor(LENGTHS))
    assert c.dtype == a.dtype == torch.bfloat16
    want, _ = additive_attention(
        q.double(), k.double(), m.double(), v.double(), torch.tensor(LENGTHS)
    )
    assert ((c.double() - want).abs() <= 0.1).all()


def test_autocast_and_functional_transforms_go_through() -> None:
    q, m = (x.detach().float() for x in drawn("multiplicative"))
    with torch.autocast("cpu", torch.bfloat16):
        c, _ = multiplicative_attention(q, m)
    assert ((c - multiplicative_attention(q, m)[0]).abs() <= 0.1).all()
    per_row = torch.func.vmap(
        lambda q, m: multiplicative_attention(q[:, None], m[:, None])[0], 1, 1
    )
    torch.testing.assert_close(per_row(q, m)[:, :, 0], multiplicative_attention(q, m)[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@scores
def test_a_compiled_call_gives_the_same_numbers(score: str) -> None:
    leaves = drawn(score)
    torch._dynamo.reset()
    compiled = torch.compile(attend, backend="eager", fullgraph=False)
    got, want = compiled(score, leaves, LENGTHS), attend(score, leaves, LENGTHS)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients(got, leaves), gradients(want, leaves))
    torch._dynamo.reset()


def test_no_rows_and_no_steps_give_none() -> None:
    q, m = (x.detach() for x in drawn("multiplicative"))
    c, a = multiplicative_attention(q[:, :0], m[:, :0])
    assert (c.shape, a.shape) == ((STEPS, 0, MEMORY), (STEPS, 0, SOURCES))
    assert multiplicative_attention(q[:0], m)[0].shape == (0, BATCH, MEMORY)


def test_a_path_that_is_asked_for_runs_or_says_why_not() -> None:
    leaves = drawn("additive")
    with use_path("aten"), pytest.raises(ConfigError, match="PyTorch has no such layer"):
        additive_attention(*leaves)
    refused = pytest.raises(ConfigError, match="the kernels are not there")
    with mock.patch.dict(os.environ, UNROLLED_KERNELS="off"), use_path("native"), refused:
        additive_attention(*leaves)


def test_bad_input_is_one_line_that_names_the_argument() -> None:
    q, k, m, v = (x.detach() for x in drawn("additive"))
    lengths = torch.tensor(LENGTHS)
    cases: list[tuple[type[Exception], str, tuple[Any, ...]]] = [
        (ShapeError, r"q: got shape \(4, 7\), expected \(T, B, A\)", (q[0], k, m, v)),
        (
            ShapeError,
            r"m: got shape \(6, 3, 8\), expected \(S, B, M\) with B = 4",
            (q, k, m[:, 1:], v),
        ),
        (
            ShapeError,
            r"k: got shape \(5, 4, 7\), expected \(S, B, A\) = \(6, 4, 7\)",
            (q, k[1:], m, v),
        ),
        (ShapeError, r"v: got shape \(6,\), expected \(A,\) = \(7,\)", (q, k, m, v[1:])),
        (DTypeError, r"m: got torch.float32, expected torch.float64 as q", (q, k, m.float(), v)),
        (DTypeError, "q: got torch.int64", (q.long(), k, m, v)),
        (ShapeError, "lengths: got 7 for row 0, expected 0 to S = 6", (q, k, m, v, lengths + 1)),
        (DTypeError, "lengths: got dtype torch.float32", (q, k, m, v, lengths.float())),
    ]
    for kind, message, arguments in cases:
        with pytest.raises(kind, match=message) as caught:
            additive_attention(*arguments)
        assert "\n" not in str(caught.value)
    with pytest.raises(ShapeError, match=r"m: got shape \(6, 4, 8\), expected \(S, B, A\)"):
        multiplicative_attention(q, m)


def test_the_examples_run() -> None:
    for module in (attention_additive, attention_multiplicative):
        assert doctest.testmod(module).failed == 0
        assert doctest.testmod(module).attempted > 0
