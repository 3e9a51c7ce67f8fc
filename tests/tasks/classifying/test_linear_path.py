"""The linear path against plain counting, word by word against whole, and what each word adds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.classifying.gram_index import GramIndex
from unrolled.tasks.classifying.linear_path import LinearPath, closed
from unrolled.tasks.classifying.schooling import learn_linear

TOKENS = 5
Text = list[int]
a_text = st.lists(st.integers(0, TOKENS - 1), max_size=9)
some_texts = st.lists(a_text, min_size=1, max_size=6)


def arrays(texts: list[Text]) -> list[np.ndarray]:
    return [np.array(text, dtype=np.int32) for text in texts]


def grams(text: Text, order: int) -> set[tuple[int, ...]]:
    found = {
        tuple(text[at : at + n]) for n in range(1, order + 1) for at in range(len(text) - n + 1)
    }
    return {gram for gram in found if 0 not in gram}


def names(index: GramIndex) -> list[tuple[int, ...]]:
    """Each number's gram, read back from the keys."""
    found: list[tuple[int, ...]] = [()]
    for key in index.keys.tolist():
        found.append((*found[key // index.tokens], key % index.tokens))
    return found


@given(texts=some_texts, order=st.integers(1, 3), least=st.integers(1, 2))
def test_the_index_holds_the_grams_of_enough_texts(
    texts: list[Text], order: int, least: int
) -> None:
    index = GramIndex.learn(arrays(texts), TOKENS, order, least)
    each = [grams(text, order) for text in texts]
    wanted = {gram for held in each for gram in held if sum(gram in one for one in each) >= least}
    assert set(names(index)[1:]) == wanted
    assert len(names(index)) == len(wanted) + 1


@given(texts=some_texts, asked=some_texts, order=st.integers(1, 3))
def test_a_text_holds_the_known_grams_that_stand_in_it(
    texts: list[Text], asked: list[Text], order: int
) -> None:
    index = GramIndex.learn(arrays(texts), TOKENS, order, 1)
    known = names(index)
    held = index.held(arrays(asked)).toarray()
    for row, text in zip(held, asked, strict=True):
        assert {known[place + 1] for place in np.flatnonzero(row)} == grams(text, order) & set(
            known
        )


def path(order: int = 2, labels: int = 3) -> LinearPath:
    random = np.random.default_rng(0)
    index = GramIndex.learn([random.integers(0, TOKENS, 300)], TOKENS, order, 1)
    weights = random.normal(size=(len(index), labels)).astype(np.float32)
    weights[0] = 0
    return LinearPath(index, weights, random.normal(size=labels).astype(np.float32))


@given(text=a_text, cuts=st.lists(st.integers(0, 9), max_size=3), order=st.integers(1, 3))
def test_read_in_pieces_the_score_is_that_of_the_whole(
    text: Text, cuts: list[int], order: int
) -> None:
    linear = path(order)
    state = linear.start()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for begin, end in itertools.pairwise(edges):
        before = {name: array.copy() for name, array in state.items()}
        after = linear.step(np.array(text[begin:end], dtype=np.int64), state)
        for name, array in before.items():  # what was given is not changed
            assert np.array_equal(state[name], array)
        state = after
    closing = np.array(text[:1], dtype=np.int64)
    ended = linear.ended(closing, state)
    np.testing.assert_allclose(ended, linear.logits(arrays([text]))[0], atol=1e-6)


def test_the_state_does_not_grow_with_the_text() -> None:
    linear = path()
    sizes = set()
    for steps in (0, 1, 500):
        tokens = np.random.default_rng(1).integers(0, TOKENS, steps)
        state = linear.step(tokens, linear.start())
        sizes.add(tuple(array.nbytes for array in state.values()))
    assert len(sizes) == 1


@given(text=a_text, order=st.integers(1, 3))
def test_what_the_words_add_is_the_score(text: Text, order: int) -> None:
    linear = path(order)
    shares = linear.contributions(np.array(text, dtype=np.int64))
    assert shares.shape == (len(text), 3)
    whole = linear.logits(arrays([text]))[0]
    np.testing.assert_allclose(shares.sum(0) + linear.bias, whole, atol=1e-5)


def learnt(texts: list[Text], targets: np.ndarray, **options: object) -> LinearPath:
    documents = closed(arrays(texts))
    index = GramIndex.learn(documents, TOKENS, 2, 1)
    given = {"strength": 1.0, **options}
    return LinearPath.learn(index, index.held(documents), targets, **given)  # type: ignore[arg-type]


def test_it_learns_which_word_and_which_pair_tells_the_labels_apart() -> None:
    texts = [[1, 2, 3], [3, 1, 2], [1, 2], [2, 1, 3], [3, 2, 1], [2, 1]] * 5
    texts = [[4, *text] for text in texts]  # 4: the mark that every document begins with
    targets = np.array([0, 0, 0, 1, 1, 1] * 5)  # only the order of 1 and 2 differs
    linear = learnt(texts, targets)
    assert linear.logits(arrays(texts)).argmax(1).tolist() == targets.tolist()


def test_how_a_document_ends_tells_the_labels_apart() -> None:
    texts = [[4, 1, 2, 2, 1], [4, 1, 2, 1, 2, 1, 1], [4, 1, 2, 1, 2], [4, 1, 1, 2, 1, 2, 2]] * 5
    linear = learnt(texts, np.array([0, 0, 1, 1] * 5))
    asked = [[4, 2, 1, 2, 1, 2, 1, 1, 2, 2, 1], [4, 2, 1, 1, 2, 2, 1, 2]]
    assert linear.logits(arrays(asked)).argmax(1).tolist() == [0, 1]


def test_two_labels_get_the_weights_of_naive_bayes_times_a_regression() -> None:
    texts = [[1, 3], [1], [1, 4], [2, 3], [2], [2, 4]]
    linear = learnt(texts, np.array([0, 0, 0, 1, 1, 1]))
    by_gram = dict(zip(names(linear.index), linear.weights, strict=True))
    assert by_gram[1,][0] > 0.1 > -0.1 > by_gram[2,][0]
    assert by_gram[3,][0] == 0  # as often in the one as in the other: its ratio is 0
    np.testing.assert_allclose(linear.weights.sum(1), 0, atol=1e-6)


def test_several_labels_are_a_question_each() -> None:
    texts = [[1], [2], [1, 2], [3]] * 6
    targets = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 6, dtype=np.float32)
    linear = learnt(texts, targets, strength=3.0)
    assert ((linear.logits(arrays(texts)) > 0) == (targets > 0)).all()


def test_a_weighted_label_is_chosen_more_often() -> None:
    texts = [[1]] * 6 + [[1]] * 4
    targets = np.array([0] * 6 + [1] * 4)
    asked = arrays([[1]])
    assert learnt(texts, targets).logits(asked).argmax() == 0
    weighted = learnt(texts, targets, weight=np.array([1.0, 3.0], dtype=np.float32))
    assert weighted.logits(asked).argmax() == 1


def test_it_is_the_same_out_of_its_arrays() -> None:
    linear = path()
    again = LinearPath.from_arrays(linear.to_arrays())
    asked = arrays([[1, 2, 3], [], [4, 4, 0, 1]])
    assert np.array_equal(again.logits(asked), linear.logits(asked))


@pytest.mark.parametrize("texts", [[[]], [[0, 0]]])
def test_texts_without_a_known_word_have_the_score_of_the_bias(texts: list[Text]) -> None:
    linear = path()
    np.testing.assert_allclose(linear.logits(arrays(texts))[0], linear.bias)


def test_of_too_many_grams_the_frequent_ones_are_kept() -> None:
    texts = arrays([[1, 2], [1, 2], [1, 3], [1, 4], [2, 1]])
    index = GramIndex.learn(texts, TOKENS, 2, 1, most=2)
    assert names(index) == [(), (1,), (2,), (1, 2)]


def test_how_a_text_ends_is_learnt() -> None:
    opening, random = 1, np.random.default_rng(0)
    texts = [
        np.array([opening, *random.permutation([2, 3, 4]), *([5, 6] if n % 2 else [6, 5])])
        for n in range(60)
    ]
    targets = np.arange(60) % 2
    path, logits = learn_linear(
        texts[:40],
        targets[:40],
        texts[40:],
        targets[40:],
        np.ones(2, np.float32),
        tokens=7,
        order=2,
    )
    assert path.index.ending(np.array([6, opening]))[1, 1] > 0
    assert path.index.ending(np.array([2, opening]))[1, 1] == 0
    assert np.array_equal(logits.argmax(-1), targets[40:])
    assert np.array_equal(path.logits(texts[40:]).argmax(-1), targets[40:])
