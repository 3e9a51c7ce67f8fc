"""The tasks as a learner meets them: with a score from 0 to 1, the level of chance, and words.

Shapes: `T` steps, `B` batch; answers are `(T, B, O)`, or `(B, O)` where one is asked for at the
end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from unrolled.data.batch import Batch
from unrolled.data.letters import NextCharacter
from unrolled.data.memory import NO_ANSWER, Adding, Copy, Echo
from unrolled.data.word_order import LABELS, PAD, VOCABULARY, WordOrder
from unrolled.lab.settings import LabSettings

CLOSE = 0.1  # an answer to "adding" that is so near counts as right
SYMBOLS = 4  # of "copy"
COPIED = "abcdefgh"


@dataclass(frozen=True)
class Exercise:
    """A task with what a page says about it.

    Attributes:
        task: draws the batches, and has their loss.
        asks: the question, in one sentence.
        loss_name, score_name: what the curves show; the score is a share from 0 to 1, and its name
            follows "gets 50% ".
        chance: the score of the best answer without a memory; `chance_loss` its loss, or None.
        asked: of targets, bool: where an answer counts. right: of answers and targets, bool.
        inputs: of a batch's row, what each step reads.
        answer: the text of one target, or of the answer that is chosen.
    """

    task: Any
    asks: str
    loss_name: str
    score_name: str
    chance: float
    chance_loss: float | None
    asked: Callable[[Tensor], Tensor]
    right: Callable[[Tensor, Tensor], Tensor]
    inputs: Callable[[Batch, int], list[str]]
    answer: Callable[[Tensor], str]

    def score(self, answers: Tensor, targets: Tensor) -> float:
        """The share of what was asked that is right."""
        right, asked = self.right(answers, targets), self.asked(targets)
        return float((right & asked).sum() / asked.sum())


def exercise_of(settings: LabSettings) -> Exercise:
    """The exercise that was chosen."""
    return _MAKERS[settings.task](settings)


def _order(settings: LabSettings) -> Exercise:
    return Exercise(
        WordOrder(),
        "Does the sentence praise or blame? Every sentence has a twin with the same words in"
        " another order, and the other answer.",
        "cross-entropy, nats",
        "of the answers right",
        0.5,
        math.log(2),
        _anywhere,
        _same,
        lambda batch, row: _named(batch, row, VOCABULARY),
        lambda answer: LABELS[int(answer)],
    )


def _echo(settings: LabSettings) -> Exercise:
    task = Echo(settings.length, settings.delay)
    steps = "step" if task.delay == 1 else "steps"
    return Exercise(
        task,
        f"Say each letter again {task.delay} {steps} after it was read.",
        "cross-entropy, nats",
        "of the letters right",
        1 / task.alphabet,
        math.log(task.alphabet),
        _anywhere,
        _same,
        lambda batch, row: _named(batch, row, COPIED),
        lambda answer: COPIED[int(answer)],
    )


def _adding(settings: LabSettings) -> Exercise:
    def inputs(batch: Batch, row: int) -> list[str]:
        return [f"{number:.2f}" if mark else "" for number, mark in batch.inputs[:, row].tolist()]

    return Exercise(
        Adding(settings.length),
        "Two of many numbers are marked. What is their sum?",
        "mean squared error",
        f"of the sums right, within {CLOSE}",
        1 - (1 - CLOSE) ** 2,  # of always answering 1: the sum's density is a triangle on 0 to 2
        1 / 6,
        _anywhere,
        lambda answers, targets: (answers - targets).abs() <= CLOSE,
        inputs,
        lambda answer: f"{float(answer):.2f}",
    )


def _copy(settings: LabSettings) -> Exercise:
    task = Copy(settings.length, SYMBOLS)
    names = (PAD, *COPIED, "?")

    return Exercise(
        task,
        f"Read {SYMBOLS} letters, wait for {task.length} steps, and say them again in order.",
        "cross-entropy, nats",
        "of the letters right",
        1 / task.alphabet,
        SYMBOLS * math.log(task.alphabet) / (task.length + 2 * SYMBOLS),
        lambda targets: targets > 0,
        _same,
        lambda batch, row: _named(batch, row, names),
        lambda answer: names[int(answer)],
    )


def _next(settings: LabSettings) -> Exercise:
    task = NextCharacter(settings.text or help_topics(), settings.length)
    symbols = task.symbols
    return Exercise(
        task,
        "Which character comes next?",
        "cross-entropy, nats",
        "of the characters right",
        task.without_memory() / 100,
        None,
        _anywhere,
        _same,
        lambda batch, row: _named(batch, row, symbols),
        lambda answer: symbols[int(answer)],
    )


def help_topics() -> str:
    """Some 60,000 characters of the help that comes with Python, in lower case; of what is not a
    letter the blank, the comma and the full stop remain."""
    import re
    from pydoc_data.topics import topics

    text = " ".join(topics[name] for name in sorted(topics)[:24]).lower()
    return re.sub(r" +", " ", re.sub(r"[^a-z,. ]+", " ", text))[:60_000]


def _named(batch: Batch, row: int, names: Any) -> list[str]:
    return [names[number] for number in batch.inputs[:, row].argmax(-1).tolist()]


def _anywhere(targets: Tensor) -> Tensor:
    return targets != NO_ANSWER


def _same(answers: Tensor, targets: Tensor) -> Tensor:
    return answers.argmax(-1) == targets


_MAKERS: dict[str, Callable[[LabSettings], Exercise]] = {
    "order": _order,
    "echo": _echo,
    "adding": _adding,
    "copy": _copy,
    "next": _next,
}
