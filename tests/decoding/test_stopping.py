"""Stop strings end a text before the first of them, however it comes in pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.decoding.stopping import StopStrings
from unrolled.errors import ConfigError


@given(
    text=st.text("ab\n", max_size=30),
    stops=st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3),
    data=st.data(),
)
def test_the_text_ends_before_the_first_stop_however_it_is_cut(
    text: str, stops: list[str], data: st.DataObject
) -> None:
    cuts = data.draw(st.sets(st.integers(0, len(text)), max_size=8))
    edges = [0, *sorted(cuts), len(text)]
    filter_ = StopStrings(stops)
    shown = ""
    for begin, end in pairwise(edges):
        shown += filter_.feed(text[begin:end])
        assert text.startswith(shown)
    complete = [end for end in range(len(text) + 1) if any(text[:end].endswith(s) for s in stops)]
    if complete:
        begun = text[: complete[0]]
        want = min(len(begun) - len(stop) for stop in stops if begun.endswith(stop))
        assert shown == text[:want]
        assert filter_.reached
        assert filter_.rest() == ""
        assert filter_.feed("more") == ""
    else:
        assert shown + filter_.rest() == text
        assert not filter_.reached


def test_what_may_begin_a_stop_string_is_held_back() -> None:
    stops = StopStrings("###")
    assert stops.feed("one #") == "one "
    assert stops.feed("#") == ""
    assert stops.feed(" two") == "## two"
    assert stops.feed("#") == ""
    assert stops.feed("## three") == ""
    assert stops.reached


@pytest.mark.parametrize("stop", ["", ["a", ""], [3]])
def test_an_empty_stop_string_is_refused(stop: object) -> None:
    with pytest.raises(ConfigError, match="stop: got"):
        StopStrings(stop)  # type: ignore[arg-type]
