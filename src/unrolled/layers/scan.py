"""`scan`: a linear recurrence over time, real or complex.

Shapes: `T` time, `B` batch, `H` hidden size.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import scan_loops, scan_native
from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.handover import (
    any_requires_grad,
    batched,
    gradients_in_operations,
    own_copies,
)
from unrolled.layers.paths import asked_path, transformed

DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def scan(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None = None,
    *,
    lengths: Tensor | None = None,
    starts: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """A linear recurrence over time, unit by unit.

        h_t = a_t * h_{t-1} + b_t

    for t = 0 ... n-1 of a row of length n, where `h_{-1}` is `h0`, and `h_{t-1}` is replaced by
    zero wherever `starts[t]` is true. With `reverse=True`, t runs from n-1 down to 0 and `h_{t+1}`
    enters step t, replaced by zero wherever `starts[t+1]` is true.

    Args:
        a: the factors; what broadcasts to `(T, B, H)`: `(H,)` for one factor of each unit at all
            steps, `(B, H)` for one of each row too, `(T, B, H)` for one of each step.
        b: `(T, B, H)`, float32, float64, complex64 or complex128. Where one of a, b and h0 is
            complex, all are taken as complex; where one is of double precision, all are.
        h0: `(B, H)`; None is zeros.
        lengths: `(B,)` integers, 0 to T: how many leading steps of each row are real. None is all
            T. What stands beyond them in a and b, NaN included, changes nothing.
        starts: `(T, B)` bool: true where a new sequence begins. The state is cut there, and its
            gradient.

    Returns:
        h `(T, B, H)`, zero beyond a row's length, and the state `(B, H)` after each row's last step
        of the run; `h0` for a row of length zero.

    Gradients are those of torch: for a complex number the conjugate ones, so that `z - rate *
    z.grad` descends. They can be differentiated again, and `torch.func` goes through; both in
    PyTorch operations, as does `use_path("reference")`. Otherwise the kernels run on a CPU, and a
    loop of PyTorch operations that keeps no graph of its steps elsewhere.

    Raises:
        ConfigError: a path was asked for that can't run this call.
        ShapeError: no time steps, or shapes that do not fit each other.
        DTypeError: dtypes other than the four, `lengths` that are not integers, or `starts` that
            are not bool.

    Example. A sum that forgets half of itself at each step:

        >>> import torch
        >>> from unrolled.layers.scan import scan
        >>> h, last = scan(torch.tensor([0.5]), torch.ones(3, 1, 1))
        >>> h.flatten()
        tensor([1.0000, 1.5000, 1.7500])

    Source: Blelloch 1990, Prefix Sums and Their Applications, section 1.4, for the recurrence; it
    runs step by step here, many rows and units at once.
    """
    a, b, h0 = _fitted(a, b, h0)
    lengths = check_lengths(lengths, len(b), b.shape[1])
    starts = check_starts(starts, tuple(b.shape[:2]), "(T, B)")
    path = _choose_path(b)
    run = _Run(path == "native", lengths, starts, reverse)
    if path == "reference":
        return _by_reference(run, a, b, h0)
    if path == "native":
        run = run.on_cpu()
    if torch.is_grad_enabled() and any_requires_grad((a, b, h0)):
        lengths, starts = own_copies(run.lengths, run.starts)
        return _Scan.apply(run._replace(lengths=lengths, starts=starts), a, b, h0)
    return _forward(run, a, b, h0)


def _choose_path(b: Tensor) -> str:
    """ "native", "loop" (no graph of the steps) or "reference"."""
    asked, obstacle = asked_path(), _why_not_native(b)
    if asked == "aten":
        obstacle = "PyTorch has no scan of its own"
    if asked in ("native", "aten") and obstacle is not None:
        raise ConfigError(
            f"path {asked!r} was asked for and can't run this call: {obstacle}; "
            f"ask for another with use_path, such as 'auto'"
        )
    if asked == "reference" or torch.compiler.is_compiling() or transformed(b):
        return "reference"
    return "native" if obstacle is None else "loop"


def _why_not_native(b: Tensor) -> str | None:
    """Why the kernels can't run this scan, as part of a sentence; None where they can."""
    if b.device.type != "cpu":
        return f"native runs on a CPU, and b is on {b.device.type!r}"
    if b.numel() == 0:
        return "b has no rows or no units"
    if torch.compiler.is_compiling():
        return "a native scan can't be traced by torch.compile or torch.export"
    if transformed(b):
        return "torch.func, forward mode and tensor subclasses need PyTorch operations"
    missing = kernels.why_not()
    return None if missing is None else f"the kernels are not there: {missing}"


class _Run(NamedTuple):
    """What a scan is run with, but for its tensors that may have gradients."""

    native: bool
    lengths: Tensor | None
    starts: Tensor | None
    reverse: bool

    def on_cpu(self) -> _Run:
        """As the kernels read it."""
        lengths = None if self.lengths is None else self.lengths.cpu().contiguous()
        return self._replace(
            lengths=lengths, starts=None if self.starts is None else self.starts.cpu()
        )

    def rows(self, b: Tensor) -> scan_loops.Rows:
        return scan_loops.rows_of(b, self.lengths, self.starts, self.reverse)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, run: _Run, a: Tensor, b: Tensor, h0: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        h, last = _forward(run, a, b, h0)
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
            by_reference = partial(_by_reference, ctx.run)
            return None, *gradients_in_operations(by_reference, (a, b, h0), grads, wanted)
        dh, d_last = grads
        if ctx.run.native:
            _, lengths, starts, reverse = ctx.run
            found = scan_native.backward(
                a, h0, h, dh, d_last, lengths, starts, reverse, wanted=wanted
            )
            return None, *found
        rows = ctx.run.rows(b)
        da, db, dh0 = scan_loops.backward(a, h0, h, dh, d_last, rows, want_a=wanted[0])
        return None, da, db if wanted[1] else None, dh0 if wanted[2] else None


def _forward(run: _Run, a: Tensor, b: Tensor, h0: Tensor | None) -> tuple[Tensor, Tensor]:
    if run.native:
        return scan_native.forward(a, b, h0, *run[1:])
    with torch.no_grad():
        return scan_loops.forward(a, b, h0, run.rows(b), graph=False)


def _by_reference(
    run: _Run, a: Tensor | None, b: Tensor | None, h0: Tensor | None
) -> tuple[Tensor, Tensor]:
    assert a is not None
    assert b is not None
    rows = run.rows(b)
    if rows.real is not None:
        # Zero, not skip: NaN in the padding would reach a gradient as NaN * 0.
        beyond = ~rows.real.unsqueeze(-1)
        b = b.masked_fill(beyond, 0)
        a = a.masked_fill(beyond, 0) if a.dim() == 3 else a
    return scan_loops.forward(a, b, h0, rows, graph=True)


def _fitted(a: Tensor, b: Tensor, h0: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The three in one dtype, a as `(H,)`, `(B, H)` or `(T, B, H)`; an error where they don't fit.

    What is done here is differentiable.
    """
    if b.dim() != 3:
        raise ShapeError(f"b: got shape {tuple(b.shape)}, expected (T, B, H)")
    steps, batch, hidden = b.shape
    if steps == 0:
        raise ShapeError("b: got no time steps, expected at least one in (T, B, H)")
    if h0 is not None and h0.shape != (batch, hidden):
        raise ShapeError(f"h0: got shape {tuple(h0.shape)}, expected (B, H) = {(batch, hidden)}")
    sizes = a.shape[-3:]
    for got, expected in zip(reversed(sizes), (hidden, batch, steps), strict=False):
        if a.dim() > 3 or got not in (1, expected):
            raise ShapeError(
                f"a: got shape {tuple(a.shape)}, expected what broadcasts to (T, B, H) = "
                f"{(steps, batch, hidden)}"
            )
    dtype = torch.promote_types(a.dtype, b.dtype)
    dtype = dtype if h0 is None else torch.promote_types(dtype, h0.dtype)
    for name, tensor in (("a", a), ("b", b), ("h0", h0)):
        if tensor is not None and tensor.dtype not in DTYPES:
            raise DTypeError(
                f"{name}: got {tensor.dtype}, expected float32, float64, complex64 or complex128"
            )
        if tensor is not None and tensor.device != b.device:
            raise DTypeError(f"{name}: got a tensor on {tensor.device}, expected b's {b.device}")
    if a.dim() == 3 and len(a) == 1 and steps > 1:
        a = a.squeeze(0)
    if a.dim() == 3:
        a = a.expand(steps, batch, hidden)
    elif a.dim() == 2 and len(a) > 1:
        a = a.expand(batch, hidden)
    else:
        a = a.reshape(-1).expand(hidden)
    # A negation or conjugation that torch has only noted down would not be seen in the memory.
    given = (tensor.to(dtype).resolve_conj().resolve_neg() for tensor in (a, b))
    a, b = given
    return a, b, None if h0 is None else h0.to(dtype).resolve_conj().resolve_neg()
