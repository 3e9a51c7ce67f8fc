"""Symbols of transcripts: what can't be written with them is listed."""

from __future__ import annotations

import pytest

from unrolled.decoding import CtcHypothesis
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.transcripts import transcript_of


@pytest.mark.parametrize(
    ("kind", "unknown"), [("characters", ["z", "q"]), ("words", ["zebra", "qua"])]
)
def test_what_can_not_be_written_is_listed_the_most_frequent_first(kind, unknown):
    symbols = Symbols.learn(["low bread", "lower breadth ua low bread"] * 2, kind=kind, size=None)
    found = symbols.unknown_of(["zebra zebra", "low zebra bread qua", "low"])
    assert found == unknown
    assert symbols.unknown_of(["low bread", "bread"]) == []


def test_alternatives_are_different_texts_with_single_spaces():
    symbols = Symbols.learn(["ab ba"], kind="characters", size=None)
    texts = ["ab ba", "ab ba ", "ab  ba", "ab  b", "b a", "ab b", "a"]
    hypotheses = [
        CtcHypothesis(
            tuple(symbols.pieces.index(letter) for letter in text),
            log_probability=-float(at),
            frames=tuple((place, place) for place in range(len(text))),
            confidences=(0.5,) * len(text),
        )
        for at, text in enumerate(texts)
    ]
    found = transcript_of(hypotheses, symbols, 1.0, step=0.1, n_best=4)
    assert found.text == "ab ba"
    assert [one.text for one in found.alternatives] == ["ab b", "b a", "a"]
    assert [one.log_probability for one in found.alternatives] == [-3.0, -4.0, -6.0]
    assert transcript_of(hypotheses, symbols, 1.0, step=0.1).alternatives == ()
