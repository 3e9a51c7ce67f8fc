"""The networks: recurrent layers of the family under a linear readout.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `N` complex units of an LRU.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

import unrolled
from memory_tasks.recipes import Settings
from unrolled import IndRNNCell, LRUBlock, Recurrent, SLSTMCell

LAYERS = {
    "rnn": unrolled.RNN,
    "gru": unrolled.GRU,
    "lstm": unrolled.LSTM,
    "mingru": unrolled.MinGRU,
    "minlstm": unrolled.MinLSTM,
}
CELLS = {
    "rnn": "RNN",
    "gru": "GRU",
    "lstm": "LSTM",
    "mingru": "minGRU",
    "minlstm": "minLSTM",
    "indrnn": "IndRNN",
    "lru": "LRU",
    "slstm": "sLSTM",
}


class Network(nn.Module):
    """Layers, then `readout(y_t)` at every step, or of one vector for each row.

    That vector is the output after the row's last real step, or with `pool="mean"` the mean of all
    of the row's outputs.
    """

    def __init__(self, settings: Settings, inputs: int, outputs: int, every_step: bool) -> None:
        super().__init__()
        self.every_step, self.pool = every_step, settings.pool
        self.body: nn.Module
        if settings.cell == "lru":
            self.body = Blocks(settings, inputs)
        else:
            self.body = Stack(settings, inputs, settings.length or 784)
        width = settings.hidden
        self.readout: nn.Module = nn.Linear(width, outputs)
        if settings.head:
            self.readout = nn.Sequential(
                nn.Linear(width, settings.head),
                nn.GELU(),
                nn.Dropout(settings.dropout),
                nn.Linear(settings.head, outputs),
            )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        y = self.body(x, lengths)  # (T, B, H)
        if not self.every_step:
            y = self._pooled(y, lengths)
        return self.readout(y)

    def _pooled(self, y: Tensor, lengths: Tensor | None) -> Tensor:
        if self.pool == "mean" and lengths is not None:
            real = torch.arange(len(y)).unsqueeze(1) < lengths
            return y.masked_fill(~real.unsqueeze(-1), 0).sum(0) / lengths.unsqueeze(1)
        if self.pool == "mean":
            return y.mean(0)
        return y[-1] if lengths is None else y[lengths - 1, torch.arange(len(lengths))]


class Stack(nn.Module):
    """Layers one above the other, as in the papers on gated cells."""

    def __init__(self, settings: Settings, inputs: int, steps: int) -> None:
        super().__init__()
        sizes = [inputs, *[settings.hidden] * settings.layers]
        if settings.cell in LAYERS:
            layer = LAYERS[settings.cell]
            self.layer = layer(*sizes[:2], settings.layers, dropout=settings.dropout)
        elif settings.cell == "indrnn":
            cells = [IndRNNCell(i, h, steps=steps) for i, h in pairwise(sizes)]
            self.layer = Recurrent(cells, dropout=settings.dropout)
        else:
            self.layer = Recurrent([SLSTMCell(i, h) for i, h in pairwise(sizes)])
        if settings.chrono:
            chrono_(self.layer, settings.chrono)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        return self.layer(x, lengths=lengths)[0]


class Blocks(nn.Module):
    """`x = W x + b`, then LRU blocks, each on top of what it adds to."""

    def __init__(self, settings: Settings, inputs: int) -> None:
        super().__init__()
        self.encode = nn.Linear(inputs, settings.hidden)
        r_min, r_max = settings.radius
        ring = {"r_min": r_min, "r_max": r_max, "max_phase": settings.phase}
        self.blocks = nn.ModuleList(
            LRUBlock(settings.hidden, settings.state, dropout=settings.dropout, **ring)
            for _ in range(settings.layers)
        )

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        x = self.encode(x)
        for block in self.blocks:
            x, _ = block(x, lengths=lengths)
        return x


def chrono_(layer: nn.Module, longest: int) -> None:
    """Biases that make the units of a gated layer forget over 1 to `longest` steps.

        b_f = log(uniform(1, longest - 1)),  b_i = -b_f

    for the gates that keep (f, and z of a GRU) and those that write (i, and z of a minGRU). All
    other biases are zero, which `init=("chrono", longest)` of our LSTM and GRU does not do, and
    minimal layers have no `init`.

    Source: Tallec and Ollivier, arXiv 1804.11188.
    """
    hidden = layer.hidden_size
    keep, write = {
        "LSTM": (1, 0),
        "GRU": (1, None),
        "MinGRU": (None, 0),
        "MinLSTM": (0, 1),
    }[type(layer).__name__]
    with torch.no_grad():
        for name, bias in layer.named_parameters():
            if not name.startswith("bias"):
                continue
            bias.zero_()
            drawn = torch.empty(hidden).uniform_(1, longest - 1).log()
            if keep is not None and not name.startswith("bias_hh"):
                bias[keep * hidden : (keep + 1) * hidden] = drawn
            if write is not None and not name.startswith("bias_hh"):
                bias[write * hidden : (write + 1) * hidden] = -drawn


def groups_of(network: nn.Module, settings: Settings) -> list[dict[str, object]]:
    """The optimiser's groups: matrices decay, biases and gains do not, and what a linear cell
    multiplies its state by at every step learns `slow` times as fast, without decay."""
    decayed, plain, slow = [], [], []
    for name, parameter in network.named_parameters():
        if name.rpartition(".")[2] in SLOW:
            slow.append(parameter)
        else:
            (decayed if parameter.dim() >= 2 else plain).append(parameter)
    return [
        {"params": decayed, "weight_decay": settings.weight_decay, "factor": 1.0},
        {"params": plain, "weight_decay": 0.0, "factor": 1.0},
        {"params": slow, "weight_decay": 0.0, "factor": settings.slow},
    ]


SLOW = ("nu_log", "theta_log")
