"""The weight of a language model's say in translations, chosen by pairs that are held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import unrolled
from tests.tasks.test_translator import Pairs, counted, fit, small
from unrolled.decoding.ngrams import NGramModel
from unrolled.errors import ConfigError, DataError, DataWarning, ModelFileError, NotFittedError
from unrolled.tasks.translating import asking
from unrolled.tasks.translating.request import Request
from unrolled.tasks.translating.tuning import Weights, tuned
from unrolled.tasks.translator import Translator
from unrolled.tasks.tuned import SECOND

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

RIGHT = ["a man rides a red bike", "the dog sleeps in the sun"]
NEAR = ["a man rides a red bike", "the dog sleeps in a bun"]
WRONG = ["one two three four five", "six seven eight nine ten"]
HELD_OUT = counted(60, 7)


@pytest.fixture(scope="module")
def fitted() -> Translator:
    """It knows the words, and not yet their order."""
    return fit(small(), counted(600), 120)


@pytest.fixture
def learnt(fitted: Translator) -> Translator:
    fitted.language_weights = Weights()
    return fitted


@pytest.fixture(scope="module")
def right() -> NGramModel:
    """It finds likely what is right, and hardly anything else."""
    return NGramModel(6).fit([target for _, target in HELD_OUT], holdout=0)


@pytest.mark.parametrize(
    ("says", "chosen"),
    [
        ({0.35: RIGHT}, 0.35),
        ({0.2: NEAR, 1.4: RIGHT, 2.0: RIGHT}, 1.4),
        ({0.0: RIGHT, 0.5: RIGHT}, 0.0),
        ({0.0: NEAR, 0.7: NEAR, 2.0: WRONG}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_best_weight_is_chosen_and_of_equals_the_smallest(
    says: dict[float, list[str]], chosen: float
) -> None:
    told: list[str] = []
    found = tuned(lambda weight: says.get(weight, WRONG), RIGHT, tell=told.append)
    assert found.weights == Weights(rerank_weight=chosen)
    assert found.helps == (chosen > 0)
    assert found.best.rates == min(one.rates for one in found.trials)
    assert [one.weights and one.weights.rerank_weight for one in found.trials] == [None, *SECOND]
    assert found.before == found.trials[0]
    assert found.before.figures == found.trials[1].figures
    assert found.pairs == 2
    assert told == [f"without a language model: {found.before}", f"{found.weights}: {found.best}"]
    if chosen:
        assert (found.best.bleu, found.best.chrf) == pytest.approx((100, 100))


def test_of_the_same_bleu_the_higher_chrf_is_chosen() -> None:
    said = {0.0: ["xx", "yy"], 0.5: ["a man", "yy"]}
    found = tuned(lambda weight: said.get(weight, said[0.0]), ["a bike or man", "dog"])
    assert found.best.bleu == found.before.bleu == 0
    assert found.weights.rerank_weight == 0.5
    assert found.helps


def test_what_is_chosen_is_the_best_that_evaluate_finds_and_is_used_from_then_on(
    learnt: Translator, right: NGramModel, tmp_path: Path
) -> None:
    def measured(model: Any, **options: Any) -> tuple[float, float]:
        bleu, chrf = model.evaluate(HELD_OUT, rerank=right, beam=6, **options).comparisons
        return bleu.network, chrf.network

    usual = measured(learnt)
    assert usual == measured(learnt, rerank_weight=Request.rerank_weight)
    found = learnt.tune(HELD_OUT, rerank=right, beam=6)
    each = {weight: measured(learnt, rerank_weight=weight) for weight in SECOND}
    assert [one.figures for one in found.trials[1:]] == [
        {"bleu": bleu, "chrf": chrf} for bleu, chrf in each.values()
    ]
    best = max(each.values())
    assert found.weights.rerank_weight == min(one for one in SECOND if each[one] == best)
    assert found.helps
    assert found.weights.rerank_weight != Request.rerank_weight
    assert learnt.language_weights == Weights(
        rerank_weight=found.weights.rerank_weight, told="60 sentences of pairs"
    )
    assert measured(learnt) == best
    assert measured(learnt, rerank_weight=0.0) == each[0.0]

    path = learnt.save(tmp_path / "tuned.unrolled")
    again: Any = unrolled.load(path)
    assert again.language_weights == learnt.language_weights
    assert measured(again) == best
    assert str(again.language_weights) in str(unrolled.info(path))


def test_there_is_one_search_and_one_score_of_each_answer(
    learnt: Translator, right: NGramModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[int] = []
    scored: list[list[str]] = []
    search, score = asking.search, NGramModel.score

    def counted_search(*given: Any, **named: Any) -> Any:
        searches.append(len(named["sentences"]))
        return search(*given, **named)

    def counted_score(self: NGramModel, texts: Any) -> Any:
        scored.append(texts)
        return score(self, texts)

    monkeypatch.setattr(asking, "search", counted_search)
    monkeypatch.setattr(NGramModel, "score", counted_score)
    learnt.tune(HELD_OUT[:20], rerank=right)
    assert searches == [20]
    (texts,) = scored
    assert len(set(texts)) == len(texts) > 20


def test_a_model_that_does_not_help_gets_no_say(learnt: Translator) -> None:
    wrong = NGramModel(2).fit(["0 0 0 0 0 0 0"] * 20, holdout=0)
    sentences = [source for source, _ in HELD_OUT]
    own = learnt.predict(sentences)
    found = learnt.tune(list(zip(sentences, own, strict=True)), rerank=wrong)
    assert not found.helps
    assert found.best.figures == found.before.figures
    assert learnt.language_weights.rerank_weight == 0.0
    assert learnt.predict(sentences, rerank=wrong) == own
    assert learnt.predict(sentences, rerank=wrong, rerank_weight=2.0) != own


def test_tuning_that_fails_changes_nothing(
    learnt: Translator, right: NGramModel, tmp_path: Path
) -> None:
    learnt.language_weights = Weights(rerank_weight=0.9)
    before = vars(learnt).copy()
    path = learnt.save(tmp_path / "translator.unrolled")
    given: dict[str, Any]
    for data, given, error, match in (
        (HELD_OUT, {"rerank": None}, ConfigError, "^rerank: got a NoneType, expected a Generator"),
        (HELD_OUT, {"rerank": path}, ModelFileError, "holds a Translator; rerank takes"),
        (HELD_OUT, {"rerank": right, "beam": 1}, ConfigError, "^beam: a beam of 1 has one answer"),
        (HELD_OUT, {"rerank": right, "bean": 2}, ConfigError, "^bean: no such option"),
        (HELD_OUT, {"rerank": right, "rerank_weight": 1}, ConfigError, "^rerank_weight: tune has"),
        (HELD_OUT, {"rerank": right, "n_best": 2}, ConfigError, "^n_best: tune has its"),
        (tmp_path / "nowhere.tsv", {"rerank": right}, DataError, "nowhere"),
    ):
        with pytest.raises(error, match=match):
            learnt.tune(data, **given)
        assert vars(learnt) == before
    with pytest.raises(NotFittedError):
        small().tune(HELD_OUT, rerank=right)


def test_pairs_with_an_empty_side_are_told(learnt: Translator, right: NGramModel) -> None:
    some: Pairs = [*HELD_OUT[:8], ("one", "")]
    with pytest.warns(DataWarning, match="left out 1 pair with one empty side") as told:
        found = learnt.tune(some, rerank=right)
    assert told[0].filename == __file__
    assert found.pairs == 8


def test_the_weight_of_tuning_is_that_of_no_other_translator() -> None:
    other = fit(small(), counted(40), 1)
    other.language_weights = Weights(rerank_weight=0.9)
    other.set_params(warm_start=True)
    assert fit(other, counted(40), 1).language_weights.rerank_weight == 0.9
    other.set_params(warm_start=False)
    assert fit(other, counted(40), 1).language_weights == Weights()
