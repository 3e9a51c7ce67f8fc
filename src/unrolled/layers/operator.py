"""The same call as one operator, `torch.ops.unrolled.recurrence`: what `torch.compile` and
`torch.export` see, with its backward and its shapes. An eager call does not come here: an operator
costs more than twice as much as a Function.

Imported for its effect, by the first traced call; a program that runs an exported graph imports
`unrolled.layers.operator` itself, which brings the operator of minGRU and minLSTM along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.layers import kernel_calls, recurrence
from unrolled.layers.checks import checked_in_graph
from unrolled.layers.handover import own_copies
from unrolled.layers.kernel_calls import Run
from unrolled.layers.minimal_operator import packed_batch
from unrolled.layers.prototypes import CELLS
from unrolled.layers.states import State


def run_traced(
    run: Run, x: Tensor, h0: Tensor | None, c0: Tensor | None, parts: Sequence[Tensor | None]
) -> tuple[Tensor, State]:
    """As `recurrence.run_layer`, by the operator."""
    keep = torch.is_grad_enabled()
    given = [x.new_empty(0) if part is None else part for part in parts]
    outputs = torch.ops.unrolled.recurrence(
        *(x, h0, c0, given, run.lengths, run.starts, run.batch_sizes),
        *(run.mode, *run.rates, run.epsilon, keep),
    )
    return outputs[0], (outputs[1], outputs[2]) if run.mode == "LSTM" else outputs[1]


# Schemas are written out: with `from __future__ import annotations` they can't be inferred. A part
# that is not there is an empty tensor, since PyTorch finds no gradients through `Tensor?[]`.
_ARGUMENTS = (
    "Tensor x, Tensor? h0, Tensor? c0, Tensor[] parts, Tensor? lengths, Tensor? starts, "
    "Tensor? batch_sizes, str mode, float rate_h, float rate_c, float epsilon"
)


def _given(parts: Sequence[Tensor]) -> list[Tensor | None]:
    return [part if part.numel() else None for part in parts]


@torch.library.custom_op(
    "unrolled::recurrence", mutates_args=(), schema=f"({_ARGUMENTS}, bool keep) -> Tensor[]"
)
def _recurrence(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    rate_h: float,
    rate_c: float,
    epsilon: float,
    keep: bool,
) -> list[Tensor]:
    """`y`, `hn` and, for an LSTM, `cn`; then what is kept, empty tensors where there is none."""
    lengths, starts = checked_in_graph("recurrence", mode, CELLS, x, lengths, starts, batch_sizes)
    lengths, starts, batch_sizes = own_copies(lengths, starts, batch_sizes)
    run = Run(mode, False, lengths, starts, batch_sizes, (rate_h, rate_c), epsilon)
    given = _given(parts)
    recurrence.check_parts(run, x, h0, c0, given)
    outputs, kept = kernel_calls.forward(run, x, h0, c0, given, keep=keep)
    return [*outputs, *(x.new_empty(0) if part is None else part for part in kept)]


@_recurrence.register_fake
def _(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    rate_h: float,
    rate_c: float,
    epsilon: float,
    keep: bool,
) -> list[Tensor]:
    padded = x if batch_sizes is None else x.unsqueeze(1)
    directions, places, batch, output, hidden = kernel_calls.sizes(padded, _given(parts), None)
    if batch_sizes is not None:
        batch = packed_batch(h0)
    outputs = [x.new_empty(*x.shape[:-1], directions * output)]
    outputs.append(x.new_empty(directions, batch, output))
    if mode == "LSTM":
        outputs.append(x.new_empty(directions, batch, hidden))
    if keep:
        normed, zoneout = parts[6].numel() > 0, parts[9].numel() > 0 or rate_h != 0
        widths = kernel_calls.kept_widths(mode, hidden, normed, zoneout) * directions
        outputs += [x.new_empty(places, width) if width else x.new_empty(0) for width in widths]
    return outputs


@torch.library.custom_op(
    "unrolled::recurrence_backward",
    mutates_args=(),
    schema=f"({_ARGUMENTS}, Tensor y, Tensor[] kept, Tensor?[] grads, bool[] wanted) -> Tensor[]",
)
def _recurrence_backward(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    rate_h: float,
    rate_c: float,
    epsilon: float,
    y: Tensor,
    kept: Sequence[Tensor],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    """The gradients of x, h0, c0 and the parts; empty tensors where none is wanted."""
    run = Run(mode, False, lengths, starts, batch_sizes, (rate_h, rate_c), epsilon)
    # The kernels write over what was kept, and an operator must not.
    own = _given([part.clone() for part in kept])
    found = kernel_calls.backward(run, x, h0, c0, y, _given(parts), own, grads, wanted)
    return [x.new_empty(0) if part is None else part for part in found]


@_recurrence_backward.register_fake
def _(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    rate_h: float,
    rate_c: float,
    epsilon: float,
    y: Tensor,
    kept: Sequence[Tensor],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    tensors = (x, h0, c0, *parts)
    return [
        x.new_empty(0) if tensor is None or not want else x.new_empty(tensor.shape)
        for tensor, want in zip(tensors, wanted, strict=True)
    ]


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    x, h0, c0, parts, lengths, starts, batch_sizes, *rest = inputs
    *ctx.options, _ = rest
    outputs = 3 if ctx.options[0] == "LSTM" else 2
    ctx.counts = (len(parts), outputs)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(
        x, h0, c0, *parts, lengths, starts, batch_sizes, output[0], *output[outputs:]
    )


def _backward(ctx: Any, grads: Sequence[Tensor | None]) -> tuple[Any, ...]:
    saved = ctx.saved_tensors
    count, outputs = ctx.counts
    tensors, (lengths, starts, batch_sizes, y, *kept) = saved[: 3 + count], saved[3 + count :]
    x, h0, c0, *parts = tensors
    wanted = [tensor is not None and tensor.requires_grad for tensor in tensors]
    found = torch.ops.unrolled.recurrence_backward(
        *(x, h0, c0, parts, lengths, starts, batch_sizes, *ctx.options),
        *(y, kept, list(grads[:outputs]), wanted),
    )
    given = [part if want else None for part, want in zip(found, wanted, strict=True)]
    return *given[:3], given[3:], *[None] * 8


_recurrence.register_autograd(_backward, setup_context=_setup_context)
