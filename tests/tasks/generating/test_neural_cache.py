"""The neural cache is its formula, in constant memory, and all at once as step by step."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.tasks.generating.neural_cache import CacheMemory, NeuralCache, cache_of

V, H = 7, 5


def stream(steps: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(seed)
    scores = torch.randn(steps, V, generator=draws, dtype=torch.float64).log_softmax(-1)
    hidden = torch.randn(steps, H, generator=draws, dtype=torch.float64)
    return scores, hidden, torch.randint(V, (steps,), generator=draws)


def by_hand(settings: NeuralCache, steps: int, seed: int = 0) -> torch.Tensor:
    """(T, V), by loops over the formula."""
    scores, hidden, targets = stream(steps, seed)
    out = scores.exp()
    for t in range(1, steps):
        shares = torch.zeros(V, dtype=torch.float64)
        for i in range(max(0, t - settings.size), t):
            shares[targets[i]] += math.exp(settings.theta * float(hidden[t] @ hidden[i]))
        out[t] = (1 - settings.weight) * out[t] + settings.weight * shares / shares.sum()
    return out.log()


@settings(max_examples=30)
@given(
    size=st.integers(1, 12),
    cuts=st.sets(st.integers(1, 19), max_size=3),
    theta=st.floats(0, 2),
    weight=st.floats(0, 0.9),
    seed=st.integers(0, 99),
)
def test_it_is_the_formula_however_the_stream_is_cut(
    size: int, cuts: set[int], theta: float, weight: float, seed: int
) -> None:
    cache = NeuralCache(size=size, theta=theta, weight=weight)
    scores, hidden, targets = stream(20, seed)
    want = by_hand(cache, 20, seed)
    of_targets = scores.gather(1, targets.unsqueeze(1)).squeeze(1)
    whole, single = CacheMemory(cache), CacheMemory(cache)
    edges = [0, *sorted(cuts), 20]
    for begin, end in pairwise(edges):
        part = slice(begin, end)
        got = whole.mixed_targets(of_targets[part], hidden[part], targets[part])
        torch.testing.assert_close(got, want[part].gather(1, targets[part].unsqueeze(1)).squeeze(1))
    for t in range(20):
        torch.testing.assert_close(single.mixed(scores[t], hidden[t]), want[t])
        single.remember(hidden[t : t + 1], targets[t : t + 1])
        assert single._states is not None
        assert len(single._states) <= size


def test_probabilities_stay_probabilities() -> None:
    cache = NeuralCache(size=6, theta=1.0, weight=0.4)
    torch.testing.assert_close(by_hand(cache, 20).exp().sum(1), torch.ones(20, dtype=torch.float64))


def test_what_an_argument_stands_for() -> None:
    assert cache_of(None) is None
    assert cache_of(False) is None
    assert cache_of(True) == NeuralCache()
    assert cache_of(NeuralCache(size=3)) == NeuralCache(size=3)
    with pytest.raises(ConfigError, match="got dict"):
        cache_of({"size": 3})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 0}, "size 0"),
        ({"size": 2.5}, "size 2.5"),
        ({"theta": -1.0}, "theta -1.0"),
        ({"theta": float("nan")}, "theta nan"),
        ({"weight": 1.0}, "weight 1.0"),
        ({"weight": "much"}, "weight 'much'"),
    ],
)
def test_a_value_out_of_its_range_is_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        NeuralCache(**options)  # type: ignore[arg-type]
