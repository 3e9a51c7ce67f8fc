"""The aten path with `lengths` and `starts`: PyTorch's own fused layer, on a ragged batch.

The stretch of a row from one reset to the next is a sequence of its own. All such segments of all
rows are packed into one ragged batch (as `torch.nn.utils.rnn.PackedSequence` lays it out), run by
one call, and put back where they came from. Rows of length zero have no segment. Padding is never
read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.utils.rnn import PackedSequence

from unrolled.layers.call import Weights
from unrolled.layers.masks import in_operations
from unrolled.layers.over_layers import LayerPlan, over_layers, over_packed
from unrolled.layers.paths import autocast_dtype
from unrolled.layers.states import State, map_state, zero_state

Forward = Callable[..., tuple[Any, State]]


@dataclass(frozen=True)
class Plan:
    """How a call with `lengths` or `starts` is handed to the fused layer.

    Attributes:
        ragged: whether it must be packed; otherwise the padded batch is run as it is.
        cut_first: `(B,)` bool, rows whose carried-in state is cut at t = 0 in a padded call, or
            None for no row.
    """

    ragged: bool
    cut_first: Tensor | None = None


@dataclass(frozen=True)
class Segments:
    """The segments of a batch, `S` of them with `N` real steps in all, the longest first.

    Attributes:
        index: `(N,)` where each packed step stands in the batch flattened to `(T * B, ...)`.
        batch_sizes: number of segments that have a step 0, 1, ...: as in a `PackedSequence` (on the
            CPU).
        row: `(S,)` the row that each segment comes from.
        fresh: `(D, S)` bool, per direction: the segment enters with zeros, not with its row's given
            state.
        final: `(D, B)` per direction, the segment whose last state is the row's (0 where the row is
            empty).
        empty: `(B,)` bool, rows of length zero.
    """

    index: Tensor
    batch_sizes: Tensor
    row: Tensor
    fresh: Tensor
    final: Tensor
    empty: Tensor


def plan(steps: int, lengths: Tensor | None, starts: Tensor | None) -> Plan:
    """How to run a call: padded where all rows are full and resets stand at t = 0 only."""
    if lengths is not None and not bool((lengths == steps).all()):
        return Plan(ragged=True)
    if starts is None:
        return Plan(ragged=False)
    if bool(starts[1:].any()):
        return Plan(ragged=True)
    return Plan(ragged=False, cut_first=starts[0] if bool(starts[0].any()) else None)


_FUSED: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "RNN_TANH": torch._VF.rnn_tanh,
    "RNN_RELU": torch._VF.rnn_relu,
    "GRU": torch._VF.gru,
    "LSTM": torch._VF.lstm,
}


def lacks_backward(layer: RNNBase, x: Tensor | PackedSequence) -> bool:
    """Whether PyTorch's own forward pass could not be followed back: cuDNN keeps what its backward
    pass needs in training mode only, and PyTorch asks for the mode that the layer is in. What the
    tracer of torch.jit records is PyTorch's own: it looks with and without gradients."""
    wants = not layer.training and torch.is_grad_enabled()
    return x.is_cuda and wants and not torch._C._is_tracing()


def draws_elsewhere(layer: RNNBase, x: Tensor | PackedSequence) -> bool:
    """Whether PyTorch's own forward pass would drop what stands between layers by cuDNN's random
    states: those can't be read, so that no checkpoint of a run could bring them back."""
    return x.is_cuda and layer.training and layer.dropout > 0 and layer.num_layers > 1


def handed(x: Tensor | PackedSequence, state: State) -> State:
    """The state that sequences start from, as PyTorch's layer takes it: cuDNN refuses one that is
    not dense in memory, where a CPU does not care."""
    return map_state(Tensor.contiguous, state) if x.is_cuda and state is not None else state


def autocasts_in_vain(layer: RNNBase, x: Tensor | PackedSequence) -> bool:
    """Whether autocast asks oneDNN for an LSTM in bfloat16, which it has not on every processor:
    instead of a slower way there is an error then."""
    if layer.mode != "LSTM" or x.is_cuda or not torch.is_autocast_enabled("cpu"):
        return False
    return not torch.ops.mkldnn._is_mkldnn_bf16_supported()


def exactly(
    layer: RNNBase, x: Tensor | PackedSequence, state: State
) -> tuple[Tensor | PackedSequence, State]:
    """The arguments in the weights' own precision."""
    dtype = layer.get_parameter("weight_hh_l0").dtype
    return x.to(dtype), state if state is None else map_state(lambda part: part.to(dtype), state)


def run_plain(
    layer: RNNBase, x: Tensor | PackedSequence, state: State
) -> tuple[Tensor | PackedSequence, State]:
    """A call that has been checked: what torch's own forward comes to, without its checks, and with
    a backward pass in evaluation mode too.

    Shapes: `x (T, B, I)` or, with `batch_first`, `(B, T, I)`, or packed; `state` as torch's, in the
    order of the packed data, or None.
    """
    layer._update_flat_weights()  # replaced and parametrised weights
    lstm = layer.mode == "LSTM"
    data = x.data if isinstance(x, PackedSequence) else x
    if state is None:
        if isinstance(x, PackedSequence):
            batch = int(x.batch_sizes[0])
        else:
            batch = x.shape[0 if layer.batch_first else 1]
        state = zero_state(layer, data, batch)
    state = handed(data, state)
    weights, training = layer._flat_weights, layer.training
    dropout = layer.dropout if training else 0.0
    # Without dropout training mode makes no other difference.
    training = training or lacks_backward(layer, data)
    how = (weights, layer.bias, layer.num_layers, dropout, training, layer.bidirectional)
    fused = _FUSED[layer.mode]
    y: Any
    if isinstance(x, PackedSequence):
        y, *final = fused(data, x.batch_sizes, state, *how)
        y = PackedSequence(y, x.batch_sizes)
    else:
        y, *final = fused(x, state, *how, layer.batch_first)
    return y, tuple(final) if lstm else final[0]


def run_packed(
    layer: RNNBase, packed: PackedSequence, state: State
) -> tuple[PackedSequence, State]:
    """`run_plain` for a `PackedSequence` in any order of rows."""

    def run_data(data: Tensor, state: State) -> tuple[Tensor, State]:
        y, state = run_plain(layer, PackedSequence(data, packed.batch_sizes), state)
        return y.data, state

    return over_packed(layer, run_data, packed, state)


def run_layers(
    layer: RNNBase,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    plans: Sequence[LayerPlan],
) -> tuple[Tensor, State]:
    """As `reference.run`, each layer of the stack by a fused call of its own: with options that
    stand around a layer, and dropout from torch's generator."""
    directions = 2 if layer.bidirectional else 1

    def run_one(index: int, x: Tensor, state: State, plan: LayerPlan) -> tuple[Tensor, State]:
        fused = partial(fused_layer, layer.mode, plan.weights)
        return run(fused, directions, False, x, state, lengths, starts)

    return over_layers(layer, run_one, x, state, plans)


def run_packed_layers(
    layer: RNNBase, packed: PackedSequence, state: State, plans: Sequence[LayerPlan]
) -> tuple[PackedSequence, State]:
    """`run_layers` for a `PackedSequence`; the plans' rows are in the order of the packed data."""
    sizes = packed.batch_sizes

    def run_one(index: int, x: Tensor, state: State, plan: LayerPlan) -> tuple[Tensor, State]:
        y, state = fused_layer(layer.mode, plan.weights, PackedSequence(x, sizes), state)
        return y.data, state

    return over_packed(
        layer, lambda data, s: over_layers(layer, run_one, data, s, plans, sizes), packed, state
    )


def fused_layer(
    mode: str, weights: Sequence[Weights], x: Tensor | PackedSequence, state: State
) -> tuple[Any, State]:
    """One layer of PyTorch's, time-major or packed, with these weights."""
    lstm, directions = mode == "LSTM", len(weights)
    data, batch = x, None
    if isinstance(x, PackedSequence):
        data, sizes = x.data, x.batch_sizes
        batch = int(sizes[0])
    assert isinstance(data, Tensor)
    if state is None:
        output, rows = weights[0].hh.shape[1], data.shape[1] if batch is None else batch
        state = data.new_zeros(directions, rows, output)
        if lstm:
            state = (state, data.new_zeros(directions, rows, weights[0].hh.shape[0] // 4))
    state = handed(data, state)
    flat = [part for own in weights for part in own[:5] if part is not None]
    # Autocast copies them anyway, and cuDNN keeps a projection elsewhere.
    if data.is_cuda and weights[0].hr is None and autocast_dtype("cuda") is None:
        flat = in_one_piece(flat)
    bias = weights[0].bias_ih is not None
    # cuDNN's backward runs in training mode only; without dropout it makes no other difference.
    after = (flat, bias, 1, 0.0, torch.is_grad_enabled(), directions == 2)
    out: Any
    if batch is None:
        out, *final = _FUSED[mode](data, state, *after, False)
    else:
        y, *final = _FUSED[mode](data, sizes, state, *after)
        out = PackedSequence(y, sizes)
    return out, tuple(final) if lstm else final[0]


def in_one_piece(parts: list[Tensor]) -> list[Tensor]:
    """The weights of one layer, laid out in memory as cuDNN reads them: the matrices of all
    directions, then the biases.

    Where they are not, cuDNN copies them at every call all the same, and warns of it: in a stack
    the biases of all layers stand behind all matrices, and a dropped matrix stands by itself.
    """
    if in_operations():
        return parts  # there are no addresses
    order = sorted(range(len(parts)), key=lambda at: -parts[at].dim())
    address = parts[order[0]].data_ptr()
    for at in order:
        if parts[at].data_ptr() != address or not parts[at].is_contiguous():
            break
        address += parts[at].nbytes
    else:
        return parts
    whole = torch.cat([parts[at].reshape(-1) for at in order])
    pieces = whole.split([parts[at].numel() for at in order])
    laid = dict(zip(order, pieces, strict=True))
    return [laid[at].view_as(part) for at, part in enumerate(parts)]


def run(
    fused: Forward,
    directions: int,
    batch_first: bool,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
) -> tuple[Tensor, State]:
    """As `reference.run`, by `fused`, a layer of PyTorch's with the input laid out as
    `batch_first` says.

    Shapes: `x (T, B, I)`; `state` each `(L * D, B, H)` or None; `lengths (B,)`; `starts (T, B)`.
    """
    how = plan(x.shape[0], lengths, starts)
    if how.ragged:
        return _run_ragged(fused, directions, batch_first, x, state, lengths, starts)
    if how.cut_first is not None and state is not None:
        cut = how.cut_first.to(x.device).expand(directions, -1).clone()
        cut[1:] = False  # the reverse direction enters at the other end
        state = map_state(lambda part: _clear(part, cut), state)
    y, state = fused(x.transpose(0, 1) if batch_first else x, state)
    return (y.transpose(0, 1) if batch_first else y), state


def segments_of(
    steps: int, batch: int, directions: int, lengths: Tensor | None, starts: Tensor | None
) -> Segments:
    """Where the segments of a batch lie. The result is on the CPU, wherever the arguments are, and
    whatever torch's default device is."""
    on_cpu: Any = {"device": torch.device("cpu")}
    lengths = torch.full((batch,), steps, **on_cpu) if lengths is None else lengths.cpu()
    starts = None if starts is None else starts.cpu()
    time = torch.arange(steps, **on_cpu).unsqueeze(1)
    real = time < lengths
    if starts is None:
        begins = torch.zeros(steps, batch, dtype=torch.bool, **on_cpu)
    else:
        begins = starts & real
    cut_at_0 = begins[0].clone()
    begins[0] = real[0]

    # Segments are numbered row by row, then in time: `segment` and `age` (steps since its begin) of
    # each real step.
    rows_first = begins.t()
    row, begin = rows_first.nonzero(as_tuple=True)
    segment = (rows_first.reshape(-1).cumsum(0) - 1).view(batch, steps).t()[real]
    age = (time - torch.where(begins, time, 0).cummax(0).values)[real]
    size = torch.bincount(segment, minlength=len(row))

    # Longest first; then the steps of age 0 of all segments, those of age 1, ...
    order = size.argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), **on_cpu)
    flat = torch.arange(steps * batch, **on_cpu).view(steps, batch)[real]
    index = flat[(age * len(order) + rank[segment]).argsort()]

    first = begin == 0
    last = begin + size == lengths[row]
    fresh = torch.stack([~first | cut_at_0[row], ~last])[:directions, order]
    final = torch.zeros(2, batch, dtype=torch.long, **on_cpu)
    final[0, row[last]] = rank[last]
    final[1, row[first]] = rank[first]
    return Segments(index, torch.bincount(age), row[order], fresh, final[:directions], lengths == 0)


def _run_ragged(
    fused: Forward,
    directions: int,
    batch_first: bool,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
) -> tuple[Tensor, State]:
    steps, batch = x.shape[:2]
    if lengths is not None and not bool(lengths.any()):
        # Nothing to run. One step on zeros gives outputs of the right width and dtype, joined to
        # the graph.
        blank = x.new_zeros(batch, 1, x.shape[2]) if batch_first else torch.zeros_like(x[:1])
        y, zeros = fused(blank, None)
        y = (y.transpose(0, 1) if batch_first else y).expand(steps, -1, -1)
        state = map_state(torch.zeros_like, zeros) if state is None else state
        return y.masked_fill(torch.ones_like(y, dtype=torch.bool), 0), state

    parts = segments_of(steps, batch, directions, lengths, starts)
    index, row = parts.index.to(x.device), parts.row.to(x.device)
    entering = None
    if state is not None:
        fresh = parts.fresh.to(x.device)
        entering = map_state(lambda part: _clear(part.index_select(1, row), fresh), state)

    packed = PackedSequence(x.reshape(steps * batch, -1).index_select(0, index), parts.batch_sizes)
    ran, leaving = fused(packed, entering)

    y = ran.data.new_zeros(steps * batch, ran.data.shape[1]).index_copy(0, index, ran.data)
    final, empty = parts.final.to(x.device), parts.empty.to(x.device).unsqueeze(1)
    given = map_state(lambda part: part.new_zeros(()), leaving) if state is None else state

    def collect(part: Tensor, before: Tensor) -> Tensor:
        by_direction = part.unflatten(0, (-1, directions))
        ends = [by_direction[:, d].index_select(1, final[d]) for d in range(directions)]
        return torch.where(empty, before, torch.stack(ends, 1).flatten(0, 1))

    return y.view(steps, batch, -1), map_state(collect, leaving, given)


def _clear(part: Tensor, mask: Tensor) -> Tensor:
    """`part` `(L * D, B, H)` with zeros where `mask` `(D, B)` is true, its gradient cut there."""
    return part.unflatten(0, (-1, len(mask))).masked_fill(mask.unsqueeze(-1), 0).flatten(0, 1)
