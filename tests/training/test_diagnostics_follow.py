"""Following a layer gives the layer's own numbers, whatever its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unrolled import (
    GRU,
    LSTM,
    RNN,
    GRUCell,
    IndRNNCell,
    LRUBlock,
    LRUCell,
    LSTMCell,
    MinGRU,
    MinGRUCell,
    MinLSTM,
    MinLSTMCell,
    Recurrent,
    RNNCell,
    SLSTMCell,
)
from unrolled.layers.states import tensors_of
from unrolled.training.diagnostics_follow import follow, states_of

T, B, N, H = 9, 4, 5, 5


def pairs(cell: Callable[..., Any], width: int = 2 * H) -> list[tuple[Any, Any]]:
    return [(cell(N, H), cell(N, H)), (cell(width, H), cell(width, H))]


LAYERS: dict[str, Callable[[], Any]] = {
    "torch.nn.LSTM": lambda: nn.LSTM(N, H, 2, bidirectional=True, proj_size=3),
    "torch.nn.RNN": lambda: nn.RNN(N, H, 2, nonlinearity="relu"),
    "RNN": lambda: RNN(N, H, 2, layer_norm=True, zoneout=0.2, residual=True),
    "RNN relu": lambda: RNN(N, H, 2, nonlinearity="relu", init="identity", recurrent_dropout=0.5),
    "GRU": lambda: GRU(
        *(N, H, 3),
        bidirectional=True,
        merge="sum",
        residual=True,
        layer_norm=True,
        zoneout=0.2,
        input_dropout=0.5,
    ),
    "GRU mul": lambda: GRU(
        N, H, 2, bidirectional=True, merge="mul", weight_dropout=0.5, bias=False
    ),
    "LSTM": lambda: LSTM(
        *(N, H, 3),
        bidirectional=True,
        dropout=0.5,
        peephole=True,
        layer_norm=True,
        zoneout=(0.1, 0.3),
        recurrent_dropout=0.5,
        weight_dropout=0.5,
        input_dropout=0.5,
        residual=True,
        init=("chrono", T),
        checkpoint=3,
    ),
    "LSTM mean": lambda: LSTM(
        N, H, 2, bidirectional=True, merge="mean", proj_size=3, peephole=True
    ),
    "MinGRU": lambda: MinGRU(N, H, 2, bidirectional=True),
    "MinLSTM": lambda: MinLSTM(N, H, 2, bias=False),
    "of RNN cells": lambda: Recurrent(pairs(RNNCell), residual=True),
    "of relu cells": lambda: Recurrent([RNNCell(N, H, nonlinearity="relu")], reverse=True),
    "of GRU cells": lambda: Recurrent(pairs(GRUCell, H), merge="mean", residual=True),
    "of LSTM cells": lambda: Recurrent(pairs(LSTMCell), dropout=0.5, checkpoint=4),
    "of sLSTM cells": lambda: Recurrent([SLSTMCell(N, H), SLSTMCell(H, H)], residual=True),
    "of IndRNN cells": lambda: Recurrent(pairs(IndRNNCell, H), merge="mul"),
    "of minGRU cells": lambda: Recurrent((MinGRUCell(N, H), MinGRUCell(N, H))),
    "of minLSTM cells": lambda: Recurrent([MinLSTMCell(N, H), GRUCell(H, H)]),
    "of LRU cells": lambda: Recurrent([LRUCell(N, 3), LRUCell(N, 4, H)], residual=True),
    "LRUBlock": lambda: LRUBlock(N, 3, dropout=0.5),
    "of LRU cells, both ways": lambda: Recurrent(pairs(LRUCell, H), merge="sum"),
}


def call_of(name: str) -> tuple[Any, Tensor, Any]:
    """A layer with biases that are not zero, an input, and a state that is not zero."""
    layer = LAYERS[name]().double().eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    x = torch.randn(T, B, N, dtype=torch.float64)
    return layer, x, layer(torch.randn_like(x))[1]


def options_of(layer: Any) -> dict[str, Tensor]:
    if type(layer).__module__.startswith("torch."):
        return {}
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[0, 0] = starts[4, 0] = starts[3, 2] = starts[T - 1, 2] = True
    return {"lengths": torch.tensor([T, 0, 5, T - 1]), "starts": starts}


def close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(((one - other).abs() <= 1e-10).all())


@pytest.mark.parametrize("ragged", [False, True], ids=["padded", "ragged"])
@pytest.mark.parametrize("name", LAYERS)
def test_following_gives_output_state_and_gradients_of_the_layer(name: str, ragged: bool) -> None:
    layer, x, state = call_of(name)
    options = options_of(layer) if ragged else {}
    if "lengths" in options:
        for row, length in enumerate(options["lengths"].tolist()):
            x[length:, row] = torch.nan
    x.requires_grad_()
    y, after = layer(x, state, **options)
    run = follow(layer, x, state, **options)
    assert close(run.y, y)
    for one, other in zip(run.finals, states_of(layer, after), strict=True):
        for a, b in zip(tensors_of(one), tensors_of(other), strict=True):
            assert close(a, b)
    weight = torch.randn_like(y)
    (wanted,) = torch.autograd.grad((y * weight).sum(), x)
    (found,) = torch.autograd.grad((run.y * weight).sum(), x)
    assert close(found, wanted)


@pytest.mark.parametrize("name", LAYERS)
def test_following_without_a_state_is_the_layers_own_beginning(name: str) -> None:
    layer, x, _ = call_of(name)
    assert close(follow(layer, x).y, layer(x)[0])
