"""Properties of a text, and the units that go with them: numbers counted by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.lens import PROPERTIES, Trace, TrackingUnit, tracking_units
from unrolled.lens.traces import TracedLayer


def shown(name: str, text: str) -> str:
    return "".join(f"{value:.0f}" for value in PROPERTIES[name](tuple(text)))


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a = 'b' + \"c\"", "0000110000110"),
        ("don't 'do' it", "0000001110000"),
        ("f'x' Rb'y' id'z", "011000011000000"),
        ("'a\\'b' c", "11111000"),
        ("'a\\\\' c", "1111000"),
        ("'a\"b' \"c'd\" e", "1111001111000"),
        ("x = '' + ''", "00001000010"),
        ('"""a "b"\n\n c""" d', "10111111111111000"),
        ('"""a""""""b c"""', "1011110101111110"),
        ("'''it's''' d", "101111111000"),
        ("'a\nb 'c'", "11000110"),
        ('"a\nb" "c\n\nd"', "111100111001"),
        ("\\'a'", "0110"),
    ],
)
def test_inside_quotes(text: str, inside: str) -> None:
    assert shown("quotes", text) == inside


def test_brackets_are_counted_never_below_zero() -> None:
    assert shown("brackets", "f(a[1], {})") == "01122111210"
    assert shown("brackets", ")](x)))y(") == "001100001"
    assert shown("brackets", "((\na\n\n(b") == "12222011"


def test_indentation_is_what_the_line_began_with() -> None:
    assert shown("indentation", "a b\n\t  c d\n e") == "0000123333011"


def test_places_begin_anew_with_each_line_and_each_word() -> None:
    assert shown("place in line", "ab\n\nc") == "12001"
    assert shown("place in word", "ab_1, ünd 2") == "12340012301"


@given(st.text(alphabet="ab \n\t\"'\\()[]{}_r", max_size=60), st.data())
def test_a_property_of_a_step_is_that_of_its_last_character_and_knows_nothing_later(
    text: str, data: Any
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    parts = tuple(text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True))
    for read in PROPERTIES.values():
        whole = read(tuple(text))
        ends = np.cumsum([len(part) for part in parts])
        np.testing.assert_array_equal(read(parts), np.concatenate([[0.0], whole])[ends])
        np.testing.assert_array_equal(read(tuple(text[: len(text) // 2])), whole[: len(text) // 2])


def layer(h: Any, units: Sequence[int] = (), **more: Any) -> TracedLayer:
    h = np.asarray(h, dtype=np.float32)
    states = {"h": h, **{name: np.asarray(one, dtype=np.float32) for name, one in more.items()}}
    count = h.shape[1]
    return TracedLayer(
        "layer",
        0,
        False,
        "LSTM",
        np.array(units or range(count), dtype=np.int64),
        states,
        {name: np.zeros(count, dtype=np.float32) for name in states},
        np.zeros(len(h), dtype=bool),
    )


TEXT = "f(a) [b] ((c)) x"
DEPTH = PROPERTIES["brackets"](tuple(TEXT))


@pytest.fixture
def trace() -> Trace:
    draw = np.random.default_rng(0)
    noise = draw.normal(size=len(TEXT))
    first = np.stack([noise, np.full(len(TEXT), 0.1), DEPTH + 0.2 * noise], 1)
    second = np.stack([-DEPTH / 2 + 1, np.where(DEPTH > 1, np.nan, DEPTH)], 1)
    return Trace("x", tuple(TEXT), (layer(first), layer(second, (4, 9), c=-second)))


def test_units_come_by_the_size_of_their_correlation(trace: Trace) -> None:
    found = tracking_units(trace, "brackets")
    assert [(one.layer, one.unit) for one in found[:2]] == [(1, 4), (0, 2)]
    assert found[0].correlation == pytest.approx(-1)
    assert len(found) == 5
    sizes = [abs(one.correlation) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    for one in found[:3]:
        expected = np.corrcoef(one.values(trace), DEPTH)[0, 1]
        assert one.correlation == pytest.approx(expected, abs=1e-6)


def test_a_unit_that_never_moves_or_is_not_finite_tracks_nothing(trace: Trace) -> None:
    by_place = {(one.layer, one.unit): one for one in tracking_units(trace, "brackets")}
    assert by_place[0, 1].correlation == 0
    assert by_place[1, 9].correlation == 0


def test_the_state_can_be_that_of_the_cell(trace: Trace) -> None:
    only = Trace("x", trace.inputs, trace.layers[1:])
    assert tracking_units(only, "brackets", state="c")[0] == TrackingUnit(
        0, 4, "c", pytest.approx(1)
    )
    with pytest.raises(ConfigError, match=r"state: got 'c', expected one of h of layer"):
        tracking_units(trace, "brackets", state="c")


def test_a_property_may_be_ones_own_and_know_no_answer_at_some_steps(trace: Trace) -> None:
    numbers = np.where(np.arange(len(TEXT)) < 5, np.nan, DEPTH)
    read: Callable[[Sequence[str]], Any] = lambda inputs: numbers  # noqa: E731
    found = tracking_units(trace, read)
    assert found == tracking_units(trace, numbers)
    one = next(one for one in found if (one.layer, one.unit) == (0, 2))
    expected = np.corrcoef(one.values(trace)[5:], DEPTH[5:])[0, 1]
    assert one.correlation == pytest.approx(expected, abs=1e-6)


def test_the_same_unit_is_looked_at_on_another_text(trace: Trace) -> None:
    best = tracking_units(trace, "brackets")[0]
    text = "((x) y)"
    h = np.stack([np.arange(7.0), np.arange(7.0)[::-1]], 1)
    other = Trace("x", tuple(text), (layer(h), layer(h, (8, 4))))
    again = best.on(other, "brackets")
    assert (again.layer, again.unit) == (best.layer, best.unit)
    depth = PROPERTIES["brackets"](tuple(text))
    assert again.correlation == pytest.approx(np.corrcoef(h[:, 1], depth)[0, 1])
    with pytest.raises(ConfigError, match=r"got no unit 4 in layer, expected it; trace with a"):
        best.values(Trace("x", tuple(text), (layer(h), layer(h, (8, 5)))))
    with pytest.raises(ConfigError, match=r"got 1 layers, expected one at place 1"):
        best.values(Trace("x", tuple(text), (layer(h),)))


@pytest.mark.parametrize(
    ("property", "line"),
    [
        ("quote", r"got 'quote', expected one of 'quotes', 'brackets', .*, or a function"),
        ("quotes", r"the same number at every step"),
        ([1.0, 2.0], r"got numbers of shape \(2,\), expected \(16,\), one for each step"),
        ([np.inf, *DEPTH[1:]], r"got infinity"),
        ([np.nan] * 16, r"the same number at every step"),
        (list(TEXT), r"got list, expected 16 numbers"),
    ],
)
def test_what_is_no_property_is_named(trace: Trace, property: Any, line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        tracking_units(trace, property)
