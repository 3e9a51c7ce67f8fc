"""Hot words: what was added when a text is over is the weight of each that stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.decoding.hot_words import HotWords

# Words of the letters 1 to 3, and phrases of up to three of them.
WORD = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
PHRASE = st.lists(WORD, min_size=1, max_size=3).map(tuple)


def spelt(words: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    letters = [letter for word in words for letter in (*word, 0)]
    return tuple(letters[:-1])


def added(hot: HotWords, letters: tuple[int, ...]) -> tuple[float, int]:
    """What letters add from the beginning of a word on, and the state after them."""
    total, state = 0.0, 0
    for letter in letters:
        total += float(hot.gain[state, letter])
        state = int(hot.next[state, letter])
    return total, state


@given(
    phrases=st.dictionaries(PHRASE, st.sampled_from([1.0, 2.5, -4.0]), min_size=1, max_size=5),
    text=st.lists(WORD, min_size=1, max_size=8).map(tuple),
)
def test_each_place_where_a_phrase_stands_counts_once(
    phrases: dict[tuple[tuple[int, ...], ...], float], text: tuple[tuple[int, ...], ...]
) -> None:
    hot = HotWords.of({spelt(phrase): weight for phrase, weight in phrases.items()}, 3)
    total, state = added(hot, (*spelt(text), 0))
    want = sum(
        weight
        for phrase, weight in phrases.items()
        for at in range(len(text))
        if text[at : at + len(phrase)] == phrase
    )
    assert total - hot.pending[state] == pytest.approx(want, abs=1e-9)


def test_a_phrase_is_given_its_share_with_each_letter_and_it_is_taken_back() -> None:
    hot = HotWords.of({(1, 2, 0, 3): 4.0}, 3)
    assert added(hot, (1,))[0] == 1.0
    assert added(hot, (1, 2, 0))[0] == 3.0
    assert added(hot, (1, 2, 0, 3))[0] == 4.0
    assert added(hot, (1, 2, 0, 2))[0] == 0.0
    # The word must end there.
    assert added(hot, (1, 2, 0, 3, 1))[0] == 0.0
    assert added(hot, (1, 2, 0, 3, 0))[0] == 4.0


def test_a_phrase_begins_where_a_word_does() -> None:
    hot = HotWords.of({(1, 2): 4.0}, 3)
    assert added(hot, (3, 1, 2, 0))[0] == 0.0
    assert added(hot, (3, 0, 1, 2, 0))[0] == 4.0


def test_a_phrase_that_is_left_may_have_begun_another() -> None:
    hot = HotWords.of({(1, 0, 2, 0, 3): 5.0, (2, 0, 1): 2.0}, 3)
    assert added(hot, (1, 0, 2, 0, 1, 0))[0] == 2.0 + hot.pending[added(hot, (1, 0, 2, 0, 1, 0))[1]]
