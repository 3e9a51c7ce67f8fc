"""The native path: this package's kernels. So far the single step of a GRU or LSTM."""

from __future__ import annotations

from torch import Tensor
from torch.nn import RNNBase
from torch.nn.functional import dropout

from unrolled import kernels
from unrolled.layers.cells import GRUStep, LSTMStep, cell_of
from unrolled.layers.states import State


def step(layer: RNNBase, x: Tensor, state: State) -> tuple[Tensor, State]:
    """As `reference.step`, by the kernels, for the calls that the rule allows them.

    The given state is read, never written.
    """
    shape = (layer.num_layers, len(x), layer.hidden_size)
    x = x.contiguous()
    lstm = layer.mode == "LSTM"
    given = state if lstm or state is None else (state,)
    if given is None:
        given = [x.new_zeros(shape)] * (2 if lstm else 1)
    before = [part.contiguous() for part in given]
    after = [x.new_empty(shape) for _ in before]
    for index in range(layer.num_layers):
        cell = cell_of(layer, index)
        assert isinstance(cell, LSTMStep | GRUStep)
        weights = [
            None if part is None else part.contiguous()
            for part in (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
        ]
        run = kernels.lstm_step if lstm else kernels.gru_step
        run(x, *[part[index] for part in before], *weights, *[part[index] for part in after])
        x = after[0][index]
        if layer.dropout and layer.training and index < layer.num_layers - 1:
            x = dropout(x, layer.dropout)
    # A copy, so that changing the output changes no state.
    return x.clone(), (after[0], after[1]) if lstm else after[0]
