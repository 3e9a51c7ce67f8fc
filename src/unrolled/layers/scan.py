"""`scan`: a linear recurrence over time, real or complex.

Shapes: `T` time, `B` batch, `H` hidden size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.handover import any_requires_grad
from unrolled.layers.paths import asked_path, transformed
from unrolled.layers.scan_function import ScanRun, by_reference, differentiable, forward

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
    loop of PyTorch operations that keeps no graph of its steps elsewhere. `torch.compile` and
    `torch.export` see one operator, so T may be free.

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
    a, b, h0 = fitted(a, b, h0)
    lengths = check_lengths(lengths, *b.shape[:2])
    starts = check_starts(starts, tuple(b.shape[:2]), "(T, B)")
    path = _choose_path(b)
    run = ScanRun(path == "native", lengths, starts, reverse)
    if path == "operator":
        from unrolled.layers.scan_operator import run_traced

        return run_traced(run, a, b, h0)
    if path == "reference":
        return by_reference(run, a, b, h0)
    if torch.is_grad_enabled() and any_requires_grad((a, b, h0)):
        return differentiable(run, a, b, h0)
    return forward(run, a, b, h0)


def _choose_path(b: Tensor) -> str:
    """One of "native", "loop" (which keeps no graph of its steps), "operator" (either of them, when
    it runs) and "reference"."""
    asked = asked_path()
    if asked in ("native", "aten"):
        obstacle = why_not_native(b) if asked == "native" else "PyTorch has no scan of its own"
        if obstacle is not None:
            raise ConfigError(
                f"path {asked!r} was asked for and can't run this call: {obstacle}; "
                f"ask for another with use_path, such as 'auto'"
            )
    if asked == "reference" or transformed(b):
        return "reference"
    if torch.compiler.is_compiling():
        return "operator"
    return "native" if why_not_native(b) is None else "loop"


def why_not_native(b: Tensor) -> str | None:
    """Why the kernels can't run this scan, as part of a sentence; None where they can."""
    if b.device.type != "cpu":
        return f"native runs on a CPU, and b is on {b.device.type!r}"
    if b.numel() == 0:
        return "b has no rows or no units"
    if transformed(b):
        return "torch.func, forward mode and tensor subclasses need PyTorch operations"
    missing = kernels.why_not()
    return None if missing is None else f"the kernels are not there: {missing}"


def fitted(a: Tensor, b: Tensor, h0: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
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
    if a.dim() == 3 and a.shape[0] == 1 and steps > 1:
        a = a.squeeze(0)
    if a.dim() == 3:
        a = a.expand(steps, batch, hidden)
    elif a.dim() == 2 and a.shape[0] > 1:
        a = a.expand(batch, hidden)
    else:
        a = a.reshape(-1).expand(hidden)
    # A negation or conjugation that torch has only noted down would not be seen in the memory.
    given = (tensor.to(dtype).resolve_conj().resolve_neg() for tensor in (a, b))
    a, b = given
    return a, b, None if h0 is None else h0.to(dtype).resolve_conj().resolve_neg()
