"""In which case a model is asked for a text: that in which it knows most of what can be written."""

from __future__ import annotations

import pytest

from unrolled.decoding.letter_case import known_case
from unrolled.decoding.letters import Letters

SMALL, CAPITALS = "\n 'abdehint", "\n 'ABDEHINT"


@pytest.mark.parametrize(
    ("letters", "tokens", "text", "asked"),
    [
        (SMALL, ["the", "hat"], "the hat", "the hat"),
        (CAPITALS, ["the", "hat"], "THE HAT", "the hat"),
        (SMALL, ["THE", "HAT"], "the hat", "THE HAT"),
        (CAPITALS, ["THE", "HAT", "it"], "THE HAT", "THE HAT"),
        # Names alone are written so.
        (SMALL, ["the", "The", "hat", "Ann"], "the hat", "the hat"),
        (CAPITALS, ["the", "The", "hat", "BBN"], "THE HAT", "the hat"),
        (CAPITALS, [*"thenaTHENA "], "THE HAT", "the hat"),
        # Nothing is lost that a model of small letters could know.
        (SMALL + CAPITALS, ["the", "hat"], "The hat", "the hat"),
        (SMALL + CAPITALS, ["THE", "HAT"], "The hat", "THE HAT"),
        (SMALL + CAPITALS, ["the", "The"], "The hat", "The hat"),
        # What has no case decides nothing.
        (CAPITALS, ["'", "the", "\n"], "THE HAT", "the hat"),
    ],
)
def test_a_text_is_asked_for_as_the_model_knows_it(letters, tokens, text, asked) -> None:
    case = known_case(Letters(("", *letters)), tokens)
    assert case is not None
    assert case(text) == asked


def test_a_model_over_other_letters_has_none() -> None:
    for tokens in (["раз", "два"], [], [" ", "\n"]):
        assert known_case(Letters(("", *SMALL)), tokens) is None
