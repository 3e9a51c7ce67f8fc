"""Each preset shows what its text claims, whatever the seed; in fewer steps than a page takes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from unrolled.errors import ConfigError
from unrolled.lab.contest import Contest
from unrolled.lab.presets import PRESETS, preset_of
from unrolled.lab.settings import LabSettings, read_choice
from unrolled.training.diagnostics_findings import EXPLODED, VANISHED

SEEDS = (1, 2, 3)


def contest(name: str, seed: int) -> Contest:
    return Contest(preset_of(name).settings.model_copy(update={"seed": seed}))


def after(one: Contest, steps: int) -> list[dict[str, Any]]:
    while one.step < steps:
        one.learn()
    return list(one.record()["students"])


def scores(students: list[dict[str, Any]]) -> list[float]:
    return [student["scores"][-1][1] for student in students]


def carried(student: dict[str, Any]) -> float:
    """log10 of what is left of the gradient at the first step."""
    first = student["look"]["gradient"][0][1]
    return -float("inf") if first is None else float(first)


def largest(student: dict[str, Any]) -> float:
    return max((norm for _, norm in student["norms"]), default=0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_order_without_a_loop_is_one_half_and_with_it_right(seed: int) -> None:
    bag, rnn = scores(after(contest("order", seed), 250))
    assert bag == 0.5
    assert rnn > 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_memory_needs_room(seed: int) -> None:
    small, large = scores(after(contest("memory", seed), 300))
    assert small < 0.7
    assert large > 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_unfolding_a_loop_tells_the_first_l_from_the_second(seed: int) -> None:
    one = contest("unfolding", seed)
    no_loop, loop = scores(after(one, 150))
    assert no_loop <= one.exercise.chance + 0.02  # the held-out windows are a sample
    assert loop > 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_vanishes_in_the_rnn_and_not_in_the_lstm(seed: int) -> None:
    rnn, lstm = after(contest("vanishing", seed), 0)
    assert carried(rnn) < -7
    assert carried(lstm) > -3


def test_what_does_not_arrive_is_not_learnt() -> None:
    one = contest("vanishing", 1)
    rnn, lstm = scores(after(one, 700))
    assert rnn < one.exercise.chance + 0.15
    assert lstm > 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_explodes_and_clipped_the_same_rnn_learns(seed: int) -> None:
    one = contest("exploding", seed)
    before = after(one, 0)
    assert [carried(student) > math.log10(EXPLODED) for student in before] == [True, True]
    thrown = after(one, 10)[0]
    assert carried(thrown) < math.log10(VANISHED)
    free, clipped = after(one, 250)
    assert largest(free) > 100
    assert max(score for _, score in free["scores"]) < one.exercise.chance + 0.05
    assert clipped["scores"][-1][1] > 0.95
    assert clipped["clipped"] > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_open_gates_let_the_gradient_through(seed: int) -> None:
    shut, open_ = after(contest("gates", seed), 0)
    assert carried(shut) < -7
    assert carried(open_) > -3
    assert max(shut["look"]["half_lives"]) < 2
    assert open_["look"]["half_lives"][0] > 4


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_can_be_chosen_by_the_page_as_it_is(preset: Any) -> None:
    told = preset.to_json()
    assert read_choice(LabSettings, told["settings"]) == preset.settings
    assert preset_of(preset.name) is preset
    assert all(0 < len(told[part]) < 600 for part in ("title", "look", "why", "more"))


def test_a_preset_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"preset: got 'magic', expected one of order, memory"):
        preset_of("magic")
