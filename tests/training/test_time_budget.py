"""A budget of time ends on time, told by a clock that only training moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from unrolled.data.batch import Batch
from unrolled.training import budget, loop
from unrolled.training.loop import Outcome, Trainer
from unrolled.training.schedule import warmup_cosine

MakeTrainer = Callable[..., Trainer]


class Clock:
    """Stands still until something says that it took time."""

    def __init__(self) -> None:
        # the real time, for whoever asked before the clock was replaced
        self.now = time.perf_counter()

    def perf_counter(self) -> float:
        return self.now


class Costly:
    """Batches that each take the seconds that `cost(step)` says."""

    def __init__(self, clock: Clock, cost: Callable[[int], float]) -> None:
        self.clock, self.cost = clock, cost

    def __len__(self) -> int:
        return 10

    def __getitem__(self, step: int) -> Batch:
        self.clock.now += self.cost(step)
        return Batch(torch.ones(1, 1), torch.ones(()))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(budget, "time", clock)
    monkeypatch.setattr(loop, "time", clock)
    return clock


@pytest.fixture
def run_for(
    clock: Clock, make_trainer: MakeTrainer, make_still: Callable[[], torch.nn.Module]
) -> Callable[..., tuple[Outcome, float, list[float]]]:
    """Train for a time; gives the outcome, the seconds by the clock, and the learning rates."""

    def run(
        words: str, cost: Callable[[int], float], *, validation: float = 0.0, **options: object
    ) -> tuple[Outcome, float, list[float]]:
        def validate() -> float:
            clock.now += validation
            return 1.0

        begun = clock.now
        trainer = make_trainer(
            budget=words,
            model=make_still(),
            batches=Costly(clock, cost),
            loss=lambda outputs, targets: (outputs - targets) ** 2,
            validate=validate,
            **options,
        )
        outcome = trainer.train()
        return outcome, clock.now - begun, [r["rate"] for r in outcome.records if "rate" in r]

    return run


Run = Callable[..., tuple[Outcome, float, list[float]]]


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.floats(0.3, 1.0), validation=st.floats(0.0, 1.0), validations=st.sampled_from([5, 20])
)
@example(step=0.9, validation=1.0, validations=20)
def test_a_run_ends_by_its_plan_within_a_tenth_of_the_budget(
    run_for: Run, step: float, validation: float, validations: int
) -> None:
    recipe = {"validations": validations, "learning_rate": 1e-2}
    outcome, seconds, rates = run_for("60s", lambda _: step, validation=validation, recipe=recipe)
    assert outcome.ended == "plan"
    assert outcome.steps == outcome.planned
    assert 54 <= seconds <= 66
    assert outcome.seconds == pytest.approx(seconds, abs=0.1)
    # the schedule came to its end as well
    assert rates[-1] == pytest.approx(0.02 * 1e-2)
    assert max(rates) == pytest.approx(1e-2, rel=0.05)


def test_a_slow_start_does_not_shorten_the_plan(run_for: Run) -> None:
    outcome, seconds, _ = run_for("60s", lambda n: 3.0 if n < 2 else 0.5)
    assert outcome.ended == "plan"
    assert 54 <= seconds <= 66


@pytest.mark.parametrize("slow", [(30, 60), (30, 10**6), (60, 80), (100, 10**6)])
def test_on_a_machine_that_slows_down_the_plan_gets_shorter_and_the_rate_comes_down(
    run_for: Run, slow: tuple[int, int]
) -> None:
    outcome, seconds, rates = run_for(
        "60s", lambda n: 1.5 if slow[0] <= n < slow[1] else 0.5, recipe={"learning_rate": 1e-2}
    )
    assert outcome.ended == "plan"
    assert outcome.steps == outcome.planned < 115
    assert 50 <= seconds <= 64
    assert rates[-1] < 0.1 * 1e-2


def test_a_run_that_was_measured_beside_other_work_uses_the_rest_of_its_time(run_for: Run) -> None:
    outcome, seconds, rates = run_for(
        "60s", lambda n: 1.0 if n < 20 else 0.4, recipe={"learning_rate": 1e-2}
    )
    assert outcome.ended == "plan"
    assert outcome.steps == outcome.planned > 110
    assert 56 <= seconds <= 63
    assert rates[-1] < 0.1 * 1e-2


def test_a_slow_first_validation_does_not_lengthen_the_plan(
    clock: Clock, make_trainer: MakeTrainer, make_still: Callable[[], torch.nn.Module]
) -> None:
    times = iter([3.0, *[0.1] * 100])

    def validate() -> float:
        clock.now += next(times)
        return 1.0

    begun = clock.now
    outcome = make_trainer(
        budget="60s",
        model=make_still(),
        batches=Costly(clock, lambda _: 0.5),
        loss=lambda outputs, targets: (outputs - targets) ** 2,
        validate=validate,
    ).train()
    assert outcome.ended == "plan"
    assert 54 <= clock.now - begun <= 63


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.floats(0.1, 3.0),
    first=st.floats(0.0, 40.0),
    later=st.floats(0.0, 40.0),
    validations=st.sampled_from([1, 8, 20]),
)
@example(step=0.3, first=39.0, later=39.0, validations=8)
@example(step=0.3, first=0.1, later=30.0, validations=8)
@example(step=0.3, first=0.1, later=2.0, validations=20)
def test_a_validation_that_takes_long_overruns_the_budget_by_itself_at_most(
    step: float,
    first: float,
    later: float,
    validations: int,
    clock: Clock,
    make_trainer: MakeTrainer,
    make_still: Callable[[], torch.nn.Module],
) -> None:
    spent: list[float] = []

    def validate() -> float:
        spent.append(later if spent else first)
        clock.now += spent[-1]
        return 1.0

    begun = clock.now
    outcome = make_trainer(
        budget="20s",
        model=make_still(),
        batches=Costly(clock, lambda _: step),
        loss=lambda outputs, targets: (outputs - targets) ** 2,
        validate=validate,
        recipe={"validations": validations},
    ).train()
    assert clock.now - begun <= budget.OVERRUN * 20 + step + spent[-1]
    held_out = [one["step"] for one in outcome.records if "held_out" in one]
    # the one by which the plan is made is one of them, and none is made twice
    assert len(spent) == len(held_out) == len(set(held_out))
    assert held_out[-1] == outcome.steps
    # Those that nothing warned of may miss the share: the first two, and the one at the end.
    assert sum(spent[2:-1]) <= budget.VALIDATED_SHARE * 20 * (1 + 1e-6)


def test_validations_that_turn_out_slow_fill_their_share_of_the_time_and_no_more(
    clock: Clock, make_trainer: MakeTrainer, make_still: Callable[[], torch.nn.Module]
) -> None:
    spent: list[float] = []

    def validate() -> float:
        spent.append(0.5 if spent else 0.0)
        clock.now += spent[-1]
        return 1.0

    outcome = make_trainer(
        budget="20s",
        model=make_still(),
        batches=Costly(clock, lambda _: 0.1),
        loss=lambda outputs, targets: (outputs - targets) ** 2,
        validate=validate,
        recipe={"validations": 20},
    ).train()
    assert outcome.ended == "plan"
    # a fifth of 20 seconds at the mean of what they took, and the plan alone would make 14
    assert len(spent) == 9
    assert sum(spent) == budget.VALIDATED_SHARE * 20


def test_a_run_that_stands_still_is_ended_by_the_clock(run_for: Run) -> None:
    outcome, _, _ = run_for("60s", lambda n: 40.0 if n == 60 else 0.5, validation=0.1)
    assert outcome.ended == "time"
    assert outcome.planned is not None
    assert outcome.steps < outcome.planned
    assert outcome.best_score == 1.0


@pytest.mark.parametrize("validation", [1.5, 3.0, 6.0])
def test_validations_that_take_long_are_no_reason_for_a_shorter_plan(
    run_for: Run, validation: float
) -> None:
    recipe = {"learning_rate": 1e-2}
    outcome, _, rates = run_for("60s", lambda _: 0.5, validation=validation, recipe=recipe)
    assert outcome.ended == "plan"
    for step in range(outcome.steps // 2, outcome.steps + 1):
        factor = warmup_cosine(step, outcome.planned, warmup=0)
        assert rates[step - 1] == pytest.approx(1e-2 * factor)


def test_steps_longer_than_the_budget_still_end_and_leave_a_model(run_for: Run) -> None:
    outcome, _, _ = run_for("2s", lambda _: 5.0)
    assert (outcome.ended, outcome.steps, outcome.planned) == ("time", 1, None)
    assert outcome.best_step == 1


class Killed(Exception):
    """The run stops here."""


@pytest.mark.parametrize("killed_at", [8, 70])
def test_a_timed_run_that_goes_on_uses_the_rest_of_its_time(
    killed_at: int, clock: Clock, run_for: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 2.0)

    def cost(step: int) -> float:
        if step == killed_at and not killed:
            killed.append(clock.now - begun)
            raise Killed
        return 0.5

    killed: list[float] = []
    begun = clock.now
    from unrolled.training.run import Run as Folder

    with pytest.raises(Killed):
        run_for("60s", cost, run=Folder(tmp_path))
    outcome, seconds, _ = run_for("60s", cost, run=Folder(tmp_path, resume=True))
    assert outcome.ended == "plan"
    assert 54 <= outcome.seconds <= 66
    assert outcome.steps == pytest.approx(120, rel=0.1)
    # what was lost since the last checkpoint is done again; the rest is not
    assert seconds == pytest.approx(60 - killed[0], abs=6)
