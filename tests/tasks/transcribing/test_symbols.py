"""Symbols of transcripts: what can't be written with them is listed."""

from __future__ import annotations

import pytest

from unrolled.tasks.transcribing.symbols import Symbols


@pytest.mark.parametrize(
    ("kind", "unknown"), [("characters", ["z", "q"]), ("words", ["zebra", "qua"])]
)
def test_what_can_not_be_written_is_listed_the_most_frequent_first(kind, unknown):
    symbols = Symbols.learn(["low bread", "lower breadth ua low bread"] * 2, kind=kind, size=None)
    found = symbols.unknown_of(["zebra zebra", "low zebra bread qua", "low"])
    assert found == unknown
    assert symbols.unknown_of(["low bread", "bread"]) == []
