"""The score by which weights are chosen: of which sentences, how far, and by which metric."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.tasks.translating import lessons
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.lessons import Validator, metric_of, validator
from unrolled.tasks.translating.request import Request, Translation
from unrolled.training.budget import Budget
from unrolled.training.translation_scores import translation_scores

from .small import network

# With the unknown token and the line break as many as the network writes.
WORDS = ("ab", "ba", "ca", "ac", "bc", "cb", "aa", "bb", "cc", "dd", "ad")


def sentence(words: int, begin: int = 0) -> str:
    return " ".join(WORDS[(begin + place) % len(WORDS)] for place in range(words))


def made(references: list[str], budget: str = "100 steps") -> Validator:
    tokens = PairTokens.learn(references, references, kind="words", size=None, shared=True)
    assert len(tokens.target) <= 13
    model = network()
    sources = [f"{place} {one}" for place, one in enumerate(references)]
    return validator(model, tokens, sources, references, Budget.parse(budget))


def test_short_references_are_scored_by_characters() -> None:
    assert metric_of(["2024-05-19", "2023-01-02"]) == "chrF"
    assert metric_of(["A man is riding a bike.", "Two dogs run in the snow."]) == "BLEU"


def test_the_limit_of_a_sentence_comes_from_its_reference() -> None:
    # tokens and the end, half as many again, and five
    assert made([sentence(1), sentence(4), sentence(9)]).limits == (8, 12, 20)


def test_no_translation_that_is_scored_is_longer_than_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[Translation] = []
    translate = lessons.translations

    def endless(*given: object, **more: object) -> list[Translation]:
        *before, request = given
        assert request == Request(beam=1)
        said.extend(translate(*before, Request(beam=1, min_length=99), **more))  # type: ignore[arg-type]
        return said

    monkeypatch.setattr(lessons, "translations", endless)
    # longer and shorter ones by turns, of more than one batch of the search
    score = made([sentence(1 + place % 7, place) for place in range(90)])
    found = score()
    assert [len(one.tokens) for one in said] == list(score.limits)
    right = translation_scores([one.text for one in said], score.references)
    assert found == 100 - right.chrf


@pytest.mark.parametrize(("words", "metric"), [(3, "chrF"), (8, "BLEU")])
def test_the_unit_is_the_metric_that_chooses(
    words: int, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = made([sentence(words, place) for place in range(20)])
    assert score.unit == f"100 minus {metric}"
    copies = [Translation(one[:-3], 0.0, 0.0, True, (), (), None) for one in score.references]
    monkeypatch.setattr(lessons, "translations", lambda *_, **__: copies)
    scores = translation_scores([one.text for one in copies], score.references)
    assert scores.bleu != scores.chrf
    assert score() == 100 - (scores.bleu if metric == "BLEU" else scores.chrf)


def test_the_metric_is_that_of_the_sentences_that_are_scored() -> None:
    # every second reference is long, and the part that is drawn holds only the short ones
    references = [sentence(60 if place % 2 else 2, place) for place in range(40)]
    score = made(references, "18s")
    assert score.references == tuple(references[::2])
    assert metric_of(references) == "BLEU"
    assert score.unit == "100 minus chrF"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 60))
def test_a_short_budget_takes_fewer_sentences_evenly_drawn(
    lengths: list[int], seconds: int
) -> None:
    references = [sentence(length, place) for place, length in enumerate(lengths)]
    whole, score = made(references), made(references, f"{seconds}s")
    assert whole.references == tuple(references)
    places = [whole.sources.index(one) for one in score.sources]
    assert places == sorted(set(places))
    assert score.limits == tuple(whole.limits[place] for place in places)
    # as many as the mean sentence says
    most = lessons._STEPS_A_SECOND * seconds * len(lengths) / sum(whole.limits)
    assert len(places) == min(len(lengths), max(1, int(most)))
    gaps = {after - before for before, after in pairwise(places)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_however_long_the_budget_no_more_is_scored_than_tells_something() -> None:
    references = [sentence(9, place) for place in range(3000)]
    score = made(references, "10h")
    assert score.references == made(references, "10000 steps").references
    assert 0.9 * lessons._MOST_STEPS < sum(score.limits) <= lessons._MOST_STEPS
