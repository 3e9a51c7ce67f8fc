"""Sentences that differ in the order of their words alone.

    it was good and not dull      good
    it was dull and not good      bad      the same words

Whoever keeps only which words there are, and how often, is right on exactly one of the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from unrolled.data.batch import Batch
from unrolled.data.memory import PARTS, Drawn, check_size

PAD = "·"
SUBJECTS = ("the film", "the play", "the book", "the song")
GOOD = ("good", "fine", "funny", "clever", "warm", "moving")
BAD = ("bad", "poor", "dull", "silly", "cold", "boring")
# Where the two adjectives stand, and which of them counts.
PATTERNS = (
    ("was {} and not {}", 0),
    ("was not {} but {}", 1),
    ("was never {} , always {}", 1),
    ("was {} , not at all {}", 0),
)
_TEXTS = " ".join([*SUBJECTS, *(pattern for pattern, _ in PATTERNS)])
VOCABULARY = (PAD, *sorted(set(_TEXTS.split()) - {"{}"}), *GOOD, *BAD)
LABELS = ("bad", "good")


@dataclass(frozen=True)
class WordOrder(Drawn):
    """Whether a sentence praises, where praise and blame have the same words.

    Each batch holds sentences and their twins, rows 2 k and 2 k + 1, in which the two adjectives
    have changed places: the same words, the other label. Inputs `(9, B, V)`, one-hot, filled up
    with pads at the front; targets `(B,)`. Scored by accuracy, in %. A sixth of the pairs of
    adjectives is held out (6 of 36); half of those for validation.

    Raises:
        ConfigError: a length below 9, that of the longest sentence.
    """

    length: int = 9
    name = "order"
    inputs, outputs, every_step = len(VOCABULARY), 2, False
    metric, higher_is_better = "accuracy, %", True

    def __post_init__(self) -> None:
        check_size("length", self.length, 9, "the longest sentence has 9 words")

    def draw(self, rng: np.random.Generator, rows: int, part: str = "train") -> Batch:
        pairs = _pairs(part)
        code = {word: number for number, word in enumerate(VOCABULARY)}
        read = torch.zeros(self.length, rows, dtype=torch.int64)
        labels = torch.zeros(rows, dtype=torch.int64)
        for row in range(0, rows, 2):
            subject = SUBJECTS[rng.integers(len(SUBJECTS))]
            pattern, counts = PATTERNS[rng.integers(len(PATTERNS))]
            good, bad = pairs[rng.integers(len(pairs))]
            twins = [(good, bad), (bad, good)]
            if rng.integers(2):
                twins.reverse()
            for place, twin in enumerate(twins[: rows - row]):
                words = f"{subject} {pattern.format(*twin)}".split()
                read[-len(words) :, row + place] = torch.tensor([code[word] for word in words])
                labels[row + place] = int(twin[counts] == good)
        return Batch(one_hot(read, self.inputs).float(), labels)

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(answers, targets)

    def measure(self, answers: Tensor, targets: Tensor) -> Tensor:
        """The score of each row, `(B,)`."""
        return 100.0 * (answers.argmax(-1) == targets)


def _pairs(part: str) -> list[tuple[str, str]]:
    """The pairs of a good word and a bad one that stand in this part, and in no other."""
    every = [(good, bad) for good in GOOD for bad in BAD]
    order = np.random.default_rng(len(PARTS)).permutation(len(every))
    held = len(every) // 10
    cuts = {"validation": order[:held], "test": order[held : 2 * held], "train": order[2 * held :]}
    return [every[number] for number in cuts[part]]
