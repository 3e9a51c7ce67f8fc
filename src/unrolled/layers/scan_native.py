"""The linear recurrence by the kernels; the contract stands in `kernels/include/unrolled/scan.h`.

Shapes as in `scan_loops`. Lengths and starts are on the CPU, lengths dense int64.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled import kernels
from unrolled.layers.handover import dense_rows

_FACTORS = {1: 0, 2: 1, 3: 2}  # the kernels' numbers: units, rows, places, by the axes of a


def forward(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
) -> tuple[Tensor, Tensor]:
    """h `(T, B, H)`, zero beyond a row's length, and the last state."""
    a, b, h0 = dense_rows(a), dense_rows(b), _dense(h0)
    struct = _struct(a, b, h0, lengths, starts, reverse)
    _point(struct, "b", b)
    h = torch.empty_like(b, memory_format=torch.contiguous_format)
    last = b.new_empty(b.shape[1:])
    _point(struct, "y", h)
    struct.hn = last.data_ptr()
    kernels.scan_forward(struct)
    return h, last


def backward(
    a: Tensor,
    h0: Tensor | None,
    h: Tensor,
    dh: Tensor | None,
    d_last: Tensor | None,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
    *,
    wanted: tuple[bool, ...],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The gradients for a, b and h0, None where not wanted."""
    a, h, h0 = dense_rows(a), dense_rows(h), _dense(h0)
    dh = None if dh is None else dense_rows(_plain(dh))
    d_last = None if d_last is None else _plain(d_last).contiguous()
    inner = _struct(a, h, h0, lengths, starts, reverse)
    _point(inner, "y", h)
    struct = kernels.scan_backward_call(h.dtype)
    struct.forward = inner
    if dh is not None:
        _point(struct, "dy", dh)
    if d_last is not None:
        struct.dhn = d_last.data_ptr()
    da = db = dh0 = None
    if wanted[0]:
        da = torch.empty_like(a, memory_format=torch.contiguous_format)
        _point(struct, "da", da)
    if wanted[1]:
        db = torch.empty_like(h, memory_format=torch.contiguous_format)
        _point(struct, "db", db)
    if wanted[2] and h0 is not None:
        dh0 = torch.empty_like(h0)
        struct.dh0 = dh0.data_ptr()
    kernels.scan_backward(struct)
    return da, db, dh0


def _struct(
    a: Tensor,
    b: Tensor,
    h0: Tensor | None,
    lengths: Tensor | None,
    starts: Tensor | None,
    reverse: bool,
) -> Any:
    """A forward call without b and outputs. Whoever calls keeps the tensors until it returns."""
    struct = kernels.scan_forward_call(b.dtype)
    struct.steps, struct.batch, struct.hidden = b.shape
    struct.reverse = reverse
    struct.threads = torch.get_num_threads()
    struct.factors = _FACTORS[a.dim()]
    _point(struct, "a", a)
    if h0 is not None:
        struct.h0 = h0.data_ptr()
    if lengths is not None:
        struct.lengths = lengths.data_ptr()
    if starts is not None:
        struct.starts = starts.data_ptr()
        struct.starts_time, struct.starts_row = starts.stride()
    return struct


def _point(struct: Any, name: str, tensor: Tensor) -> None:
    """Hand over a tensor `(H,)`, `(B, H)` or `(T, B, H)`, its strides in single numbers."""
    parts = 2 if tensor.is_complex() else 1
    setattr(struct, name, tensor.data_ptr())
    if tensor.dim() > 1:
        setattr(struct, name + "_row", parts * tensor.stride(-2))
    if tensor.dim() > 2:
        setattr(struct, name + "_time", parts * tensor.stride(0))


def _plain(tensor: Tensor) -> Tensor:
    """Without a negation or conjugation that torch has only noted down: not seen in the memory."""
    return tensor.resolve_conj().resolve_neg()


def _dense(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous()
