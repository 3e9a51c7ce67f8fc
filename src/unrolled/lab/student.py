"""A network that learns, one step at a time."""

from __future__ import annotations

import math

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from unrolled.data.batch import Batch
from unrolled.lab.curves import Curve
from unrolled.lab.exercises import Exercise
from unrolled.lab.networks import network_of
from unrolled.lab.settings import StudentSettings

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


class Student:
    """A network with its optimizer and its history.

    Attributes:
        step: how many steps it has learnt.
        losses, norms: over the steps: of the training batch, before the step; the norm of the whole
            gradient, before it is clipped.
        scores: of the held-out rows, when they were looked at.
        clipped: in how many steps the gradient was clipped.
        trouble: why it learns no more, in words; empty while all is well.
    """

    def __init__(self, settings: StudentSettings, exercise: Exercise, seed: int) -> None:
        self.settings, self.exercise = settings, exercise
        self.network = network_of(settings, exercise, seed)
        self.parameters = list(self.network.parameters())
        kind = OPTIMIZERS[settings.optimizer]
        self.optimizer = kind(self.parameters, lr=settings.learning_rate)
        self.step = self.clipped = 0
        self._judged = -1
        self.losses, self.norms, self.scores = Curve(), Curve(), Curve()
        self.trouble = ""

    def learn(self, batch: Batch) -> None:
        """One step; none where it has diverged."""
        if self.trouble:
            return
        self.step += 1
        answers = self.network(batch.inputs)
        loss = self.exercise.task.loss(answers, batch.targets)
        self.optimizer.zero_grad()
        loss.backward()
        if self._sound(float(loss.detach()), self._clip()):
            self.optimizer.step()

    def _clip(self) -> float:
        """Shorten the gradient where it is longer than allowed; how long it was."""
        norm = get_total_norm([one.grad for one in self.parameters if one.grad is not None])
        size = float(norm)
        if 0 < self.settings.clip < size:
            clip_grads_with_norm_(self.parameters, self.settings.clip, norm)
            self.clipped += 1
        return size

    def _sound(self, loss: float, norm: float) -> bool:
        self.losses.add(self.step, loss)
        self.norms.add(self.step, norm)
        if math.isfinite(loss) and math.isfinite(norm):
            return True
        what = "loss" if not math.isfinite(loss) else "gradient"
        cure = "a smaller learning rate" if self.settings.clip else "clipping"
        self.trouble = (
            f"Diverged at step {self.step}: the {what} is no finite number any more. It learns"
            f" no further; try {cure}."
        )
        return False

    def judge(self, held_out: Batch) -> None:
        """Note the score on rows that it does not learn from, once a step."""
        if self.step == self._judged:
            return
        self._judged = self.step
        with torch.no_grad():
            answers = self.network(held_out.inputs)
        assert held_out.targets is not None
        self.scores.add(self.step, self.exercise.score(answers, held_out.targets))
