"""The work that the benchmarks time: the same layer, ours and torch's, on the same arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import RNNBase
from torch.nn.utils.rnn import PackedSequence

import unrolled

CELLS = ("LSTM", "GRU", "RNN")
Work = Callable[[], list[Tensor]]
Ours = unrolled.LSTM | unrolled.GRU | unrolled.RNN


class Shape(NamedTuple):
    """`T`, `B`, `I` and `H`."""

    steps: int
    batch: int
    input: int
    hidden: int

    @classmethod
    def parse(cls, text: str) -> Shape:
        parts = [int(part) for part in text.split(",")]
        if len(parts) != 4 or min(parts) < 1:
            raise ValueError(f"got {text!r}, expected T,B,I,H, such as 64,32,128,128")
        return cls(*parts)

    def __str__(self) -> str:
        return ",".join(map(str, self))


SHAPES = (
    Shape(64, 32, 128, 128),
    Shape(100, 32, 256, 256),
    Shape(100, 64, 512, 512),
    Shape(256, 16, 64, 64),
    Shape(512, 1, 128, 128),
    Shape(1000, 8, 32, 32),
)
TINY = (
    Shape(1, 1, 32, 32),
    Shape(1, 1, 128, 128),
    Shape(4, 2, 16, 16),
    Shape(10, 1, 64, 64),
    Shape(1, 32, 128, 128),
    Shape(1, 1, 512, 512),
)


@dataclass(frozen=True)
class Plan:
    """What a table is asked to cover.

    Attributes:
        cells: of "LSTM", "GRU", "RNN".
        shapes: the sizes.
        threads: torch's threads, one part of the table for each.
    """

    cells: tuple[str, ...]
    shapes: tuple[Shape, ...]
    threads: tuple[int, ...]


def work_name(training: bool) -> str:
    return "training" if training else "inference"


@dataclass(frozen=True)
class Pair:
    """Our layer and torch's, with the same weights."""

    ours: Ours
    torch: RNNBase
    names: list[str] = field(init=False)  # of what `training` returns; `inference`: the first

    def __post_init__(self) -> None:
        names = ["y", "dx", *[f"d {name}" for name, _ in self.torch.named_parameters()]]
        object.__setattr__(self, "names", names)


def pair_of(cell: str, shape: Shape, *, training: bool) -> Pair:
    """Both layers with the same weights and biases, torch's usual random ones."""
    theirs = getattr(torch.nn, cell)(shape.input, shape.hidden)
    ours = getattr(unrolled, cell)(shape.input, shape.hidden)
    ours.load_state_dict(theirs.state_dict())
    return Pair(ours.train(training), theirs.train(training))


def arrays_of(shape: Shape) -> tuple[Tensor, Tensor]:
    """Input and gradient of the output, `(T, B, I)` and `(T, B, H)`, of unit normal numbers."""
    x = torch.randn(shape.steps, shape.batch, shape.input)
    return x.requires_grad_(), torch.randn(shape.steps, shape.batch, shape.hidden)


def work(
    layer: RNNBase, x: Tensor | PackedSequence, dy: Tensor, training: bool, **given: Any
) -> Work:
    """A call of the layer; in training also the gradients of `sum(y * dy)`.

    The function gives `y`, and in training `dx` and the gradient of each parameter; of a packed
    `x`, the data of each.
    """
    wanted = [_values(x), *layer.parameters()]

    def train() -> list[Tensor]:
        y = _values(layer(x, **given)[0])
        return [y, *torch.autograd.grad(y, wanted, dy)]

    def infer() -> list[Tensor]:
        with torch.no_grad():
            return [_values(layer(x, **given)[0])]

    return train if training else infer


def _values(x: Tensor | PackedSequence) -> Tensor:
    return x.data if isinstance(x, PackedSequence) else x
