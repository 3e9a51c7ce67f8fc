"""A scan as autograd sees it: one node, whose backward is a scan in the other direction.

Shapes as in `scan_loops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.layers import scan_loops, scan_native
from unrolled.layers.handover import batched, gradients_in_operations, own_copies


class ScanRun(NamedTuple):
    """What a scan is run with, but for its tensors that may have gradients.

    Attributes:
        native: by the kernels; otherwise by a loop of PyTorch operations.
        lengths: `(B,)` int64, or None.
        starts: `(T, B)` bool, or None.
        reverse: from the last step to the first.
    """

    native: bool
    lengths: Tensor | None = None
    starts: Tensor | None = None
    reverse: bool = False

    def rows(self, b: Tensor) -> scan_loops.Rows:
        return scan_loops.rows_of(b, self.lengths, self.starts, self.reverse)


def forward(run: ScanRun, a: Tensor, b: Tensor, h0: Tensor | None) -> tuple[Tensor, Tensor]:
    """h and the last state; nothing is recorded."""
    if run.native:
        return scan_native.forward(a, b, h0, run.lengths, run.starts, run.reverse)
    with torch.no_grad():
        return scan_loops.forward(a, b, h0, run.rows(b), graph=False)


def backward(
    run: ScanRun,
    a: Tensor,
    h0: Tensor | None,
    h: Tensor,
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The gradients for a, b and h0, None where not wanted, from those for h and the last state."""
    dh, d_last = grads
    if run.native:
        _, lengths, starts, reverse = run
        return scan_native.backward(a, h0, h, dh, d_last, lengths, starts, reverse, wanted=wanted)
    with torch.no_grad():
        da, db, dh0 = scan_loops.backward(a, h0, h, dh, d_last, run.rows(h), want_a=wanted[0])
    return da, db if wanted[1] else None, dh0 if wanted[2] else None


def by_reference(
    run: ScanRun, a: Tensor | None, b: Tensor | None, h0: Tensor | None
) -> tuple[Tensor, Tensor]:
    """As `forward`, in operations that can be differentiated any number of times."""
    assert a is not None
    assert b is not None
    rows = run.rows(b)
    if rows.real is not None:
        # Zero, not skip: NaN in the padding would reach a gradient as NaN * 0.
        beyond = ~rows.real.unsqueeze(-1)
        b = b.masked_fill(beyond, 0)
        a = a.masked_fill(beyond, 0) if a.dim() == 3 else a
    return scan_loops.forward(a, b, h0, rows, graph=True)


def differentiable(run: ScanRun, a: Tensor, b: Tensor, h0: Tensor | None) -> tuple[Tensor, Tensor]:
    """As `forward`, and its backward pass is recorded."""
    lengths, starts = own_copies(run.lengths, run.starts)
    return _Scan.apply(run._replace(lengths=lengths, starts=starts), a, b, h0)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, run: ScanRun, a: Tensor, b: Tensor, h0: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        h, last = forward(run, a, b, h0)
        ctx.set_materialize_grads(False)
        ctx.run = run
        ctx.save_for_backward(a, b, h0, h)
        return h, last

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        a, b, h0, h = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        # A second derivative, or gradients of many vectors at once (vmap), need PyTorch operations.
        if torch.is_grad_enabled() or batched(grads):
            again = partial(by_reference, ctx.run)
            return None, *gradients_in_operations(again, (a, b, h0), grads, wanted)
        return None, *backward(ctx.run, a, h0, h, grads, wanted)
