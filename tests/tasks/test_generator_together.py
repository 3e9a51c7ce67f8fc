"""A generator of several networks, and one that an n-gram model answers with."""

from __future__ import annotations

import math
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import unrolled
from unrolled import Classifier, Generator
from unrolled.data import catalog
from unrolled.errors import ConfigError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.language_models import LanguageModels
from unrolled.training.loop import Outcome, Trainer

pytestmark = pytest.mark.filterwarnings(
    "ignore::unrolled.tasks.evaluation.NetworkLoses", "ignore::unrolled.errors.DataWarning"
)

TEXT = "".join(f"{n} and {n} make {n + n}, says the book.\n" for n in range(100))


def small(**options: object) -> Generator:
    sizes = {"hidden_size": 16, "layers": 1, "embedding_size": 8, "rows": 4, "steps": 16}
    return Generator(**{**sizes, "learning_rate": 0.02, "device": "cpu", **options})


@pytest.fixture(scope="module", params=[1, 2], ids=["one", "two"])
def generator(request: pytest.FixtureRequest) -> Generator:
    return small(members=request.param).fit(TEXT, budget=30, progress=False)


def test_the_share_is_settled_by_the_validation_part(generator: Generator) -> None:
    assert 0 < generator.settings.ngram_weight < 1
    # The text is one that is counted sooner than learnt.
    assert generator.settings.ngram_weight > 0.3
    table = generator.evaluation.contestants()
    alone = small(members=generator.members, ngram_weight=0).fit(TEXT, budget=30, progress=False)
    own = alone.evaluation.contestants()["network"]
    for metric, value in table["network alone"].items():
        assert value == pytest.approx(own[metric], rel=1e-6)
    assert set(table["network alone"]) >= {"bits per character", "nats per character"}
    assert table["network"]["bits per character"] < table["network alone"]["bits per character"]


def test_one_who_names_a_share_gets_it_and_none_is_none() -> None:
    fixed = small(ngram_weight=0.3).fit(TEXT, budget=2, progress=False)
    assert fixed.settings.ngram_weight == 0.3
    alone = small(ngram_weight=0).fit(TEXT, budget=2, progress=False)
    assert alone.settings.ngram_weight == 0
    assert "network alone" not in alone.evaluation.contestants()
    assert set(alone.start("7")) == {"h", "c"}
    for name, weight in alone.model.state_dict().items():
        np.testing.assert_array_equal(weight, fixed.model.state_dict()[name])


def test_the_share_may_be_set_after_the_fit(generator: Generator, tmp_path: Path) -> None:
    model = unrolled.load(generator.save(tmp_path / "m.unrolled"))
    model.ngram_weight = 0
    alone = model.score("7 and 7 make 14").log_probability
    assert model.evaluate(TEXT[:200]).alone is None
    assert alone < generator.score("7 and 7 make 14").log_probability
    back = unrolled.load(model.save(tmp_path / "alone.unrolled"))
    assert back.score("7 and 7 make 14").log_probability == alone
    model.ngram_weight = 2
    with pytest.raises(ConfigError, match="ngram_weight: got 2"):
        model.score("7")


def test_without_a_validation_part_the_share_is_the_usual_one() -> None:
    model = small().fit(TEXT, budget=2, validation=0, progress=False)
    assert model.settings.ngram_weight == 0.2


def test_ctrl_c_while_it_is_weighed_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("unrolled.tasks.generator.share_of", stopped)
    model = small().fit(TEXT, budget=2, progress=False)
    assert model.outcome.steps == 2
    assert model.settings.ngram_weight == 0.2


@pytest.mark.parametrize("wrong", [-0.1, 1, 1.5, math.nan, "0.2", True])
def test_a_share_that_is_none_is_told(wrong: object) -> None:
    with pytest.raises(ConfigError, match="ngram_weight: got"):
        small(ngram_weight=wrong).fit(TEXT, budget=2, progress=False)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2"])
def test_members_that_are_no_number_are_told(wrong: object) -> None:
    with pytest.raises(ConfigError, match="members: got"):
        small(members=wrong).fit(TEXT, budget=2, progress=False)


def test_all_answers_are_of_one_model(generator: Generator) -> None:
    text = "7 and 7 make 14"
    pieces = generator.vocabulary.pieces
    state, steps = None, []
    for before, token in pairwise(text):
        chances, state = generator.step(before, state)
        steps.append(math.log(chances[pieces.index(token)]))
    score = generator.score(text, per_token=True)
    told = [value for _, value in score.tokens]
    np.testing.assert_allclose(told[1:], steps, rtol=1e-3, atol=1e-4)
    assert generator.evaluate(text)["nats per character"] == pytest.approx(
        -sum(told) / len(text), rel=1e-4
    )
    chance = dict(generator.suggest("7 and 7 m", 5))["make"]
    spelled = generator.score("7 and 7 make ").log_probability
    begun = generator.score("7 and 7 m").log_probability
    assert math.exp(spelled - begun) <= chance + 1e-6


def test_a_saved_model_answers_the_same(generator: Generator, tmp_path: Path) -> None:
    back = unrolled.load(generator.save(tmp_path / "m.unrolled"))
    assert back.settings == generator.settings
    assert back.score(TEXT[:200]) == generator.score(TEXT[:200])
    assert back.generate("7 and", seed=1) == generator.generate("7 and", seed=1)
    assert back.suggest("7 and 7 m") == generator.suggest("7 and 7 m")
    assert str(back.evaluation) == str(generator.evaluation)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_run_that_goes_on_ends_as_one_that_never_stopped(
    cell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(folder: str, **options: object) -> Generator:
        model = small(members=2, cell=cell, dropout=0.2)
        return model.fit(TEXT, budget=20, run_dir=tmp_path / folder, progress=False, **options)

    whole = fit("a")
    forward = LanguageModels.forward
    steps = []

    def stopped(self: LanguageModels, *given: object, **options: object) -> object:
        steps.append(self.training)
        if self.training and sum(steps) == 13:
            signal.raise_signal(signal.SIGINT)
        return forward(self, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModels, "forward", stopped)
        part = fit("b", diagnose=False)
    assert part.outcome.ended == "interrupted"
    assert part.outcome.steps < 20
    again = fit("b", resume=True)
    assert again.outcome.steps == 20
    for name, weight in whole.model.state_dict().items():
        np.testing.assert_array_equal(weight, again.model.state_dict()[name])
    assert again.settings == whole.settings
    assert again.score(TEXT[:200]) == whole.score(TEXT[:200])
    checkpoint = unrolled.load(tmp_path / "a" / "checkpoint.unrolled")
    assert checkpoint.settings.ngram_weight == 0  # made before it was weighed: the network alone
    assert checkpoint.score("7").log_probability < 0


def test_going_on_to_learn_weighs_anew(generator: Generator, tmp_path: Path) -> None:
    model = unrolled.load(generator.save(tmp_path / "m.unrolled"))
    model.warm_start = True
    before = model.settings.ngram_weight
    model.fit(TEXT, budget=60, progress=False)
    assert model.settings.ngram_weight < before


def test_a_classifier_begins_with_the_first_member(generator: Generator) -> None:
    texts = [f"{n} is {'small' if n < 20 else 'large'}" for n in range(40)]
    labels = ["a" if n < 20 else "b" for n in range(40)]
    judge = Classifier(pretrained=generator, device="cpu").fit(
        (texts, labels), budget=2, progress=False
    )
    assert judge.model.encoder.recurrent.hidden_size == 16


def test_every_member_begins_where_the_counts_say(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Outcome([], 0, None, 0.0, None, None, "plan")
    monkeypatch.setattr(Trainer, "train", lambda trainer: trainer.model.eval() and nothing)
    monkeypatch.setattr("unrolled.tasks.generating.settings.FULL_SOFTMAX", 50)
    model = small(tokenizer="words", members=2).fit(TEXT, budget=1, progress=False)
    first, second = model.model.each
    np.testing.assert_array_equal(first.bias.detach(), second.bias.detach())
    assert len(np.unique(first.bias.detach())) > 3
    one, other = (member.encoder.embedding.weight.detach() for member in (first, second))
    near = (one == other).all(1)
    assert near.float().mean() > 0.5
    assert first.sampling is not None
    assert second.sampling is not None


def test_a_long_text_of_words_is_dropped_less(monkeypatch: pytest.MonkeyPatch) -> None:
    short = small(tokenizer="words").fit(TEXT, budget=1, progress=False)
    monkeypatch.setattr("unrolled.tasks.generating.settings.SHORT_TEXT", 200)
    long = small(tokenizer="words").fit(TEXT, budget=1, progress=False)
    assert short.settings.dropout > long.settings.dropout


def test_members_that_were_set_after_the_fit_are_told_before_a_file_is_written(
    generator: Generator, tmp_path: Path
) -> None:
    model = unrolled.load(generator.save(tmp_path / "m.unrolled"))
    model.members = 5
    with pytest.raises(ConfigError, match="members: was set to 5"):
        model.save(tmp_path / "m.unrolled")
    assert unrolled.load(tmp_path / "m.unrolled").members == generator.members
    model.members, model.ngram_weight = generator.members, 5
    with pytest.raises(ConfigError, match="ngram_weight: got 5"):
        model.save(tmp_path / "m.unrolled")


def test_a_network_that_loses_without_the_n_grams_is_told() -> None:
    text = catalog.load("python-docs")[:40_000]
    with pytest.warns(NetworkLoses, match="the network alone LOSES"):
        model = small().fit(text, budget=3, progress=False)
    assert model.evaluation.verdict != "network loses"
    assert model.evaluation["n-gram share"] == model.settings.ngram_weight


def test_members_are_another_model_than_one(tmp_path: Path) -> None:
    one = small().fit(TEXT, budget=3, progress=False)
    path = one.save(tmp_path / "m.unrolled")
    model = unrolled.load(path)
    model.members, model.warm_start = 2, True
    with pytest.raises(ConfigError, match="warm_start"):
        model.fit(TEXT, budget=3, progress=False)
