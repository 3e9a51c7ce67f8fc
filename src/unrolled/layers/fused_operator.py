"""PyTorch's fused layer as one operator, `torch.ops.unrolled.fused`: what `torch.compile` and
`torch.export` see of a call that the kernels can't run, such as one on a GPU or in bfloat16.

PyTorch's tracer would take its fused layer apart into single time steps, as many as the example
has, could not see through `lengths` and `starts`, and fails on an LSTM's gradients on a CPU. As an
operator it stays what it is, cuDNN or oneDNN. The backward pass runs the layer again, since PyTorch
keeps what it needs for that out of reach.

Imported for its effect, by the first traced call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.utils.rnn import PackedSequence

from unrolled.layers import aten
from unrolled.layers.call import Weights
from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.minimal_operator import packed_batch
from unrolled.layers.over_layers import LayerPlan, RunOne, over_layers, over_packed, plans_of
from unrolled.layers.states import State


def run(
    layer: RNNBase, x: Tensor, state: State, lengths: Tensor | None, starts: Tensor | None
) -> tuple[Tensor, State]:
    """As `reference.run`."""
    run_one = _run_one(layer.mode, lengths, starts, None)
    return over_layers(layer, run_one, x, state, plans_of(layer, x))


def run_packed(
    layer: RNNBase, packed: PackedSequence, state: State
) -> tuple[PackedSequence, State]:
    """As `reference.run_packed`."""
    sizes = packed.batch_sizes
    run_one = _run_one(layer.mode, None, None, sizes)

    def run_data(data: Tensor, state: State) -> tuple[Tensor, State]:
        plans = plans_of(layer, data, sizes, state)
        return over_layers(layer, run_one, data, state, plans, sizes)

    return over_packed(layer, run_data, packed, state)


def _run_one(
    mode: str, lengths: Tensor | None, starts: Tensor | None, batch_sizes: Tensor | None
) -> RunOne:
    """One layer of a stack, as the operator."""

    def run_one(index: int, x: Tensor, state: State, plan: LayerPlan) -> tuple[Tensor, State]:
        h0, c0 = state if isinstance(state, tuple) else (state, None)
        parts = [
            x.new_empty(0) if part is None else part for own in plan.weights for part in own[:5]
        ]
        y, *final = torch.ops.unrolled.fused(x, h0, c0, parts, lengths, starts, batch_sizes, mode)
        return y, tuple(final) if mode == "LSTM" else final[0]

    return run_one


@contextmanager
def _autograd() -> Iterator[None]:
    """Gradients are recorded inside, which the code of an operator otherwise has no way to do: it
    runs where the dispatcher is through with autograd."""
    keys = torch._C.DispatchKey
    exclude = torch._C._SetExcludeDispatchKeyGuard
    with (
        exclude(keys.AutogradFunctionality, False),
        exclude(keys.ADInplaceOrView, False),
        torch.enable_grad(),
    ):
        yield


def _call(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
) -> list[Tensor]:
    """`y`, `hn` and, for an LSTM, `cn`, with a graph for autograd where that is on."""
    lstm = mode == "LSTM"
    given = [part if part.numel() else None for part in parts]
    weights = [Weights(*given[at : at + 5]) for at in range(0, len(given), 5)]  # type: ignore[arg-type]
    fused = partial(aten.fused_layer, mode, weights)
    before: State = None if h0 is None else (h0, c0) if lstm else h0
    y: Any
    if batch_sizes is None:
        lengths = check_lengths(lengths, len(x), x.shape[1])
        starts = check_starts(starts, tuple(x.shape[:2]), "(T, B)")
        y, state = aten.run(fused, len(weights), False, x, before, lengths, starts)
    else:
        packed, state = fused(PackedSequence(x, batch_sizes), before)
        y = packed.data
    return [y, *state] if lstm else [y, state]


# As in `operator.py`: written out, and an empty tensor for a part that is not there. `parts` is
# weight_ih, weight_hh, bias_ih, bias_hh and weight_hr for each direction.
_ARGUMENTS = (
    "Tensor x, Tensor? h0, Tensor? c0, Tensor[] parts, Tensor? lengths, Tensor? starts, "
    "Tensor? batch_sizes, str mode"
)


@torch.library.custom_op("unrolled::fused", mutates_args=(), schema=f"({_ARGUMENTS}) -> Tensor[]")
def _fused(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
) -> list[Tensor]:
    with torch.no_grad():
        found = _call(x, h0, c0, parts, lengths, starts, batch_sizes, mode)
    # An operator's output must be none of its inputs: a state comes back where no row has a step.
    return [part.clone(memory_format=torch.contiguous_format) for part in found]


@_fused.register_fake
def _(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
) -> list[Tensor]:
    directions, output = len(parts) // 5, parts[1].shape[1]
    batch = x.shape[1] if batch_sizes is None else packed_batch(h0)
    outputs = [x.new_empty(*x.shape[:-1], directions * output)]
    outputs.append(x.new_empty(directions, batch, output))
    if mode == "LSTM":
        outputs.append(x.new_empty(directions, batch, parts[1].shape[0] // 4))
    return outputs


@torch.library.custom_op(
    "unrolled::fused_backward",
    mutates_args=(),
    schema=f"({_ARGUMENTS}, Tensor?[] grads, bool[] wanted) -> Tensor[]",
)
def _fused_backward(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    """The gradients of x, h0, c0 and the parts; empty tensors where none is wanted."""
    tensors = [
        None if tensor is None else tensor.detach().requires_grad_(want)
        for tensor, want in zip((x, h0, c0, *parts), wanted, strict=True)
    ]
    with _autograd():
        x_, h0, c0, *own = tensors
        found = _call(x_, h0, c0, own, lengths, starts, batch_sizes, mode)  # type: ignore[arg-type]
    pairs = [
        (y, dy) for y, dy in zip(found, grads, strict=True) if dy is not None and y.requires_grad
    ]
    inputs = [tensor for tensor, want in zip(tensors, wanted, strict=True) if want]
    slopes = iter(
        torch.autograd.grad(
            [y for y, _ in pairs],
            inputs,  # type: ignore[arg-type]
            [dy for _, dy in pairs],
            allow_unused=True,
            materialize_grads=True,
        )
        if pairs
        else map(torch.zeros_like, inputs)  # type: ignore[arg-type]
    )
    return [
        next(slopes).clone(memory_format=torch.contiguous_format) if want else x.new_empty(0)
        for want in wanted
    ]


@_fused_backward.register_fake
def _(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    parts: Sequence[Tensor],
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    mode: str,
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor]:
    return [
        x.new_empty(0) if tensor is None or not want else x.new_empty(tensor.shape)
        for tensor, want in zip((x, h0, c0, *parts), wanted, strict=True)
    ]


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    x, h0, c0, parts, lengths, starts, batch_sizes, ctx.mode = inputs
    ctx.count = len(parts)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(x, h0, c0, *parts, lengths, starts, batch_sizes)


def _backward(ctx: Any, grads: Sequence[Tensor | None]) -> tuple[Any, ...]:
    saved = ctx.saved_tensors
    tensors, options = saved[: 3 + ctx.count], saved[3 + ctx.count :]
    x, h0, c0, *parts = tensors
    wanted = [tensor is not None and tensor.requires_grad for tensor in tensors]
    found = torch.ops.unrolled.fused_backward(
        x, h0, c0, parts, *options, ctx.mode, list(grads), wanted
    )
    given = [part if want else None for part, want in zip(found, wanted, strict=True)]
    return *given[:3], given[3:], *[None] * 4


_fused.register_autograd(_backward, setup_context=_setup_context)
