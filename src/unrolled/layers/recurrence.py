"""One layer over time on the native kernels, in all its directions.

    forward     one call of the kernels for each direction; without gradients nothing is kept
    backward    one call for each direction; under `create_graph` the layer is run again on the
                reference path, whose operations can be differentiated again

What the kernels compute stands in `kernels/include/unrolled/sequence.h`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import reference
from unrolled.layers.call import EPSILON, LayerCall, Masks, Weights
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
from unrolled.layers.prototypes import CELLS as CELLS
from unrolled.layers.prototypes import WEIGHTS as _WEIGHTS
from unrolled.layers.prototypes import Prototype, addresses_of, filled
from unrolled.layers.records import LayerRecord
from unrolled.layers.states import State

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
"""How many gates the weights hold."""

_MASKS = ("zoneout_h", "zoneout_c", "recurrent_mask")
_KEPT = ("gates", "cells", "normed_ih", "normed_hh", "scale_ih", "scale_hh", "stats_c")
_PARTS = len(_WEIGHTS) + len(_MASKS)


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


def run_layer(
    run: Run,
    x: Tensor,
    state: State,
    weights: Sequence[Weights],
    masks: Sequence[Masks] | None = None,
) -> tuple[Tensor, State]:
    """One layer in `D` directions: `len(weights)`, the second one reversed.

    Shapes: `x (T, B, I)`, or `(N, I)` packed; `state` `h (D, B, P)`, or `(h, c (D, B, H))` for an
    LSTM, or None for zeros. Returns `y (T, B, D * P)`, or `(N, D * P)`, and the final state.

    Masks are `(T, B, ...)`, or `(N, ...)` packed, with the rows in the order of the input.
    """
    h0, c0 = state if isinstance(state, tuple) else (state, None)
    parts: list[Tensor | None] = []
    for direction, of_direction in enumerate(weights):
        parts += of_direction
        if masks is None:
            parts += [None, None, None]
        else:
            own = masks[direction]
            if own.recurrent is not None and own.recurrent.requires_grad:
                raise ConfigError(
                    "masks.recurrent: got a mask that requires grad, which it can't have"
                )
            parts += [_bytes(own.zoneout_h), _bytes(own.zoneout_c), own.recurrent]
    if torch.compiler.is_compiling():
        if run.record is not None:
            # Without fullgraph=True the tracer leaves this to Python, which then does leave one.
            raise ConfigError("record: got a call that is traced, and only an eager one leaves any")
        from unrolled.layers.operator import run_traced

        return run_traced(run, x, h0, c0, parts)
    if run.prototypes is None or h0 is not None or masks is not None:
        check_parts(run, x, h0, c0, parts)
    if torch.is_grad_enabled() and any_requires_grad((x, h0, c0, *parts)):
        lengths, starts, batch_sizes = own_copies(run.lengths, run.starts, run.batch_sizes)
        run = run._replace(lengths=lengths, starts=starts, batch_sizes=batch_sizes)
        y, hn, *cn = _Recurrence.apply(run, x, h0, c0, *parts)
    else:
        y, hn, *cn = forward(run, x, h0, c0, parts, keep=run.record is not None)[0]
    return time_major(y, run.batch_first), (hn, cn[0]) if cn else hn


def check_parts(
    run: Run,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor | None],
) -> None:
    """Raise where a state, weight or mask is not what the kernels will read.

    Raises:
        ShapeError, DTypeError: naming it, what it is and what it has to be; also RuntimeError, as
            torch's.
    """
    directions, _, batch, output, hidden = sizes(x, parts, run.batch_sizes)
    if h0 is not None:
        check_part("h", h0, (directions, batch, output), x.dtype, x)
    if c0 is not None:
        check_part("c", c0, (directions, batch, hidden), x.dtype, x)
    for first in range(0, len(parts), _PARTS):
        gains = [part is not None for part in parts[first + 6 : first + 8]]
        if run.mode == "LSTM":
            gains.append(parts[first + 8] is not None)
        if any(gains) != all(gains):
            raise ConfigError(
                "layer normalisation: got some of gain_ih, gain_hh and, for an LSTM, norm_c, "
                "expected all of them or none"
            )
    shapes = _shapes(run.mode, x.shape[-1], output, hidden)
    given, device = x.dtype, x.device
    for at, part in enumerate(parts):
        if part is None:
            continue
        at %= _PARTS
        shape, dtype = shapes[at], given
        if at >= len(_WEIGHTS):
            shape = (batch, output) if at == 11 else (*x.shape[:-1], shape[0])
            dtype = given if at == 11 else torch.uint8
        if part.shape != shape or part.dtype != dtype or part.device != device:
            check_part((*_WEIGHTS, *_MASKS)[at], part, shape, dtype, x)


@cache
def _shapes(mode: str, size: int, output: int, hidden: int) -> tuple[tuple[int, ...], ...]:
    """Shapes of `_WEIGHTS`, and the widths of zoneout's masks."""
    rows = hidden * GATES[mode]
    return (
        *((rows, size), (rows, output), (rows,), (rows,)),
        *((output, hidden), (3, hidden), (rows,), (rows,), (2, hidden)),
        *((output,), (hidden,), (output,)),
    )


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, run: Run, x: Tensor, h0: Tensor | None, c0: Tensor | None, *parts: Tensor | None
    ) -> tuple[Tensor, ...]:
        outputs, kept = forward(run, x, h0, c0, parts, keep=True)
        ctx.set_materialize_grads(False)
        ctx.run = run
        ctx.spent = False
        ctx.save_for_backward(x, h0, c0, outputs[0], *parts, *kept)
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        x, h0, c0, y, *rest = ctx.saved_tensors
        count = len(ctx.needs_input_grad) - 4
        parts, kept = rest[:count], rest[count:]
        wanted = ctx.needs_input_grad[1:]
        # A second derivative, or gradients of many vectors at once (vmap), need PyTorch operations.
        if torch.is_grad_enabled() or batched(grads):
            by_reference = partial(_by_reference, ctx.run)
            return None, *gradients_in_operations(by_reference, (x, h0, c0, *parts), grads, wanted)
        run = ctx.run
        if ctx.spent:
            # The first backward wrote the slopes over what was kept.
            run = run._replace(record=None)
            (y, *_), kept = forward(run, x, h0, c0, parts, keep=True)
        ctx.spent = True
        return None, *backward(run, x, h0, c0, y, parts, kept, grads, wanted)


def _zoneout(struct: Any, run: Run) -> bool:
    return bool(struct.zoneout_h) or run.rates[0] != 0


def _bytes(mask: Tensor | None) -> Tensor | None:
    return mask.view(torch.uint8) if mask is not None and mask.dtype == torch.bool else mask


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
    return len(parts) // _PARTS, places, batch, output, output if hr is None else hr.shape[1]


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
    first = direction * _PARTS
    weights = parts[first : first + len(_WEIGHTS)]
    alive: list[Tensor | None] = []
    if run.prototypes is not None:
        struct = run.prototypes[direction].copy()
    else:
        alive = [None if part is None else part.contiguous() for part in weights]
        struct = filled(run.mode, alive, x.dtype)
    masks = parts[first + len(_WEIGHTS) : first + _PARTS]
    if masks[0] is not None or masks[1] is not None or masks[2] is not None:
        for name, part in zip(_MASKS, masks, strict=True):
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
            own = parts[at * _PARTS : at * _PARTS + len(_WEIGHTS)]
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
        for at, name in enumerate(_WEIGHTS, direction * _PARTS):
            part = parts[at]
            gradient = None
            if part is not None and wanted[3 + at]:
                gradient = torch.empty_like(part, memory_format=torch.contiguous_format)
                setattr(back, "d_" + name, gradient.data_ptr())
            results.append(gradient)
        results += [None] * len(_MASKS)
        if run.record is not None:
            lstm = run.mode == "LSTM"
            run.record.before_backward(back, x, output, hidden, lstm)
        kernels.backward(back)
        del alive
        dx = own_dx if dx is None or own_dx is None else dx.add_(own_dx)
    return [dx, dh0, dc0, *results]


def _by_reference(
    run: Run, x: Tensor | None, h0: Tensor | None, c0: Tensor | None, *parts: Tensor | None
) -> tuple[Tensor, ...]:
    """The outputs of `forward` in PyTorch operations."""
    assert x is not None
    lengths = run.lengths
    if run.batch_sizes is not None:
        x, lengths = pad_packed_sequence(PackedSequence(x, run.batch_sizes))
    outputs, finals = [], []
    for direction in range(len(parts) // _PARTS):
        own = parts[direction * _PARTS : (direction + 1) * _PARTS]
        masks = Masks(own[-3], own[-2], *run.rates, own[-1])
        if run.batch_sizes is not None:
            masks = reference.padded_masks(masks, run.batch_sizes)
        weights = Weights(*own[: len(_WEIGHTS)])  # type: ignore[arg-type]
        call = LayerCall(run.mode, weights, masks, run.reverse or direction == 1, run.epsilon)
        state: State = None if h0 is None else h0[direction]
        if run.mode == "LSTM" and h0 is not None:
            assert c0 is not None
            state = (h0[direction], c0[direction])
        y, final, *_ = reference.run_layer(call, x, state, lengths, run.starts)
        outputs.append(y)
        finals.append(final if isinstance(final, tuple) else (final,))
    y = torch.cat(outputs, -1)
    if run.batch_sizes is not None:
        assert lengths is not None
        y = pack_padded_sequence(y, lengths).data
    return time_major(y, run.batch_first), *(
        torch.stack(parts) for parts in zip(*finals, strict=True)
    )
