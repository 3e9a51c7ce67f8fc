"""The laws of choosing a token from scores."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.decoding import filter_logits, sample, suggest
from unrolled.errors import ConfigError, DTypeError, ShapeError

# Few different values, so that ties are common.
SCORES = st.lists(st.integers(-8, 8).map(lambda n: n / 2), min_size=1, max_size=12)


def kept(logits: torch.Tensor) -> torch.Tensor:
    return logits > -math.inf


@settings(max_examples=80, deadline=None)
@given(
    scores=SCORES,
    temperature=st.sampled_from([0.0, 1e-300, 1e-30, 0.3, 1.0, 4.0]),
    top_k=st.one_of(st.none(), st.integers(1, 15)),
    top_p=st.one_of(st.none(), st.floats(1e-60, 1.0)),
)
def test_what_is_left_is_a_probability_that_holds_the_best_token(
    scores: list[float], temperature: float, top_k: int | None, top_p: float | None
) -> None:
    logits = torch.tensor(scores)
    left = filter_logits(logits, temperature=temperature, top_k=top_k, top_p=top_p)
    assert abs(float(left.softmax(-1).sum()) - 1) < 1e-5
    assert int(left.argmax()) == scores.index(max(scores))
    assert float(left.max()) == 0.0


@settings(max_examples=60, deadline=None)
@given(scores=SCORES, k=st.integers(1, 15))
def test_top_k_keeps_exactly_the_k_best_and_the_lower_id_of_equals(
    scores: list[float], k: int
) -> None:
    best = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:k]
    left = filter_logits(torch.tensor(scores), top_k=k)
    assert kept(left).nonzero().flatten().tolist() == sorted(best)


@settings(max_examples=60, deadline=None)
@given(scores=SCORES, p=st.floats(0.01, 0.999))
def test_top_p_keeps_the_smallest_set_whose_mass_reaches_p(scores: list[float], p: float) -> None:
    logits = torch.tensor(scores, dtype=torch.float64)
    probabilities = logits.softmax(-1)
    chosen = kept(filter_logits(logits, top_p=p))
    mass = float(probabilities[chosen].sum())
    assert mass >= p - 1e-9
    assert mass - float(probabilities[chosen].min()) < p + 1e-9
    if not chosen.all():
        assert probabilities[chosen].min() >= probabilities[~chosen].max()


def test_top_p_of_one_keeps_every_token_however_small() -> None:
    logits = torch.tensor([50.0, 0.0, -50.0, -80.0])
    assert kept(filter_logits(logits, top_p=1.0)).all()
    assert kept(filter_logits(logits, top_p=0.999999)).tolist() == [True, False, False, False]


def test_the_lower_id_wins_among_thousands_of_equals() -> None:
    left = filter_logits(torch.zeros(5_000), top_k=17)
    assert kept(left).nonzero().flatten().tolist() == list(range(17))


def test_top_p_stops_at_the_token_that_reaches_p_exactly() -> None:
    logits = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64).log()
    assert kept(filter_logits(logits, top_p=0.5)).tolist() == [False, True, False]
    assert kept(filter_logits(logits, top_p=0.75)).tolist() == [True, True, False]


def test_top_p_counts_the_mass_that_temperature_and_top_k_left() -> None:
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64).log()
    assert kept(filter_logits(logits, top_p=0.5)).tolist() == [True, True, False, False]
    # Of the two best, the first holds 4/7 of what is left.
    assert kept(filter_logits(logits, top_k=2, top_p=0.5)).tolist() == [True, False, False, False]
    # A temperature of 4 brings all four close to 1/4.
    assert kept(filter_logits(logits, temperature=4, top_p=0.74)).tolist() == [True] * 3 + [False]


@settings(max_examples=40, deadline=None)
@given(scores=SCORES, temperature=st.floats(0.1, 10))
def test_temperature_divides_the_differences_of_the_scores(
    scores: list[float], temperature: float
) -> None:
    logits = torch.tensor(scores, dtype=torch.float64)
    left = filter_logits(logits, temperature=temperature)
    torch.testing.assert_close(left - left[0], (logits - logits[0]) / temperature)


def test_temperature_zero_takes_the_best_token_and_draws_no_random_number() -> None:
    logits = torch.tensor([[0.0, 2.0, 2.0], [5.0, 1.0, 5.0]])
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    assert sample(logits, temperature=0, generator=generator).tolist() == [1, 0]
    assert torch.equal(generator.get_state(), before)


def test_a_row_is_filtered_as_it_would_be_alone() -> None:
    logits = torch.randn(4, 3, 9, generator=torch.Generator().manual_seed(0))
    options = {"temperature": 0.7, "top_k": 5, "top_p": 0.8}
    together = filter_logits(logits, **options)
    for i in range(4):
        for j in range(3):
            torch.testing.assert_close(together[i, j], filter_logits(logits[i, j], **options))


def test_a_forbidden_token_stays_forbidden() -> None:
    logits = torch.tensor([1.0, -math.inf, 0.0])
    assert kept(filter_logits(logits, temperature=2, top_k=3)).tolist() == [True, False, True]
    draws = sample(logits.expand(500, 3), generator=torch.Generator().manual_seed(0))
    assert set(draws.tolist()) == {0, 2}


def test_filtering_leaves_the_scores_it_was_given_alone() -> None:
    logits = torch.tensor([3.0, 1.0, 2.0])
    filter_logits(logits, temperature=0.5, top_k=1, top_p=0.5)
    assert logits.tolist() == [3.0, 1.0, 2.0]


def test_half_precision_scores_are_filtered_in_single_precision() -> None:
    logits = torch.randn(200, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    left = filter_logits(logits, top_p=0.9)
    assert left.dtype == torch.float32
    assert torch.equal(left, filter_logits(logits.float(), top_p=0.9))


def test_the_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    logits = torch.zeros(100, 50)
    first, again, other = (
        sample(logits, generator=torch.Generator().manual_seed(seed)) for seed in (7, 7, 8)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_draws_have_the_shape_of_the_scores_without_the_vocabulary() -> None:
    for shape in ((5,), (3, 5), (2, 3, 5), (0, 5)):
        for temperature in (0.0, 1.0):
            ids = sample(torch.zeros(shape), temperature=temperature)
            assert ids.shape == shape[:-1]
            assert ids.dtype == torch.int64


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 2.0}, {"top_k": 3}, {"top_p": 0.8, "temperature": 1.5}]
)
def test_tokens_come_as_often_as_their_probabilities_say(options: dict[str, float]) -> None:
    draws = 20_000
    logits = torch.tensor([0.5, 2.0, -1.0, 1.0, 0.0])
    expected = filter_logits(logits, **options).softmax(-1) * draws
    ids = sample(logits.expand(draws, 5), generator=torch.Generator().manual_seed(11), **options)
    seen = torch.bincount(ids, minlength=5)
    possible = expected > 0
    assert not seen[~possible].any()
    chi_square = float(((seen - expected)[possible] ** 2 / expected[possible]).sum())
    # The 99.9th percentile with four degrees of freedom.
    assert chi_square < 18.47


def test_suggestions_are_the_most_probable_tokens_best_first() -> None:
    logits = torch.tensor([[0.1, 0.4, 0.1, 0.4], [0.7, 0.1, 0.1, 0.1]]).log()
    ids, probabilities = suggest(logits, 3)
    assert ids.tolist() == [[1, 3, 0], [0, 1, 2]]
    torch.testing.assert_close(probabilities, torch.tensor([[0.4, 0.4, 0.1], [0.7, 0.1, 0.1]]))


def test_suggestions_stop_at_the_vocabulary_and_then_sum_to_one() -> None:
    ids, probabilities = suggest(torch.tensor([1.0, 3.0, 2.0]), 10)
    assert ids.tolist() == [1, 2, 0]
    torch.testing.assert_close(probabilities.sum(), torch.tensor(1.0))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"top_p": math.nan}, "top_p is nan"),
    ],
)
def test_an_option_out_of_its_range_is_refused_by_name(
    options: dict[str, float], words: str
) -> None:
    for function in (filter_logits, sample):
        with pytest.raises(ConfigError, match=words):
            function(torch.zeros(3), **options)


@pytest.mark.parametrize(
    "row", [[0.0, math.nan], [math.inf, 0.0], [-math.inf, -math.inf], [math.nan, -math.inf]]
)
def test_scores_that_are_no_scores_are_refused_with_their_row(row: list[float]) -> None:
    logits = torch.tensor([[0.0, 1.0], row])
    for choose in (filter_logits, sample, lambda scores: suggest(scores, 1)):
        with pytest.raises(ConfigError, match="row 1"):
            choose(logits)


def test_bad_tensors_and_counts_are_refused() -> None:
    with pytest.raises(DTypeError, match="int64"):
        sample(torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ShapeError, match=r"\(\)"):
        sample(torch.tensor(1.0))
    with pytest.raises(ShapeError, match=r"\(2, 0\)"):
        sample(torch.zeros(2, 0))
    with pytest.raises(ConfigError, match="k is 0"):
        suggest(torch.zeros(3), 0)
