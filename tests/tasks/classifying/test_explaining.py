"""Explanations add up to what they explain, part by part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from unrolled.data.tokens import Tokenizer, make_tokenizer
from unrolled.tasks.classifying.building import build
from unrolled.tasks.classifying.encoding import document
from unrolled.tasks.classifying.explaining import (
    ERROR,
    Explanation,
    contrast,
    explain,
    integrated_gradients,
)
from unrolled.tasks.classifying.gram_index import GramIndex
from unrolled.tasks.classifying.linear_path import LinearPath
from unrolled.tasks.classifying.mixing import Mix
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.classifying.settings import Settings
from unrolled.tasks.classifying.surface import words_of

NAMES = ("bad", "good", "mixed")
TEXT = "the film is not good , a long story of two people"


@pytest.fixture(scope="module")
def network_of_words(words: Tokenizer, settings: Callable[..., Settings]) -> TextClassifier:
    torch.manual_seed(1)
    model = build(settings(), "lstm", 1, len(words), 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.5 * torch.randn(parameter.shape)
    return model.eval()


@pytest.fixture(scope="module")
def linear(words: Tokenizer) -> LinearPath:
    index = GramIndex.learn([document(words, TEXT)], len(words), 2, 1)
    random = np.random.default_rng(0)
    weights = random.normal(size=(len(index), 3)).astype(np.float32)
    weights[0] = 0
    return LinearPath(index, weights, np.array([0.3, -0.2, 0.0], dtype=np.float32))


Explain = Callable[..., Explanation]


@pytest.fixture(scope="module")
def explained(network_of_words: TextClassifier, linear: LinearPath, words: Tokenizer) -> Explain:
    def run(text: str = TEXT, label: int = 1, several: bool = False, with_linear: bool = True):  # type: ignore[no-untyped-def]
        return explain(
            network_of_words,
            linear if with_linear else None,
            Mix(0.7, 0.4),
            words,
            text,
            label=label,
            names=NAMES,
            several=several,
            probability=0.5,
        )

    return run


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_the_words_and_the_opening_add_up_to_the_change_of_the_score(
    explained: Explain,
    network_of_words: TextClassifier,
    linear: LinearPath,
    words: Tokenizer,
    several: bool,
    label: int,
) -> None:
    found = explained(label=label, several=several)
    ids = document(words, TEXT)
    with torch.no_grad():
        network = network_of_words(torch.from_numpy(ids).unsqueeze(1))[0][0].double().numpy()
    score = Mix(0.7, 0.4)(network, linear.logits([ids])[0]) @ contrast(label, 3, several)
    assert found.score == pytest.approx(score, abs=1e-5)
    difference = found.score - found.baseline
    left = abs(found.attributions.sum() + found.opening - difference)
    assert left <= 0.011 * max(abs(difference), 0.1)
    assert found.error <= ERROR * 1.1
    np.testing.assert_allclose(found.attributions, found.of_network + found.of_linear)


def test_more_points_are_taken_until_the_error_is_small(
    network_of_words: TextClassifier, words: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrolled.tasks.classifying.explaining.FEWEST_POINTS", 1)
    ids, towards = document(words, TEXT), contrast(0, 3, False)
    *_, error, points = integrated_gradients(network_of_words, ids, towards)
    assert points > 1
    assert error <= ERROR


def test_the_attributions_do_not_depend_on_the_chunk(
    network_of_words: TextClassifier, words: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, towards = document(words, TEXT), contrast(0, 3, False)
    chunked = integrated_gradients(network_of_words, ids, towards)[0]
    monkeypatch.setattr(network_of_words, "chunk", 1000)
    whole = integrated_gradients(network_of_words, ids, towards)[0]
    np.testing.assert_allclose(chunked, whole, atol=1e-5)


def test_without_a_linear_path_its_share_is_zero(explained: Explain) -> None:
    found = explained(with_linear=False)
    assert (found.of_linear == 0).all()
    assert found.of_network.any()


def test_every_word_is_named_as_the_text_writes_it(explained: Explain) -> None:
    found = explained("The FILM is unheardof , not Good")
    assert found.words == ("The", "FILM", "is", "unheardof", ",", "not", "Good")
    assert [word for word, _ in found] == list(found.words)
    assert len(found) == 7


def test_an_empty_text_has_no_words(explained: Explain) -> None:
    found = explained("")
    assert found.words == ()
    assert found.error <= ERROR


def test_the_table_names_the_label_and_the_strongest_words(explained: Explain) -> None:
    found = explained()
    strongest = found.words[int(np.abs(found.attributions).argmax())]
    lines = str(found).splitlines()
    assert lines[0].startswith("good: probability 0.500")
    assert lines[2].split()[0] == strongest
    assert "add up" in lines[-1]


@pytest.mark.parametrize("kind", ["characters", "subwords"])
def test_parts_of_words_are_joined_to_words(kind: str) -> None:
    text = "the film is good , the people are good"
    tokens = make_tokenizer(kind, [text * 3], vocabulary_size=300 if kind == "subwords" else None)
    ids = tokens.encode(text)
    words, owner = words_of(tokens, ids, text)
    assert [word for word in words if word.strip()] == text.split()
    assert len(owner) == len(ids)
    assert sorted(set(owner.tolist())) == list(range(len(words)))
