"""PyTorch's fused layer as one operator, `torch.ops.unrolled.fused`: what `torch.compile` and
`torch.export` see of a call that the kernels can't run, such as one on a GPU or in bfloat16.

PyTorch's tracer would take its fused layer apart into single time steps, as many as the example
has, could not see through `lengths` and `starts`, and fails on an LSTM's gradients on a CPU. As an
operator it stays what it is, cuDNN or oneDNN. The backward pass runs the layer again, since PyTorch
keeps what it needs for that out of reach.

Imported for its effect, by the first traced call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from unrolled.layers import aten
from unrolled.layers.call import weights_of
from unrolled.layers.checks import check_lengths, check_starts
from unrolled.layers.minimal_operator import packed_batch
from unrolled.layers.states import State, map_state, zero_state

_VF: Any = torch._VF
_FUSED: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "RNN_TANH": _VF.rnn_tanh,
    "RNN_RELU": _VF.rnn_relu,
    "GRU": _VF.gru,
    "LSTM": _VF.lstm,
}


def run(
    layer: RNNBase, x: Tensor, state: State, lengths: Tensor | None, starts: Tensor | None
) -> tuple[Tensor, State]:
    """As `reference.run`."""
    return _run(layer, x, state, lengths, starts, None)


def run_packed(
    layer: RNNBase, packed: PackedSequence, state: State
) -> tuple[PackedSequence, State]:
    """As `reference.run_packed`."""
    data, batch_sizes, to_sorted, to_given = packed
    if state is None and to_sorted is not None:
        state = zero_state(layer, data, len(to_sorted))  # the batch is known from nothing else
    if state is not None and to_sorted is not None:
        state = map_state(lambda part: part.index_select(1, to_sorted), state)
    y, state = _run(layer, data, state, None, None, batch_sizes)
    if to_given is not None:
        state = map_state(lambda part: part.index_select(1, to_given), state)
    return PackedSequence(y, batch_sizes, to_sorted, to_given), state


def _run(
    layer: RNNBase,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
) -> tuple[Tensor, State]:
    directions = 2 if layer.bidirectional else 1
    finals: list[State] = []
    for index in range(layer.num_layers):
        rows = slice(index * directions, (index + 1) * directions)
        before = None if state is None else map_state(lambda part, rows=rows: part[rows], state)
        h0, c0 = before if isinstance(before, tuple) else (before, None)
        parts = [
            x.new_empty(0) if part is None else part
            for direction in range(directions)
            for part in weights_of(layer, index, direction)[:5]
        ]
        x, *final = torch.ops.unrolled.fused(
            x, h0, c0, parts, lengths, starts, batch_sizes, layer.mode
        )
        finals.append(tuple(final) if layer.mode == "LSTM" else final[0])
        if layer.dropout and layer.training and index < layer.num_layers - 1:
            x = dropout(x, layer.dropout)
    return x, map_state(lambda *parts: torch.cat(parts), *finals)


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


@dataclass(frozen=True)
class _Layout:
    """What `aten.run` asks of a layer, for one that is time-major."""

    bidirectional: bool
    batch_first: bool = False


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
    directions = len(parts) // 5
    weights = [part for part in parts if part.numel()]
    bias, lstm = parts[2].numel() > 0, mode == "LSTM"
    # cuDNN's backward runs in training mode only; without dropout it makes no other difference.
    options = (bias, 1, 0.0, torch.is_grad_enabled(), directions == 2)

    def fused(input: Any, state: State) -> tuple[Any, State]:
        packed = isinstance(input, PackedSequence)
        data, sizes = (input.data, input.batch_sizes) if packed else (input, None)
        if state is None:
            batch = data.shape[1] if sizes is None else int(sizes[0])
            h = data.new_zeros(directions, batch, parts[1].shape[1])
            state = (h, data.new_zeros(directions, batch, len(parts[1]) // 4)) if lstm else h
        if sizes is None:
            y, *final = _FUSED[mode](data, state, weights, *options, False)
        else:
            y, *final = _FUSED[mode](data, sizes, state, weights, *options)
        after = tuple(final) if lstm else final[0]
        return (PackedSequence(y, sizes) if packed else y), after

    given: State = None if h0 is None else (h0, c0) if lstm else h0
    y: Any
    if batch_sizes is None:
        lengths = check_lengths(lengths, len(x), x.shape[1])
        starts = check_starts(starts, tuple(x.shape[:2]), "(T, B)")
        layout: Any = _Layout(directions == 2)
        y, state = aten.run(layout, fused, x, given, lengths, starts)
    else:
        y, state = fused(PackedSequence(x, batch_sizes), given)
        y = y.data
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
