"""Two students: what they learn from, what is told of them, and that it repeats."""

from __future__ import annotations

import json
import math
from itertools import pairwise, product
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from unrolled.lab.contest import Contest
from unrolled.lab.curves import MOST, Curve
from unrolled.lab.exercises import exercise_of
from unrolled.lab.looks import NUMBERS, PLACES, UNITS
from unrolled.lab.networks import network_of
from unrolled.lab.settings import INITS, LabSettings, StudentSettings

TASKS = ("order", "echo", "adding", "copy", "next")
PAIRS = [("none", "RNN"), ("GRU", "LSTM")]


def contest(task: str = "echo", cells: tuple[str, str] = ("RNN", "LSTM"), **more: Any) -> Contest:
    students = tuple(StudentSettings(cell=cell, hidden_size=6) for cell in cells)
    given = {"length": 12, "rows": 4, **more}
    return Contest(LabSettings(task=task, students=students, **given))


def plain(record: Any) -> str:
    return json.dumps(record, allow_nan=False)


@pytest.mark.parametrize(("task", "cells"), list(product(TASKS, PAIRS)))
def test_every_task_and_cell_learns_and_tells_what_strict_json_takes(
    task: str, cells: tuple[str, str]
) -> None:
    one = contest(task, cells)
    plain(one.record())
    for _ in range(3):
        one.learn()
    facts, record = one.facts(), one.record("f")
    plain(facts), plain(record)
    assert record["step"] == 3
    assert 0 < facts["chance"] < 1
    assert len(facts["inputs"]) == len(facts["targets"])
    for student, cell in zip(record["students"], cells, strict=True):
        assert [step for step, _ in student["losses"]] == [1, 2, 3]
        assert all(math.isfinite(loss) for _, loss in student["losses"])
        look = student["look"]
        assert len(look["answers"]) == len(look["right"]) == len(facts["inputs"])
        asked = [bool(target) for target in facts["targets"]]
        assert [bool(answer) for answer in look["answers"]] == asked
        if cell == "none":
            assert look["gradient"] == look["values"] == []
        else:
            assert look["gradient"][-1] == (len(facts["inputs"]), 0.0)
            assert look["shown"] == ("f" if cell == "LSTM" else "h")
            assert len(look["values"]) == len(look["units"]) == 6
            assert {len(row) for row in look["values"]} == {len(facts["inputs"])}


def test_the_same_settings_give_the_same_numbers_whoever_looks_on() -> None:
    one, other = contest(), contest()
    for _ in range(6):
        one.learn()
        other.learn()
        other.record()
        torch.rand(3)
    assert one.record()["students"][1]["losses"] == other.record()["students"][1]["losses"]
    for mine, its in zip(one.students, other.students, strict=True):
        for name, weight in mine.network.state_dict().items():
            assert torch.equal(weight, its.network.state_dict()[name])
    another = contest(seed=2)
    another.learn()
    assert another.students[0].losses.points()[0] != one.students[0].losses.points()[0]


def test_a_new_network_leaves_the_random_generator_alone() -> None:
    settings = LabSettings()
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    for cell, names in INITS.items():
        for init in names:
            network_of(StudentSettings(cell=cell, init=init), exercise_of(settings), 1)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("length", [2, 60, 200])
def test_a_record_is_small_however_long_it_learns(length: int) -> None:
    big = StudentSettings(cell="LSTM", hidden_size=128)
    one = Contest(LabSettings(task="adding", length=length, rows=1, students=(big, big)))
    one.learn()
    for student in one.students:
        for step in range(2, 5000):
            for curve in (student.losses, student.norms, student.scores):
                curve.add(step, 0.123456 * step)
    record = one.record("c")
    assert len(plain(record)) < 60_000
    for student in record["students"]:
        look = student["look"]
        assert len(look["gradient"]) <= PLACES
        assert len(look["values"]) <= UNITS
        assert sum(map(len, look["values"])) <= NUMBERS
        assert max(abs(value) for row in look["values"] for value in row) <= 100


def test_a_network_that_diverges_says_so_and_learns_no_more() -> None:
    wild = StudentSettings(
        cell="RNN", init="identity", optimizer="sgd", learning_rate=1.0, clip=0.0
    )
    tame = wild.model_copy(update={"clip": 1.0, "learning_rate": 0.01})
    one = Contest(LabSettings(task="adding", length=100, students=(wild, tame)))
    for _ in range(60):
        one.learn()
    record = one.record()
    plain(record)
    gone, well = record["students"]
    assert "try clipping" in gone["trouble"]
    assert gone["losses"][-1][0] < 60
    assert f"Diverged at step {one.students[0].step}:" in gone["trouble"]
    assert one.students[0].step < 60
    assert well["trouble"] == ""
    assert well["losses"][-1][0] == 60
    assert not one.over


def test_clipping_shortens_the_step_and_is_counted() -> None:
    def moved(clip: float) -> tuple[float, int]:
        student = StudentSettings(optimizer="sgd", learning_rate=1.0, clip=clip)
        one = Contest(LabSettings(students=(student, student)))
        before = [weight.detach().clone() for weight in one.students[0].parameters]
        one.learn()
        steps = zip(one.students[0].parameters, before, strict=True)
        norm = torch.cat([(new - old).flatten() for new, old in steps]).norm()
        return float(norm.detach()), one.students[0].clipped

    free, never = moved(0.0)
    held, once = moved(0.01)
    assert free > 0.1
    assert abs(held - 0.01) < 1e-4
    assert (never, once) == (0, 1)


def test_a_curve_keeps_means_over_bins_of_equal_width() -> None:
    curve = Curve()
    for step in range(1, 10 * MOST + 1):
        curve.add(step, step)
    points = curve.points()
    assert len(points) <= MOST
    assert points[-1][0] == 10 * MOST
    for (before, _), (step, mean) in pairwise(points):
        assert abs(mean - (before + 1 + step) / 2) <= 1
    curve.add(10 * MOST + 1, math.inf)
    assert curve.points() == points


def test_the_score_of_adding_counts_sums_that_are_near() -> None:
    exercise = exercise_of(LabSettings(task="adding", length=10))
    targets = torch.tensor([[1.0], [0.5], [1.5]])
    assert exercise.score(targets + 0.05, targets) == 1
    assert exercise.score(torch.ones(3, 1), targets) == pytest.approx(1 / 3)
    sums = torch.rand(100_000, 2, generator=torch.Generator().manual_seed(1)).sum(1, keepdim=True)
    assert exercise.score(torch.ones_like(sums), sums) == pytest.approx(exercise.chance, abs=0.01)


def test_who_looks_twice_at_a_step_changes_no_score() -> None:
    one, other = contest(), contest()
    for looker in (one, other):
        student = looker.students[0]

        # Each step a score of its own, in bins that hold several steps.
        def score(*_: Any, student: Any = student) -> float:
            return float(student.step % 7)

        student.exercise = SimpleNamespace(score=score)  # type: ignore[assignment]
    for step in range(2 * MOST):
        for looker, times in ((one, 1), (other, 1 + step % 3)):
            looker.students[0].step = step
            for _ in range(times):
                looker.students[0].judge(looker.held_out)
    assert one.students[0].scores.width > 1
    assert one.students[0].scores.points() == other.students[0].scores.points()
