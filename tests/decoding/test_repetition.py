"""The repetition penalty: less likely, whatever the scores' zero."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.decoding.repetition import penalise_repetition
from unrolled.errors import ConfigError

SCORES = torch.tensor([2.0, -1.0, 0.5, 3.0], dtype=torch.float64)


@given(
    penalty=st.floats(1.01, 5),
    shift=st.floats(-50, 50),
    recent=st.sets(st.integers(0, 3), min_size=1, max_size=3),
)
def test_what_was_written_becomes_less_likely_and_the_rest_likelier(
    penalty: float, shift: float, recent: set[int]
) -> None:
    before = SCORES.softmax(0)
    after = penalise_repetition(SCORES + shift, recent, penalty).softmax(0)
    for token in range(4):
        if token not in recent:
            assert after[token] > before[token]
    ratios = after / before
    assert ratios[sorted(recent)].min() < ratios[sorted({0, 1, 2, 3} - recent)].min()
    torch.testing.assert_close(
        after, penalise_repetition(SCORES, recent, penalty).softmax(0), rtol=1e-9, atol=1e-12
    )


def test_the_formula() -> None:
    got = penalise_repetition(SCORES, [1, 1, 3], 2.0)
    want = SCORES.log_softmax(0)
    want[[1, 3]] *= 2
    torch.testing.assert_close(got, want)


def test_no_penalty_and_nothing_written_change_nothing() -> None:
    assert penalise_repetition(SCORES, [1], 1.0) is SCORES
    assert penalise_repetition(SCORES, [], 2.0) is SCORES


def test_a_forbidden_token_stays_forbidden() -> None:
    scores = SCORES.clone()
    scores[2] = -torch.inf
    assert penalise_repetition(scores, [2], 0.5)[2] == -torch.inf


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan"), float("inf"), "2", True])
def test_a_penalty_out_of_its_range_is_named(penalty: object) -> None:
    with pytest.raises(ConfigError, match="repetition_penalty"):
        penalise_repetition(SCORES, [1], penalty)  # type: ignore[arg-type]
