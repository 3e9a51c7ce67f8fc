"""One layer over time on the native kernels, in all its directions.

    forward     one call of the kernels for each direction; without gradients nothing is kept
    backward    one call for each direction; under `create_graph` the layer is run again on the
                reference path, whose operations can be differentiated again

The calls themselves stand in `kernel_calls.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.errors import ConfigError
from unrolled.layers import reference
from unrolled.layers.call import LayerCall, Masks, Weights
from unrolled.layers.handover import (
    any_requires_grad,
    batched,
    check_part,
    gradients_in_operations,
    own_copies,
    time_major,
)
from unrolled.layers.kernel_calls import GATES, MASKS, PARTS, Run, backward, forward, sizes
from unrolled.layers.prototypes import WEIGHTS
from unrolled.layers.states import State


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
        parts.extend(of_direction)  # not +=, which the tracer of torch 2.11 refuses
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
    if run.prototypes is None or masks is not None:
        check_parts(run, x, h0, c0, parts)
    elif h0 is not None:
        _check_states(run, x, h0, c0, parts)
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
    batch, output, hidden = _check_states(run, x, h0, c0, parts)
    for first in range(0, len(parts), PARTS):
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
        at %= PARTS
        shape, dtype = shapes[at], given
        if at >= len(WEIGHTS):
            shape = (batch, output) if at == 11 else (*x.shape[:-1], shape[0])
            dtype = given if at == 11 else torch.uint8
        if part.shape != shape or part.dtype != dtype or part.device != device:
            check_part((*WEIGHTS, *MASKS)[at], part, shape, dtype, x)


def _check_states(
    run: Run, x: Tensor, h0: Tensor | None, c0: Tensor | None, parts: Sequence[Tensor | None]
) -> tuple[int, int, int]:
    """The same for the states alone; gives the batch, output and hidden size."""
    directions, _, batch, output, hidden = sizes(x, parts, run.batch_sizes)
    if h0 is not None:
        check_part("h", h0, (directions, batch, output), x.dtype, x)
    if c0 is not None:
        check_part("c", c0, (directions, batch, hidden), x.dtype, x)
    return batch, output, hidden


@cache
def _shapes(mode: str, size: int, output: int, hidden: int) -> tuple[tuple[int, ...], ...]:
    """Shapes of `WEIGHTS`, and the widths of zoneout's masks."""
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


def _bytes(mask: Tensor | None) -> Tensor | None:
    return mask.view(torch.uint8) if mask is not None and mask.dtype == torch.bool else mask


def _by_reference(
    run: Run, x: Tensor | None, h0: Tensor | None, c0: Tensor | None, *parts: Tensor | None
) -> tuple[Tensor, ...]:
    """The outputs of `forward` in PyTorch operations."""
    assert x is not None
    lengths = run.lengths
    if run.batch_sizes is not None:
        x, lengths = pad_packed_sequence(PackedSequence(x, run.batch_sizes))
    outputs, finals = [], []
    for direction in range(len(parts) // PARTS):
        own = parts[direction * PARTS : (direction + 1) * PARTS]
        masks = Masks(own[-3], own[-2], *run.rates, own[-1])
        if run.batch_sizes is not None:
            masks = reference.padded_masks(masks, run.batch_sizes)
        weights = Weights(*own[: len(WEIGHTS)])  # type: ignore[arg-type]
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
