"""A minGRU or minLSTM layer as one operator, `torch.ops.unrolled.minimal_recurrence`: what
`torch.compile` and `torch.export` see, with its backward and its shapes, as `operator.py` has it
for the other layers.

Imported for its effect, by the first traced call; a program that runs an exported graph imports
`unrolled.layers.operator` itself, which brings this along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.layers import minimal_recurrence
from unrolled.layers.checks import checked_in_graph
from unrolled.layers.handover import own_copies
from unrolled.layers.minimal_recurrence import GATES, MinimalRun

# Schemas are written out: with `from __future__ import annotations` they can't be inferred. `parts`
# is a weight and a bias for each direction; a bias that is not there is an empty tensor, since
# PyTorch finds no gradients through `Tensor?[]`.
_ARGUMENTS = (
    "Tensor x, Tensor? h0, Tensor[] parts, Tensor? lengths, Tensor? starts, Tensor? batch_sizes, "
    "str mode"
)


def run_traced(
    run: MinimalRun, x: Tensor, h0: Tensor | None, parts: Sequence[Tensor | None]
) -> tuple[Tensor, Tensor]:
    """As `minimal_recurrence.run_native`, by the operator."""
    given = [x.new_empty(0) if part is None else part for part in parts]
    outputs = torch.ops.unrolled.minimal_recurrence(
        *(x, h0, given, run.lengths, run.starts, run.batch_sizes, run.mode),
        torch.is_grad_enabled(),
    )
    return outputs[0], outputs[1]


def packed_batch(h0: Tensor | None) -> Any:
    """How many rows a packed batch has, while there are no values to look at in its batch sizes."""
    return torch.library.get_ctx().new_dynamic_size() if h0 is None else h0.shape[1]


def _given(parts: Sequence[Tensor]) -> list[Tensor | None]:
    return [part if part.numel() else None for part in parts]


@torch.library.custom_op(
    "unrolled::minimal_recurrence", mutates_args=(), schema=f"({_ARGUMENTS}, bool keep) -> Tensor[]"
)
def _minimal(
    x: Tensor,
    h0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    keep: bool,
) -> list[Tensor]:
    """`y`, `hn`, and what is kept of each direction where `keep` asks for it."""
    lengths, starts = checked_in_graph(
        "minimal_recurrence", mode, GATES, x, lengths, starts, batch_sizes
    )
    lengths, starts, batch_sizes = own_copies(lengths, starts, batch_sizes)
    run = MinimalRun(mode, False, lengths, starts, batch_sizes)
    given = _given(parts)
    minimal_recurrence.check_parts(run, x, h0, given)
    y, hn, kept = minimal_recurrence.forward(run, x, h0, given, keep=keep)
    return [y, hn, *kept]


@_minimal.register_fake
def _(
    x: Tensor,
    h0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    keep: bool,
) -> list[Tensor]:
    directions, rows = len(parts) // 2, parts[0].shape[0]
    hidden = rows // GATES[mode]
    if batch_sizes is None:
        places, batch = x.shape[0] * x.shape[1], x.shape[1]
    else:
        places, batch = len(x), packed_batch(h0)
    outputs = [x.new_empty(*x.shape[:-1], directions * hidden)]
    outputs.append(x.new_empty(directions, batch, hidden))
    return outputs + [x.new_empty(places, rows) for _ in range(directions if keep else 0)]


@torch.library.custom_op(
    "unrolled::minimal_recurrence_backward",
    mutates_args=(),
    schema=f"({_ARGUMENTS}, Tensor y, Tensor[] kept, Tensor?[] grads, bool[] wanted) -> Tensor[]",
)
def _minimal_backward(
    x: Tensor,
    h0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    y: Tensor,
    kept: Sequence[Tensor],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    """The gradients of x, h0 and the parts; empty tensors where none is wanted."""
    run = MinimalRun(mode, False, lengths, starts, batch_sizes)
    # The kernels write over what was kept, and an operator must not.
    own = [part.clone() for part in kept]
    found = minimal_recurrence.backward(run, x, h0, y, _given(parts), own, grads, wanted)
    return [x.new_empty(0) if part is None else part for part in found]


@_minimal_backward.register_fake
def _(
    x: Tensor,
    h0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    y: Tensor,
    kept: Sequence[Tensor],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    return [
        x.new_empty(0) if tensor is None or not want else x.new_empty(tensor.shape)
        for tensor, want in zip((x, h0, *parts), wanted, strict=True)
    ]


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    x, h0, parts, lengths, starts, batch_sizes, ctx.mode, _ = inputs
    ctx.count = len(parts)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(x, h0, *parts, lengths, starts, batch_sizes, output[0], *output[2:])


def _backward(ctx: Any, grads: Sequence[Tensor | None]) -> tuple[Any, ...]:
    saved, count = ctx.saved_tensors, ctx.count
    tensors, (lengths, starts, batch_sizes, y, *kept) = saved[: 2 + count], saved[2 + count :]
    x, h0, *parts = tensors
    wanted = [tensor is not None and tensor.requires_grad for tensor in tensors]
    found = torch.ops.unrolled.minimal_recurrence_backward(
        *(x, h0, parts, lengths, starts, batch_sizes, ctx.mode, y, kept, list(grads[:2]), wanted)
    )
    given = [part if want else None for part, want in zip(found, wanted, strict=True)]
    return *given[:2], given[2:], *[None] * 5


_minimal.register_autograd(_backward, setup_context=_setup_context)
