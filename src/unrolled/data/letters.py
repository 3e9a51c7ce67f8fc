"""The next character of a text: windows of it, asked at every step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from unrolled.data.batch import Batch
from unrolled.data.memory import PARTS, Drawn
from unrolled.errors import ConfigError

SHARE = 0.1  # of a long text, for validation and as much again for the test
LONG = 5000  # characters from which a text has parts that are held out


@dataclass(frozen=True)
class NextCharacter(Drawn):
    """What comes after each character.

        target_t = x_{t + 1},     t = 1 ... T

    Inputs `(T, B, V)`, one-hot; targets `(T, B)`. Scored by accuracy, in %. A text of `LONG`
    characters or more has its last tenths held out; of a shorter one, which goes round in a ring,
    every part is the whole.

    Args:
        text: of two different characters at least.
        length: of a window.

    Raises:
        ConfigError: a text that holds nothing to tell apart.
    """

    text: str = field(repr=False)
    length: int = 30
    name = "next"
    every_step = True
    metric, higher_is_better = "accuracy, %", True

    def __post_init__(self) -> None:
        if len(set(self.text)) < 2:
            raise ConfigError(
                f"text: got {len(set(self.text))} different characters, expected 2 at least, so"
                " that there is something to guess"
            )

    @cached_property
    def symbols(self) -> str:
        """The V characters of the text, in order."""
        return "".join(sorted(set(self.text)))

    @property
    def inputs(self) -> int:
        return len(self.symbols)

    @property
    def outputs(self) -> int:
        return len(self.symbols)

    @cached_property
    def _codes(self) -> dict[str, np.ndarray]:
        code = {symbol: number for number, symbol in enumerate(self.symbols)}
        return {part: np.array([code[one] for one in self.part(part)]) for part in PARTS}

    def part(self, part: str) -> str:
        """The text of "train", "validation" or "test"."""
        if len(self.text) < LONG:
            return self.text
        held = int(len(self.text) * SHARE)
        cuts = {"train": (0, -2 * held), "validation": (-2 * held, -held), "test": (-held, None)}
        return self.text[slice(*cuts[part])]

    def without_memory(self) -> float:
        """The best score of an answer that depends on the last character alone, in %."""
        text = self.part("validation")
        following = Counter(zip(text, text[1:] + text[:1], strict=True))
        best: dict[str, int] = {}
        for (before, _), count in following.items():
            best[before] = max(best.get(before, 0), count)
        return 100.0 * sum(best.values()) / len(text)

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        codes = self._codes[part]
        starts = rng.integers(len(codes), size=rows)
        window = (starts + np.arange(self.length + 1)[:, None]) % len(codes)
        read = torch.from_numpy(codes[window])
        return Batch(one_hot(read[:-1], self.inputs).float(), read[1:])

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(answers.flatten(0, 1), targets.flatten())

    def measure(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The score of each row, `(B,)`."""
        return 100.0 * (answers.argmax(-1) == targets).float().mean(0)
