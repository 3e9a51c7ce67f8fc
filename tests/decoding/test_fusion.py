"""Two models that choose each token together."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled.decoding import BeamOptions, Fused, search
from unrolled.decoding.scorer import LogProbabilities
from unrolled.errors import ConfigError

from .tables import BEGIN, END, Table


class Sum(Table):
    """The table of `p` with `weight` times that of `q` added by hand."""

    def __init__(self, sentences: list[int], weight: float) -> None:
        super().__init__(sentences, 6)
        self.weight = weight

    def log_probabilities(self, sentence: int, tokens: tuple[int, ...]) -> Tensor:
        second = super().log_probabilities(sentence + 1000, tokens)
        return super().log_probabilities(sentence, tokens) + self.weight * second


@settings(max_examples=40)
@given(weight=st.floats(0.01, 3), beam=st.integers(1, 4), seed=st.integers(0, 900))
def test_fusion_is_a_search_over_the_added_logarithms(weight: float, beam: int, seed: int) -> None:
    options = BeamOptions(beam=beam, n_best=beam, max_length=8)
    ours = [seed, seed + 1]
    fused = Fused(Table(ours, 6), Table([one + 1000 for one in ours], 6), weight)
    given_ = {"begin": BEGIN, "end": END, "sentences": 2, "options": options}
    for one, other in zip(
        search(fused, **given_), search(Sum(ours, weight), **given_), strict=True
    ):
        assert [(each.tokens, each.score) for each in one] == [
            (each.tokens, each.score) for each in other
        ]


def test_a_weight_of_zero_changes_nothing_and_does_not_ask_the_other() -> None:
    options = BeamOptions(beam=3, max_length=8, coverage_penalty=0.1)
    given_ = {"begin": BEGIN, "end": END, "sentences": [2, 3], "options": options}
    # A model that holds tokens impossible: zero times minus infinity would be NaN.
    other = Table([5, 6], 6, never=[2, 3])
    fused = Fused(Table([0, 1], 6, sources=[2, 3]), other, 0)
    wanted = search(Table([0, 1], 6, sources=[2, 3]), **given_)
    for one, same in zip(search(fused, **given_), wanted, strict=True):
        assert [(each.tokens, each.score) for each in one] == [
            (each.tokens, each.score) for each in same
        ]
    assert other.steps == 0


def test_the_sum_is_on_the_device_of_the_first() -> None:
    class There(Table):
        def step(self, tokens: Tensor) -> LogProbabilities:
            return LogProbabilities(super().step(tokens).all().to("meta"))

    found = Fused(There([0], 6), Table([0], 6), 0.5).step(torch.tensor([BEGIN]))
    assert found.all().device.type == "meta"


def test_the_attention_is_that_of_the_first() -> None:
    fused = Fused(Table([0], 6, sources=[2]), Table([0], 6, sources=[4]), 0.5)
    attention = fused.step(torch.tensor([BEGIN])).attention
    assert attention is not None
    assert attention.shape == (1, 2)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="weight: got -1"):
        Fused(Table([0], 6), Table([0], 6), -1)
    with pytest.raises(ConfigError, match=r"shapes \(1, 6\) and \(1, 7\)"):
        Fused(Table([0], 6), Table([0], 7), 1).step(torch.tensor([BEGIN]))
