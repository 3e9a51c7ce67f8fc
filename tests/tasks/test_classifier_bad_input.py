"""Bad input to a classifier: one plain line, and what was learnt stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError, UnrolledError
from unrolled.tasks.classifier import Classifier
from unrolled.tasks.generator import Generator

pytestmark = [
    pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses"),
    pytest.mark.filterwarnings("ignore::unrolled.errors.DataWarning"),
]

TEXTS = [f"text {n} is {'good' if n % 2 else 'bad'}" for n in range(40)]
LABELS = ["yes" if n % 2 else "no" for n in range(40)]


def small(**options: Any) -> Classifier:
    given = {"hidden_size": 4, "embedding_size": 3, "chunk": 8, "device": "cpu"}
    return Classifier(**{**given, **options})


@pytest.fixture(autouse=True, scope="module")
def _quick_rivals() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        grid = {"tfidf": (3.0,) * 3, "naive-bayes": (0.1,) * 3}
        patch.setattr("unrolled.baselines.tfidf._GRID", grid)
        patch.setattr("unrolled.baselines.tfidf._SHARE", 1e-9)
        yield


@pytest.fixture(scope="module")
def fitted() -> Classifier:
    return small().fit((TEXTS, LABELS), budget=1, progress=False)


def refuse(do: Callable[[], object], kind: type[UnrolledError], *words: str) -> None:
    with pytest.raises(kind) as caught:
        do()
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tokenizer": "sounds"}, ["tokenizer", "'sounds'", "words"]),
        ({"cell": "brain"}, ["cell", "'brain'", "lstm"]),
        ({"hidden_size": 0}, ["hidden_size", "0"]),
        ({"layers": 1.5}, ["layers", "1.5"]),
        ({"directions": 3}, ["directions", "3", "1 or 2"]),
        ({"chunk": 0}, ["chunk", "0"]),
        ({"head_size": -1}, ["head_size", "-1"]),
        ({"ngrams": 0}, ["ngrams", "0"]),
        ({"dropout": 1.0}, ["dropout", "1.0"]),
        ({"embedding_dropout": "much"}, ["embedding_dropout", "'much'"]),
        ({"unfreeze": -0.1}, ["unfreeze", "-0.1"]),
        ({"rate_decay": 0.5}, ["rate_decay", "0.5", "from 1 on"]),
        ({"weight_decay": -1}, ["weight_decay", "-1"]),
        ({"learning_rate": 2.0}, ["learning_rate", "2.0"]),
        ({"class_weight": "fair"}, ["class_weight", "'fair'"]),
        ({"class_weight": {"maybe": 2}}, ["class_weight", "'maybe'", "'yes'"]),
        ({"device": "tpu"}, ["device", "'tpu'"]),
        ({"pretrained": 3}, ["pretrained", "int", "Generator"]),
        ({"pretrained": "a", "vectors": "b"}, ["vectors", "not from both"]),
        ({"vectors": "b", "tokenizer": "characters"}, ["vectors", "'characters'"]),
    ],
)
def test_a_setting_that_cannot_work_is_named(options: dict[str, Any], words: list[str]) -> None:
    model = small(**options)
    refuse(lambda: model.fit((TEXTS, LABELS), budget=1, progress=False), ConfigError, *words)
    assert not hasattr(model, "model")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((TEXTS, ["yes"] * 40), ["'yes'", "at least two"]),
        ((TEXTS, [None] * 40), ["no text has a label"]),
        (TEXTS, ["no text has a label"]),
        ((TEXTS[:3], ["a", "b", "c"]), ["fewer than two labels have two texts"]),
        (([""] * 4, ["a", "b"] * 2), ["every text is empty"]),
        ((TEXTS, LABELS[:-1]), ["40", "39"]),
        ((TEXTS, [[]] * 40), ["empty"]),
        ((TEXTS[:4], LABELS[:4]), ["none to test on", "holdout"]),
    ],
)
def test_data_that_nothing_can_be_learnt_from_is_refused(data: Any, words: list[str]) -> None:
    refuse(lambda: small().fit(data, budget=1, progress=False), DataError, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"holdout": 0.0}, ["holdout", "0.0"]),
        ({"validation": 1.0}, ["validation", "1.0"]),
        ({"budget": "soon"}, ["budget", "'soon'"]),
        ({"resume": True}, ["run_dir"]),
    ],
)
def test_an_option_that_cannot_work_is_named(options: dict[str, Any], words: list[str]) -> None:
    given = {"budget": 1, "progress": False, **options}
    refuse(lambda: small().fit((TEXTS, LABELS), **given), ConfigError, *words)


def test_unlabelled_and_empty_rows_are_told_and_left_out() -> None:
    texts = [*TEXTS, "nobody judged this", "", "nor this"]
    model = small().fit((texts, [*LABELS, None, "yes", None]), budget=1, progress=False)
    told = " ".join(str(one) for one in model.checkup)
    assert "rows have a text and no label" in told
    assert "empty: 1 of" in told
    assert model.evaluation is not None
    assert model.evaluation.held_out.startswith("4 texts")


def test_a_test_set_with_an_unknown_label_is_told_before_the_work(fitted: Classifier) -> None:
    test = (["some text"], ["perhaps"])
    refuse(
        lambda: small().fit((TEXTS, LABELS), test=test, budget=1, progress=False),
        DataError,
        "'perhaps'",
        "'no', 'yes'",
    )
    refuse(lambda: fitted.evaluate(test), DataError, "'perhaps'")


def test_nothing_is_answered_before_fit() -> None:
    for ask in (
        lambda: small().predict("x"),
        lambda: small().predict_proba(["x"]),
        lambda: small().step("x"),
        lambda: small().explain("x"),
        lambda: small().evaluate(),
    ):
        refuse(ask, NotFittedError, "fit")


def test_what_is_no_text_is_named(fitted: Classifier) -> None:
    refuse(lambda: fitted.step(3), ConfigError, "int")  # type: ignore[arg-type]
    refuse(lambda: fitted.explain(["a"]), ConfigError, "list")  # type: ignore[arg-type]
    refuse(lambda: fitted.explain("a", "maybe"), ConfigError, "'maybe'", "'no', 'yes'")
    refuse(lambda: fitted.step("a", {"h": np.zeros(1)}), ConfigError, "state")
    refuse(lambda: fitted.predict(["a", 3]), DataError, "int")


def test_a_fit_that_fails_leaves_the_model_as_it_was(fitted: Classifier) -> None:
    before = fitted.predict_proba(TEXTS)
    refuse(lambda: fitted.fit((TEXTS, ["yes"] * 40), progress=False), DataError)
    assert np.array_equal(fitted.predict_proba(TEXTS), before)


@pytest.fixture(scope="module")
def writer() -> Generator:
    text = "\n".join(TEXTS)
    options: dict[str, Any] = {"hidden_size": 4, "embedding_size": 3, "rows": 2, "steps": 8}
    return Generator("words", layers=1, device="cpu", **options).fit(text, budget=1, progress=False)


def begun(writer: Any, **options: Any) -> Classifier:
    return small(**{"hidden_size": None, "embedding_size": None, "pretrained": writer, **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tokenizer": "characters"}, ["tokenizer='words'", "'characters'"]),
        ({"cell": "gru"}, ["cell='lstm'", "'gru'"]),
        ({"hidden_size": 8}, ["hidden_size=4", "8"]),
        ({"layers": 2}, ["layers=1", "2"]),
        ({"directions": 2}, ["directions=1", "2"]),
        ({"lower": True}, ["lower=False", "True"]),
        ({"vocabulary_size": 10}, ["vocabulary_size", "leave"]),
    ],
)
def test_a_generator_of_another_kind_is_refused(
    writer: Generator, options: dict[str, Any], words: list[str]
) -> None:
    model = begun(writer, **options)
    refuse(lambda: model.fit((TEXTS, LABELS), budget=1, progress=False), ConfigError, *words)


def test_a_file_of_another_task_is_no_pretrained_model(fitted: Classifier, tmp_path: Path) -> None:
    path = fitted.save(tmp_path / "judge.unrolled")
    missing = tmp_path / "missing.unrolled"
    for given, words in ((path, ["holds a Classifier", "Generator"]), (missing, ["nothing"])):
        model = begun(str(given))
        refuse(
            lambda model=model: model.fit((TEXTS, LABELS), budget=1, progress=False),
            ModelFileError,
            *words,
        )


def test_a_generator_that_learnt_nothing_is_refused() -> None:
    model = begun(Generator("words"))
    refuse(lambda: model.fit((TEXTS, LABELS), progress=False), NotFittedError, "Generator")


def test_vectors_of_another_language_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("giraffe 1 2\nzebra 3 4\n")
    model = small(vectors=path, embedding_size=None)
    refuse(
        lambda: model.fit((TEXTS, LABELS), budget=1, progress=False),
        DataError,
        "vectors.txt",
        "none",
    )
    path.write_text("text 1 2\n")
    refuse(
        lambda: small(vectors=path).fit((TEXTS, LABELS), budget=1, progress=False),
        ConfigError,
        "embedding_size",
        "2 numbers",
    )
