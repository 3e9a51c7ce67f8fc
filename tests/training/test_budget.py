"""Budgets are read from words, and timed steps become a plan that fits."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.training import budget as room
from unrolled.training.budget import MEASURED_SHARE, VALIDATED_SHARE, Budget, Plan, StepTimer


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("90s", Budget(seconds=90)),
        ("10m", Budget(seconds=600)),
        ("1.5h", Budget(seconds=5400)),
        (" 2 H ", Budget(seconds=7200)),
        ("500 steps", Budget(steps=500)),
        ("1 step", Budget(steps=1)),
        ("7STEPS", Budget(steps=7)),
        (500, Budget(steps=500)),
        (Budget(steps=3), Budget(steps=3)),
    ],
)
def test_a_budget_is_read_from_words(words: object, expected: Budget) -> None:
    assert Budget.parse(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        *["", "10", "ten minutes", "10 d", "-5s", "0s", "0 steps", "1.5 steps", "1m30s"],
        *["nans", "infs", "1e3 steps", 0, -3, True, None, 1.5],
    ],
)
def test_any_other_budget_is_one_plain_line_with_an_example(words: object) -> None:
    with pytest.raises(ConfigError) as caught:
        Budget.parse(words)
    text = str(caught.value)
    assert text.startswith("budget: got ")
    assert "\n" not in text
    assert "steps" in text


@given(st.integers(1, 10**9))
def test_a_number_of_steps_reads_back_from_its_words(steps: int) -> None:
    assert Budget.parse(str(Budget.parse(steps))) == Budget(steps=steps)


@given(st.integers(1, 360_000))
def test_a_time_reads_back_from_its_words(seconds: int) -> None:
    assert Budget.parse(str(Budget.parse(f"{seconds}s"))) == Budget(seconds=seconds)


class Clock:
    """Says what time it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(room, "time", clock)
    return clock


def timer_after(clock: Clock, steps: list[float], *, seconds: float, validations: int) -> StepTimer:
    timer = StepTimer(seconds, validations)
    timer._last = clock.now
    for step in steps:
        clock.now += step
        timer.tick()
    return timer


def test_a_plan_waits_for_five_steps_and_a_tenth_of_the_time(clock: Clock) -> None:
    timer = timer_after(clock, [], seconds=10.0, validations=4)
    answers = []
    for step in [0.25] + [0.125] * 7:
        clock.now += step
        answers.append(timer.tick())
    # one second is over with the seventh step
    assert answers == [False] * 6 + [True] * 2
    slow = timer_after(clock, [], seconds=10.0, validations=4)
    answers = []
    for _ in range(5):
        clock.now += 2.0
        answers.append(slow.tick())
    assert answers == [False] * 4 + [True]


def test_the_first_two_steps_do_not_count_as_typical(clock: Clock) -> None:
    timer = timer_after(clock, [9.0, 4.0, 0.5, 0.5, 0.5], seconds=60.0, validations=4)
    plan = timer.plan(step=5, elapsed=14.5, validation_seconds=0.0)
    assert plan.steps == 5 + 91  # 45.5 seconds are left, half a second each
    assert plan.fixed_at == 5


def test_the_plan_leaves_time_for_its_validations(clock: Clock) -> None:
    timer = timer_after(clock, [1.0] * 6, seconds=60.0, validations=4)
    plan = timer.plan(step=6, elapsed=8.0, validation_seconds=3.0)
    # A fifth of the time holds four, and one of them is made with the plan: 60 - 8 - 4 * 3.
    assert plan.steps == 6 + 40
    assert plan.validate_every == 14


def test_a_validation_that_takes_long_is_made_with_the_plan_and_at_the_end(clock: Clock) -> None:
    timer = timer_after(clock, [1.0] * 6, seconds=60.0, validations=4)
    plan = timer.plan(step=6, elapsed=8.0, validation_seconds=15.0)
    assert plan.steps == 6 + 22  # 60 - 8 - 2 * 15
    assert not [step for step in range(7, 28) if plan.validates_at(step)]


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 50))
def test_the_last_validation_before_the_end_is_half_of_the_way_from_it(
    more: int, validations: int, fixed_at: int
) -> None:
    every = -(-more // validations)
    plan = Plan(fixed_at + more, every, fixed_at)
    found = [step for step in range(fixed_at + 1, plan.steps) if plan.validates_at(step)]
    assert len(found) <= validations - 1
    assert all(2 * (plan.steps - step) >= every for step in found)
    # and no part of the run goes without for longer than one and a half
    last = found[-1] if found else fixed_at
    assert 2 * (plan.steps - last) < 3 * every


def test_a_plan_counts_the_steps_of_an_earlier_part_of_the_run(clock: Clock) -> None:
    timer = timer_after(clock, [1.0] * 6, seconds=60.0, validations=4)
    plan = timer.plan(step=20, elapsed=20.0, validation_seconds=0.0)
    assert plan.steps == 60
    assert plan.fixed_at == 20


def test_a_plan_has_a_step_more_even_where_no_time_is_left(clock: Clock) -> None:
    timer = timer_after(clock, [3.0] * 5, seconds=10.0, validations=20)
    plan = timer.plan(step=5, elapsed=15.0, validation_seconds=1.0)
    assert plan.steps == 6
    assert plan.validate_every == 1


@settings(max_examples=30)
@given(
    step=st.floats(0.1, 2.0),
    validation=st.floats(0.0, 1.0),
    validations=st.integers(1, 30),
    seconds=st.floats(20.0, 600.0),
)
def test_steps_and_validations_of_a_plan_fit_into_the_time(
    step: float, validation: float, validations: int, seconds: float
) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "time", clock)
        timer = timer_after(clock, [step] * 5, seconds=seconds, validations=validations)
        done = next(n for n in itertools.count(5) if n * step >= MEASURED_SHARE * seconds)
        for _ in range(done - 5):
            clock.now += step
            timer.tick()
        elapsed = done * step
        plan = timer.plan(step=done, elapsed=elapsed, validation_seconds=validation)
    rest = plan.steps - done
    before = [n for n in range(done + 1, plan.steps) if plan.validates_at(n)]
    assert rest >= 1
    # Where validations are costly there are fewer, so that they take a share of the time at most.
    most = max(1, int((1 + 1e-6) * VALIDATED_SHARE * seconds / max(validation, 1e-9)) - 1)
    validations = min(validations, most)
    assert len(before) + 1 <= validations
    left = seconds - elapsed - (1 + validations) * validation
    assert rest * step <= max(step, left) * (1 + 1e-9)
    assert (rest + 1) * step > left * (1 - 1e-9)


PLAN = Plan(
    steps=100,
    validate_every=10,
    fixed_at=10,
    fixed_seconds=15.0,  # a start of five seconds
    step_seconds=1.0,
    full_steps=100,
)


@pytest.mark.parametrize(
    ("step", "elapsed", "steps"),
    [
        (50, 55.0, 100),  # as it was measured
        (50, 57.0, 91),  # would end at 109: as many as 43 seconds hold at 1.04 a step
        (50, 85.0, 59),  # at 1.6 seconds a step 15 hold nine
        (50, 104.0, 50),  # the budget is spent
        (50, 106.0, 100),  # the clock ends the run, and the plan tells that it had not ended
        (50, 52.0, 100),  # a little quicker
        (50, 30.0, 190),  # twice as quick: 70 seconds at half a second hold 140 more
    ],
)
def test_a_plan_that_would_not_end_in_time_gets_the_steps_that_do(
    step: int, elapsed: float, steps: int
) -> None:
    assert PLAN.in_time(step=step, elapsed=elapsed, seconds=100.0).steps == steps


def test_validations_are_no_part_of_a_step() -> None:
    # Three were made since, of two seconds each; seven more follow.
    asked = {"step": 40, "elapsed": 51.0, "validating": 6.0, "validated": 3}
    assert PLAN.in_time(**asked, seconds=125.0) == PLAN
    assert PLAN.in_time(**asked, seconds=100.0).steps == 75  # 100 - 51 - 14 hold 35


def test_a_plan_counts_on_no_more_validations_than_their_share_holds() -> None:
    # Of five seconds each: the fifth of 120 seconds holds four, so that the end's alone follows.
    asked = {"step": 40, "elapsed": 60.0, "validating": 15.0, "validated": 3}
    assert PLAN.in_time(**asked, seconds=120.0) == PLAN
    assert PLAN.in_time(**asked, seconds=100.0).steps == 75  # 100 - 60 - 5 hold 35


def test_a_plan_that_changed_aims_at_the_budget() -> None:
    short = PLAN.in_time(step=20, elapsed=55.0, seconds=100.0)
    assert short.steps == 38
    assert short.in_time(step=40, elapsed=65.0, seconds=100.0).steps == 63
    # once shorter it aims at the budget, not at what the clock allows
    assert PLAN.in_time(step=40, elapsed=46.0, seconds=103.0) == PLAN
    assert short.in_time(step=40, elapsed=46.0, seconds=103.0).steps == 95
    assert short.in_time(step=40, elapsed=43.0, seconds=103.0) == PLAN
    longer = PLAN.in_time(step=40, elapsed=30.0, seconds=100.0)
    assert longer.steps == 152
    assert PLAN.in_time(step=40, elapsed=42.0, seconds=100.0) == PLAN
    assert longer.in_time(step=40, elapsed=42.0, seconds=100.0).steps == 102


def test_a_plan_of_before_it_could_get_shorter_is_kept() -> None:
    assert Plan(100, 10, 10).in_time(step=50, elapsed=55.0, seconds=100.0).steps == 90
    assert Plan(100, 10, 10).in_time(step=50, elapsed=49.0, seconds=100.0).steps == 100


def test_a_timer_tells_its_plan_what_it_measured(clock: Clock) -> None:
    timer = timer_after(clock, [2.0] * 6, seconds=60.0, validations=4)
    plan = timer.plan(step=6, elapsed=15.0, validation_seconds=3.0)
    assert (plan.fixed_seconds, plan.step_seconds) == (15.0, 2.0)
    assert plan.full_steps == plan.steps
