"""One minGRU or minLSTM layer over time, in all its directions: by the kernels, and in PyTorch
operations.

What the kernels compute stands in `kernels/include/unrolled/minimal.h`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled import kernels
from unrolled.layers.handover import (
    address,
    any_requires_grad,
    batched,
    check_part,
    dense_rows,
    gradients_in_operations,
    like_input,
    own_copies,
    point,
    point_extent,
    time_major,
)
from unrolled.layers.minimal import MinGRUStep, MinLSTMStep
from unrolled.layers.recurrent import unroll

GATES = {"MIN_GRU": 2, "MIN_LSTM": 3}
"""How many parts of `H` rows the weight of each mode has."""

_CELLS = {"MIN_GRU": 2, "MIN_LSTM": 3}  # the kernels' numbers: GRU stands for minGRU


class MinimalRun(NamedTuple):
    """What a layer is run with, but for its tensors that may have gradients.

    Attributes:
        mode: "MIN_GRU" or "MIN_LSTM".
        batch_first: whether the output lies in memory as `(B, T, ...)`; its shape is `(T, B, ...)`.
        lengths: `(B,)` int64, or None.
        starts: `(T, B)` bool, or None.
        batch_sizes: `(T,)` int64 on the CPU where the input is packed, `(N, I)`, or None.
    """

    mode: str
    batch_first: bool = False
    lengths: Tensor | None = None
    starts: Tensor | None = None
    batch_sizes: Tensor | None = None


def run_native(
    run: MinimalRun, x: Tensor, h0: Tensor | None, parts: Sequence[Tensor | None]
) -> tuple[Tensor, Tensor]:
    """One layer in `D` directions, the second one reversed, by the kernels.

    Shapes: `x (T, B, I)`, or `(N, I)` packed; `h0 (D, B, H)`, or None for zeros; `parts` a weight
    `(G*H, I)` and a bias `(G*H,)`, or None, for each direction; `run.lengths` and `run.starts` are
    on the CPU, lengths dense. Returns `y (T, B, D * H)`, or `(N, D * H)`, and the final state.

    While `torch.compile` or `torch.export` traces, it is one operator (`minimal_operator.py`).

    Raises:
        ShapeError, DTypeError: a weight or bias that is not what the kernels will read.
    """
    if torch.compiler.is_compiling():
        from unrolled.layers.minimal_operator import run_traced

        return run_traced(run, x, h0, parts)
    check_parts(run, x, h0, parts)
    if torch.is_grad_enabled() and any_requires_grad((x, h0, *parts)):
        lengths, starts, batch_sizes = own_copies(run.lengths, run.starts, run.batch_sizes)
        run = run._replace(lengths=lengths, starts=starts, batch_sizes=batch_sizes)
        y, hn = _Minimal.apply(run, x, h0, *parts)
    else:
        y, hn, _ = forward(run, x, h0, parts, keep=False)
    return time_major(y, run.batch_first), hn


def run_reference(
    run: MinimalRun, x: Tensor, h0: Tensor | None, parts: Sequence[Tensor | None]
) -> tuple[Tensor, Tensor]:
    """As `run_native`, in PyTorch operations; lengths and starts may be anywhere."""
    y, hn = _by_reference(run, x, h0, *parts)
    return time_major(y, run.batch_first), hn


class _Minimal(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, run: MinimalRun, x: Tensor, h0: Tensor | None, *parts: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        y, hn, kept = forward(run, x, h0, parts, keep=True)
        ctx.set_materialize_grads(False)
        ctx.run = run
        ctx.spent = False
        ctx.save_for_backward(x, h0, y, *parts, *kept)
        return y, hn

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        x, h0, y, *rest = ctx.saved_tensors
        count = len(ctx.needs_input_grad) - 3
        parts, kept = rest[:count], rest[count:]
        wanted = ctx.needs_input_grad[1:]
        # A second derivative, or gradients of many vectors at once (vmap), need PyTorch operations.
        if torch.is_grad_enabled() or batched(grads):
            by_reference = partial(_by_reference, ctx.run)
            return None, *gradients_in_operations(by_reference, (x, h0, *parts), grads, wanted)
        if ctx.spent:
            # The first backward wrote the slopes over what was kept.
            y, _, kept = forward(ctx.run, x, h0, parts, keep=True)
        ctx.spent = True
        return None, *backward(ctx.run, x, h0, y, parts, kept, grads, wanted)


def check_parts(
    run: MinimalRun, x: Tensor, h0: Tensor | None, parts: Sequence[Tensor | None]
) -> None:
    """Raise where a state, weight or bias is not what the kernels will read."""
    _, batch, hidden = sizes(run, x, parts)
    rows = GATES[run.mode] * hidden
    shapes = (("weight", (rows, x.shape[-1])), ("bias", (rows,))) * (len(parts) // 2)
    state = ("h", (len(parts) // 2, batch, hidden))
    for part, (name, shape) in zip((h0, *parts), (state, *shapes), strict=True):
        if part is not None:
            check_part(name, part, shape, x.dtype, x)


def sizes(run: MinimalRun, x: Tensor, parts: Sequence[Tensor | None]) -> tuple[int, int, int]:
    """Places (N), batch and hidden size."""
    weight = parts[0]
    assert weight is not None
    hidden = max(1, weight.shape[0] // GATES[run.mode])
    if run.batch_sizes is None:
        return x.shape[0] * x.shape[1], x.shape[1], hidden
    return x.shape[0], int(run.batch_sizes[0]), hidden


def _struct(
    run: MinimalRun, x: Tensor, parts: Sequence[Tensor | None], direction: int
) -> tuple[Any, list[Tensor | None]]:
    """The arguments of a forward call, without states and outputs, and what they point to."""
    _, batch, hidden = sizes(run, x, parts)
    struct = kernels.minimal_forward_call(x.dtype)
    alive = [
        None if part is None else part.contiguous()
        for part in parts[2 * direction : 2 * direction + 2]
    ]
    for name, part in zip(("weight", "bias"), alive, strict=True):
        if part is not None:
            setattr(struct, name, part.data_ptr())
    struct.cell = _CELLS[run.mode]
    struct.hidden = struct.output = hidden
    reverse = direction == 1
    point_extent(struct, x, batch, reverse, run.lengths, run.starts, run.batch_sizes)
    return struct, alive


def forward(
    run: MinimalRun,
    x: Tensor,
    h0: Tensor | None,
    parts: Sequence[Tensor | None],
    *,
    keep: bool,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """y, laid out as `batch_first` says (else it would be a view, which no one could change in
    place), hn, and what the backward pass needs of each direction."""
    x = dense_rows(x)
    h0 = None if h0 is None else h0.contiguous()
    places, batch, hidden = sizes(run, x, parts)
    directions = len(parts) // 2
    laid_out = like_input(x, directions * hidden, run.batch_first)
    y = time_major(laid_out, run.batch_first)
    hn = x.new_empty(directions, batch, hidden)
    kept: list[Tensor] = []
    for direction in range(directions):
        struct, alive = _struct(run, x, parts, direction)
        point(struct, "y", y, direction * hidden)
        struct.hn = address(hn, direction)
        if h0 is not None:
            struct.h0 = address(h0, direction)
        if keep:
            kept.append(x.new_empty(places, GATES[run.mode] * hidden))
            struct.kept = kept[-1].data_ptr()
        kernels.minimal_forward(struct)
        del alive
    return laid_out, hn, kept


def backward(
    run: MinimalRun,
    x: Tensor,
    h0: Tensor | None,
    y: Tensor,
    parts: Sequence[Tensor | None],
    kept: Sequence[Tensor],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Gradients for x, h0 and the parts, None where not wanted."""
    x = dense_rows(x)
    h0 = None if h0 is None else h0.contiguous()
    y = time_major(y, run.batch_first)
    dy = None if grads[0] is None else dense_rows(time_major(grads[0], run.batch_first))
    dhn = None if grads[1] is None else grads[1].contiguous()
    _, _, hidden = sizes(run, x, parts)
    dh0 = None if h0 is None or not wanted[1] else torch.empty_like(h0)
    dx: Tensor | None = None
    results: list[Tensor | None] = []
    for direction in range(len(parts) // 2):
        struct, alive = _struct(run, x, parts, direction)
        point(struct, "y", y, direction * hidden)
        struct.kept = kept[direction].data_ptr()
        if h0 is not None:
            struct.h0 = address(h0, direction)
        back = kernels.minimal_backward_call(x.dtype)
        back.forward = struct
        back.dsums = struct.kept
        if dy is not None:
            point(back, "dy", dy, direction * hidden)
        if dhn is not None:
            back.dhn = address(dhn, direction)
        own_dx = None
        if wanted[0]:
            own_dx = time_major(like_input(x, x.shape[-1], run.batch_first), run.batch_first)
            point(back, "dx", own_dx)
        if dh0 is not None:
            back.dh0 = address(dh0, direction)
        for name, at in (("d_weight", 2 * direction), ("d_bias", 2 * direction + 1)):
            part, gradient = parts[at], None
            if part is not None and wanted[2 + at]:
                gradient = torch.empty_like(part, memory_format=torch.contiguous_format)
                setattr(back, name, gradient.data_ptr())
            results.append(gradient)
        kernels.minimal_backward(back)
        del alive
        dx = own_dx if dx is None or own_dx is None else dx.add_(own_dx)
    return [dx, dh0, *results]


def _by_reference(
    run: MinimalRun, x: Tensor | None, h0: Tensor | None, *parts: Tensor | None
) -> tuple[Tensor, Tensor]:
    """y, laid out as `batch_first` says, and hn, in PyTorch operations."""
    assert x is not None
    lengths = run.lengths
    if run.batch_sizes is not None:
        x, lengths = pad_packed_sequence(PackedSequence(x, run.batch_sizes))
    outputs, finals = [], []
    for direction in range(len(parts) // 2):
        weight, bias = parts[2 * direction : 2 * direction + 2]
        assert weight is not None
        cell = MinGRUStep(weight, bias) if run.mode == "MIN_GRU" else MinLSTMStep(weight, bias)
        state = None if h0 is None else h0[direction]
        reverse = direction == 1
        y, final = unroll(cell, x, state, lengths=lengths, starts=run.starts, reverse=reverse)
        outputs.append(y)
        finals.append(final)
    y = torch.cat(outputs, -1)
    if run.batch_sizes is not None:
        assert lengths is not None
        y = pack_padded_sequence(y, lengths).data
    return time_major(y, run.batch_first), torch.stack(finals)
