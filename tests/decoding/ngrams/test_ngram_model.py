"""`NGramModel`: fitted, asked, saved and mapped."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

import unrolled
from tests.decoding.ngrams.small import same, texts
from unrolled import NGramModel
from unrolled.decoding.ngrams.file import from_tensors, to_tensors
from unrolled.decoding.ngrams.perplexity import Perplexity
from unrolled.decoding.text_score import TextScore
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError

TEXT = "The cat sat on the mat.\nThe dog sat on the cat!\nA cat can't sit on a dog.\n" * 4


@given(lines=texts, asked=texts, order=st.integers(1, 4))
def test_step_by_step_is_the_same_as_whole_sentences(lines, asked, order):
    model = NGramModel(order).fit(lines, holdout=0)
    for sentence, whole in zip(asked, model.log_probabilities(asked), strict=True):
        state, steps = model.start(), []
        for word in [*sentence.split(), "</s>"]:
            before = model.next_probabilities(state)
            log_p, state = model.step(word, state)
            number = model.vocabulary.numbers.get(word, 0)
            assert before[number] == pytest.approx(math.exp(log_p), rel=1e-9)
            steps.append(log_p)
        np.testing.assert_allclose(whole, steps, rtol=1e-12)


def test_without_kernels_the_numbers_are_the_same(monkeypatch):
    model = NGramModel(3).fit(TEXT)
    asked = ["the cat sat", "a zebra", ""]
    native = model.log_probabilities(asked)
    monkeypatch.setenv("UNROLLED_KERNELS", "off")
    for one, other in zip(model.log_probabilities(asked), native, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_words_are_read_as_transcripts_are_written():
    model = NGramModel(2).fit(TEXT)
    assert set(model.vocabulary.tokens[3:]) == set(
        ["the", "cat", "sat", "on", "mat", "dog", "a", "can't", "sit"]
    )
    assert (
        model.score("THE CAT, sat!").log_probability == model.score("the cat sat").log_probability
    )
    as_it_is = NGramModel(2, normalise="none").fit(TEXT)
    assert "mat." in as_it_is.vocabulary.tokens
    assert as_it_is.score("the").unknown == 0
    assert as_it_is.score("THE").unknown == 1


def test_characters_have_the_space_as_one_of_them():
    model = NGramModel(4, unit="characters").fit("ab cd\nab  cd\n", holdout=0)
    assert set(model.vocabulary.tokens[3:]) == {*"abcd", "<space>"}
    state = model.start()
    for letter in "ab":
        _, state = model.step(letter, state)
    assert model.step(" ", state)[0] == model.step("<space>", state)[0]
    assert model.next_probabilities(state)[model.vocabulary.numbers["<space>"]] > 0.7


def test_rare_words_count_as_unknown():
    model = NGramModel(2, vocabulary_size=2).fit("a a a b b c d e\n" * 5, holdout=0)
    assert model.vocabulary.tokens[3:] == ("a", "b")
    by_count = NGramModel(2, min_count=6).fit("a a a b b c d e\n" * 5, holdout=0)
    assert by_count.vocabulary.tokens == model.vocabulary.tokens
    assert same(by_count.trie, model.trie)
    # Three of ten tokens were unknown in the text.
    assert 0.1 < model.next_probabilities(0)[0] < 0.5


def test_perplexity_is_told_with_and_without_unknown_words():
    model = NGramModel(2).fit("a b\na c\n", holdout=0)
    found = model.perplexity("a zebra b\nb\n")
    scores = model.log_probabilities(["a zebra b", "b"])
    flat = np.concatenate(scores)
    assert (found.sentences, found.tokens, found.unknown) == (2, 6, 1)
    assert found.with_unknown == pytest.approx(math.exp(-flat.sum() / 6), rel=1e-12)
    assert found.without_unknown == pytest.approx(
        math.exp(-(flat.sum() - scores[0][1]) / 5), rel=1e-12
    )
    assert "1 unknown tokens, 25.0%" in str(found)
    score = model.score("a zebra b", per_token=True)
    assert (score.count, score.unknown) == (4, 1)
    assert score.tokens == tuple(zip(("a", "<unk>", "b", "</s>"), scores[0].tolist(), strict=True))
    with pytest.raises(DataError, match="none of the 2 tokens of the text, such as 'x'"):
        model.perplexity("x y\n")


def test_held_out_sentences_are_not_learnt(tmp_path):
    lines = ["a b"] * 19 + ["c d"]
    model = NGramModel(2).fit(lines)
    assert "c" not in model.vocabulary.numbers
    assert model.evaluation.model.unknown == 2
    assert model.evaluation.held_out == "one sentence in 20, not learnt"
    assert "c" in NGramModel(2).fit(lines, holdout=0).vocabulary.numbers
    measured = NGramModel(2).fit(lines[:19], validation=lines[:2]).evaluation
    assert measured.model.sentences == 2
    assert measured.wins


def test_a_path_a_text_and_any_sentences_are_read_alike(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text(TEXT)
    whole = NGramModel(2).fit(TEXT).trie
    for data in (path, str(path), [path], TEXT.splitlines(), iter(TEXT.splitlines())):
        assert same(NGramModel(2).fit(data).trie, whole)
    table = tmp_path / "t.csv"
    table.write_text("id,text\n1,the cat\n2,the dog\n")
    model = NGramModel(2).fit(table, holdout=0)
    assert "the texts are column 'text'" in model.notes[0]
    assert model.score("the cat").unknown == 0


@given(lines=texts, order=st.integers(1, 4))
def test_a_saved_model_is_mapped_and_the_same(tmp_path_factory, lines, order):
    path = tmp_path_factory.mktemp("ngram") / "m.unrolled"
    model = NGramModel(order, prune_counts=[0, 1]).fit(lines)
    model.save(path)
    found = unrolled.load(path)
    assert same(found.trie, model.trie)
    assert found.vocabulary.tokens == model.vocabulary.tokens
    assert found.get_params() == model.get_params()
    assert found.notes == model.notes
    assert found.evaluation == model.evaluation
    assert found.log_probabilities(lines)[0].tolist() == model.log_probabilities(lines)[0].tolist()


def test_the_arrays_of_a_loaded_model_are_the_file_itself(tmp_path):
    path = NGramModel(2).fit(TEXT).save(tmp_path / "m.unrolled")
    found = unrolled.load(path)
    maps = [line for line in Path("/proc/self/maps").read_text().splitlines() if str(path) in line]
    for name in ("first_child", "token", "log_prob", "backoff", "suffix"):
        array = getattr(found.trie, name)
        assert not array.flags.writeable
        ends = [[int(one, 16) for one in line.split()[0].split("-")] for line in maps]
        assert any(a <= array.ctypes.data and array.ctypes.data < b for a, b in ends)


def test_a_damaged_file_is_one_plain_line(tmp_path):
    model = NGramModel(3).fit(TEXT)
    path = model.save(tmp_path / "m.unrolled")
    whole = path.read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelFileError, match=r"m\.unrolled: not a complete \.unrolled file"):
            unrolled.load(path)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        *(("first_child", 0, 0), ("first_child", 3, 9999), ("first_child", -1, 5)),
        *(("token", 12, -1), ("token", 5, 999), ("token", 2, 7)),
        *(("suffix", 0, 0), ("suffix", 20, 20), ("suffix", 4, -1), ("suffix", -1, 10**6)),
        *(("log_prob", 3, 0.5), ("log_prob", 3, math.nan), ("log_prob", 3, -math.inf)),
        *(("backoff", 3, math.nan), ("backoff", 3, math.inf), ("words", 0, 65), ("words", 3, 255)),
    ],
)
def test_numbers_that_would_lead_native_code_astray_are_refused(name, place, value):
    model = NGramModel(3).fit("b a\nc\na b c\nc b\n" * 3, holdout=0)
    tensors = to_tensors(model.trie, model.vocabulary)
    assert same(from_tensors(tensors)[0], model.trie)
    tensors[f"model.{name}"][place] = value
    with pytest.raises(ModelFileError, match=rf"model\.{name} is not what an n-gram model has"):
        from_tensors(tensors)


def test_a_file_without_an_array_or_with_another_length_is_refused(tmp_path):
    path = NGramModel(2).fit(TEXT).save(tmp_path / "m.unrolled")
    card = {"card": _card(path)}
    tensors = load_file(path)
    save_file({k: v for k, v in tensors.items() if k != "model.suffix"}, path, metadata=card)
    with pytest.raises(ModelFileError, match=r"m\.unrolled: it lacks the tensor model\.suffix"):
        unrolled.load(path)
    for bad in (tensors["model.suffix"][:-1].clone(), tensors["model.suffix"].to(torch.int64)):
        save_file({**tensors, "model.suffix": bad}, path, metadata=card)
        with pytest.raises(ModelFileError, match=r"model\.suffix is not what"):
            unrolled.load(path)


def test_what_can_not_work_is_one_plain_line():
    model = NGramModel(2).fit(TEXT)
    with pytest.raises(ConfigError, match="token 99 is not in the vocabulary: it has 12 tokens"):
        model.step(99, model.start())
    with pytest.raises(ConfigError, match="state is 9999, expected what start"):
        model.step("cat", 9999)
    with pytest.raises(ConfigError, match="state is -1"):
        model.next_probabilities(-1)
    with pytest.raises(NotFittedError, match="call fit or read_arpa"):
        NGramModel().score("a")
    with pytest.raises(NotFittedError):
        NGramModel().save("m.unrolled")
    with pytest.raises(DataError, match="no words are left"):
        NGramModel().fit("...\n")


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (lambda m: NGramModel(prune_counts=3), "prune_counts is 3; give whole numbers"),
        (lambda m: m.step(None, 0), "token is None; give a token or its number"),
        (lambda m: m.step(1.5, 0), "token is 1.5; give a token or its number"),
        (lambda m: m.step("a", None), "state is None, expected what start"),
        (lambda m: m.next_probabilities("a"), "state is 'a', expected what start"),
        (lambda m: m.score(5), "texts: got int, expected a text or several"),
        (lambda m: m.score([1]), "texts: got int, expected a text or several"),
        (lambda m: m.log_probabilities(["a", None]), "sentences: got NoneType, expected a text"),
        (lambda m: m.fit(["a"], holdout="x"), "holdout is 'x'; give a share from 0 to 0.5"),
        (lambda m: m.fit(["a", None]), "data: got a list with a NoneType in it"),
    ],
)
def test_another_type_is_one_plain_line(use, told):
    with pytest.raises(ConfigError) as caught:
        use(NGramModel(2).fit(TEXT))
    assert told in str(caught.value)


def test_numbers_of_numpy_are_tokens_and_states():
    model = NGramModel(2).fit(TEXT)
    state = model.start()
    assert model.step(np.int64(3), np.int32(state)) == model.step(3, state)


def test_a_perplexity_that_is_too_large_is_infinite():
    assert Perplexity(1, 2, 1, -4000.0, -3999.0).with_unknown == np.inf
    assert Perplexity(1, 2, 1, -4000.0, 0.0).without_unknown == np.inf
    assert TextScore(-4000.0, 3, 2).perplexity == np.inf


def test_a_large_text_without_rare_words_is_not_called_small():
    (note,) = NGramModel(1).fit("a b c d\n" * 5000, holdout=0.3).notes
    assert "too few of them are rare" in note
    assert "length 1" in note


def test_what_was_held_out_is_told_in_words():
    assert NGramModel(1).fit(TEXT, holdout=0.34).evaluation.held_out.startswith("one sentence in 3")


def _card(path):
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return file.metadata()["card"]


@pytest.mark.data
def test_tiny_shakespeare_has_the_perplexity_that_lmplz_gives_it():
    from unrolled.data import catalog

    # KenLM's lmplz -o 3 on the other 19 of 20 sentences: 240.61 with and 201.17 without unknown
    # words; discounts of pairs 0.786435, 1.14588, 1.41765.
    model = NGramModel(3).fit(catalog.load("tiny-shakespeare"))
    found = model.evaluation.model
    assert model.trie.counts == [12086, 90361, 153677]
    assert found.with_unknown == pytest.approx(240.61, abs=0.01)
    assert found.without_unknown == pytest.approx(201.17, abs=0.01)
    taken = model._provenance["discounts"][1]
    np.testing.assert_allclose(taken, [0.786435, 1.14588, 1.41765], rtol=1e-5)
