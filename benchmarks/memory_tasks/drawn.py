"""The tasks whose sequences are drawn: adding, copy, parity.

Shapes: `T` the length that the task is named by, `B` batch; inputs are `(steps, B, I)`.

A batch depends on the seed and the number of the update alone, so that a run that was stopped goes
on with the batches that it would have seen. The held-out rows are the same for every seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from unrolled.data.batch import Batch

# The first word of what a generator is seeded with, so that no two parts share a stream.
PARTS = {"train": 0, "validation": 1, "test": 2}
HELD_OUT = {"validation": 1000, "test": 5000}
CHUNK = 250  # rows of a held-out batch


class Drawn:
    """What the three share: where their batches come from."""

    name: ClassVar[str]
    length: int

    def batch(self, rows: int, seed: int, update: int) -> Batch:
        """The training batch of an update, counted from 0."""
        return self.draw(np.random.default_rng([PARTS["train"], seed, update]), rows)

    def held_out(self, part: str) -> Iterator[Batch]:
        """The rows of "validation" or "test", batch by batch."""
        for number in range(HELD_OUT[part] // CHUNK):
            yield self.draw(np.random.default_rng([PARTS[part], self.length, number]), CHUNK, part)

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        raise NotImplementedError


@dataclass(frozen=True)
class Adding(Drawn):
    """The sum of two numbers that are marked among `T`.

        target = x_i + x_j,     i != j uniform in 0 ... T-1

    Inputs `(T, B, 2)`: numbers uniform in [0, 1), and marks, 1 at i and j, 0 elsewhere. Targets
    `(B, 1)`. Scored by the mean squared error; to answer 1 always scores 1/6 = 0.167.

    Sources: Hochreiter and Schmidhuber (1997); the form of arXiv 1803.01271, where both marks may
    stand anywhere.
    """

    length: int = 600
    name = "adding"
    inputs, outputs, every_step = 2, 1, False
    metric, higher_is_better = "mean squared error", False

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        numbers = rng.random((self.length, rows), dtype=np.float32)
        first = rng.integers(self.length, size=rows)
        second = (first + rng.integers(1, self.length, size=rows)) % self.length
        row = np.arange(rows)
        marks = np.zeros_like(numbers)
        marks[first, row] = marks[second, row] = 1
        total = numbers[first, row] + numbers[second, row]
        inputs = torch.from_numpy(np.stack([numbers, marks], -1))
        return Batch(inputs, torch.from_numpy(total).unsqueeze(1))

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return self.measure(answers, targets).mean()

    def measure(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The score of each row, `(B,)`."""
        return (answers - targets).square().squeeze(1)


@dataclass(frozen=True)
class Copy(Drawn):
    """Ten symbols, to be repeated in order after `T` steps.

        inputs    s_1 ... s_10   0 (T - 1 times)   9 (11 times)
        targets   0 (T + 10 times)                 s_1 ... s_10

    Symbols `s` are uniform in 1 ... 8; 0 is the blank and 9 the delimiter. Inputs
    `(T + 20, B, 10)`, one-hot; targets `(T + 20, B)`. Scored by the mean cross-entropy of every
    step, in nats; to know all but the symbols scores 10 ln 8 / (T + 20).

    Sources: Hochreiter and Schmidhuber (1997), arXiv 1511.06464; the layout is that of
    arXiv 1803.01271.
    """

    length: int = 1000
    name = "copy"
    inputs, outputs, every_step = 10, 10, True
    metric, higher_is_better = "cross-entropy a step, nats", False

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        symbols = torch.from_numpy(rng.integers(1, 9, size=(10, rows)))
        read = torch.zeros(self.length + 20, rows, dtype=torch.int64)
        read[:10], read[-11:] = symbols, 9
        written = torch.zeros_like(read)
        written[-10:] = symbols
        return Batch(one_hot(read, 10).float(), written)

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(answers.flatten(0, 1), targets.flatten())

    def measure(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The score of each row, `(B,)`."""
        return cross_entropy(answers.movedim(-1, 1), targets, reduction="none").mean(0)


@dataclass(frozen=True)
class Parity(Drawn):
    """Whether a row of bits holds an odd number of ones; learned short, asked long.

        target = (x_1 + ... + x_n) mod 2

    Rows of length n uniform in 1 ... T to learn from, in T+1 ... 500 held out, padded to the
    longest. Inputs `(steps, B, 2)`, one-hot; targets `(B,)`. Scored by accuracy, in %; chance is
    50. No state that only decays or is only overwritten answers it: it must be turned.

    Source: arXiv 2207.02098, with its T of 40 and its 500.
    """

    length: int = 40
    name = "parity"
    inputs, outputs, every_step = 2, 2, False
    metric, higher_is_better = "accuracy, %", True
    longest = 500

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        low, high = (1, self.length) if part == "train" else (self.length + 1, self.longest)
        lengths = rng.integers(low, high + 1, size=rows)
        bits = rng.integers(0, 2, size=(lengths.max(), rows))
        bits *= np.arange(len(bits))[:, None] < lengths
        inputs = one_hot(torch.from_numpy(bits), 2).float()
        return Batch(inputs, torch.from_numpy(bits.sum(0) % 2), torch.from_numpy(lengths))

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(answers, targets)

    def measure(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The score of each row, `(B,)`."""
        return 100.0 * (answers.argmax(-1) == targets)
