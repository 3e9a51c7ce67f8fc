"""Length and coverage penalties, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from unrolled.decoding import BeamOptions, LogProbabilities, search
from unrolled.decoding.penalties import coverage_penalty, length_penalty


def test_the_length_penalty_is_equation_14() -> None:
    lengths = np.array([1, 7, 25])
    assert length_penalty(lengths, 0.0).tolist() == [1, 1, 1]
    assert length_penalty(lengths, 1.0).tolist() == [1, 2, 5]
    assert length_penalty(lengths, 2.0) == pytest.approx([1, 4, 25])
    assert length_penalty(lengths, "mean").tolist() == [1, 7, 25]


@given(alpha=st.one_of(st.floats(0, 10), st.just("mean")), length=st.integers(0, 500))
def test_the_length_penalty_never_falls_with_the_length(alpha: float | str, length: int) -> None:
    shorter, longer = length_penalty(np.array([length, length + 1]), alpha)
    assert 0 < shorter <= longer


def test_the_coverage_penalty_adds_the_logarithms_of_what_was_seen_too_little() -> None:
    coverage = np.array([[0.5, 1.7, 0.25, 0.0], [1.0, 3.0, 1.5, 2.0]])
    penalty = coverage_penalty(coverage, np.array([3, 4]), 0.2)
    assert penalty == pytest.approx([0.2 * (math.log(0.5) + math.log(0.25)), 0.0])


def test_a_place_that_was_never_seen_costs_much_but_not_everything() -> None:
    (penalty,) = coverage_penalty(np.array([[0.0]]), np.array([1]), 1.0)
    assert penalty == pytest.approx(math.log(np.finfo(np.float32).tiny))


class Spoken:
    """Says token 2 with 0.5, then the end with 0.625; looks at the first place, then at both."""

    def __init__(self) -> None:
        self.steps = 0

    def step(self, tokens: Tensor) -> LogProbabilities:
        shares = ([0.25, 0.25, 0.5], [0.25, 0.625, 0.125])[self.steps]
        look = ([1.0, 0.0, 0.0], [0.25, 0.75, 0.0])[self.steps]
        self.steps += 1
        return LogProbabilities(torch.tensor([shares]).log(), torch.tensor([look]))

    def select(self, rows: Tensor) -> None:
        raise AssertionError("one row stays what it is")


@pytest.mark.parametrize("most", [1, 2])
def test_a_score_counts_the_end_in_length_and_coverage(most: int) -> None:
    options = BeamOptions(beam=1, length_penalty=1.0, coverage_penalty=0.5, max_length=most)
    ((one,),) = search(Spoken(), begin=0, end=1, sentences=[2], options=options)
    assert one.tokens == (2,)
    assert one.finished == (most == 2)
    total, penalty, seen = math.log(0.5), 1.0, np.finfo(np.float32).tiny
    if one.finished:
        total, penalty, seen = math.log(0.5) + math.log(0.625), 7 / 6, 0.75
    assert one.log_probability == pytest.approx(total)
    assert one.score == pytest.approx(total / penalty + 0.5 * math.log(seen))
    # The place beyond the source is cut off, and so is where it looked at the end.
    assert one.attention is not None
    assert one.attention.tolist() == [[1.0, 0.0]]
