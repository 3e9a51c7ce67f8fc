"""The reference path: torch's layers built from cells and `unroll`, in plain PyTorch operations.

Any dtype, any device, differentiable as often as one likes. It is what the other paths are tested
against, and what runs where they can't.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.layers.call import NO_MASKS, LayerCall, Masks, Result, Weights
from unrolled.layers.cells import TorchStep, Zoneout, torch_step
from unrolled.layers.over_layers import LayerPlan, over_layers, over_packed, plans_of
from unrolled.layers.records import LayerRecord
from unrolled.layers.recurrent import unroll
from unrolled.layers.states import State, map_state


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
    plans: Sequence[LayerPlan] | None = None,
    records: Sequence[LayerRecord] | None = None,
) -> tuple[Tensor, State]:
    """All layers and directions over time.

    Shapes: `x (T, B, I)`; `state` torch's `h_n` or `(h_n, c_n)`, each `(L * D, B, H)`, or None for
    zeros; `lengths (B,)`; `starts (T, B)`; `plans` what each layer is run with, or None to draw
    that here. Returns the output `(T, B, D * H)` and the final state. `records`, one for each
    layer, are given the gates and cell states of every step, which gradients flow through.

    Dropout between layers is drawn from torch's generator in torch's order and shape, so that it
    equals the padded `aten` call's.
    """
    return _run(layer, x, state, lengths, starts, plans, records)


def _run(
    layer: RNNBase,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    plans: Sequence[LayerPlan] | None = None,
    records: Sequence[LayerRecord] | None = None,
) -> tuple[Tensor, State]:
    def run_one(index: int, x: Tensor, state: State, plan: LayerPlan) -> tuple[Tensor, State]:
        results = []
        for direction, weights in enumerate(plan.weights):
            masks = NO_MASKS if plan.masks is None else plan.masks[direction]
            call = LayerCall(layer.mode, weights, masks, reverse=direction == 1)
            before = None
            if state is not None:
                before = map_state(lambda part, at=direction: part[at], state)
            kept = records is not None
            result = run_layer(call, x, before, lengths, starts, cells=kept, gates=kept)
            if records is not None:
                records[index].after_call(result)
            results.append(result)
        y = results[0].y if len(results) == 1 else torch.cat([part.y for part in results], -1)
        finals = [part.state for part in results]
        return y, map_state(lambda *parts: torch.stack(parts), *finals)

    return over_layers(layer, run_one, x, state, plans_of(layer, x) if plans is None else plans)


def run_direction(
    mode: str,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    masks: Masks | None,
    weights: Weights,
    *,
    reverse: bool,
) -> tuple[Tensor, State]:
    """One layer in one direction: `x (T, B, I)`, the state `(B, ...)`."""
    call = LayerCall(mode, weights, NO_MASKS if masks is None else masks, reverse)
    return run_layer(call, x, state, lengths, starts)[:2]


def run_packed(
    layer: RNNBase,
    packed: PackedSequence,
    state: State,
    plans: Sequence[LayerPlan] | None = None,
    records: Sequence[LayerRecord] | None = None,
) -> tuple[PackedSequence, State]:
    """`run` for a `PackedSequence`: packed again, and the state, in the caller's order of rows.

    Plans have their rows in the order of the packed data, zoneout's masks one for each packed step:
    `(N, P)` and `(N, H)`.
    """
    sizes = packed.batch_sizes

    def run_padded(x: Tensor, state: State, lengths: Tensor) -> tuple[Tensor, State]:
        own = plans_of(layer, packed.data, sizes) if plans is None else plans
        y, state = _run(layer, x, state, lengths, None, _padded(own, sizes), records)
        for record in records or ():
            record.pack(lengths)
        return y, state

    return as_padded(run_padded, packed, state)


def as_padded(
    run: Callable[[Tensor, State, Tensor], tuple[Tensor, State]],
    packed: PackedSequence,
    state: State,
) -> tuple[PackedSequence, State]:
    """`run(x (T, B, I), state, lengths)` for a `PackedSequence`."""

    def run_data(data: Tensor, state: State) -> tuple[Tensor, State]:
        x, lengths = pad_packed_sequence(PackedSequence(data, packed.batch_sizes))
        y, state = run(x, state, lengths)
        return pack_padded_sequence(y, lengths).data, state

    return over_packed(run_data, packed, state)


def step(
    layer: RNNBase, x: Tensor, state: State, plans: Sequence[LayerPlan] | None = None
) -> tuple[Tensor, State]:
    """One step of all layers: `x (B, I)` and a state -> the output and the next state.

    The state is laid out as torch's, `(L, B, H)`; None is zeros. `plans` as for `run`, with T = 1.
    """
    y, state = _run(layer, x.unsqueeze(0), state, None, None, plans)
    return y.squeeze(0), state


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


def _padded(plans: Sequence[LayerPlan], batch_sizes: Tensor) -> list[LayerPlan]:
    """Plans of a packed batch for the padded one."""
    return [
        plan
        if plan.masks is None
        else plan._replace(masks=[padded_masks(part, batch_sizes) for part in plan.masks])
        for plan in plans
    ]


def padded_masks(masks: Masks, batch_sizes: Tensor) -> Masks:
    """Masks with the zoneout of a packed batch laid out over `(T, B, ...)`."""

    def pad(mask: Tensor | None) -> Tensor | None:
        return None if mask is None else pad_packed_sequence(PackedSequence(mask, batch_sizes))[0]

    return masks._replace(zoneout_h=pad(masks.zoneout_h), zoneout_c=pad(masks.zoneout_c))
