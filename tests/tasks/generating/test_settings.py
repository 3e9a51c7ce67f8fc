"""What a Generator settles by itself, and what it takes as given."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from unrolled.tasks.generating.settings import SHORT_TEXT, SIZES, settle
from unrolled.training.budget import Budget

BUDGET = Budget(seconds=60.0)
KINDS = ("characters", "words", "subwords")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_given_stands_and_the_rest_is_settled(kind: str) -> None:
    free = settle({}, kind=kind, symbols=50, tokens=1000, budget=BUDGET)
    assert set(SIZES) <= set(asdict(free))
    for name, value in {"hidden_size": 7, "layers": 3, "dropout": 0.0, "resets": 0.0}.items():
        settled = settle({name: value}, kind=kind, symbols=50, tokens=1000, budget=BUDGET)
        assert getattr(settled, name) == value
        others = {n for n, v in asdict(settled).items() if v != getattr(free, n)}
        assert others <= {name, "embedding_size", "muon_rate"}


def test_the_rate_of_orthogonal_steps_follows_the_learning_rate() -> None:
    for given, rate in (({}, 0.02), ({"learning_rate": 1e-3}, 2.5e-3), ({"muon_rate": 0.1}, 0.1)):
        settled = settle(given, kind="characters", symbols=50, tokens=1000, budget=BUDGET)
        assert settled.muon_rate == pytest.approx(rate)
    words = settle({}, kind="words", symbols=50, tokens=1000, budget=BUDGET)
    assert words.muon_rate == 0


def test_many_steps_are_a_long_run() -> None:
    for steps, layers in ((5999, 1), (6000, 2)):
        settled = settle({}, kind="characters", symbols=50, tokens=1000, budget=Budget(steps=steps))
        assert settled.layers == layers


def test_stacked_layers_and_long_runs_take_smaller_orthogonal_steps() -> None:
    long = Budget(seconds=600.0)
    for given, budget, layers in (
        ({"layers": 2}, BUDGET, 2),
        ({}, long, 2),
        ({"layers": 1}, long, 1),
    ):
        settled = settle(given, kind="characters", symbols=50, tokens=1000, budget=budget)
        assert settled.layers == layers
        assert settled.muon_rate == pytest.approx(0.01)


def test_a_large_vocabulary_is_sampled_and_a_small_one_is_not() -> None:
    for symbols, sampled in ((1000, False), (30_000, True)):
        settled = settle({}, kind="words", symbols=symbols, tokens=1000, budget=BUDGET)
        assert bool(settled.negatives) is sampled
    assert settle({}, kind="characters", symbols=5000, tokens=1000, budget=BUDGET).negatives == 0


@pytest.mark.parametrize("kind", ["words", "subwords"])
def test_of_a_short_text_more_is_dropped(kind: str) -> None:
    short, long = (
        settle({}, kind=kind, symbols=5000, tokens=tokens, budget=BUDGET)
        for tokens in (SHORT_TEXT - 1, SHORT_TEXT)
    )
    for name in ("dropout", "input_dropout", "embedding_dropout"):
        assert getattr(short, name) > getattr(long, name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [Budget(steps=3), Budget(seconds=1.0), Budget(seconds=1e5)])
def test_every_size_and_budget_gets_settings_that_can_work(kind: str, budget: Budget) -> None:
    settled = settle({}, kind=kind, symbols=50, tokens=1000, budget=budget)
    for name in ("hidden_size", "layers", "embedding_size", "rows", "steps"):
        assert getattr(settled, name) >= 1
    for name in ("dropout", "input_dropout", "weight_dropout", "embedding_dropout", "average"):
        assert 0 <= getattr(settled, name) < 1
    assert 0 < settled.resets < 0.1
    assert 0 < settled.learning_rate < 1
