"""IBM model 1: EM's numbers by hand, its laws, and what it says of words."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.baselines.ibm1 import Ibm1
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError

SOURCES = [["das", "haus"], ["das", "buch"], ["ein", "buch"]]
TARGETS = [["the", "house"], ["the", "book"], ["a", "book"]]

_sides = st.lists(st.lists(st.integers(0, 5), max_size=5), min_size=1, max_size=6)
_pairs = _sides.flatmap(
    lambda sources: st.tuples(
        st.just(sources),
        st.lists(
            st.lists(st.integers(3, 9), max_size=5), min_size=len(sources), max_size=len(sources)
        ),
    )
).filter(lambda pair: any(pair[1]))


def _plainly(
    sources: list[list[Any]], targets: list[list[Any]], iterations: int
) -> tuple[dict[tuple[Any, Any], float], list[float]]:
    """EM as in the paper, in loops: the table, and the log-likelihood before each iteration."""
    words = {word for target in targets for word in target}
    with_null = [[*source, None] for source in sources]
    table = {(f, e): 1 / len(words) for source in with_null for f in source for e in words}
    likelihoods = []
    for _ in range(iterations):
        counts: dict[tuple[Any, Any], float] = dict.fromkeys(table, 0.0)
        logs = []
        for source, target in zip(with_null, targets, strict=True):
            for e in target:
                whole = sum(table[f, e] for f in source)
                logs.append(math.log(whole / len(source)))
                for f in source:
                    counts[f, e] += table[f, e] / whole
        totals = {f: sum(counts[f, e] for e in words) for f, _ in table}
        table = {(f, e): n / totals[f] if totals[f] else 0.0 for (f, e), n in counts.items()}
        likelihoods.append(sum(logs) / len(logs))
    return table, likelihoods


def test_one_iteration_gives_the_numbers_that_one_finds_by_hand() -> None:
    # At first all is equally likely, so each target word gives a third to each of its two source
    # words and NULL. "haus" stands once beside "the" and "house": a half each. "das" stands beside
    # "the" twice, "house" once and "book" once: 2/4, 1/4, 1/4. NULL stands beside all six words.
    model = Ibm1(iterations=1, least=0).fit(SOURCES, TARGETS)
    assert dict(model.translations("haus")) == pytest.approx({"the": 1 / 2, "house": 1 / 2})
    assert dict(model.translations("das")) == pytest.approx(
        {"the": 2 / 4, "book": 1 / 4, "house": 1 / 4}
    )
    assert dict(model.translations(None)) == pytest.approx(
        {"the": 2 / 6, "book": 2 / 6, "house": 1 / 6, "a": 1 / 6}
    )
    # Four target words, each as likely as the others.
    assert model.log_likelihoods == pytest.approx([math.log(1 / 4)])


def test_the_second_iteration_gives_the_numbers_that_one_finds_by_hand() -> None:
    model = Ibm1(iterations=2, least=0).fit(SOURCES, TARGETS)
    # "house" beside "das" 1/4, "haus" 1/2, NULL 1/6: together 11/12, so "haus" gets 6/11.
    # "the" beside "das" 1/2, "haus" 1/2, NULL 1/3: together 4/3, so "haus" gets 3/8.
    house, the = 6 / 11, 3 / 8
    assert dict(model.translations("haus")) == pytest.approx(
        {"house": house / (house + the), "the": the / (house + the)}
    )


@given(_pairs, st.integers(1, 4))
def test_the_arrays_say_what_plain_loops_say(
    pair: tuple[list[list[int]], list[list[int]]], iterations: int
) -> None:
    sources, targets = pair
    table, likelihoods = _plainly(sources, targets, iterations)
    model = Ibm1(iterations=iterations, least=0, most=100).fit(sources, targets)
    assert model.log_likelihoods == pytest.approx(likelihoods)
    for f in {word for source in sources for word in source} | {None}:
        told = dict(model.translations(f, 100))
        for e in {word for target in targets for word in target}:
            assert told.get(e, 0.0) == pytest.approx(table[f, e], abs=1e-6)
    for source, target in zip(sources, targets, strict=True):
        weights = model.posteriors(source, target)
        assert weights.shape == (len(target), len(source) + 1)
        for row, e in zip(weights, target, strict=True):
            own = np.array([table[f, e] for f in [*source, None]])
            assert row == pytest.approx(own / own.sum(), abs=1e-5)


@given(_pairs)
def test_the_likelihood_never_falls(pair: tuple[list[list[int]], list[list[int]]]) -> None:
    found = Ibm1(iterations=12).fit(*pair).log_likelihoods
    assert len(found) == 12
    assert all(before <= after + 1e-9 for before, after in pairwise(found))


def test_words_find_their_translations() -> None:
    model = Ibm1(iterations=20).fit(SOURCES, TARGETS)
    for word, right in (("das", "the"), ("haus", "house"), ("buch", "book"), ("ein", "a")):
        (best, share), *_ = model.translations(word)
        assert best == right
        assert 0.5 < share <= 1
    assert model.align(["ein", "haus"], ["a", "house"]).tolist() == [0, 1]
    assert model.align(["haus", "das"], ["the", "house"]).tolist() == [1, 0]


def test_what_no_source_word_explains_is_aligned_to_null() -> None:
    model = Ibm1(iterations=20).fit(SOURCES, TARGETS)
    assert model.align(["haus"], ["whale", "house"]).tolist() == [-1, 0]
    assert model.posteriors(["haus"], ["whale"]).tolist() == [[0, 1]]
    assert model.posteriors(["wal"], ["book"]).tolist() == [[0, 1]]
    assert model.posteriors([], ["whale"]).tolist() == [[1]]
    assert model.translations("wal") == []


def test_a_number_between_known_numbers_is_unknown() -> None:
    model = Ibm1().fit([[10, 30]] * 2, [[5, 9]] * 2)
    for unknown in (0, 20, 40, -1):
        assert model.translations(unknown) == []
        # A source word that says nothing leaves all to NULL, and so does an unknown target word.
        assert model.posteriors([unknown], [5]).tolist() == [[0, 1]]
        assert model.posteriors([10], [unknown]).tolist() == [[0, 1]]


@given(_pairs, st.lists(st.lists(st.integers(0, 12), max_size=5), min_size=6, max_size=6))
def test_many_pairs_at_once_are_their_pairs_one_by_one(
    pair: tuple[list[list[int]], list[list[int]]], others: list[list[int]]
) -> None:
    model = Ibm1().fit(*pair)
    asked = [*zip(*pair, strict=True), *zip(others[:3], others[3:], strict=True)]
    together = model.posteriors_of(asked)
    assert len(together) == len(asked)
    for (source, target), own in zip(asked, together, strict=True):
        assert own.shape == (len(target), len(source) + 1)
        assert np.array_equal(own, model.posteriors(source, target))
        assert own.sum(axis=1) == pytest.approx(np.ones(len(target)), abs=1e-5)
        assert (own >= 0).all()


def test_so_many_pairs_that_they_are_laid_out_in_parts_say_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = Ibm1().fit(SOURCES, TARGETS)
    asked = list(zip(SOURCES, TARGETS, strict=True)) * 2
    whole = model.posteriors_of(asked)
    monkeypatch.setattr("unrolled.baselines.ibm1._CHUNK", 4)
    for own, other in zip(whole, model.posteriors_of(asked), strict=True):
        assert np.array_equal(own, other)


def test_strings_and_numbers_and_arrays_of_numbers_say_the_same() -> None:
    def numbered(rows: list[list[str]]) -> list[list[int]]:
        # The alphabet's order, so that equals stand in the same order too.
        words = sorted({word for row in rows for word in row})
        return [[10 * words.index(word) + 7 for word in row] for row in rows]

    sources, targets = numbered(SOURCES), numbered(TARGETS)
    strings, numbers = Ibm1().fit(SOURCES, TARGETS), Ibm1().fit(sources, targets)
    arrays = Ibm1().fit(list(map(np.array, sources)), list(map(np.array, targets)))
    assert strings.log_likelihoods == numbers.log_likelihoods == arrays.log_likelihoods
    for row in range(3):
        own = strings.posteriors(SOURCES[row], TARGETS[row])
        assert np.array_equal(own, numbers.posteriors(sources[row], targets[row]))
        assert np.array_equal(
            own, arrays.posteriors(np.array(sources[row]), np.array(targets[row]))
        )


def test_the_lexicon_is_the_table_without_null() -> None:
    model = Ibm1(least=0).fit([[1, 2], [1, 3]], [[7, 8], [7, 9]])
    sources, targets, shares = model.lexicon()
    told = {
        (source, target): share
        for source in (1, 2, 3)
        for target, share in model.translations(source)
    }
    assert (
        dict(zip(zip(sources.tolist(), targets.tolist(), strict=True), shares, strict=True)) == told
    )
    for source in (1, 2, 3):
        assert shares[sources == source].sum() == pytest.approx(1)
    assert set(Ibm1().fit(SOURCES, TARGETS).lexicon()[0]) == {"das", "haus", "buch", "ein"}


def test_a_word_keeps_only_its_likeliest_translations() -> None:
    sources, targets = [[1, 2, 3]] * 4 + [[1]], [[4, 5, 6, 7]] * 4 + [[4]]
    whole = Ibm1(least=0).fit(sources, targets)
    few = Ibm1(least=0, most=2).fit(sources, targets)
    for word in (1, 2, 3, None):
        assert few.translations(word) == whole.translations(word)[:2]
    sure = Ibm1(least=0.3).fit(sources, targets)
    assert sure.translations(1) == [one for one in whole.translations(1) if one[1] >= 0.3]
    # Every word keeps one, however unlikely.
    assert len(Ibm1(least=0.99).fit(sources, targets).translations(2)) == 1


def test_it_learns_from_a_sample_of_many_and_says_of_how_many() -> None:
    sources = [[number % 7] for number in range(50)]
    assert Ibm1().fit(sources, sources).learnt_from == 50
    few = Ibm1(sample=40, seed=1).fit(sources, sources)
    assert few.learnt_from == 20  # a pair of one word each stands beside NULL and the word
    again = Ibm1(sample=40, seed=1).fit(sources, sources)
    assert few.log_likelihoods == again.log_likelihoods


@pytest.mark.parametrize(
    ("sources", "targets"), [(SOURCES, TARGETS), ([[5, 900], [5]], [[1, 2], [2**40]])]
)
def test_what_is_kept_in_a_file_says_the_same(sources: Any, targets: Any) -> None:
    model = Ibm1().fit(sources, targets)
    kept = Ibm1.from_arrays(model.to_arrays())
    assert kept.learnt_from == model.learnt_from
    for word in (None, *sources[0]):
        assert kept.translations(word) == model.translations(word)
    pairs = list(zip(sources, targets, strict=True))
    for own, other in zip(model.posteriors_of(pairs), kept.posteriors_of(pairs), strict=True):
        assert np.array_equal(own, other)
    for one, two in zip(model.lexicon(), kept.lexicon(), strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("entries", np.array([1, 2])),
        ("entries", np.array([-1, 5, 3, 3, 4])),
        ("translations", np.array([0])),
        ("translations", np.full(14, 9)),
        ("translations", np.zeros(14, dtype=np.int32)),
        ("probabilities", np.zeros(3)),
        ("probabilities", np.full(14, np.nan)),
        ("probabilities", np.full(14, -0.1)),
        ("learnt_from", np.array([])),
        ("sources", np.array([3, 2])),
        ("sources", np.array([0.5])),
        ("sources", np.array([], dtype=np.int64)),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(name: str, array: Any) -> None:
    arrays = Ibm1(least=0).fit(SOURCES, TARGETS).to_arrays()
    assert len(arrays["translations"]) == 14
    with pytest.raises(ModelFileError, match="Ibm1"):
        Ibm1.from_arrays({**arrays, name: array})


def test_a_table_without_an_entry_is_refused() -> None:
    arrays = Ibm1().fit(SOURCES, TARGETS).to_arrays()
    nothing = {"translations": np.array([], dtype=np.int32), "probabilities": np.array([])}
    with pytest.raises(ModelFileError, match="Ibm1"):
        Ibm1.from_arrays(arrays | nothing | {"entries": np.zeros(5, dtype=np.int32)})


def test_a_missing_array_is_named() -> None:
    arrays = Ibm1().fit(SOURCES, TARGETS).to_arrays()
    del arrays["entries"]
    with pytest.raises(ModelFileError, match="'entries'"):
        Ibm1.from_arrays(arrays)


@pytest.mark.parametrize(
    ("sources", "targets", "told"),
    [
        ([["a"]], [], "1 sources and 0 targets"),
        ([], [], "no word"),
        ([["a"], ["b"]], [[], []], "no word"),
        ([["a", 1]], [["b"]], "several kinds"),
        ([[1, "a"]], [["b"]], "no|whole"),
        ([[1.5]], [["b"]], "whole numbers"),
    ],
)
def test_pairs_that_are_none_are_told(sources: Any, targets: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        Ibm1().fit(sources, targets)


def test_words_of_another_kind_than_learnt_are_told() -> None:
    with pytest.raises(DataError, match="whole numbers"):
        Ibm1().fit([[1]], [[2]]).posteriors(["a"], [2])


@pytest.mark.parametrize(
    "wrong", [{"iterations": 0}, {"most": 0}, {"least": 1.0}, {"least": -0.1}, {"sample": 0}]
)
def test_settings_that_can_not_be_are_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Ibm1(**wrong)


def test_before_fit_nothing_is_known() -> None:
    model = Ibm1()
    for ask in (
        lambda: model.translations("a"),
        lambda: model.align(["a"], ["b"]),
        model.lexicon,
        model.to_arrays,
    ):
        with pytest.raises(NotFittedError, match="call fit"):
            ask()
