"""The rivals of a tagger."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.baselines import MostFrequentTag, WindowTagger
from unrolled.baselines.word_features import WordFeatures, shape
from unrolled.errors import DataError, ModelFileError, NotFittedError

RIVALS = [MostFrequentTag, WindowTagger]


def _sentences(count: int = 120) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """ "to run" is a verb, "a run" a noun; names have capitals, and numbers digits."""
    draws = np.random.default_rng(0)
    words, tags = [], []
    for _ in range(count):
        name, number = f"N{draws.integers(60)}x", str(draws.integers(1000))
        both = draws.choice(["run", "walk", "talk"])
        if draws.random() < 0.8:
            words.append((name, "likes", "to", both, number))
            tags.append(("NAME", "VERB", "PART", "VERB", "NUM"))
        else:
            words.append(("a", both, "by", name))
            tags.append(("DET", "NOUN", "ADP", "NAME"))
    return words, tags


def test_the_most_frequent_tag_counts_and_reads_unknown_words_by_how_they_begin() -> None:
    rival = MostFrequentTag().fit(*_sentences())
    assert rival.classes == ("ADP", "DET", "NAME", "NOUN", "NUM", "PART", "VERB")
    assert rival.predict([("to", "run", "Unseen"), ("123456789", "To")]) == [
        ("PART", "VERB", "NAME"),
        ("NUM", "PART"),
    ]


def test_shares_of_the_most_frequent_tag_are_counts_with_one_more_of_the_rare() -> None:
    words = [("a", "a", "a", "B", "B", "c")]
    rival = MostFrequentTag().fit(words, [("X", "X", "Y", "Y", "Y", "Y")])
    # Of words seen once there is "c" alone, which is Y.
    known, unknown = rival.predict_proba([("a",), ("new",)])
    np.testing.assert_allclose(known, [[2 / 4, 2 / 4]])
    np.testing.assert_allclose(unknown, [[0, 1]], atol=1e-7)


def test_a_window_tells_words_by_their_neighbours_and_their_parts() -> None:
    rival = WindowTagger().fit(*_sentences())
    assert rival.predict([("to", "run"), ("a", "run"), ("Nelly", "likes")]) == [
        ("PART", "VERB"),
        ("DET", "NOUN"),
        ("NAME", "VERB"),
    ]
    assert MostFrequentTag().fit(*_sentences()).predict([("a", "run")]) == [("DET", "VERB")]


@pytest.mark.parametrize("kind", RIVALS)
def test_answers_come_sentence_by_sentence_and_add_up_to_one(kind: type) -> None:
    rival = kind().fit(*_sentences())
    answers = rival.predict_proba([("a", "run"), (), ("Zed",)])
    assert [one.shape for one in answers] == [(2, 7), (0, 7), (1, 7)]
    assert all(one.dtype == np.float32 for one in answers)
    np.testing.assert_allclose(np.concatenate(answers).sum(axis=1), 1, rtol=1e-5)
    assert rival.predict([()]) == [()]
    assert rival.predict([]) == []


@pytest.mark.parametrize("kind", RIVALS)
def test_a_sentence_is_answered_alone_as_among_others(kind: type) -> None:
    words, tags = _sentences()
    rival = kind().fit(words, tags)
    together = rival.predict_proba(words[:20])
    for one, alone in zip(together, (rival.predict_proba([own])[0] for own in words), strict=False):
        np.testing.assert_allclose(one, alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", RIVALS)
def test_a_rival_from_its_arrays_gives_the_same_bits(kind: type) -> None:
    words, tags = _sentences()
    rival = kind().fit(words, tags)
    arrays = rival.to_arrays()
    assert all(array.dtype.kind in "iuf" for array in arrays.values())
    new = [("a", "run", "Zebra", "ö"), ("12", "likes")]
    for other in (kind.from_arrays(arrays), kind().fit(words, tags)):
        for one, two in zip(rival.predict_proba(new), other.predict_proba(new), strict=True):
            np.testing.assert_array_equal(one, two)
    assert kind.from_arrays(arrays).predict(new) == rival.predict(new)


@pytest.mark.parametrize("kind", RIVALS)
@pytest.mark.parametrize("tags", [[("X", "X"), ("X",)], [("X", "Y"), ("Y",)]])
def test_one_tag_and_two_tags_are_answered_too(kind: type, tags: list[tuple[str, ...]]) -> None:
    rival = kind().fit([("a", "b"), ("b",)], tags)
    assert rival.predict([("a", "b"), ("b",)]) == tags
    assert kind.from_arrays(rival.to_arrays()).predict([("a", "b"), ("b",)]) == tags


def test_a_sample_holds_whole_sentences_and_is_told() -> None:
    words, tags = _sentences()
    rival = WindowTagger(sample=100, seed=1).fit(words, tags)
    assert 90 < rival.learnt_from <= 100
    assert WindowTagger.from_arrays(rival.to_arrays()).learnt_from == rival.learnt_from
    assert WindowTagger().fit(words, tags).learnt_from == sum(map(len, words))


@pytest.mark.parametrize(
    ("word", "drawn"),
    [("London", "Xxx"), ("EU-27", "XX-dd"), ("2025", "dd"), ("...", ".."), ("don't", "xx'x")],
)
def test_a_shape_cuts_runs_to_two(word: str, drawn: str) -> None:
    assert shape(word) == drawn


def test_features_seen_once_are_not_kept_and_sides_are_told_apart() -> None:
    features = WordFeatures()
    found = features.fit_transform([("x", "y"), ("x", "y"), ("q", "y")])
    assert found.shape == (6, features.size)
    rows = np.asarray(found.todense())
    np.testing.assert_array_equal(rows[0], rows[2])
    # q has nothing of its own, but what stands around it: the edges, and y on the right.
    assert 0 < rows[4].sum() < rows[0].sum()
    swapped = np.asarray(features.transform([("y", "x")]).todense())
    assert not np.array_equal(swapped[0], rows[1])


@pytest.mark.parametrize("kind", RIVALS)
def test_bad_input_is_named_in_one_plain_line(kind: type) -> None:
    with pytest.raises(NotFittedError, match="fit"):
        kind().predict([("a",)])
    with pytest.raises(NotFittedError, match="fit"):
        kind().to_arrays()
    with pytest.raises(DataError, match="2 sentences and tags of 1"):
        kind().fit([("a",), ("b",)], [("X",)])
    with pytest.raises(DataError, match="sentence 2 has 1 words and 2 tags"):
        kind().fit([("a",), ("b",)], [("X",), ("X", "Y")])
    with pytest.raises(DataError, match="no word"):
        kind().fit([()], [()])


@pytest.mark.parametrize("kind", RIVALS)
def test_an_array_that_is_missing_or_of_another_shape_is_told(kind: type) -> None:
    arrays = kind().fit(*_sentences(20)).to_arrays()
    for name, array in arrays.items():
        with pytest.raises(ModelFileError, match=f"lacks the array '{name}'"):
            kind.from_arrays({k: v for k, v in arrays.items() if k != name})
        with pytest.raises(ModelFileError, match=kind.__name__):
            kind.from_arrays(arrays | {name: np.zeros((3, 3), dtype=array.dtype)})
