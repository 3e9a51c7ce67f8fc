"""One view of a trace as a picture: its colours are the trace's numbers, and errors are a line."""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import ConfigError, MissingExtra, OutputError
from unrolled.lens import Trace
from unrolled.lens.ink import DIVERGING
from unrolled.lens.picture_tokens import WIDE, columns_of, laid_out, shown_token
from unrolled.lens.traces import Answers, TracedLayer

VIEWS = ("map", "text", "gradient", "answers")
WORDS = ("the", "<b>film</b>", "$is$", "漢字", "\n", "good")
BLUE, PALE, ORANGE = (tuple(bytes.fromhex(DIVERGING[k][1:])) for k in (0, 2, 4))


def layer_of(states: Any, **more: Any) -> TracedLayer:
    values = np.asarray(states, dtype=np.float32)
    steps, units = values.shape
    before = {"h": np.zeros(units, np.float32)}
    kept, cuts = np.arange(units) + 10, np.zeros(steps, bool)
    return TracedLayer("rnn", 0, False, "GRU", kept, {"h": values}, before, cuts, **more)


def traced(words: tuple[str, ...] = WORDS, units: int = 7) -> Trace:
    rng = np.random.default_rng(3)
    steps = len(words)

    def drawn() -> np.ndarray:
        return rng.normal(size=(steps, units)).astype(np.float32)

    layers = tuple(
        layer_of(
            drawn(),
            gates={"z": 1 / (1 + np.exp(-drawn()))},
            gradients={"h": drawn()},
            norms={"h": 10.0 ** rng.uniform(-9, 2, steps).astype(np.float32)},
        )
        for _ in range(2)
    )
    chances = rng.dirichlet(np.ones(6), steps).astype(np.float32)
    answers = Answers(("a", "$b", "c", "d", "e", "f"), chances)
    return Trace("A model", words, layers, answers=answers, loss="the answer")


def pixels(path: Path) -> np.ndarray:
    image = pytest.importorskip("matplotlib.image", reason="the extra `lens` is not installed")
    return (255 * image.imread(path)[..., :3]).round().astype(int)


def near(colour: Any, expected: tuple[int, ...]) -> bool:
    return bool(np.abs(np.asarray(colour) - np.asarray(expected)).max() <= 3)


@pytest.fixture(autouse=True)
def _matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn_in_every_kind_and_the_same_each_time(
    view: str, tmp_path: Path
) -> None:
    found = traced()
    first = found.draw(tmp_path / "a.png", view=view).read_bytes()
    assert struct.unpack(">I", first[16:20]) == (1400,)
    assert found.draw(tmp_path / "b.png", view=view).read_bytes() == first
    drawn = found.draw(tmp_path / "a.svg", view=view).read_bytes()
    assert b"<svg" in drawn
    assert found.draw(tmp_path / "b.svg", view=view).read_bytes() == drawn
    assert found.draw(tmp_path / "a.pdf", view=view).read_bytes().startswith(b"%PDF")


def test_the_map_has_the_colour_of_each_number(tmp_path: Path) -> None:
    # One unit at full colour, by turns; one that stays at zero.
    signs = np.array([1, 1, -1, 1, -1], dtype=np.float32)
    states = np.stack([0 * signs, signs], axis=1)
    image = pixels(Trace("A model", tuple("abcde"), (layer_of(states),)).draw(tmp_path / "a.png"))
    left, width = 0.5, 7.0 - 0.5 - 0.62
    columns = [round(200 * (left + width * (step + 0.5) / 5)) for step in range(5)]
    rows = [round(200 * (0.42 + 0.5 * (row + 0.5) / 2)) for row in range(2)]
    seen = [[image[row, column] for column in columns] for row in rows]
    still, moved = seen if near(seen[0][0], PALE) else seen[::-1]
    assert all(near(colour, PALE) for colour in still)
    for colour, value in zip(moved, signs, strict=True):
        assert near(colour, ORANGE if value > 0 else BLUE)


def test_a_gate_is_pale_at_zero_and_orange_at_one(tmp_path: Path) -> None:
    gate = np.array([[0.0], [1.0]], dtype=np.float32)
    layer = layer_of([[0.1], [0.2]], gates={"z": gate})
    image = pixels(Trace("A model", ("a", "b"), (layer,)).draw(tmp_path / "a.png", quantity="z"))
    row = round(200 * (0.42 + 0.25))
    assert near(image[row, round(200 * (0.5 + 5.88 * 0.25))], PALE)
    assert near(image[row, round(200 * (0.5 + 5.88 * 0.75))], ORANGE)


def test_what_was_read_stands_in_the_picture_as_text(tmp_path: Path) -> None:
    svg = traced().draw(tmp_path / "a.svg", view="text", unit=12).read_text(encoding="utf-8")
    for token in ("the", "&lt;b&gt;film&lt;/b&gt;", "$is$", "漢字", "⏎", "good"):
        assert f"<!-- {token} -->" in svg
    assert "colours of unit 12" in svg


def fills(svg: str) -> list[tuple[int, ...]]:
    """The colours of the boxes of a text, in reading order."""
    boxes = svg.split('id="PolyCollection_1"')[1].split("</g>")[0]
    return [tuple(bytes.fromhex(one)) for one in re.findall(r"fill: #([0-9a-f]{6})", boxes)]


def test_the_text_has_the_colour_of_each_number(tmp_path: Path) -> None:
    found = Trace("A model", tuple("abcd"), (layer_of([[2.0], [-2.0], [0.0], [1.0]]),))
    svg = found.draw(tmp_path / "a.svg", view="text").read_text(encoding="utf-8")
    seen = fills(svg)
    half = tuple(bytes.fromhex(DIVERGING[3][1:]))
    for colour, expected in zip(seen, (ORANGE, BLUE, PALE, half), strict=True):
        assert near(colour, expected)


def test_a_gate_that_is_half_open_has_half_its_colour(tmp_path: Path) -> None:
    half = np.full((2, 1), 0.5, dtype=np.float32)
    found = Trace("A model", ("a", "b"), (layer_of([[0.1], [0.2]], gates={"z": half}),))
    svg = found.draw(tmp_path / "a.svg", view="text", quantity="z").read_text(encoding="utf-8")
    assert all(near(one, tuple(bytes.fromhex(DIVERGING[3][1:]))) for one in fills(svg))


def test_without_a_unit_it_is_the_one_that_moves_most(tmp_path: Path) -> None:
    layer = layer_of([[0.9, 0.0, 0.0], [0.9, 0.5, 0.1], [0.9, -0.5, 0.2]])
    found = Trace("A model", ("a", "b", "c"), (layer,))
    svg = found.draw(tmp_path / "a.svg", view="text").read_text(encoding="utf-8")
    assert "colours of unit 11" in svg


def test_the_layer_that_is_named_is_drawn(tmp_path: Path) -> None:
    found = traced()
    chosen = [found.draw(tmp_path / f"{k}.png", layer=k).read_bytes() for k in (0, 1)]
    assert chosen[0] != chosen[1]
    assert found.draw(tmp_path / "last.png").read_bytes() == chosen[1]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_numbers_that_are_not_finite_are_drawn_without_a_word(
    view: str, value: float, tmp_path: Path
) -> None:
    states = np.full((3, 2), value, dtype=np.float32)
    norms = np.full(3, value, dtype=np.float32)
    layer = layer_of(states, gradients={"h": states}, norms={"h": norms})
    answers = Answers(("a", "b"), states)
    Trace("A model", ("a", "b", "c"), (layer,), answers=answers).draw(tmp_path / "a.png", view=view)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"view": "maps"}, "view: got 'maps', expected one of map, text, gradient, answers"),
        ({"layer": 2}, r"layer: got 2, expected one of 0: rnn, layer 1 \(GRU\), 1: rnn"),
        ({"layer": -1}, "layer: got -1"),
        ({"unit": 3}, "unit: got 3, expected one of the 7 that are kept of rnn, .*from 10 to 16"),
        ({"quantity": "f"}, "quantity: got 'f', expected one of h, z, dh"),
    ],
)
def test_what_is_not_there_is_one_line_that_says_what_is(
    options: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=told):
        traced().draw(tmp_path / "a.png", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_view_of_what_the_trace_lacks_a_name_and_a_folder_are_one_line(tmp_path: Path) -> None:
    bare = Trace("A model", ("a", "b"), (layer_of([[0.1], [0.2]]),))
    with pytest.raises(ConfigError, match="view: got a trace without gradients"):
        bare.draw(tmp_path / "a.png", view="gradient")
    with pytest.raises(ConfigError, match="view: got a trace without answers"):
        bare.draw(tmp_path / "a.png", view="answers")
    with pytest.raises(ConfigError, match=r"ends in \.png, \.svg or \.pdf"):
        bare.draw(tmp_path / "a.gif")
    with pytest.raises(OutputError, match="No such file or directory"):
        bare.draw(tmp_path / "no" / "a.png")


def test_without_matplotlib_the_pip_line_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[lens\]'"):
        traced().draw(tmp_path / "a.png")


@given(st.lists(st.text(max_size=200), min_size=1, max_size=80))
def test_a_token_is_one_line_of_bounded_length(tokens: list[str]) -> None:
    assert all(len(shown_token(one)) <= 60 and "\n" not in shown_token(one) for one in tokens)


SOME = ("a", "漢", " ", "\n", "\t", "\u0301", "x" * 130, "漢" * 70, "b\nc", "", "\r")


@given(st.lists(st.sampled_from(SOME), min_size=1, max_size=60), st.booleans())
def test_every_step_has_a_place_of_its_own_in_its_line(inputs: list[str], joined: bool) -> None:
    pieces, columns = laid_out(inputs, joined)
    assert sorted({piece.step for piece in pieces}) == list(range(len(inputs)))
    line, end = 0, 0
    for piece in pieces:
        if piece.line > line:
            line, end = piece.line, 0
        assert (piece.line, piece.column >= end) == (line, True)
        end = piece.column + piece.columns
        assert max(1, columns_of(piece.text)) == piece.columns
        assert end <= columns <= WIDE


@given(st.text(alphabet="ab \n", max_size=300).filter(bool), st.integers(1, 4))
def test_a_joined_text_has_the_lines_that_it_was_written_in(text: str, size: int) -> None:
    slices = [text[k : k + size] for k in range(0, len(text), size)]
    pieces, columns = laid_out(slices, joined=True)
    lines = [""] * (pieces[-1].line + 1)
    for piece in pieces:
        assert piece.column == len(lines[piece.line])
        lines[piece.line] += piece.text
    if max(map(len, text.split("\n"))) < columns:
        assert lines == [f"{one}⏎" for one in text.split("\n")[:-1]] + [
            one for one in text.split("\n")[-1:] if one
        ]


def test_words_stand_a_blank_apart_and_slices_of_a_text_do_not() -> None:
    words, _ = laid_out(["the", "漢字", "cat"], joined=False)
    assert [piece.column for piece in words] == [0, 4, 9]
    slices, _ = laid_out(["the", " ca", "t"], joined=True)
    assert [piece.column for piece in slices] == [0, 3, 6]
