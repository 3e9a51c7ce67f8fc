"""Two networks on one task, step by step on the same batches."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from unrolled.data.batch import Batch
from unrolled.lab.exercises import exercise_of
from unrolled.lab.looks import look
from unrolled.lab.settings import LabSettings
from unrolled.lab.student import Student

HELD_OUT = 100  # rows that are scored


class Contest:
    """Two students, their batches, and the record of where they stand.

    The same settings give the same numbers, whoever looks on and how often.
    """

    def __init__(self, settings: LabSettings) -> None:
        self.settings = settings
        self.exercise = exercise_of(settings)
        seed = settings.seed
        self.students = [Student(one, self.exercise, seed) for one in settings.students]
        held = next(self.exercise.task.held_out("validation"))
        self.held_out = Batch(held.inputs[:, :HELD_OUT], _rows(held.targets, HELD_OUT, self))
        self.example = Batch(held.inputs[:, :1], _rows(held.targets, 1, self))
        self.step = 0
        # The gradient through time before the first step: what a leap or a lesson has changed.
        self.begins = [look(one, self.example).gradient for one in self.students]

    def learn(self) -> None:
        """One step of each, on the same batch."""
        batch = self.exercise.task.batch(self.settings.rows, self.settings.seed, self.step)
        for student in self.students:
            student.learn(batch)
        self.step += 1

    @property
    def over(self) -> bool:
        """Whether neither learns any more."""
        return all(student.trouble for student in self.students)

    def record(self, shown: str = "h") -> dict[str, Any]:
        """Where they stand, in values that strict JSON takes: what changes with the steps."""
        return {"step": self.step, "students": [self._of(one, shown) for one in self.students]}

    def facts(self) -> dict[str, Any]:
        """What stays the same: the question, the level of chance, the example, the beginning."""
        exercise, example = self.exercise, self.example
        targets = example.targets
        assert targets is not None
        asked = exercise.asked(targets).flatten().tolist()
        wanted = [
            exercise.answer(one) if ask else ""
            for one, ask in zip(targets.flatten(), asked, strict=True)
        ]
        steps = len(example.inputs)
        return {
            "settings": self.settings.model_dump(mode="json"),
            "asks": exercise.asks,
            "loss_name": exercise.loss_name,
            "score_name": exercise.score_name,
            "chance": exercise.chance,
            "chance_loss": exercise.chance_loss,
            "inputs": exercise.inputs(example, 0),
            "targets": [""] * (steps - len(wanted)) + wanted,
            "begins": self.begins,
        }

    def _of(self, student: Student, shown: str) -> dict[str, Any]:
        if not student.trouble or not student.scores.points():
            student.judge(self.held_out)
        return {
            "losses": student.losses.points(),
            "scores": student.scores.points(),
            "norms": student.norms.points(),
            "clipped": student.clipped,
            "trouble": student.trouble,
            "look": asdict(look(student, self.example, shown)),
        }


def _rows(targets: Any, count: int, contest: Contest) -> Any:
    """The first rows: they stand second where there is a target a step."""
    return targets[:, :count] if contest.exercise.task.every_step else targets[:count]
