"""The native path: this package's kernels, for whole sequences and for single steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers.call import Masks, weights_of
from unrolled.layers.recurrence import Run, run_layer
from unrolled.layers.states import State, map_state, zero_state


def run(
    layer: RNNBase,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    masks: Sequence[Masks] | None = None,
) -> tuple[Tensor, State]:
    """As `reference.run`, by the kernels. The output lies in memory as `batch_first` says."""
    if lengths is not None:
        lengths = lengths.cpu().contiguous()
    if starts is not None:
        starts = starts.cpu()
    return _run(layer, Run(layer.mode, layer.batch_first, lengths, starts), x, state, masks)


def run_packed(
    layer: RNNBase, packed: PackedSequence, state: State, masks: Sequence[Masks] | None = None
) -> tuple[PackedSequence, State]:
    """As `reference.run_packed`, by the kernels, which take packed data as it is."""
    data, batch_sizes, to_sorted, to_given = packed
    if state is None and to_sorted is not None and torch.compiler.is_compiling():
        state = zero_state(layer, data, len(to_sorted))  # the batch is known from nothing else
    if state is not None and to_sorted is not None:
        state = map_state(lambda part: part.index_select(1, to_sorted), state)
    run = Run(layer.mode, batch_sizes=batch_sizes.contiguous())
    y, state = _run(layer, run, data, state, masks)
    if to_given is not None:
        state = map_state(lambda part: part.index_select(1, to_given), state)
    return PackedSequence(y, batch_sizes, to_sorted, to_given), state


def _run(
    layer: RNNBase, run: Run, x: Tensor, state: State, masks: Sequence[Masks] | None
) -> tuple[Tensor, State]:
    directions = 2 if layer.bidirectional else 1
    count = layer.num_layers
    # Between layers time comes first in memory, so that dropout draws as torch draws.
    inner = run._replace(batch_first=False) if count > 1 and run.batch_first else run
    records = layer.__dict__.get("_records")
    finals: list[State] = []
    for index in range(count):
        of_layer = run if index == count - 1 else inner
        weights = [weights_of(layer, index, direction) for direction in range(directions)]
        before, own = state, None
        if count > 1:
            rows = slice(index * directions, (index + 1) * directions)
            before = None if state is None else map_state(lambda part, rows=rows: part[rows], state)
        if masks is not None:
            if any(part[2:4] != masks[0][2:4] for part in masks):
                raise ConfigError("masks: got different rates of zoneout, expected one for all")
            own = masks[index * directions : (index + 1) * directions]
            of_layer = of_layer._replace(rates=(own[0].rate_h, own[0].rate_c))
        if records is not None:
            of_layer = of_layer._replace(record=records[index])
        x, final = run_layer(of_layer, x, before, weights, own)
        finals.append(final)
        if layer.dropout and layer.training and index < count - 1:
            x = dropout(x, layer.dropout)
    if len(finals) == 1:
        return x, finals[0]
    return x, map_state(lambda *parts: torch.cat(parts), *finals)


def step(layer: RNNBase, x: Tensor, state: State) -> tuple[Tensor, State]:
    """As `reference.step`, by the kernels, for the calls that the rule allows them.

    The given state is read, never written.
    """
    count = layer.num_layers
    shape = (count, len(x), layer.hidden_size)
    x = x.contiguous()
    lstm = layer.mode == "LSTM"
    given = state if lstm or state is None else (state,)
    if given is None:
        given = [x.new_zeros(shape)] * (2 if lstm else 1)
    before = [part.contiguous() for part in given]
    after = [x.new_empty(shape) for _ in before]
    run = kernels.lstm_step if lstm else kernels.gru_step
    for index in range(count):
        weights = [
            None if part is None else part.contiguous() for part in weights_of(layer, index)[:4]
        ]
        if count == 1:
            run(x, *before, *weights, *after)
            break
        run(x, *[part[index] for part in before], *weights, *[part[index] for part in after])
        x = after[0][index]
        if layer.dropout and layer.training and index < count - 1:
            x = dropout(x, layer.dropout)
    # A copy, so that changing the output changes no state.
    return after[0][-1].clone(), (after[0], after[1]) if lstm else after[0]
