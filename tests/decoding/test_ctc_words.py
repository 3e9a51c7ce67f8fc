"""Words with times and confidences from the symbols of a CTC model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from unrolled.decoding import CtcHypothesis, search_ctc, stable_words, words_heard
from unrolled.errors import ConfigError

from .alignments import collapsed, draw, every_alignment, frames_of

LETTERS = ["", " ", "a", "b"]


def heard(tokens: tuple[int, ...], score: float = 0.0, begin: int = 0) -> CtcHypothesis:
    """Each symbol on two frames of three."""
    frames = tuple((begin + 3 * at, begin + 3 * at + 1) for at in range(len(tokens)))
    return CtcHypothesis(tokens, score, score, frames, tuple(0.5 for _ in tokens))


def test_letters_make_words_between_spaces() -> None:
    words = words_heard([heard((2, 3, 1, 1, 3))], LETTERS, seconds=0.1)
    assert [(word.text, word.tokens) for word in words] == [("ab", (0, 2)), ("b", (4, 5))]
    assert [(word.start, word.end) for word in words] == [
        (0.0, pytest.approx(0.5)),
        (pytest.approx(1.2), pytest.approx(1.4)),
    ]


def test_subwords_carry_their_spaces() -> None:
    pieces = ["", " to", "day", " is", " a "]
    words = words_heard([heard((1, 2, 3, 4, 2))], pieces, seconds=1.0)
    assert [word.text for word in words] == ["today", "is", "a", "day"]
    assert [word.tokens for word in words] == [(0, 2), (2, 3), (3, 4), (4, 5)]
    assert (words[0].start, words[0].end) == (0.0, 5.0)


def test_whole_words_are_symbols_where_something_stands_between() -> None:
    words = words_heard([heard((1, 1, 2))], ["", "one", "two"], seconds=1.0, between=" ")
    assert [word.text for word in words] == ["one", "one", "two"]
    assert words_heard([heard(())], ["", "one"], seconds=1.0, between=" ") == []


def test_one_hypothesis_is_as_sure_as_all_its_symbols_together() -> None:
    one = replace(heard((2, 3, 1, 3)), confidences=(0.5, 0.8, 0.1, 0.9))
    assert [word.confidence for word in words_heard([one], LETTERS, seconds=1.0)] == pytest.approx(
        [0.4, 0.9]
    )
    assert [
        word.confidence for word in words_heard([one], LETTERS, seconds=1.0, scale=0.5)
    ] == pytest.approx([math.sqrt(0.4), math.sqrt(0.9)])


def test_of_several_hypotheses_the_share_that_agrees_is_the_confidence() -> None:
    found = [
        heard((2, 1, 3), math.log(0.4)),
        heard((2, 1, 2), math.log(0.3)),
        heard((3, 1, 3), math.log(0.1)),
    ]
    words = words_heard(found, LETTERS, seconds=1.0)
    assert [word.text for word in words] == ["a", "b"]
    assert [word.confidence for word in words] == pytest.approx([7 / 8, 5 / 8])
    sharp = words_heard(found, LETTERS, seconds=1.0, scale=2.0)
    assert [word.confidence for word in sharp] == pytest.approx([25 / 26, 17 / 26])
    even = words_heard(found, LETTERS, seconds=1.0, scale=0.0)
    assert [word.confidence for word in even] == pytest.approx([2 / 3, 2 / 3])


def test_the_same_word_at_another_time_does_not_agree() -> None:
    found = [heard((2,), math.log(0.6)), heard((2,), math.log(0.4), begin=2)]
    assert words_heard(found, LETTERS, seconds=1.0)[0].confidence == pytest.approx(0.6)
    found[1] = heard((2,), math.log(0.4), begin=1)
    assert words_heard(found, LETTERS, seconds=1.0)[0].confidence == pytest.approx(1.0)


def test_with_every_prefix_in_the_beam_it_is_the_models_own_probability() -> None:
    y = draw(5, 1, 4)
    found = search_ctc(y, beam=1000, n_best=1000)[0]
    (word, *_) = words_heard(found, LETTERS, seconds=1.0)
    mass = []
    for said, alignments in every_alignment(y[:, 0]).items():
        _, path = max(alignments)
        assert collapsed(path) == said
        others = words_heard(
            [replace(heard(said), frames=frames_of(path))] if said else [heard(())],
            LETTERS,
            seconds=1.0,
        )
        if any(o.text == word.text and o.start < word.end and word.start < o.end for o in others):
            mass.append(np.logaddexp.reduce([value for value, _ in alignments]))
    assert 0 < word.confidence < 1
    assert word.confidence == pytest.approx(float(np.exp(mass).sum()), rel=1e-5)


def test_a_word_is_stable_when_what_ends_it_is() -> None:
    words = words_heard([heard((2, 3, 1, 3))], LETTERS, seconds=1.0)
    assert [stable_words(words, stable) for stable in range(5)] == [0, 0, 0, 1, 1]
    words = words_heard([heard((1, 2))], ["", "one", "two"], seconds=1.0, between=" ")
    assert [stable_words(words, stable, between=" ") for stable in range(3)] == [0, 1, 2]


def test_arguments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="hypotheses: there is none"):
        words_heard([], LETTERS, seconds=1.0)
    with pytest.raises(ConfigError, match="pieces: got 2, expected one for each symbol up to 3"):
        words_heard([heard((1, 3))], LETTERS[:2], seconds=1.0)
    with pytest.raises(ConfigError, match="seconds: got 0"):
        words_heard([heard((1,))], LETTERS, seconds=0.0)
    with pytest.raises(ConfigError, match="scale: got -1"):
        words_heard([heard((1,))], LETTERS, seconds=1.0, scale=-1.0)
