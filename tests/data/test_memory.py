"""The memory tasks ask what their papers say, and give every run the same questions."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.batch import Batch
from unrolled.data.memory import NO_ANSWER, Adding, Copy, Drawn, Echo, Parity
from unrolled.errors import ConfigError

TASKS = (Adding(30), Copy(12), Parity(9), Echo(20, 4))
seeds = st.integers(0, 2**31)


def same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.inputs, other.inputs) and torch.equal(one.targets, other.targets)


@given(seeds, st.integers(2, 40))
def test_adding_asks_for_the_sum_of_the_two_marked_numbers(seed: int, length: int) -> None:
    batch = Adding(length).batch(7, seed, 0)
    assert batch.inputs.shape == (length, 7, 2)
    numbers, marks = batch.inputs.double().unbind(-1)
    assert ((marks == 0) | (marks == 1)).all()
    assert (marks.sum(0) == 2).all()
    torch.testing.assert_close(batch.targets.double()[:, 0], (numbers * marks).sum(0))


def test_the_marks_of_adding_stand_anywhere() -> None:
    marks = Adding(20).batch(4000, 1, 0).inputs[..., 1]
    share = marks.mean(1)  # each place is marked in 2 of 20 rows
    torch.testing.assert_close(share, torch.full((20,), 0.1), atol=0.02, rtol=0)
    assert 0.15 < float((marks[:10].sum(0) == 2).float().mean()) < 0.32  # 9 / 38


@given(seeds, st.integers(1, 40))
def test_copy_is_laid_out_as_in_the_paper(seed: int, length: int) -> None:
    batch = Copy(length).batch(5, seed, 3)
    read, written = batch.inputs.argmax(-1), batch.targets
    assert batch.inputs.shape == (length + 20, 5, 10)
    assert written.shape == (length + 20, 5)
    assert (batch.inputs.sum(-1) == 1).all()
    symbols = read[:10]
    assert ((symbols >= 1) & (symbols <= 8)).all()
    assert (read[10 : 10 + length - 1] == 0).all()
    assert (read[10 + length - 1 :] == 9).all()
    assert len(read[10 + length - 1 :]) == 11
    assert (written[:-10] == 0).all()
    assert torch.equal(written[-10:], symbols)


def test_copy_draws_all_eight_symbols_alike() -> None:
    counts = Copy(1).batch(4000, 1, 0).targets[-10:].flatten().bincount(minlength=10)
    assert counts[0] == counts[9] == 0
    assert float((counts[1:9] / 40_000 - 1 / 8).abs().max()) < 0.01


@given(seeds)
def test_parity_is_odd_or_even_ones_within_the_length(seed: int) -> None:
    batch = Parity(9).batch(6, seed, 0)
    assert batch.lengths is not None
    assert ((batch.lengths >= 1) & (batch.lengths <= 9)).all()
    bits = batch.inputs.argmax(-1)
    for row in range(6):
        odd = False
        for t in range(int(batch.lengths[row])):
            odd ^= bool(bits[t, row])
        assert int(batch.targets[row]) == odd


def test_parity_is_asked_at_lengths_that_were_not_trained() -> None:
    for part in ("validation", "test"):
        lengths = torch.cat([one.lengths for one in Parity(40).held_out(part)])
        assert 41 <= int(lengths.min()) <= 45
        assert 495 <= int(lengths.max()) <= 500


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_batch_depends_on_seed_and_update_alone(task: Drawn) -> None:
    first = task.batch(8, 5, 2)
    task.batch(8, 5, 3)
    torch.rand(3)
    assert same(first, task.batch(8, 5, 2))
    assert not torch.equal(first.inputs, task.batch(8, 6, 2).inputs)
    for update in (0, 1, 3):
        other = task.batch(8, 5, update).inputs
        assert first.inputs.shape != other.shape or not torch.equal(first.inputs, other)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_held_out_rows_are_always_the_same_and_never_each_other(task: Drawn) -> None:
    validation, again = list(task.held_out("validation")), list(task.held_out("validation"))
    assert all(same(one, other) for one, other in zip(validation, again, strict=True))
    assert sum(one.inputs.shape[1] for one in validation) == 1000
    test = list(task.held_out("test"))
    assert sum(one.inputs.shape[1] for one in test) == 5000
    assert not any(same(one, other) for one in validation for other in test)
    assert not any(same(one, other) for one, other in pairwise(test))


def test_what_needs_no_memory_scores_what_the_papers_say() -> None:
    adding = [
        Adding(50).measure(torch.ones(250, 1), b.targets) for b in Adding(50).held_out("test")
    ]
    assert abs(float(torch.cat(adding).mean()) - 1 / 6) < 0.01

    copy = Copy(30)
    batch = copy.batch(6, 1, 0)
    answers = torch.full((50, 6, 10), -100.0)
    answers[:-10, :, 0] = 0.0
    answers[-10:, :, 1:9] = 0.0
    expected = torch.full((6,), 10 * math.log(8) / 50)
    torch.testing.assert_close(copy.measure(answers, batch.targets), expected)
    torch.testing.assert_close(copy.loss(answers, batch.targets), expected[0])


@given(seeds, st.integers(1, 30), st.integers(0, 29))
def test_echo_asks_for_what_was_read_a_delay_ago(seed: int, length: int, delay: int) -> None:
    if delay >= length:
        with pytest.raises(ConfigError, match="delay: got"):
            Echo(length, delay)
        return
    batch = Echo(length, delay).batch(4, seed, 0)
    assert batch.targets is not None
    read = batch.inputs.argmax(-1)
    assert (batch.targets[:delay] == NO_ANSWER).all()
    assert torch.equal(batch.targets[delay:], read[: length - delay])


def test_echo_is_scored_where_it_is_asked_alone() -> None:
    task = Echo(10, 4)
    batch = task.batch(50, 1, 0)
    right = torch.zeros(10, 50, 4)
    right[4:] = torch.nn.functional.one_hot(batch.targets[4:], 4).float()
    assert (task.measure(right, batch.targets) == 100).all()
    assert float(task.loss(100 * right, batch.targets)) < 1e-6
    level = torch.zeros(10, 50, 4)
    torch.testing.assert_close(task.loss(level, batch.targets), torch.tensor(math.log(4)))


@pytest.mark.parametrize(
    ("kind", "sizes", "line"),
    [
        (Adding, (1,), "length: got 1, expected a whole number of 2 or more"),
        (Adding, ("9",), "length: got '9', expected a whole number of 2 or more"),
        (Adding, (9.0,), r"length: got 9\.0, expected a whole number of 2 or more"),
        (Copy, (0, 2), "length: got 0, expected a whole number of 1 or more"),
        (Copy, (5, 0), "symbols: got 0, expected a whole number of 1 or more"),
        (Copy, (5, 2, 0), "alphabet: got 0, expected a whole number of 1 or more"),
        (Parity, (0,), "length: got 0, expected a whole number from 1 to 499"),
        (Parity, (500,), "length: got 500, expected a whole number from 1 to 499"),
        (Echo, (0, 0), "length: got 0, expected a whole number of 1 or more"),
        (Echo, (5, -1), "delay: got -1, expected a whole number from 0 to 4"),
        (Echo, (5, 5), "delay: got 5, expected a whole number from 0 to 4"),
        (Echo, (5, 1, 0), "alphabet: got 0, expected a whole number of 1 or more"),
    ],
)
def test_a_size_that_cannot_hold_the_task_is_refused(
    kind: type[Drawn], sizes: tuple[object, ...], line: str
) -> None:
    with pytest.raises(ConfigError, match=line):
        kind(*sizes)


@pytest.mark.parametrize(
    "task", [Adding(2), Copy(1, 1, 1), Parity(1), Parity(499), Echo(1, 0, 1)], ids=repr
)
def test_the_smallest_and_largest_sizes_hold_the_task(task: Drawn) -> None:
    assert task.batch(3, 1, 0).inputs.shape[1] == 3
    assert next(task.held_out("validation")).inputs.shape[1] == 250


@given(seeds, st.integers(1, 5), st.integers(1, 6))
def test_copy_may_have_fewer_symbols_of_a_smaller_alphabet(
    seed: int, symbols: int, alphabet: int
) -> None:
    task = Copy(6, symbols, alphabet)
    batch = task.batch(3, seed, 0)
    assert batch.inputs.shape == (6 + 2 * symbols, 3, alphabet + 2)
    assert torch.equal(batch.targets[-symbols:], batch.inputs[:symbols].argmax(-1))
    assert int(batch.inputs.argmax(-1).max()) == alphabet + 1
