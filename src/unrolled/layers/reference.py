"""The reference path: torch's layers built from cells and `unroll`, in plain PyTorch operations.

Any dtype, any device, differentiable as often as one likes. It is what the other paths are tested
against, and what runs where they can't.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.layers.cells import cell_of
from unrolled.layers.recurrent import unroll
from unrolled.layers.states import State, map_state


def run(
    layer: RNNBase, x: Tensor, state: State, lengths: Tensor | None, starts: Tensor | None
) -> tuple[Tensor, State]:
    """All layers and directions over time.

    Shapes: `x (T, B, I)`; `state` torch's `h_n` or `(h_n, c_n)`, each `(L * D, B, H)`, or None for
    zeros; `lengths (B,)`; `starts (T, B)`. Returns the output `(T, B, D * H)` and the final state.

    Dropout between layers is drawn from torch's generator in torch's order and shape, so that it
    equals the padded `aten` call's.
    """
    directions = 2 if layer.bidirectional else 1
    finals: list[State] = []
    for index in range(layer.num_layers):
        outputs = []
        for direction in range(directions):
            row = index * directions + direction
            y, final = unroll(
                cell_of(layer, index, direction),
                x,
                None if state is None else map_state(lambda part, row=row: part[row], state),
                lengths=lengths,
                starts=starts,
                reverse=direction == 1,
            )
            outputs.append(y)
            finals.append(final)
        x = outputs[0] if directions == 1 else torch.cat(outputs, -1)
        if layer.dropout and layer.training and index < layer.num_layers - 1:
            x = dropout(x, layer.dropout)
    return x, map_state(lambda *parts: torch.stack(parts), *finals)


def run_packed(
    layer: RNNBase, packed: PackedSequence, state: State
) -> tuple[PackedSequence, State]:
    """`run` for a `PackedSequence`: packed again, and the state, in the caller's order of rows."""
    data, batch_sizes, to_sorted, to_given = packed
    x, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes))
    if state is not None and to_sorted is not None:
        state = map_state(lambda part: part.index_select(1, to_sorted), state)
    y, state = run(layer, x, state, lengths, None)
    if to_given is not None:
        state = map_state(lambda part: part.index_select(1, to_given), state)
    data = pack_padded_sequence(y, lengths).data
    return PackedSequence(data, batch_sizes, to_sorted, to_given), state


def step(layer: RNNBase, x: Tensor, state: State) -> tuple[Tensor, State]:
    """One step of all layers: `x (B, I)` and a state -> the output and the next state.

    The state is laid out as torch's, `(L, B, H)`; None is zeros.
    """
    finals: list[State] = []
    for index in range(layer.num_layers):
        cell = cell_of(layer, index)
        projected = cell.project(x)
        if state is None:
            before = cell.initial_state(len(x), projected)
        else:
            before = map_state(lambda part, index=index: part[index], state)
        x, after = cell.step(projected, before)  # type: ignore[arg-type]
        finals.append(after)
        if layer.dropout and layer.training and index < layer.num_layers - 1:
            x = dropout(x, layer.dropout)
    return x, map_state(lambda *parts: torch.stack(parts), *finals)
