"""An n-best list in the order that another score gives it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.decoding import Hypothesis, rerank
from unrolled.errors import ConfigError


def made(score: float, finished: bool = True, token: int = 0) -> Hypothesis:
    return Hypothesis((token,), score, score, (score,), None, finished)


LIST = [made(-1.0, token=0), made(-2.0, token=1), made(-3.0, token=2), made(-0.5, False, 3)]


def test_the_other_score_is_added_with_its_weight_and_the_list_sorted() -> None:
    def other(given: Sequence[Hypothesis]) -> list[float]:
        assert given is LIST
        return [-4.0, 0.0, 1.0, 9.0]

    found = rerank(LIST, other, 0.5)
    assert [(one.tokens[0], one.score) for one in found] == [
        (1, -2.0),
        (2, -2.5),
        (0, -3.0),
        (3, 4.0),
    ]
    assert [one.log_probability for one in found] == [-2.0, -3.0, -1.0, -0.5]


@given(scores=st.lists(st.floats(-5, 5), min_size=1, max_size=6), others=st.randoms())
def test_a_weight_of_zero_leaves_a_sorted_list_as_it_is(
    scores: list[float], others: object
) -> None:
    given_ = [made(score, token=place) for place, score in enumerate(sorted(scores, reverse=True))]
    found = rerank(given_, lambda each: [others.random() for _ in each], 0.0)  # type: ignore[attr-defined]
    assert [one.tokens for one in found] == [one.tokens for one in given_]


def test_an_empty_list_stays_empty_and_asks_nothing() -> None:
    assert rerank([], lambda each: 1 / 0, 1.0) == []  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("others", "weight", "words"),
    [
        ([1.0], 1.0, "got 1 numbers for 4 hypotheses"),
        ([1.0, 2.0, math.nan, 0.0], 1.0, "got nan for hypothesis 2"),
        ([1.0, -math.inf, 1.0, 0.0], 1.0, "got -inf for hypothesis 1"),
        ([1.0] * 4, -1.0, r"weight: got -1\.0"),
        ([1.0] * 4, math.nan, "weight: got nan"),
    ],
)
def test_scores_that_do_not_fit_are_refused(others: list[float], weight: float, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        rerank(LIST, lambda each: others, weight)
