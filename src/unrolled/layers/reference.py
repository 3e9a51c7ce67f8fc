"""The reference path: torch's layers built from cells and `unroll`, in plain PyTorch operations.

Any dtype, any device, differentiable as often as one likes. It is what the other paths are tested
against, and what runs where they can't.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.layers.call import NO_MASKS, LayerCall, Masks, Result, weights_of
from unrolled.layers.cells import Cell, TorchStep, Zoneout, torch_step
from unrolled.layers.recurrent import unroll
from unrolled.layers.states import State, map_state, steps_of, tensors_of


def run_layer(
    call: LayerCall,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    *,
    cells: bool = False,
    gates: bool = False,
) -> Result:
    """One layer in one direction over time, with all its options.

    Equations: `unrolled.layers.call`, and the cells'. Shapes: `x (T, B, I)`; `state` `h (B, P)` or
    `(h, c (B, H))`, or None for zeros; `lengths (B,)`; `starts (T, B)`. What they do: `Recurrent`.

    Args:
        cells: hand out `c` at every step, too.
        gates: hand out the gates at every step, too.
    """
    cell = _cell(call)
    cells = cells and call.mode == "LSTM"
    gates = gates and call.mode in ("LSTM", "GRU")
    observed = _Observed(cell, cells, gates) if cells or gates else cell
    y, state = unroll(observed, x, state, lengths=lengths, starts=starts, reverse=call.reverse)
    if observed is cell:
        return Result(y, state)
    output = call.weights.hh.shape[1]
    hidden = state[1].shape[1] if cells else 0
    y, c, after = y.split([output, hidden, y.shape[2] - output - hidden], -1)
    return Result(y, state, c if cells else None, after if gates else None)


def run(
    layer: RNNBase,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    masks: Sequence[Masks] | None = None,
) -> tuple[Tensor, State]:
    """All layers and directions over time.

    Shapes: `x (T, B, I)`; `state` torch's `h_n` or `(h_n, c_n)`, each `(L * D, B, H)`, or None for
    zeros; `lengths (B,)`; `starts (T, B)`; `masks` L * D, in the order of the state's rows, or
    None. Returns the output `(T, B, D * H)` and the final state.

    Dropout between layers is drawn from torch's generator in torch's order and shape, so that it
    equals the padded `aten` call's.
    """
    directions = 2 if layer.bidirectional else 1
    finals: list[State] = []
    for index in range(layer.num_layers):
        outputs = []
        for direction in range(directions):
            row = index * directions + direction
            call = LayerCall(
                layer.mode,
                weights_of(layer, index, direction),
                NO_MASKS if masks is None else masks[row],
                reverse=direction == 1,
            )
            before = None if state is None else map_state(lambda part, row=row: part[row], state)
            y, final, *_ = run_layer(call, x, before, lengths, starts)
            outputs.append(y)
            finals.append(final)
        x = outputs[0] if directions == 1 else torch.cat(outputs, -1)
        if layer.dropout and layer.training and index < layer.num_layers - 1:
            x = dropout(x, layer.dropout)
    return x, map_state(lambda *parts: torch.stack(parts), *finals)


def run_packed(
    layer: RNNBase, packed: PackedSequence, state: State, masks: Sequence[Masks] | None = None
) -> tuple[PackedSequence, State]:
    """`run` for a `PackedSequence`: packed again, and the state, in the caller's order of rows.

    Masks have their rows in the order of the packed data, zoneout's one for each packed step:
    `(N, P)` and `(N, H)`.
    """
    data, batch_sizes, to_sorted, to_given = packed
    x, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes))
    if state is not None and to_sorted is not None:
        state = map_state(lambda part: part.index_select(1, to_sorted), state)
    if masks is not None:
        masks = [padded_masks(part, batch_sizes) for part in masks]
    y, state = run(layer, x, state, lengths, None, masks)
    if to_given is not None:
        state = map_state(lambda part: part.index_select(1, to_given), state)
    data = pack_padded_sequence(y, lengths).data
    return PackedSequence(data, batch_sizes, to_sorted, to_given), state


def step(
    layer: RNNBase, x: Tensor, state: State, masks: Sequence[Masks] | None = None
) -> tuple[Tensor, State]:
    """One step of all layers: `x (B, I)` and a state -> the output and the next state.

    The state is laid out as torch's, `(L, B, H)`; None is zeros. `masks` as for `run`, with T = 1.
    """
    finals: list[State] = []
    for index in range(layer.num_layers):
        own = NO_MASKS if masks is None else masks[index]
        cell: Cell = _cell(LayerCall(layer.mode, weights_of(layer, index), own))
        (projected,) = steps_of(cell.project(x.unsqueeze(0)))
        if state is None:
            before = cell.initial_state(len(x), next(tensors_of(projected)))
        else:
            before = map_state(lambda part, index=index: part[index], state)
        x, after = cell.step(projected, before)
        finals.append(after)
        if layer.dropout and layer.training and index < layer.num_layers - 1:
            x = dropout(x, layer.dropout)
    return x, map_state(lambda *parts: torch.stack(parts), *finals)


def _cell(call: LayerCall) -> TorchStep | Zoneout:
    masks = call.masks
    cell = torch_step(call.mode, call.weights, masks.recurrent, call.epsilon)
    drawn = masks.zoneout_h is not None or masks.zoneout_c is not None
    return Zoneout(cell, masks) if drawn or masks.rate_h or masks.rate_c else cell


@dataclass(frozen=True, slots=True)
class _Observed:
    """A cell whose output is `h`, then `c` and the gates where asked for, side by side."""

    cell: TorchStep | Zoneout
    cells: bool
    gates: bool

    def project(self, x: Tensor) -> State:
        return self.cell.project(x)

    def step(self, projected_t: State, state: State) -> tuple[Tensor, State]:
        after, gates = self.cell.step_with_gates(projected_t, state)
        h, *c = after if isinstance(after, tuple) else (after,)
        return torch.cat([h, *(c if self.cells else ()), *(gates if self.gates else ())], -1), after

    def initial_state(self, batch: int, like: Tensor) -> State:
        return self.cell.initial_state(batch, like)


def padded_masks(masks: Masks, batch_sizes: Tensor) -> Masks:
    """Masks with the zoneout of a packed batch laid out over `(T, B, ...)`."""

    def pad(mask: Tensor | None) -> Tensor | None:
        return None if mask is None else pad_packed_sequence(PackedSequence(mask, batch_sizes))[0]

    return masks._replace(zoneout_h=pad(masks.zoneout_h), zoneout_c=pad(masks.zoneout_c))
