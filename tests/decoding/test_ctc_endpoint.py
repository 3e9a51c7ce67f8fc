"""When an utterance is over."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.decoding import Endpoint
from unrolled.decoding.ctc_endpoint import EndpointState
from unrolled.errors import ConfigError

SPEECH, SILENCE = math.log(0.1), math.log(0.9)


def blanks(text: str) -> np.ndarray:
    """Log-probabilities of the blank: `x` is speech, anything else silence."""
    return np.array([SPEECH if letter == "x" else SILENCE for letter in text], np.float32)


def ends(rule: Endpoint, text: str, seconds: float = 0.1) -> list[int]:
    """The frames before which the utterances of a whole stream are over."""
    found, at, state = [], 0, EndpointState()
    while True:
        cut, state = rule.find(blanks(text[at:]), state, seconds)
        if cut is None:
            return found
        at += cut
        found.append(at)


def test_it_is_over_where_blanks_after_speech_have_lasted_long_enough() -> None:
    assert ends(Endpoint(after=0.3), "...xx.xx..x......") == [14]
    assert ends(Endpoint(after=0.3), "xx...x....x..") == [5, 9]
    assert ends(Endpoint(after=0.25), "xx...") == [5]
    assert ends(Endpoint(after=0.01), "xx..x.") == [3, 6]


def test_silence_without_speech_goes_on() -> None:
    assert ends(Endpoint(after=0.3), "." * 100) == []
    assert ends(Endpoint(after=0.3), "." * 100 + "x...") == [104]


def test_the_longest_utterance_is_over_in_any_case() -> None:
    assert ends(Endpoint(after=0.3, longest=1.0), "x" * 25) == [10, 20]
    assert ends(Endpoint(after=0.3, longest=1.0), "x..." + "x" * 12) == [4, 14]


def test_what_is_a_blank_is_a_matter_of_its_probability() -> None:
    assert ends(Endpoint(after=0.2, blank=0.95), "xx....") == []
    assert ends(Endpoint(after=0.2, blank=0.85), "xx....") == [4]


@given(
    text=st.text("x.", max_size=60),
    cuts=st.lists(st.integers(1, 9), min_size=1),
    after=st.integers(1, 5),
    longest=st.none() | st.integers(3, 20),
)
def test_chunks_change_nothing(text: str, cuts: list[int], after: int, longest: int | None) -> None:
    rule = Endpoint(after=after * 0.04, longest=None if longest is None else longest * 0.04)
    found, at, state, chunk = [], 0, EndpointState(), 0
    while at < len(text):
        size = cuts[chunk % len(cuts)]
        cut, state = rule.find(blanks(text[at : at + size]), state, 0.04)
        at += min(size, len(text) - at) if cut is None else cut
        chunk += 1
        if cut is not None:
            found.append(at)
    assert found == ends(rule, text, 0.04)


@pytest.mark.parametrize(
    ("name", "value"), [("after", 0.0), ("after", math.nan), ("longest", -1.0), ("blank", 1.5)]
)
def test_numbers_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"endpoint, {name}: got {value}"):
        Endpoint(**{name: value})
