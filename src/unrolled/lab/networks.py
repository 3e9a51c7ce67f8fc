"""The networks of the laboratory: one recurrent layer under a linear readout, or none.

Shapes: `T` time, `B` batch, `I` inputs, `H` hidden size, `O` outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.lab.exercises import Exercise
from unrolled.lab.settings import StudentSettings
from unrolled.layers.rnn import GRU, LSTM, RNN

GAIN = 2.0
"""Of "large": every step multiplies what a small state holds by it."""


class Network(nn.Module):
    """`readout(h_t)` at every step, or `readout(h_T)` where one answer is asked for."""

    def __init__(self, settings: StudentSettings, exercise: Exercise) -> None:
        super().__init__()
        task = exercise.task
        self.every_step: bool = task.every_step
        self.layer = _layer(settings, task.inputs, task.length)
        self.readout = nn.Linear(settings.hidden_size, task.outputs)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.layer(x)
        return self.readout(y if self.every_step else y[-1])


class Feedforward(nn.Module):
    """The same without a loop: `readout(tanh(W x + b))`.

    `x` is the mean of all inputs where one answer is asked for, so that their order is lost; where
    an answer is asked for at every step, it is that step's input.
    """

    def __init__(self, settings: StudentSettings, exercise: Exercise) -> None:
        super().__init__()
        task = exercise.task
        self.every_step: bool = task.every_step
        self.hidden = nn.Linear(task.inputs, settings.hidden_size)
        self.readout = nn.Linear(settings.hidden_size, task.outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.tanh(self.hidden(x if self.every_step else x.mean(0))))


def network_of(settings: StudentSettings, exercise: Exercise, seed: int) -> nn.Module:
    """A new network; the same seed gives the same weights, and torch's generator is left alone."""
    kind = Feedforward if settings.cell == "none" else Network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(settings, exercise)


def _layer(settings: StudentSettings, inputs: int, length: int) -> Any:
    schemes: dict[str, Any] = {"large": _large, "chrono": ("chrono", max(length, 2))}
    options: dict[str, Any] = {"init": schemes.get(settings.init, settings.init)}
    if settings.cell == "RNN":
        relu = settings.init == "identity"
        return RNN(inputs, settings.hidden_size, nonlinearity="relu" if relu else "tanh", **options)
    kind = {"GRU": GRU, "LSTM": LSTM}[settings.cell]
    return kind(inputs, settings.hidden_size, **options)


def _large(layer: Any) -> None:
    nn.init.orthogonal_(layer.weight_hh_l0, GAIN)
