"""Memory tasks, drawn without end: adding, copy, parity, echo.

Shapes: `T` the length that the task is named by, `B` batch; inputs are `(steps, B, I)`.

A batch depends on the seed and the number of the update alone, so that a run that was stopped goes
on with the batches that it would have seen. The held-out rows are the same for every seed. The
laboratory (`unrolled.lab`) and the benchmarks draw from here; `word_order` and `letters` are the
same for sentences and for text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from unrolled.data.batch import Batch
from unrolled.errors import ConfigError

# The first word of what a generator is seeded with, so that no two parts share a stream.
PARTS = {"train": 0, "validation": 1, "test": 2}
HELD_OUT = {"validation": 1000, "test": 5000}
CHUNK = 250  # rows of a held-out batch
NO_ANSWER = -100  # a target where nothing is asked: torch's own mark for it


def check_size(name: str, got: Any, least: int, why: str, *, most: int | None = None) -> None:
    """Refuse a size that can't hold the task.

    Raises:
        ConfigError: one that is no whole number, below `least` or above `most`.
    """
    whole = isinstance(got, Integral) and not isinstance(got, bool)
    if not (whole and least <= int(got) and (most is None or int(got) <= most)):
        expected = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ConfigError(f"{name}: got {got!r}, expected a whole number {expected}: {why}")


class Drawn:
    """What the tasks share: where their batches come from."""

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

    Raises:
        ConfigError: a length below 2.
    """

    length: int = 600
    name = "adding"
    inputs, outputs, every_step = 2, 1, False
    metric, higher_is_better = "mean squared error", False

    def __post_init__(self) -> None:
        check_size("length", self.length, 2, "two numbers are marked")

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
    """Symbols, to be repeated in order after `T` steps; `S` symbols of an alphabet of `A`.

        inputs    s_1 ... s_S   0 (T - 1 times)   A+1 (S + 1 times)
        targets   0 (T + S times)                 s_1 ... s_S

    Symbols `s` are uniform in 1 ... A; 0 is the blank and A + 1 the delimiter. Inputs
    `(T + 2 S, B, A + 2)`, one-hot; targets `(T + 2 S, B)`. Scored by the mean cross-entropy of
    every step, in nats; to know all but the symbols scores S ln A / (T + 2 S).

    Sources: Hochreiter and Schmidhuber (1997), arXiv 1511.06464; the layout is that of
    arXiv 1803.01271, with its S of 10 and A of 8.

    Raises:
        ConfigError: a length, symbols or an alphabet below 1.
    """

    length: int = 1000
    symbols: int = 10
    alphabet: int = 8
    name = "copy"
    every_step = True
    metric, higher_is_better = "cross-entropy a step, nats", False

    def __post_init__(self) -> None:
        check_size("length", self.length, 1, "the delimiter stands after the symbols")
        check_size("symbols", self.symbols, 1, "something must be repeated")
        check_size("alphabet", self.alphabet, 1, "symbols are drawn from it")

    @property
    def inputs(self) -> int:
        return self.alphabet + 2

    @property
    def outputs(self) -> int:
        return self.alphabet + 2

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        drawn = rng.integers(1, self.alphabet + 1, size=(self.symbols, rows))
        symbols = torch.from_numpy(drawn)
        read = torch.zeros(self.length + 2 * self.symbols, rows, dtype=torch.int64)
        read[: self.symbols], read[-self.symbols - 1 :] = symbols, self.alphabet + 1
        written = torch.zeros_like(read)
        written[-self.symbols :] = symbols
        return Batch(one_hot(read, self.inputs).float(), written)

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

    Raises:
        ConfigError: a length that leaves none to hold out, or none to learn from.
    """

    length: int = 40
    name = "parity"
    inputs, outputs, every_step = 2, 2, False
    metric, higher_is_better = "accuracy, %", True
    longest = 500

    def __post_init__(self) -> None:
        why = f"lengths above it, to {self.longest}, are held out"
        check_size("length", self.length, 1, why, most=self.longest - 1)

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


@dataclass(frozen=True)
class Echo(Drawn):
    """Every symbol, once more after a delay of `N` steps.

        target_t = x_{t - N},     t = N + 1 ... T

    Symbols are uniform in 0 ... A-1. Inputs `(T, B, A)`, one-hot; targets `(T, B)`, `NO_ANSWER` in
    the first N steps, where nothing is asked. Scored by accuracy, in %; chance is 100 / A. The
    state must hold N symbols at once, in order, and shift them at every step.

    Raises:
        ConfigError: a length or an alphabet below 1, or a delay that leaves no step to ask at.
    """

    length: int = 30
    delay: int = 3
    alphabet: int = 4
    name = "echo"
    every_step = True
    metric, higher_is_better = "accuracy, %", True

    def __post_init__(self) -> None:
        check_size("length", self.length, 1, "an answer must be asked for")
        check_size("alphabet", self.alphabet, 1, "symbols are drawn from it")
        why = f"a length of {self.length} must leave a step that is asked"
        check_size("delay", self.delay, 0, why, most=self.length - 1)

    @property
    def inputs(self) -> int:
        return self.alphabet

    @property
    def outputs(self) -> int:
        return self.alphabet

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        read = torch.from_numpy(rng.integers(self.alphabet, size=(self.length, rows)))
        written = torch.full_like(read, NO_ANSWER)
        written[self.delay :] = read[: self.length - self.delay]
        return Batch(one_hot(read, self.alphabet).float(), written)

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(answers.flatten(0, 1), targets.flatten(), ignore_index=NO_ANSWER)

    def measure(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The score of each row, `(B,)`."""
        asked = targets != NO_ANSWER
        right = (answers.argmax(-1) == targets) & asked
        return 100.0 * right.sum(0) / asked.sum(0)
