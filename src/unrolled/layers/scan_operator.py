"""A scan as one operator, `torch.ops.unrolled.scan`: what `torch.compile` and `torch.export` see,
with its backward and its shapes. An eager call does not come here.

Imported for its effect, by the first traced call; a program that runs an exported graph imports
`unrolled.layers.scan_operator` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.scan import fitted, why_not_native
from unrolled.layers.scan_function import ScanRun, backward, forward


def run_traced(run: ScanRun, a: Tensor, b: Tensor, h0: Tensor | None) -> tuple[Tensor, Tensor]:
    """As `scan_function.differentiable`, by the operator."""
    return torch.ops.unrolled.scan(a, b, h0, run.lengths, run.starts, run.reverse)


# Schemas are written out: with `from __future__ import annotations` they can't be inferred.
_ROWS = "Tensor? lengths, Tensor? starts, bool reverse"


@torch.library.custom_op(
    "unrolled::scan",
    mutates_args=(),
    schema=f"(Tensor a, Tensor b, Tensor? h0, {_ROWS}) -> (Tensor, Tensor)",
)
def _scan(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
) -> tuple[Tensor, Tensor]:
    # Nothing could be looked at while this was traced, and an exported graph may be given anything.
    a, b, h0 = fitted(a, b, h0)
    lengths = check_lengths(lengths, *b.shape[:2])
    starts = check_starts(starts, tuple(b.shape[:2]), "(T, B)")
    return forward(ScanRun(why_not_native(b) is None, lengths, starts, reverse), a, b, h0)


@_scan.register_fake
def _(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
) -> tuple[Tensor, Tensor]:
    return b.new_empty(b.shape), b.new_empty(b.shape[1:])


@torch.library.custom_op(
    "unrolled::scan_backward",
    mutates_args=(),
    schema=f"(Tensor a, Tensor? h0, Tensor h, {_ROWS}, Tensor?[] grads, bool[] wanted) -> Tensor[]",
)
def _scan_backward(
    a: Tensor,
    h0: Tensor | None,
    h: Tensor,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    """The gradients of a, b and h0; empty tensors where none is wanted."""
    run = ScanRun(why_not_native(h) is None, lengths, starts, reverse)
    found = backward(run, a, h0, h, grads, wanted)
    return [h.new_empty(0) if part is None else part for part in found]


@_scan_backward.register_fake
def _(
    a: Tensor,
    h0: Tensor | None,
    h: Tensor,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    shapes = (a.shape, h.shape, h.shape[1:])
    return [h.new_empty(shape if want else 0) for shape, want in zip(shapes, wanted, strict=True)]


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    a, b, h0, lengths, starts, ctx.reverse = inputs
    ctx.wanted = [part is not None and part.requires_grad for part in (a, b, h0)]
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(a, h0, output[0], lengths, starts)


def _backward(ctx: Any, *grads: Tensor | None) -> tuple[Any, ...]:
    a, h0, h, lengths, starts = ctx.saved_tensors
    found = torch.ops.unrolled.scan_backward(
        a, h0, h, lengths, starts, ctx.reverse, list(grads), ctx.wanted
    )
    given = [part if want else None for part, want in zip(found, ctx.wanted, strict=True)]
    return *given, None, None, None


_scan.register_autograd(_backward, setup_context=_setup_context)
