"""What a language model and hot words add to a prefix: sums over sentences, and the kernels."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import kernels
from unrolled.decoding.known_prefixes import KnownPrefixes
from unrolled.decoding.ngrams.model import NGramModel
from unrolled.decoding.prefix_scores import Place, PrefixScores
from unrolled.errors import ConfigError

TEXT = ["a ab b", "b ba a b", "abc a", "cab ab ab", "b a", "a a ba", "cab a b"] * 3
LETTERS = ("", " ", "a", "b", "c", "d")
# One letter, several, such with spaces around them, words.
SYMBOLS = {
    "letters": (LETTERS, ""),
    "subwords": (("", " ", "a", "b", " a", "ab", " ba", "c ", "d"), ""),
    "words": (("", "a", "ab", "cab", "d"), " "),
}
TEXTS = st.lists(st.integers(0, 10**6), max_size=12)


def model_of(unit: Any) -> NGramModel:
    return NGramModel(3, unit=unit, min_count=4).fit(TEXT, holdout=0.0)


def drawn(pieces: tuple[str, ...], numbers: list[int]) -> list[int]:
    return [1 + number % (len(pieces) - 1) for number in numbers]


def single_spaced(pieces: tuple[str, ...], symbols: list[int]) -> list[int]:
    """Without spaces that part nothing, where a space is a symbol of its own."""
    if any(len(one) > 1 for one in pieces):
        return symbols
    text = "".join(pieces[one] for one in symbols)
    kept = " ".join(text.split()) + (" " if text.strip() and text.endswith(" ") else "")
    return [pieces.index(one) for one in kept]


def summed(scores: PrefixScores, symbols: list[int]) -> float:
    total, place = 0.0, scores.start()
    for symbol in symbols:
        added, place = scores.extended(place, symbol)
        total += added
    return total + scores.ended(place)


@pytest.mark.parametrize("kind", SYMBOLS)
@settings(max_examples=30)
@given(numbers=TEXTS)
def test_what_is_added_comes_to_the_models_score_of_the_sentence(
    kind: str, numbers: list[int]
) -> None:
    pieces, between = SYMBOLS[kind]
    model = model_of("words")
    scores = PrefixScores(
        pieces, between=between, model=model, weight=0.7, word_bonus=0.3, unknown=-2.0
    )
    symbols = single_spaced(pieces, drawn(pieces, numbers))
    words = between.join(pieces[one] for one in symbols).split()
    state, want = model.start(), 0.0
    for word in [*words, "</s>"]:
        log, state = model.step(word, state)
        want += 0.7 * log
    unknown = sum(word not in model.vocabulary.numbers for word in words)
    want += 0.3 * len(words) - 2.0 * unknown
    assert summed(scores, symbols) == pytest.approx(want, abs=1e-6)


@settings(max_examples=30)
@given(numbers=TEXTS)
def test_a_model_over_characters_scores_each_as_it_comes(numbers: list[int]) -> None:
    model = model_of("characters")
    scores = PrefixScores(LETTERS, model=model, weight=0.7, word_bonus=0.3, unknown=-2.0)
    symbols = single_spaced(LETTERS, drawn(LETTERS, numbers))
    text = "".join(LETTERS[one] for one in symbols)
    state, want = model.start(), 0.0
    for letter in [*text, "</s>"]:
        log, state = model.step(letter, state)
        want += 0.7 * log
    want += 0.3 * len(text.split()) - 2.0 * text.count("d")
    assert summed(scores, symbols) == pytest.approx(want, abs=1e-6)


@given(numbers=TEXTS)
def test_hot_words_count_without_a_model(numbers: list[int]) -> None:
    scores = PrefixScores(LETTERS, word_bonus=0.25, hot_words={"ab": 3.0, "b a": 2.0})
    symbols = single_spaced(LETTERS, drawn(LETTERS, numbers))
    words = "".join(LETTERS[one] for one in symbols).split()
    pairs = sum(one == ("b", "a") for one in itertools.pairwise(words))
    want = 0.25 * len(words) + 3.0 * words.count("ab") + 2.0 * pairs
    assert summed(scores, symbols) == pytest.approx(want, abs=1e-9)


@pytest.mark.parametrize("unit", ["words", "characters", None])
def test_a_space_that_parts_no_words_is_never_written(unit: Any) -> None:
    model = None if unit is None else model_of(unit)
    scores = PrefixScores(LETTERS, model=model, hot_words={"ab": 1.0})
    a, space = LETTERS.index("a"), LETTERS.index(" ")
    with_gap, good, leading = scores.sums([[a, space, space, a], [a, space, a], [space, a]])
    assert with_gap == leading == -np.inf
    assert np.isfinite(good)
    # Of subwords " a" begins a text, and " ", "a" writes the same.
    pieces, between = SYMBOLS["subwords"]
    several = PrefixScores(pieces, between=between, model=model, hot_words={"ab": 1.0})
    assert np.isfinite(several.sums([[1, 2], [pieces.index(" a")], [2, 1, 1, 2]])).all()


def test_a_long_prefix_is_gone_through_at_once_and_then_a_symbol_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = PrefixScores(LETTERS, model=model_of("words"), hot_words={"ab": 1.0})
    symbols = [LETTERS.index(one) for one in "ab cab b " * 600]
    place = scores.start()
    for symbol in symbols:
        place = scores.extended(place, symbol)[1]
    assert scores.after(symbols) == place
    steps: list[Any] = []
    step = scores.extended
    monkeypatch.setattr(scores, "extended", lambda *given: steps.append(given) or step(*given))
    for symbol in (2, 3):
        assert scores.after([*symbols, symbol]) == step(place, symbol)[1]
    assert steps == [(place, 2), (place, 3)]
    # Others of a beam begin alike.
    scores.after([*symbols[:-3], 2, 3])
    assert len(steps) == 4
    assert scores.after(symbols[:-20]) is not None
    assert len(steps) == 4


def test_prefixes_that_were_asked_for_lately_are_kept_and_no_more_than_that() -> None:
    steps: list[int] = []
    known = KnownPrefixes((), lambda before, symbol: steps.append(symbol) or (*before, symbol), 4)
    for number in range(100):
        assert known.after((number,)) == (number,)
        assert known.after((0,)) == (0,), "what is asked for again and again stays"
    assert steps == [*range(100)]
    assert known.after((1,)) == (1,)
    assert steps[100:] == [1]


def test_letters_look_ahead_to_the_best_word() -> None:
    model = model_of("words")
    scores = PrefixScores(LETTERS, model=model, weight=1.0)
    added, place = scores.extended(scores.start(), LETTERS.index("c"))
    # Of the words that begin so, this one alone is known.
    assert added == pytest.approx(model.step("cab", 0)[0], abs=1e-6)
    outside, place = scores.extended(place, LETTERS.index("d"))
    assert place.word == -1
    assert added + outside == pytest.approx(model.step("<unk>", 0)[0], abs=1e-6)


@pytest.mark.skipif(not kernels.available(), reason="needs the kernels")
@pytest.mark.parametrize("kind", SYMBOLS)
@pytest.mark.parametrize("unit", ["words", "characters", None])
@settings(max_examples=15)
@given(sentences=st.lists(TEXTS, min_size=1, max_size=4))
def test_the_kernel_adds_what_python_does(kind: str, unit: Any, sentences: list[list[int]]) -> None:
    pieces, between = SYMBOLS[kind]
    scores = PrefixScores(
        pieces,
        between=between,
        model=None if unit is None else model_of(unit),
        weight=0.6,
        word_bonus=0.2,
        unknown=-1.5,
        hot_words={"ab": 2.0, "a a": 3.0},
    )
    symbols = [drawn(pieces, one) for one in sentences]
    flat = np.array([one for sentence in symbols for one in sentence] or [0], np.int32)
    offsets = np.cumsum([0, *map(len, symbols)])
    places = np.array([scores.start()] * len(symbols), np.int32)
    added, at_end = np.empty(len(flat)), np.empty(len(symbols))
    call = kernels.prefix_scores_call()
    call.scores, call.sentences = scores.native.address, len(symbols)
    call.symbols, call.offsets = flat.ctypes.data, offsets.ctypes.data
    call.places, call.added, call.at_end = (x.ctypes.data for x in (places, added, at_end))
    kernels.prefix_scores(call)
    at = 0
    for row, sentence in enumerate(symbols):
        place = scores.start()
        for symbol in sentence:
            want, place = scores.extended(place, symbol)
            assert added[at] == pytest.approx(want, abs=1e-12)
            at += 1
        assert Place(*places[row].tolist()) == place
        assert at_end[row] == pytest.approx(scores.ended(place), abs=1e-12)


def test_a_word_in_capitals_is_heard_in_the_letters_that_are_there() -> None:
    scores = PrefixScores(LETTERS, hot_words={"AB  c": 3.0})
    assert summed(scores, [LETTERS.index(one) for one in "ab c"]) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weight": -1.0}, "weight: got -1.0, expected a number from 0 on"),
        ({"word_bonus": float("nan")}, "word_bonus: got nan, expected a number"),
        ({"hot_words": {"xy": 1.0}}, "'xy' has 'x' 'y', which the recogniser can't write"),
        ({"hot_words": {" ": 1.0}}, "hot_words: got one without letters"),
        ({"hot_words": {"ab": True}}, r"hot_words\['ab'\]: got True, expected a number"),
    ],
)
def test_numbers_and_words_that_can_not_work_are_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PrefixScores(LETTERS, **given)


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_a_model_over_another_alphabet_is_told(unit: Any) -> None:
    model = NGramModel(2, unit=unit).fit(["жиз дюз", "дюз жиз"], holdout=0.0)
    told = (
        f"over other {unit} than the recogniser writes: it has the letters 'д', 'ж', 'з', 'и', 'ю',"
        " the recogniser 'a', 'b', 'c', 'd'; train one"
    )
    for pieces in (LETTERS, ("", "\n", *LETTERS[1:])):
        with pytest.raises(ConfigError, match=told):
            PrefixScores(pieces, model=model)


def test_a_word_has_the_number_of_the_models_word_that_it_is_heard_as() -> None:
    pieces = tuple(piece.upper() for piece in LETTERS)
    model = NGramModel(2, normalise="none").fit(["cab ab Ab Ab", "ab Ab größe"], holdout=0.0)
    scores, numbers = PrefixScores(pieces, model=model), model.vocabulary.numbers
    assert scores.word("CAB") == numbers["cab"]
    assert scores.word("AB") == numbers["Ab"], "of words written alike the most frequent"
    for unknown in ("cab", "A", "", "größe", "BA"):
        assert scores.word(unknown) == 0
    assert sorted(scores.words.tolist()) == sorted((numbers["cab"], numbers["Ab"]))


def test_words_in_another_case_are_the_recognisers_words() -> None:
    capitals = tuple(piece.upper() for piece in LETTERS)
    for unit in ("words", "characters"):
        model = model_of(unit)
        small, large = (PrefixScores(pieces, model=model) for pieces in (LETTERS, capitals))
        symbols = [LETTERS.index(one) for one in "cab a b"]
        assert summed(large, symbols) == summed(small, symbols)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("kind", SYMBOLS)
def test_sums_of_sentences_are_those_of_their_symbols(
    kind: str, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not native:
        monkeypatch.setattr(kernels, "available", lambda: False)
    pieces, between = SYMBOLS[kind]
    scores = PrefixScores(
        pieces, between=between, model=model_of("words"), unknown=-2.0, hot_words={"ab": 2.0}
    )
    some = [drawn(pieces, numbers) for numbers in ([], [3, 1, 4], [1, 5, 9, 2, 6], [])]
    assert np.allclose(scores.sums(some), [summed(scores, one) for one in some], atol=1e-9)
    assert scores.sums([]).shape == (0,)
