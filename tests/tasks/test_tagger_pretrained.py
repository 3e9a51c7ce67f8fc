"""A tagger whose words begin with the vectors of a language model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.base import clone

import unrolled
from unrolled.errors import ConfigError, ModelFileError, NotFittedError
from unrolled.tasks.generator import Generator
from unrolled.tasks.tagger import Tagger
from unrolled.tasks.tagging.pretraining import LentWords
from unrolled.training.modelfile import read_model

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

# "The" is more frequent than "the", "London" stands in upper case only, "giraffe" in no sentence;
# the dash is two tokens, the more frequent of them with spaces.
TEXT = "The giraffe - The cook - walks north-west to London, and the cook of London walks.\n" * 12
WORDS = [["The", "cook", "walks", "to", "London", f"{n}th", "zoo", "."] for n in range(20)]
TAGS = [["DET", "NOUN", "VERB", "ADP", "PROPN", "ADJ", "NOUN", "PUNCT"]] * 20
SIZE = 6


def written(tokenizer: str = "words", **options: Any) -> Generator:
    given = {"hidden_size": 5, "layers": 1, "embedding_size": SIZE, "rows": 2, "steps": 8}
    sizes: dict[str, Any] = {**given, "device": "cpu", **options}
    return Generator(tokenizer, **sizes).fit(TEXT, budget=2, progress=False)


@pytest.fixture(scope="module")
def writer() -> Generator:
    return written(lower=False)


@pytest.fixture
def path(writer: Generator, tmp_path: Path) -> Path:
    return writer.save(tmp_path / "writer.unrolled")


def small(pretrained: Any, **options: Any) -> Tagger:
    given: dict[str, Any] = {"hidden_size": 4, "layers": 1, "character_size": 2, "device": "cpu"}
    return Tagger(**{**given, "pretrained": pretrained, **options})


def fit(model: Tagger, budget: int = 1, data: Any = (WORDS, TAGS), **options: Any) -> Tagger:
    return model.fit(data, budget=budget, progress=False, **options)


def unmoved(pretrained: Any, **options: Any) -> Tagger:
    """Fitted, its weights as they were in the beginning."""
    return fit(small(pretrained, learning_rate=1e-12, average=0.0, **options))


def row(model: Tagger, word: str, member: int = 0) -> torch.Tensor:
    place = model.forms.words.index(word) + 1
    return model.model.each[member].reader.words.weight[place].detach()


def lent(writer: Generator, word: str) -> torch.Tensor:
    place = writer.vocabulary.pieces.index(word)
    return writer.model.encoder.embedding.weight[place].detach()


# The beginning


def test_the_most_frequent_words_come_first(writer: Generator) -> None:
    pieces = writer.vocabulary.pieces
    words = LentWords.of(writer, "a name").vectors.words
    places = [
        pieces.index(word) if word in pieces else [one.lower() for one in pieces].index(word)
        for word in words
    ]
    assert len(places) > 5
    assert places == sorted(places)
    assert list(words) != sorted(words)


def test_a_word_begins_with_the_vector_of_its_exact_form_else_of_another_case(
    writer: Generator, path: Path
) -> None:
    for given in (writer, path):
        model = unmoved(given, members=2)
        for member in (0, 1):
            scale = row(model, "cook", member).norm() / lent(writer, "cook").norm()
            for word, form in (("the", "the"), ("london", "London"), ("-", "-")):
                wanted = scale * lent(writer, form)
                torch.testing.assert_close(row(model, word, member), wanted)


def test_lent_vectors_have_the_size_of_those_that_are_drawn(writer: Generator) -> None:
    model = unmoved(writer)
    table = model.model.each[0].reader.words.weight.detach()
    known = [model.forms.words.index(word) + 1 for word in model.forms.words if word != "zoo"]
    drawn = unmoved(None, embedding_size=SIZE).model.each[0].reader.words.weight
    # Both spread as the reader draws them, 3 / sqrt(E), of few numbers each.
    expected = 3 / SIZE**0.5
    assert abs(table[known].square().mean().sqrt() / expected - 1) <= 0.3
    assert abs(drawn.square().mean().sqrt() / expected - 1) <= 0.3


def test_words_that_the_language_model_does_not_know_stay_as_drawn(
    writer: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = unmoved(writer)
    with monkeypatch.context() as patch:
        patch.setattr("unrolled.tasks.tagging.pretraining.put_vectors", lambda *_: None)
        drawn = unmoved(writer)
    torch.testing.assert_close(row(begun, "zoo"), row(drawn, "zoo"))
    tables = [model.model.each[0].reader.words.weight for model in (begun, drawn)]
    torch.testing.assert_close(tables[0][0], tables[1][0])  # the unknown word
    assert not torch.allclose(row(begun, "cook"), row(drawn, "cook"))


def test_a_word_of_no_sentence_has_a_vector_too(writer: Generator) -> None:
    model = unmoved(writer)
    assert model.forms.knows("Giraffe")
    assert model.forms.counts[model.forms.words.index("giraffe")] == 0
    scale = row(model, "cook").norm() / lent(writer, "cook").norm()
    torch.testing.assert_close(row(model, "giraffe"), scale * lent(writer, "giraffe"))
    assert not {"\n", "\ufffd", ""} & set(model.forms.words)
    assert model.predict([["The", "giraffe", "walks"]])[0]


def test_the_vectors_learn_with_the_rest(writer: Generator) -> None:
    model, before = fit(small(writer, learning_rate=0.03), 5), unmoved(writer)
    assert not torch.allclose(row(model, "cook"), row(before, "cook"), atol=1e-3)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(path: Path) -> None:
    def weights(seed: int) -> torch.Tensor:
        model = fit(small(path, seed=seed, members=2), 3)
        return torch.cat([one.detach().flatten() for one in model.model.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_how_many_words_begin_so_is_told(path: Path) -> None:
    told: list[str] = []
    model = fit(small(path), tell=told.append, holdout=0, validation=0)
    line = "6 of 27 words begin with a vector from writer.unrolled, which knows 7 more"
    assert line in told[0]
    assert [one.text for one in model.checkup if one.kind == "vectors"] == [line]


@pytest.mark.parametrize("given", [None, SIZE])
def test_the_size_of_a_word_is_that_of_the_language_model(
    writer: Generator, given: int | None
) -> None:
    model = unmoved(writer, embedding_size=given)
    assert row(model, "cook").shape == (SIZE,)
    assert model.get_params()["embedding_size"] == given


def test_without_a_language_model_a_word_has_a_hundred_numbers(tmp_path: Path) -> None:
    model = unmoved(None)
    assert row(model, "cook").shape == (100,)
    again = unrolled.load(model.save(tmp_path / "tagger.unrolled"))
    assert again.predict(WORDS[:2]) == model.predict(WORDS[:2])  # type: ignore[attr-defined]


# Afterwards


def test_a_saved_tagger_needs_no_generator_any_more(path: Path, tmp_path: Path) -> None:
    model = fit(small(path), 3)
    saved = model.save(tmp_path / "tagger.unrolled")
    path.unlink()
    again = unrolled.load(saved)
    assert isinstance(again, Tagger)
    assert again.get_params() == {**model.get_params(), "pretrained": "writer.unrolled"}
    asked = [["The", "giraffe", "walks", "."]]
    assert (again.predict_proba(asked)[0] == model.predict_proba(asked)[0]).all()
    twice = unrolled.load(again.save(tmp_path / "twice.unrolled"))
    assert twice._assets() == model._assets()
    card, _ = read_model(saved)
    assert str(tmp_path) not in card.model_dump_json()
    assert len(card.assets["begun_from"]) == 64


def test_a_file_from_before_there_were_lent_words_is_read(tmp_path: Path) -> None:
    from unrolled.training.modelfile import write_model

    model = unmoved(None, embedding_size=5)
    card, tensors = read_model(model.save(tmp_path / "tagger.unrolled"))
    new = ("word_size", "begun_from")
    assets = {name: value for name, value in card.assets.items() if name not in new}
    configuration = {k: v for k, v in card.configuration.items() if k != "pretrained"}
    older = card.model_copy(update={"assets": assets, "configuration": configuration})
    again = unrolled.load(write_model(tmp_path / "older.unrolled", older, tensors))
    assert again.predict(WORDS[:2]) == model.predict(WORDS[:2])  # type: ignore[attr-defined]


def test_a_generator_itself_is_not_kept_in_the_file(writer: Generator, tmp_path: Path) -> None:
    again = unrolled.load(unmoved(writer).save(tmp_path / "tagger.unrolled"))
    assert again.get_params()["pretrained"] is None


def test_a_clone_is_given_the_same_file(path: Path) -> None:
    model = small(path)
    assert clone(model).get_params() == model.get_params()
    assert fit(clone(model)).forms.knows("giraffe")


def test_a_warm_start_keeps_what_the_words_have_learnt(path: Path) -> None:
    model = fit(small(path, warm_start=True, learning_rate=0.03, average=0.0), 5)
    before, digest = row(model, "cook").clone(), model._assets()["begun_from"]
    path.unlink()
    fit(model.set_params(learning_rate=1e-12))
    torch.testing.assert_close(row(model, "cook"), before)
    assert model._assets()["begun_from"] == digest


def test_a_run_goes_on_with_the_same_language_model_only(path: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fit(small(path), 2, run_dir=run)
    fit(small(path), 2, run_dir=run, resume=True)
    written(lower=False, seed=5).save(path)
    with pytest.raises(ConfigError, match="holds a run with begun_from="):
        fit(small(path), 2, run_dir=run, resume=True)


# What is refused


def refused(model: Tagger, error: type[Exception], *parts: str, data: Any = (WORDS, TAGS)) -> None:
    with pytest.raises(error) as caught:
        fit(model, data=data)
    told = str(caught.value)
    assert "\n" not in told
    for part in parts:
        assert part in told
    assert not hasattr(model, "model")


def test_a_file_of_another_task_is_refused(tmp_path: Path) -> None:
    path = unmoved(None).save(tmp_path / "tagger.unrolled")
    parts = (str(path), "holds a Tagger", "expected a Generator", "give the file of one")
    refused(small(path), ModelFileError, *parts)
    refused(small(tmp_path / "none.unrolled"), ModelFileError, "none.unrolled", "found nothing")


def test_a_language_model_of_characters_is_refused(tmp_path: Path) -> None:
    path = written("characters").save(tmp_path / "letters.unrolled")
    parts = ("letters.unrolled has tokenizer='characters'", "expected 'words'", "train a Generator")
    refused(small(path), ConfigError, *parts)


def test_a_language_model_of_another_size_is_refused(path: Path) -> None:
    parts = ("writer.unrolled has embedding_size=6", "Tagger was given 7", "leave embedding_size")
    refused(small(path, embedding_size=7), ConfigError, *parts)


def test_a_language_model_of_another_language_is_refused(path: Path) -> None:
    words = [["Die", "Katze", f"schl\u00e4ft{n}"] for n in range(20)]
    data = (words, [["DET", "NOUN", "VERB"]] * 20)
    refused(small(path), ConfigError, "writer.unrolled knows none of the", data=data)


def test_what_is_no_generator_is_refused() -> None:
    refused(small(3), ConfigError, "pretrained: got int, expected a Generator or the path")
    refused(small(Generator("words")), NotFittedError, "Generator has not learnt anything yet")
