"""The best tokens of rows of scores, by a rule for equals."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.decoding import LogProbabilities
from unrolled.decoding.scorer import ranked


@given(
    rows=st.lists(st.lists(st.integers(-3, 0), min_size=9, max_size=9), min_size=1, max_size=5),
    k=st.integers(1, 12),
)
def test_of_equal_tokens_the_lower_comes_first(rows: list[list[int]], k: int) -> None:
    values = torch.tensor(rows, dtype=torch.float32)
    best, tokens = ranked(values, k)
    wanted = values.sort(dim=-1, descending=True, stable=True)
    assert torch.equal(best, wanted.values[:, :k])
    assert torch.equal(tokens, wanted.indices[:, :k])


def test_nan_counts_as_the_greatest() -> None:
    best, tokens = LogProbabilities(torch.tensor([[-1.0, -1.0, torch.nan, -2.0]])).top(2)
    assert tokens.tolist() == [[2, 0]]
    assert best[0, 0].isnan()
