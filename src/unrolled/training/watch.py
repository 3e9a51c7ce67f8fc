"""`Watch`: `diagnose` at intervals of a training, in one line of anybody's loop."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable

from torch import Tensor, nn

from unrolled.errors import Finding
from unrolled.training.diagnostics import Report, diagnose
from unrolled.training.diagnostics_capture import check_count, check_model
from unrolled.training.falling import WINDOW, still_falls


class Watch:
    """Looks through a model every so many steps, and warns once of each kind of finding.

        watch = Watch(model)
        for x, y in batches:
            loss = criterion(model(x), y)
            ...                                               # backward, step
            watch(loss, lambda: criterion(model(x), y))

    It says nothing while the loss still falls (`still_falls`). Weights, gradients and random
    generators are left as they are: a run with it ends with the same bits as one without.

    Args:
        model: as for `diagnose`.
        every: steps from one look to the next. A look takes about as long as a few steps.
        rows, points: as for `diagnose`.

    Raises:
        DTypeError, ConfigError: as `diagnose`, at once.

    Attributes:
        reports: of every look, with the step (from 1): `[(step, report), ...]`.
    """

    def __init__(
        self, model: nn.Module, *, every: int = 400, rows: int = 4, points: int = 2
    ) -> None:
        check_model(model)
        for name, value in (("every", every), ("rows", rows), ("points", points)):
            check_count(name, value)
        self.model = model
        self.every = every
        self.rows = rows
        self.points = points
        self.reports: list[tuple[int, Report]] = []
        self._losses: deque[float] = deque(maxlen=2 * WINDOW)
        self._step = 0
        self._told: set[type[Finding]] = set()

    def __call__(self, value: float | Tensor, loss: Callable[[], Tensor]) -> Report | None:
        """After a step: its loss, and a function that computes the loss of its batch again.

        Returns:
            A `Report` at the steps where it looks, None at the others.
        """
        self._step += 1
        self._losses.append(float(value.detach()) if isinstance(value, Tensor) else float(value))
        if self._step % self.every:
            return None
        report = diagnose(self.model, loss, warn=False, rows=self.rows, points=self.points)
        self.reports.append((self._step, report))
        if not still_falls(list(self._losses)):
            warn_once(report.findings, self._told, stacklevel=2)
        return report


def warn_once(findings: Iterable[Finding], told: set[type[Finding]], *, stacklevel: int) -> None:
    """Warn of findings of kinds that are not in `told`, and note them there."""
    for finding in findings:
        if type(finding) not in told:
            told.add(type(finding))
            warnings.warn(finding, stacklevel=stacklevel + 1)
