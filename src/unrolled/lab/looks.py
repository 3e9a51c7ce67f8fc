"""What a network does with one fixed example: its states over time, and how its gradient fades.

    gradient_t = ||dL/ds_t|| / ||dL/ds_T||,     L: the loss of the last answer

`s` is the whole state (an LSTM's h and c together), with all paths through time in it. As the loss
is that of the last answer alone, only what the steps carry back counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.lab.student import Student
from unrolled.lens.traces import TracedLayer
from unrolled.lens.tracing import trace

PLACES = 40  # of the gradient
NUMBERS = 1920  # of the states: 32 units of 60 steps, or fewer units of more
UNITS = 32


@dataclass(frozen=True)
class Look:
    """One network, one example.

    Attributes:
        gradient: (step from 1, log10 of the share that is left there), at up to `PLACES` steps;
            None: nothing at all, or not finite. Empty without a state.
        shown: the name of the state or gate: "h", "c", or a gate such as "f".
        units: numbers of the units that are shown, those that change most.
        values: (units, T) of it, rounded, from -100 to 100 where 100 is `limit`.
        limit: the largest value that is told apart.
        answers: what it answers at each step, "" where it is not asked or not yet.
        right: of each answer.
        half_lives: steps until a unit has forgotten half, by its gates: of the median unit, and of
            the one that keeps longest (None: for good). None without gates.
    """

    gradient: list[tuple[int, float | None]]
    shown: str
    units: list[int]
    values: list[list[int]]
    limit: float
    answers: list[str]
    right: list[bool]
    half_lives: tuple[float | None, float | None] | None


def look(student: Student, example: Batch, shown: str = "h") -> Look:
    """Look at `student` reading an example, a batch of one row; it is as it was afterwards."""
    answers, right = _answers(student, example)
    if student.settings.cell == "none":
        return Look([], "", [], [], 1.0, answers, right, None)
    layer = _traced(student, example)
    part = layer.states.get(shown, layer.gates.get(shown))
    name = shown if part is not None else "h"
    values = layer.states["h"] if part is None else part
    units, numbers, limit = _few(values, name)
    return Look(_gradient(layer), name, units, numbers, limit, answers, right, _half_lives(layer))


def _traced(student: Student, example: Batch) -> TracedLayer:
    task = student.exercise.task

    def last_loss(answers: Any) -> Any:
        if task.every_step:
            return task.loss(answers[-1:], example.targets[-1:])  # type: ignore[index]
        return task.loss(answers, example.targets)

    return trace(student.network, example.inputs, loss=last_loss, reach=0).layers[0]


def _gradient(layer: TracedLayer) -> list[tuple[int, float | None]]:
    with np.errstate(all="ignore"):
        norms = np.sqrt(sum(norm.astype(np.float64) ** 2 for norm in layer.norms.values()))
        shares = np.log10(norms / norms[-1])
    steps = np.unique(np.linspace(0, len(shares) - 1, PLACES).round().astype(int))
    return [
        (int(step) + 1, round(float(shares[step]), 2) if np.isfinite(shares[step]) else None)
        for step in steps
    ]


def _few(values: np.ndarray, name: str) -> tuple[list[int], list[list[int]], float]:
    values = np.nan_to_num(values, nan=0.0, posinf=1e9, neginf=-1e9).astype(np.float64)
    count = max(1, min(UNITS, NUMBERS // len(values), values.shape[1]))
    units = np.sort(np.argsort(-values.std(axis=0), kind="stable")[:count])
    largest = float(np.abs(values[:, units]).max())
    limit = max(1.0, largest) if name not in ("i", "f", "o", "r", "z") else 1.0
    numbers = (100 * values[:, units] / limit).round().astype(int)
    return units.tolist(), numbers.T.tolist(), round(limit, 3)


def _half_lives(layer: TracedLayer) -> tuple[float | None, float | None] | None:
    """ln 2 / -mean ln k of each unit, k what its gate keeps; the median unit's and the longest.

    What is carried over a whole sequence is carried by few units: the median alone would hide it.
    """
    keeps = layer.gates.get("f", layer.gates.get("z"))
    if keeps is None:
        return None
    with np.errstate(all="ignore"):
        lives = np.log(2) / np.abs(np.log(keeps.astype(np.float64)).mean(axis=0))
    return _steps(np.median(lives)), _steps(lives.max())


def _steps(life: Any) -> float | None:
    return round(float(life), 2) if np.isfinite(life) else None


def _answers(student: Student, example: Batch) -> tuple[list[str], list[bool]]:
    exercise = student.exercise
    with torch.no_grad():
        outputs = student.network(example.inputs)
    assert example.targets is not None
    right, asked = exercise.right(outputs, example.targets), exercise.asked(example.targets)
    best = outputs.argmax(-1) if outputs.shape[-1] > 1 else outputs[..., 0]
    if not bool(torch.isfinite(outputs).all()):
        return [""] * len(example.inputs), [False] * len(example.inputs)
    told = [
        exercise.answer(answer) if ask else ""
        for answer, ask in zip(best.flatten(), asked.flatten().tolist(), strict=True)
    ]
    before = len(example.inputs) - len(told)
    return [""] * before + told, [False] * before + right.flatten().tolist()
