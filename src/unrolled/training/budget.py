"""How long to train: a time or a number of steps, turned into a plan of steps.

A plan is kept in the checkpoint, so that a resumed run follows the schedule of the run that was
stopped. A budget of steps is a plan from the start. A budget of time becomes one after the first
timed steps (`StepTimer`), and another one only where the machine turns out much slower or quicker
than it was then (`Plan.in_time`).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from numbers import Integral

from unrolled.errors import ConfigError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|steps?)\s*", re.IGNORECASE)

# Share of a time budget that is spent measuring before the plan is fixed. Too short and the first,
# untypical steps decide; too long and the learning rate stays at its peak for most of a short run.
MEASURED_SHARE = 0.1
# Share of a time budget that validations may take.
VALIDATED_SHARE = 0.2
# A plan that turns out so much too long, when other work slows the machine, is made shorter; where
# that was not enough the clock ends the run.
OVERRUN = 1.05
# A plan that turns out so much too short is made longer.
UNDERRUN = 0.9


@dataclass(frozen=True)
class Budget:
    """Either `seconds` or `steps`; the other one is None."""

    seconds: float | None = None
    steps: int | None = None

    @classmethod
    def parse(cls, budget: Budget | str | int) -> Budget:
        """Read `"90s"`, `"10m"`, `"2h"`, `"500 steps"`, or a whole number of steps.

        Raises:
            ConfigError: anything else, or a budget of nothing.
        """
        if isinstance(budget, Budget):
            return budget
        if isinstance(budget, Integral) and not isinstance(budget, bool):
            budget = f"{budget} steps"
        match = _PATTERN.fullmatch(budget) if isinstance(budget, str) else None
        if match is None or float(match[1]) <= 0:
            raise ConfigError(
                f"budget: got {budget!r}, expected a time or a number of steps above zero,"
                " such as '90s', '10m', '2h' or '500 steps'"
            )
        unit = match[2].lower()
        if unit in _SECONDS:
            return cls(seconds=float(match[1]) * _SECONDS[unit])
        if "." in match[1]:
            raise ConfigError(f"budget: got {budget!r}, expected a whole number of steps")
        return cls(steps=int(match[1]))

    def __str__(self) -> str:
        return f"{self.steps} steps" if self.seconds is None else f"{self.seconds:g} s"


def validations_left(seconds: float, *, validating: float, validated: int) -> int:
    """How many more validations a budget of `seconds` holds, after `validated` of them that took
    `validating` seconds; never less than the one at the end."""
    each = validating / max(1, validated)
    # A hair more than the share, which sums of equal numbers may miss by their rounding.
    most = (1 + 1e-6) * VALIDATED_SHARE * seconds / max(each, 1e-9)
    return max(1, int(most) - validated)


@dataclass(frozen=True)
class Plan:
    """The schedule of a run.

    Attributes:
        steps: total number of steps.
        validate_every: steps from one validation to the next, counted from `fixed_at`.
        fixed_at: the step after which the plan was made (0: before the first).
        fixed_seconds: what the run had taken by then, the validation after that step left out.
        step_seconds: what one took, by which the plan was made.
        full_steps: the steps that it was made with; 0: `steps`.
    """

    steps: int
    validate_every: int
    fixed_at: int = 0
    fixed_seconds: float = 0.0
    step_seconds: float = 0.0
    full_steps: int = 0

    def validates_at(self, step: int) -> bool:
        """Whether a validation follows a step before the last.

        None does where the end, which has one too, is nearer than half of the way between two.
        """
        whole = (step - self.fixed_at) % self.validate_every == 0
        return whole and 2 * (self.steps - step) >= self.validate_every

    def in_time(
        self,
        *,
        step: int,
        elapsed: float,
        seconds: float,
        validating: float = 0.0,
        validated: int = 0,
    ) -> Plan:
        """The plan for a budget of `seconds`, after `step` steps and `elapsed` of them, of which
        `validated` validations, the first of them when the plan was made, took `validating`.

        It is the plan as it was made while that would end between `UNDERRUN` and `OVERRUN` of the
        budget, at the mean time of a step so far. Else it has the steps that the budget still
        holds, so that the learning rate comes down in time, and no time is left.
        """
        if elapsed > OVERRUN * seconds:
            return self  # the clock ends the run
        full = max(self.full_steps or self.steps, step)
        passed = (step - 1 - self.fixed_at) // self.validate_every
        affordable = validations_left(seconds, validating=validating, validated=validated)

        def ahead(steps: int) -> float:
            # Half a way or more to the end counts as a whole one: see `validates_at`.
            ways = (2 * (steps - self.fixed_at) + self.validate_every) // (2 * self.validate_every)
            left = min(max(1, ways - passed), affordable)
            return validating / max(1, validated) * left

        learning = elapsed - self.fixed_seconds - validating
        one = max((self.step_seconds * self.fixed_at + learning) / step, 1e-9)
        # Once changed it aims at the budget itself, so that it does not go to and fro.
        most = OVERRUN * seconds if self.steps >= full else seconds
        least = UNDERRUN * seconds if self.steps <= full else seconds
        steps = full
        if not least <= elapsed + one * (full - step) + ahead(full) <= most:
            left = seconds - elapsed - ahead(self.steps)
            steps = step + max(0, int(left / one))
        return self if steps == self.steps else replace(self, steps=steps)


@dataclass
class StepTimer:
    """Measures the first steps of a run with a time budget and then fixes its plan.

    The first two steps are left out: they pay for allocation and warm-up.
    """

    seconds: float
    validations: int
    _times: list[float] = field(default_factory=list)
    _last: float = field(default_factory=lambda: time.perf_counter())

    def tick(self) -> bool:
        """Note the end of a step; true when enough is known to make the plan."""
        now = time.perf_counter()
        self._times.append(now - self._last)
        self._last = now
        return len(self._times) >= 5 and sum(self._times) >= MEASURED_SHARE * self.seconds

    def plan(self, *, step: int, elapsed: float, validation_seconds: float) -> Plan:
        """The plan that fills what is left of the budget after `step` steps, which took `elapsed`
        seconds, and a validation of them, which took `validation_seconds`.

        Where a validation takes long there are fewer, so that most of the time is spent learning.
        """
        typical = sum(self._times[2:]) / len(self._times[2:])
        most = validations_left(self.seconds, validating=validation_seconds, validated=1)
        validations = min(self.validations, most)
        left = self.seconds - elapsed - (1 + validations) * validation_seconds
        more = max(1, int(left / typical))
        return Plan(
            steps=step + more,
            validate_every=-(-more // validations),
            fixed_at=step,
            fixed_seconds=elapsed,
            step_seconds=typical,
            full_steps=step + more,
        )
