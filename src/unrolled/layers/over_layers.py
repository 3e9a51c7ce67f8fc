"""A stack of layers, one after the other: what all paths share.

    x      locked input dropout -> the layer, by a path -> both directions made one
           -> dropout, but for the last layer -> plus what came in, with `residual` -> next x

Everything random but that dropout is drawn before the first layer runs and stands in the
`LayerPlan`s, so that every path, and every recomputation, sees the same.

Shapes: `T` time, `B` batch, `I` input size, `P` output size of a direction, `L` layers, `D`
directions; `(N, ...)` packed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from unrolled.layers.call import Masks, Weights, weights_of
from unrolled.layers.masks import recurrent_mask, zoneout_mask
from unrolled.layers.options import PLAIN, Options, options_of
from unrolled.layers.recurrent_parts import merged
from unrolled.layers.states import State, map_state, zero_state


class LayerPlan(NamedTuple):
    """What one layer is run with in one call.

    Attributes:
        weights: of each direction; weight dropout has been done to them.
        masks: of each direction, or None for none.
        input: `(B, I)` locked dropout of the input, the same at every step, or None.
        dropout: rate of the dropout behind the layer; 0 for the last one, and in evaluation.
    """

    weights: Sequence[Weights]
    masks: Sequence[Masks] | None = None
    input: Tensor | None = None
    dropout: float = 0.0


RunOne: TypeAlias = Callable[[int, Tensor, State, LayerPlan], tuple[Tensor, State]]
"""Runs layer `index` in all its directions: `x`, the state `(D, B, ...)` that it starts from or
None, and its plan -> `(T, B, D * P)`, or `(N, D * P)`, and its final state."""


def plans_of(
    layer: RNNBase, x: Tensor, batch_sizes: Tensor | None = None, state: State = None
) -> list[LayerPlan]:
    """The plans of all layers for a call on `x` `(T, B, I)`, or `(N, I)` packed; the state that a
    packed batch starts from, if any, tells its rows where that is traced."""
    options, training = options_of(layer), layer.training
    directions, last = (0, 1) if layer.bidirectional else (0,), layer.num_layers - 1
    behind = layer.dropout if training else 0.0
    batch = 0
    if options is not PLAIN:
        batch = x.shape[1] if batch_sizes is None else _rows(batch_sizes, state)
    plans = []
    for index in range(layer.num_layers):
        of_layer = [weights_of(layer, index, direction) for direction in directions]
        rate_behind = behind if index < last else 0.0
        if options is PLAIN:
            plans.append(LayerPlan(of_layer, None, None, rate_behind))
            continue
        mask = None
        locked = options.input_dropout
        rate = locked[index] if isinstance(locked, tuple) else locked
        if training and rate:
            width = layer.input_size if index == 0 else of_layer[0].ih.shape[1]
            mask = recurrent_mask(batch, width, rate, x)
        if training and options.weight_dropout:
            rate = options.weight_dropout
            of_layer = [part._replace(hh=dropout(part.hh, rate)) for part in of_layer]
        masks = None
        if any(options.zoneout) or (training and options.recurrent_dropout):
            masks = [_masks(options, training, part, x, batch) for part in of_layer]
        plans.append(LayerPlan(of_layer, masks, mask, rate_behind))
    return plans


def _masks(options: Options, training: bool, weights: Weights, x: Tensor, batch: int) -> Masks:
    rate_h, rate_c = options.zoneout
    output = weights.hh.shape[1]
    hidden = output if weights.hr is None else weights.hr.shape[1]
    drawn_h = drawn_c = recurrent = None
    places = x.shape[:-1]
    if training and rate_h:
        drawn_h = zoneout_mask((*places, output), rate_h, x.device)
    if training and rate_c:
        drawn_c = zoneout_mask((*places, hidden), rate_c, x.device)
    if training and options.recurrent_dropout:
        recurrent = recurrent_mask(batch, output, options.recurrent_dropout, x)
    return Masks(drawn_h, drawn_c, rate_h, rate_c, recurrent)


def over_layers(
    layer: RNNBase,
    run_one: RunOne,
    x: Tensor,
    state: State,
    plans: Sequence[LayerPlan],
    batch_sizes: Tensor | None = None,
) -> tuple[Tensor, State]:
    """All layers: `x (T, B, I)`, or `(N, I)`, and the state `(L * D, B, ...)` or None -> the output
    and the final state, laid out alike."""
    count = len(plans)
    if count == 1 and plans[0].input is None and layer.__dict__.get("_options") is None:
        return run_one(0, x, state, plans[0])
    options, directions = options_of(layer), len(plans[0].weights)
    finals: list[State] = []
    for index, plan in enumerate(plans):
        before = state
        if state is not None and count > 1:
            rows = slice(index * directions, (index + 1) * directions)
            before = map_state(lambda part, rows=rows: part[rows], state)
        own = x if plan.input is None else x * _over_steps(plan.input, x.shape[0], batch_sizes)
        y, final = run_one(index, own, before, plan)
        finals.append(final)
        if directions == 2 and options.merge != "concat":
            y = merged(list(y.chunk(2, -1)), options.merge)
        if plan.dropout:
            y = dropout(y, plan.dropout)
        x = y + x if options.residual and index > 0 else y
    if count == 1:
        return x, finals[0]
    return x, map_state(lambda *parts: torch.cat(parts), *finals)


def over_packed(
    layer: RNNBase,
    run: Callable[[Tensor, State], tuple[Tensor, State]],
    packed: PackedSequence,
    state: State,
) -> tuple[PackedSequence, State]:
    """`run` on the packed data and a state in its order of rows; the results are the caller's."""
    data, batch_sizes, to_sorted, to_given = packed
    if state is None and to_sorted is not None and torch.compiler.is_compiling():
        state = zero_state(layer, data, len(to_sorted))  # the batch is known from nothing else
    if state is not None and to_sorted is not None:
        state = map_state(lambda part: part.index_select(1, to_sorted), state)
    y, state = run(data, state)
    if to_given is not None:
        state = map_state(lambda part: part.index_select(1, to_given), state)
    return PackedSequence(y, batch_sizes, to_sorted, to_given), state


def _over_steps(mask: Tensor, places: int, batch_sizes: Tensor | None) -> Tensor:
    """`(B, I)` as it multiplies `(T, B, I)`, or `(N, I)`, N = `places`: the rows that a packed
    batch has."""
    if batch_sizes is None:
        return mask
    ends = batch_sizes.cumsum(0)
    place = torch.arange(places, device=ends.device)
    step = torch.searchsorted(ends, place, right=True)
    rows = place - (ends - batch_sizes)[step]
    return mask.index_select(0, rows.to(mask.device))


def _rows(batch_sizes: Tensor, state: State) -> int:
    """How many rows a packed batch has: no number can be read while it is traced."""
    if state is not None and torch.compiler.is_compiling():
        h = state[0] if isinstance(state, tuple) else state
        return h.shape[1]
    return int(batch_sizes[0])
