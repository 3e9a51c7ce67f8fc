"""Bad input to a tagger: one plain line, and what was there stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unrolled
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError
from unrolled.tasks.tagger import Tagger

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

WORDS = [["Dogs", "bark", str(n)] for n in range(20)]
TAGS = [["NOUN", "VERB", "NUM"]] * 20


def small(**options: Any) -> Tagger:
    given = {"hidden_size": 4, "layers": 1, "embedding_size": 4, "character_size": 2}
    return Tagger(**{**given, **options})


@pytest.fixture(scope="module")
def fitted() -> Tagger:
    return small(directions=1).fit((WORDS, TAGS), budget=2, progress=False)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cell": "cnn"}, "cell: got 'cnn'"),
        ({"hidden_size": 0}, "hidden_size: got 0"),
        ({"layers": 1.5}, "layers: got 1.5"),
        ({"directions": 3}, "directions: got 3, expected 1 or 2"),
        ({"character_size": -1}, "character_size: got -1"),
        ({"members": 0}, "members: got 0"),
        ({"crf": "yes"}, "crf: got 'yes'"),
        ({"dropout": 1.0}, "dropout: got 1.0"),
        ({"word_dropout": -0.1}, "word_dropout: got -0.1"),
        ({"average": 1.0}, "average: got 1.0"),
        ({"learning_rate": 0}, "learning_rate: got 0"),
        ({"seed": -1}, "seed: got -1"),
        ({"device": "tpu"}, "device: got 'tpu'"),
        ({"precision": "fp8"}, "precision: got 'fp8'"),
    ],
)
def test_arguments_out_of_their_range(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        small(**options).fit((WORDS, TAGS), budget=1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"holdout": 1.0}, "holdout: got 1.0"),
        ({"holdout": True}, "holdout: got True"),
        ({"validation": 1.5}, "validation: got 1.5"),
        ({"column": 1.5}, "column: got 1.5"),
        ({"budget": "soon"}, "budget: got 'soon'"),
        ({"resume": True}, "needs run_dir"),
    ],
)
def test_options_of_fit_out_of_their_range(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        small().fit((WORDS, TAGS), **{"budget": 1, **options})


def test_one_tag_only_is_nothing_to_learn() -> None:
    with pytest.raises(DataError, match="got 'X' as the tag of every word"):
        small().fit((WORDS, [["X"] * 3] * 20), budget=1)


def test_words_without_tags_are_nothing_to_learn() -> None:
    with pytest.raises(DataError, match="without tags"):
        small().fit((WORDS, None), budget=1)


def test_too_few_sentences_are_not_split() -> None:
    with pytest.raises(DataError, match="got 3 different sentences, expected at least 5"):
        small().fit((WORDS[:3] * 9, TAGS[:3] * 9), budget=1)


def test_a_line_with_too_few_columns_is_named(tmp_path: Path) -> None:
    path = tmp_path / "short.conll"
    path.write_text("Dogs\tNOUN\nbark\n\nCats\tNOUN\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"short\.conll, line 2"):
        small().fit(path, budget=1)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.conll"):
        small().fit(tmp_path / "none.conll", budget=1)


def test_a_failed_fit_leaves_the_model_as_it_was(fitted: Tagger) -> None:
    before = fitted.predict_proba(WORDS[:3])
    with pytest.raises(DataError):
        fitted.fit((WORDS, [["X"] * 3] * 20), budget=1)
    with pytest.raises(ConfigError):
        fitted.fit((WORDS, TAGS), budget="soon")
    after = fitted.predict_proba(WORDS[:3])
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_nothing_is_asked_before_fit() -> None:
    for ask in (
        lambda: small().predict([["a"]]),
        lambda: small().predict_proba([["a"]]),
        lambda: small().evaluate(),
        lambda: small(directions=1).start(),
        lambda: small(directions=1).step("a"),
        lambda: small().save("never.unrolled"),
    ):
        with pytest.raises(NotFittedError, match="call fit"):
            ask()


def test_a_list_of_texts_is_told_from_lists_of_words(fitted: Tagger) -> None:
    with pytest.raises(ConfigError, match=r"got list of texts, expected lists of words"):
        fitted.predict(["Dogs bark", "Cats"])
    with pytest.raises(ConfigError, match=r"got int, expected lists of words"):
        fitted.predict(3)
    with pytest.raises(DataError, match=r"sentence 1 .* holds words that are empty or no text"):
        fitted.predict([["Dogs"], ["Cats", ""]])


def test_an_evaluation_needs_tags(fitted: Tagger) -> None:
    with pytest.raises(DataError, match="without tags"):
        fitted.evaluate((WORDS, None))


def test_tags_that_were_never_seen_count_as_wrong(fitted: Tagger) -> None:
    assert fitted.evaluate(([["Dogs"]], [["NEW"]]))["accuracy"] == 0.0


@pytest.mark.parametrize("word", ["", 3, None])
def test_a_step_reads_a_word(fitted: Tagger, word: Any) -> None:
    with pytest.raises(ConfigError, match=r"step: got .*, expected a word"):
        fitted.step(word)


def test_a_state_of_another_kind_is_refused(fitted: Tagger) -> None:
    state = fitted.start()
    with pytest.raises(ConfigError, match="without 'c'"):
        fitted.step("Dogs", {"h": state["h"]})
    with pytest.raises(ConfigError, match="'h' of shape"):
        fitted.step("Dogs", {**state, "h": state["h"][..., :2]})
    with pytest.raises(ConfigError, match="'tags' of shape"):
        fitted.step("Dogs", {**state, "tags": np.zeros(9, np.float32)})


@pytest.mark.parametrize(
    "broken", [{"words": ["a"]}, {"words": [1, 2]}, {"characters": None}, {"shapes": []}]
)
def test_a_file_whose_card_does_not_fit_is_refused(
    fitted: Tagger, tmp_path: Path, broken: dict[str, Any]
) -> None:
    from unrolled.training.modelfile import read_model, write_model

    card, tensors = read_model(fitted.save(tmp_path / "model.unrolled"))
    assets = {**card.assets, "forms": {**card.assets["forms"], **broken}}
    path = write_model(
        tmp_path / "broken.unrolled", card.model_copy(update={"assets": assets}), tensors
    )
    with pytest.raises(ModelFileError, match=r"broken\.unrolled"):
        unrolled.load(path)
