"""The kernels' calls for one layer in all its directions: arguments, outputs, what is kept between
forward and backward.

What the kernels compute stands in `kernels/include/unrolled/sequence.h`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled import kernels
from unrolled.layers.call import EPSILON
from unrolled.layers.handover import (
    address,
    dense_rows,
    like_input,
    point,
    point_extent,
    time_major,
)
from unrolled.layers.prototypes import WEIGHTS, Prototype, addresses_of, filled
from unrolled.layers.records import LayerRecord

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
"""How many gates the weights hold."""

MASKS = ("zoneout_h", "zoneout_c", "recurrent_mask")
_KEPT = ("gates", "cells", "normed_ih", "normed_hh", "scale_ih", "scale_hh", "stats_c")
PARTS = len(WEIGHTS) + len(MASKS)


class Run(NamedTuple):
    """What a layer is run with, but for its tensors that may have gradients.

    Attributes:
        mode: as torch names it.
        batch_first: whether the output lies in memory as `(B, T, ...)`; its shape is `(T, B, ...)`.
        lengths: `(B,)` int64 on the CPU, or None.
        starts: `(T, B)` bool on the CPU, or None.
        batch_sizes: `(T,)` int64 on the CPU where the input is packed, `(N, I)`, or None.
        rates: zoneout's rates for h and c, used where there are no masks.
        epsilon: of layer normalisation.
        reverse: run the only direction that there is from the end.
        record: where the states, gates and gradients of every step are left, or None.
        prototypes: of each direction, where the weights have been checked before; or None.
    """

    mode: str
    batch_first: bool = False
    lengths: Tensor | None = None
    starts: Tensor | None = None
    batch_sizes: Tensor | None = None
    rates: tuple[float, float] = (0.0, 0.0)
    epsilon: float = EPSILON
    reverse: bool = False
    record: LayerRecord | None = None
    prototypes: tuple[Prototype, ...] | None = None


def _zoneout(struct: Any, run: Run) -> bool:
    return bool(struct.zoneout_h) or run.rates[0] != 0


def sizes(
    x: Tensor, parts: Sequence[Tensor | None], batch_sizes: Tensor | None
) -> tuple[int, int, int, int, int]:
    """Directions, places (N), batch, output and hidden size of a call."""
    hh, hr = parts[1], parts[4]
    assert hh is not None
    output = hh.shape[1]
    if batch_sizes is None:
        steps, batch, _ = x.shape
        places = steps * batch
    else:
        places, batch = x.shape[0], int(batch_sizes[0])
    return len(parts) // PARTS, places, batch, output, output if hr is None else hr.shape[1]


def kept_widths(mode: str, hidden: int, normed: bool, zoneout: bool) -> list[int]:
    """How wide each of `_KEPT` is, 0 where it is not needed."""
    lstm, rnn = mode == "LSTM", GATES[mode] == 1
    rows = hidden * GATES[mode] if normed else 0
    two = 2 if normed else 0
    gates = (hidden if zoneout else 0) if rnn else 4 * hidden
    return [gates, hidden if lstm else 0, rows, rows, two, two, two if lstm else 0]


_IN_ONE_PIECE = range(1 << 22, 1 << 25)  # bytes


def _kept_arrays(x: Tensor, places: int, widths: Sequence[int]) -> list[Tensor | None]:
    """`(places, width)` for each width but 0.

    Fresh memory is dear: the system fills each page with zeros when it is first touched. Large
    pages make that cheap, and one piece has more of them than many. But above 32 MB the C library
    gives memory back at once instead of keeping it for the next call.
    """
    total = places * sum(widths)
    if total * x.element_size() not in _IN_ONE_PIECE:
        arrays = [x.new_empty(places, width) if width else None for width in widths]
        for array in arrays:
            if array is not None and array.nbytes >= _IN_ONE_PIECE.stop:
                kernels.prefer_large_pages(array)
        return arrays
    whole = x.new_empty(total)
    kernels.prefer_large_pages(whole)
    parts = whole.split([places * width for width in widths])
    return [
        part.view(places, width) if width else None
        for part, width in zip(parts, widths, strict=True)
    ]


def _struct(
    run: Run, direction: int, x: Tensor, parts: Sequence[Tensor | None], batch: int
) -> tuple[Any, list[Tensor | None]]:
    """The arguments of a forward call, without states and outputs, and what they point to."""
    first = direction * PARTS
    weights = parts[first : first + len(WEIGHTS)]
    alive: list[Tensor | None] = []
    if run.prototypes is not None:
        struct = run.prototypes[direction].copy()
    else:
        alive = [None if part is None else part.contiguous() for part in weights]
        struct = filled(run.mode, alive, x.dtype)
    masks = parts[first + len(WEIGHTS) : first + PARTS]
    if masks[0] is not None or masks[1] is not None or masks[2] is not None:
        for name, part in zip(MASKS, masks, strict=True):
            if part is not None:
                part = part.contiguous()
                alive.append(part)
                setattr(struct, name, part.data_ptr())
    if run.rates != (0.0, 0.0):
        struct.rate_h, struct.rate_c = run.rates
    if run.epsilon != EPSILON:
        struct.epsilon = run.epsilon
    reverse = run.reverse or direction == 1
    point_extent(struct, x, batch, reverse, run.lengths, run.starts, run.batch_sizes)
    return struct, alive


def forward(
    run: Run,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor | None],
    *,
    keep: bool,
) -> tuple[tuple[Tensor, ...], list[Tensor | None]]:
    """`(y, hn)` or `(y, hn, cn)`, with y laid out as `batch_first` says (else it would be a view,
    which no one could change in place), and what the backward pass needs: `_KEPT` of each
    direction."""
    x = dense_rows(x)
    h0 = None if h0 is None else h0.contiguous()
    c0 = None if c0 is None else c0.contiguous()
    directions, places, batch, output, hidden = sizes(x, parts, run.batch_sizes)
    laid_out = y = like_input(x, directions * output, run.batch_first)
    if run.batch_first:
        y = time_major(laid_out, True)
    hn = x.new_empty(directions, batch, output)
    cn: Tensor | None = None
    kept: list[Tensor | None] = []
    if run.record is not None:
        run.record.clear()
    for direction in range(directions):
        struct, alive = _struct(run, direction, x, parts, batch)
        point(struct, "y", y, direction * output)
        struct.hn = address(hn, direction)
        if h0 is not None:
            struct.h0 = address(h0, direction)
        if run.mode == "LSTM":
            if cn is None:
                alike = hidden == output
                cn = torch.empty_like(hn) if alike else x.new_empty(directions, batch, hidden)
            struct.cn = address(cn, direction)
            if c0 is not None:
                struct.c0 = address(c0, direction)
        if keep:
            widths = kept_widths(run.mode, hidden, bool(struct.gain_ih), _zoneout(struct, run))
            own = _kept_arrays(x, places, widths)
            for name, part in zip(_KEPT, own, strict=True):
                if part is not None:
                    setattr(struct, name, part.data_ptr())
            kept += own
        kernels.forward(struct)
        del alive
        if run.record is not None:
            run.record.after_forward(
                run.mode, kept[-len(_KEPT)], kept[1 - len(_KEPT)], run.lengths, x
            )
    return (laid_out, hn) if cn is None else (laid_out, hn, cn), kept


def backward(
    run: Run,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    y: Tensor,
    parts: Sequence[Tensor | None],
    kept: Sequence[Tensor | None],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Gradients for x, h0, c0 and the parts, None where not wanted."""
    if run.prototypes is not None:
        # Hooks of saved tensors may have brought them back in other places.
        for at, prototype in enumerate(run.prototypes):
            own = parts[at * PARTS : at * PARTS + len(WEIGHTS)]
            if addresses_of(own) != prototype.addresses:
                run = run._replace(prototypes=None)
                break
    x = dense_rows(x)
    h0 = None if h0 is None else h0.contiguous()
    c0 = None if c0 is None else c0.contiguous()
    y = time_major(y, run.batch_first)
    dy = None if grads[0] is None else dense_rows(time_major(grads[0], run.batch_first))
    dhn, dcn = (
        None if grad is None else grad.contiguous() for grad in (*grads[1:], None, None)[:2]
    )
    directions, places, batch, output, hidden = sizes(x, parts, run.batch_sizes)
    dh0 = None if h0 is None or not wanted[1] else torch.empty_like(h0)
    dc0 = None if c0 is None or not wanted[2] else torch.empty_like(c0)
    dx: Tensor | None = None
    results: list[Tensor | None] = []
    for direction in range(directions):
        struct, alive = _struct(run, direction, x, parts, batch)
        point(struct, "y", y, direction * output)
        if h0 is not None:
            struct.h0 = address(h0, direction)
        if c0 is not None:
            struct.c0 = address(c0, direction)
        own = kept[direction * len(_KEPT) : (direction + 1) * len(_KEPT)]
        for name, part in zip(_KEPT, own, strict=True):
            if part is not None:
                setattr(struct, name, part.data_ptr())
        back = kernels.backward_call(x.dtype)
        back.forward = struct
        if dy is not None:
            point(back, "dy", dy, direction * output)
        if dhn is not None:
            back.dhn = address(dhn, direction)
        if dcn is not None:
            back.dcn = address(dcn, direction)
        slopes = own[0]
        if slopes is None or run.record is not None:
            slopes = x.new_empty(places, hidden * (1 if GATES[run.mode] == 1 else 4))
        back.dgates = slopes.data_ptr()
        own_dx = (
            time_major(like_input(x, x.shape[-1], run.batch_first), run.batch_first)
            if wanted[0]
            else None
        )
        if own_dx is not None:
            point(back, "dx", own_dx)
        if dh0 is not None:
            back.dh0 = address(dh0, direction)
        if dc0 is not None:
            back.dc0 = address(dc0, direction)
        for at, name in enumerate(WEIGHTS, direction * PARTS):
            part = parts[at]
            gradient = None
            if part is not None and wanted[3 + at]:
                gradient = torch.empty_like(part, memory_format=torch.contiguous_format)
                setattr(back, "d_" + name, gradient.data_ptr())
            results.append(gradient)
        results += [None] * len(MASKS)
        if run.record is not None:
            lstm = run.mode == "LSTM"
            run.record.before_backward(back, x, output, hidden, lstm)
        kernels.backward(back)
        del alive
        dx = own_dx if dx is None or own_dx is None else dx.add_(own_dx)
    return [dx, dh0, dc0, *results]
