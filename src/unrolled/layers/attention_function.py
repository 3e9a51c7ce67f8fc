"""Attention as autograd sees it: one node on the kernels, which computes its scores again on its
way back, or PyTorch operations. The contract of the kernels is
`kernels/include/unrolled/attention.h`.

Shapes as in `attention_reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import attention_reference as operations
from unrolled.layers.checks import check_lengths, device_fault
from unrolled.layers.handover import (
    any_requires_grad,
    batched,
    dense_rows,
    gradients_in_operations,
    own_copies,
    point,
)
from unrolled.layers.paths import asked_path, autocast_dtype, transformed

_SCORES = {"additive": 0, "multiplicative": 1}  # the kernels' numbers


class AttentionRun(NamedTuple):
    """What attention is run with, but for its tensors that may have gradients.

    Attributes:
        score: "additive" or "multiplicative".
        scale: of a multiplicative score.
        lengths: `(B,)` int64, or None.
    """

    score: str
    scale: float = 1.0
    lengths: Tensor | None = None


Given = tuple[Tensor, Tensor, Tensor, Tensor | None]
"""q `(T, B, A)`, k `(S, B, A)`, m `(S, B, M)`, and v `(A,)` where the score is additive."""


def attend(run: AttentionRun, given: Given) -> tuple[Tensor, Tensor]:
    """The sums `(T, B, M)` and the weights `(T, B, S)`, on the path that is asked for, or the
    kernels where they can run and PyTorch operations elsewhere."""
    _check(run, given)
    sources, batch = given[1].shape[:2]
    run = run._replace(lengths=check_lengths(run.lengths, sources, batch, "S"))
    asked = asked_path()
    obstacle = why_not_native(given) if asked != "reference" else None
    if asked in ("native", "aten"):
        if asked == "aten":
            obstacle = "PyTorch has no such layer of its own"
        if obstacle is not None:
            raise ConfigError(
                f"path {asked!r} was asked for and can't run this call: {obstacle}; "
                f"ask for another with use_path, such as 'auto'"
            )
    if asked == "reference" or obstacle is not None:
        return by_reference(run, *given)
    if torch.is_grad_enabled() and any_requires_grad(given):
        (lengths,) = own_copies(run.lengths)
        return _Attention.apply(run._replace(lengths=lengths), *given)
    return _forward(run, *given)


def why_not_native(given: Given) -> str | None:
    """Why the kernels can't run this call, as part of a sentence; None where they can."""
    q, k, m, v = given
    if torch.compiler.is_compiling():
        return "torch.compile and torch.export trace PyTorch operations"
    if q.device.type != "cpu":
        return f"native runs on a CPU, and q is on {q.device.type!r}"
    if (dtype := autocast_dtype("cpu")) is not None:
        return f"native runs in float32 and float64, and autocast asks for {dtype}"
    if q.dtype not in (torch.float32, torch.float64):
        return f"native runs in float32 and float64, and q is {q.dtype}"
    if 0 in (*q.shape, *k.shape, *m.shape):
        return "there are no rows, no steps or no sources"
    if any(transformed(tensor) for tensor in (q, k, m, v) if tensor is not None):
        return "torch.func, forward mode and tensor subclasses need PyTorch operations"
    missing = kernels.why_not()
    return None if missing is None else f"the kernels are not there: {missing}"


def by_reference(
    run: AttentionRun, q: Tensor, k: Tensor, m: Tensor, v: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The same in operations that can be differentiated any number of times."""
    beyond = operations.beyond_lengths(len(m), run.lengths, m.device)
    same = k is m
    m = operations.without(m, beyond)
    k = m if same else operations.without(k, beyond)
    if v is None:
        scores = operations.multiplicative_scores(q, k, run.scale)
    else:
        scores = operations.additive_scores(q, k, v)
    return operations.weigh(scores, m, beyond)


def _check(run: AttentionRun, given: Given) -> None:
    q, k, m, v = given
    if q.dim() != 3:
        raise ShapeError(f"q: got shape {tuple(q.shape)}, expected (T, B, A)")
    if m.dim() != 3 or m.shape[1] != q.shape[1]:
        raise ShapeError(
            f"m: got shape {tuple(m.shape)}, expected (S, B, M) with B = {q.shape[1]}, as q"
        )
    if k.shape != (*m.shape[:2], q.shape[2]):
        # The keys of a multiplicative score are the memory itself.
        name = "m" if k is m else "k"
        want = (*m.shape[:2], q.shape[2])
        raise ShapeError(f"{name}: got shape {tuple(k.shape)}, expected (S, B, A) = {want}")
    if v is not None and v.shape != (q.shape[2],):
        raise ShapeError(f"v: got shape {tuple(v.shape)}, expected (A,) = ({q.shape[2]},)")
    if not q.is_floating_point():
        raise DTypeError(f"q: got {q.dtype}, expected a dtype of floating-point numbers")
    for name, tensor in (("k", k), ("m", m), ("v", v)):
        if tensor is None:
            continue
        if tensor.device != q.device:
            kind, message = device_fault(name, tensor, q)
            raise kind(message)
        if tensor.dtype != q.dtype and autocast_dtype(q.device.type) is None:
            raise DTypeError(f"{name}: got {tensor.dtype}, expected {q.dtype} as q")


def _call(run: AttentionRun, given: Given, lengths: Tensor | None) -> Any:
    """The arguments that both directions share. Whoever calls keeps the tensors alive."""
    q, k, m, v = given
    struct = kernels.attention_forward_call(q.dtype)
    struct.score = _SCORES[run.score]
    struct.scale = run.scale
    struct.steps, struct.batch, struct.width = q.shape
    struct.sources, _, struct.memory = m.shape
    struct.threads = torch.get_num_threads()
    for name, tensor in (("q", q), ("k", k), ("m", m)):
        point(struct, name, tensor)
    if v is not None:
        struct.v = v.data_ptr()
    if lengths is not None:
        struct.lengths = lengths.data_ptr()
    return struct


def _forward(
    run: AttentionRun, q: Tensor, k: Tensor, m: Tensor, v: Tensor | None
) -> tuple[Tensor, Tensor]:
    given = _dense(q, k, m, v)
    lengths = None if run.lengths is None else run.lengths.cpu().contiguous()
    struct = _call(run, given, lengths)
    c, a = q.new_empty(*q.shape[:2], m.shape[2]), q.new_empty(*q.shape[:2], len(m))
    struct.c, struct.a = c.data_ptr(), a.data_ptr()
    kernels.attention_forward(struct)
    return c, a


def _backward(
    run: AttentionRun,
    given: Given,
    a: Tensor,
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """The gradients for q, k, m and v, None where not wanted."""
    given = _dense(*given)
    lengths = None if run.lengths is None else run.lengths.cpu().contiguous()
    inner = _call(run, given, lengths)
    inner.a = a.data_ptr()
    struct = kernels.attention_backward_call(a.dtype)
    struct.forward = inner
    dc, da = (None if grad is None else dense_rows(grad.resolve_neg()) for grad in grads)
    for name, grad in (("dc", dc), ("da", da)):
        if grad is not None:
            point(struct, name, grad)
    found: list[Tensor | None] = []
    for name, tensor, want in zip(("dq", "dk", "dm", "dv"), given, wanted, strict=True):
        found.append(tensor.new_empty(tensor.shape) if want and tensor is not None else None)
        if (room := found[-1]) is not None:
            setattr(struct, name, room.data_ptr())
    kernels.attention_backward(struct)
    return found


def _dense(q: Tensor, k: Tensor, m: Tensor, v: Tensor | None) -> Given:
    return dense_rows(q), dense_rows(k), dense_rows(m), None if v is None else v.contiguous()


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, run: AttentionRun, q: Tensor, k: Tensor, m: Tensor, v: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        c, a = _forward(run, q, k, m, v)
        ctx.set_materialize_grads(False)
        ctx.run = run
        ctx.save_for_backward(q, k, m, v, a)
        return c, a

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        *given, a = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        # A second derivative, or gradients of many vectors at once (vmap), need PyTorch operations.
        if torch.is_grad_enabled() or batched(grads):
            again = partial(by_reference, ctx.run)
            return None, *gradients_in_operations(again, given, grads, wanted)
        return None, *_backward(ctx.run, tuple(given), a, grads, wanted)
