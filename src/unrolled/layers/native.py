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
from unrolled.layers.call import EPSILON, Masks, Weights, weights_of
from unrolled.layers.kernel_calls import Run
from unrolled.layers.over_layers import LayerPlan, RunOne, over_layers, over_packed, plans_of
from unrolled.layers.prototypes import keep, known
from unrolled.layers.records import LayerRecord
from unrolled.layers.recurrence import run_layer
from unrolled.layers.states import State, map_state


def run(
    layer: RNNBase,
    x: Tensor,
    state: State,
    lengths: Tensor | None,
    starts: Tensor | None,
    plans: Sequence[LayerPlan] | None = None,
    records: Sequence[LayerRecord] | None = None,
) -> tuple[Tensor, State]:
    """As `reference.run`, by the kernels. The output lies in memory as `batch_first` says."""
    lengths, starts = on_cpu(lengths, starts)
    if plans is None and layer.num_layers == 1 and "_options" not in layer.__dict__:
        # Nothing stands around the only layer: what `over_layers` comes to.
        weights = [weights_of(layer, 0, at) for at in range(2 if layer.bidirectional else 1)]
        steps = (layer.batch_first, lengths, starts, None)
        record = None if records is None else records[0]
        return _one(layer, 0, x, state, weights, None, steps, record)
    run_one = _run_one(layer, layer.batch_first, lengths, starts, None, records)
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
    """As `reference.run_direction`, by the kernels."""
    rates = (0.0, 0.0) if masks is None else (masks.rate_h, masks.rate_c)
    run = Run(mode, False, *on_cpu(lengths, starts), rates=rates, reverse=reverse)
    before = None if state is None else map_state(lambda part: part.unsqueeze(0), state)
    y, after = run_layer(run, x, before, [weights], None if masks is None else [masks])
    return y, map_state(lambda part: part.squeeze(0), after)


def on_cpu(lengths: Tensor | None, starts: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """As the kernels read them."""
    if lengths is not None:
        lengths = lengths.cpu().contiguous()
    return lengths, None if starts is None else starts.cpu()


def run_packed(
    layer: RNNBase,
    packed: PackedSequence,
    state: State,
    plans: Sequence[LayerPlan] | None = None,
    records: Sequence[LayerRecord] | None = None,
) -> tuple[PackedSequence, State]:
    """As `reference.run_packed`, by the kernels, which take packed data as it is."""
    sizes = packed.batch_sizes.contiguous()
    run_one = _run_one(layer, False, None, None, sizes, records)

    def run_data(data: Tensor, state: State) -> tuple[Tensor, State]:
        own = plans_of(layer, data, sizes, state) if plans is None else plans
        return over_layers(layer, run_one, data, state, own, sizes)

    return over_packed(layer, run_data, packed, state)


def _run_one(
    layer: RNNBase,
    batch_first: bool,
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
    records: Sequence[LayerRecord] | None,
) -> RunOne:
    """What runs one layer of the stack, over these steps."""
    last = layer.num_layers - 1

    def run_one(index: int, x: Tensor, state: State, plan: LayerPlan) -> tuple[Tensor, State]:
        # Between layers time comes first in memory, so that dropout draws as torch draws.
        steps = (batch_first and index == last, lengths, starts, batch_sizes)
        record = None if records is None else records[index]
        return _one(layer, index, x, state, plan.weights, plan.masks, steps, record)

    return run_one


def _one(
    layer: RNNBase,
    index: int,
    x: Tensor,
    state: State,
    weights: Sequence[Weights],
    masks: Sequence[Masks] | None,
    steps: tuple[bool, Tensor | None, Tensor | None, Tensor | None],
    record: LayerRecord | None,
) -> tuple[Tensor, State]:
    """One layer of a stack; `steps`: batch_first, lengths, starts and batch_sizes of `Run`."""
    rates = (0.0, 0.0)
    if masks is not None:
        rates = (masks[0].rate_h, masks[0].rate_c)
        if any((part.rate_h, part.rate_c) != rates for part in masks):
            raise ConfigError("masks: got different rates of zoneout, expected one for all")
    eager = not torch.compiler.is_compiling()
    prototypes = known(layer, index, weights, x) if eager else None
    run = Run(layer.mode, *steps, rates, EPSILON, False, record, prototypes)
    result = run_layer(run, x, state, weights, masks)
    if prototypes is None and eager:
        keep(layer, index, weights, x)
    return result


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
