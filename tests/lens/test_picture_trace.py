"""Pictures of a trace: what is drawn is what the trace holds, and bad input is one plain line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unrolled.errors import ConfigError
from unrolled.lens import (
    Trace,
    TrackingUnit,
    draw_answers,
    draw_gradients,
    draw_text,
    tracking_units,
)
from unrolled.lens.picture_answers import fitted
from unrolled.lens.traces import Answers, TracedLayer

pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")

TEXT = "f($a) = [<b>]\n\n\tg(x)\n" * 2
DEPTHS = np.cumsum([(c in "([") - (c in ")]") for c in TEXT]).astype(np.float32)


def traced(inputs: tuple[str, ...], gradients: bool = True) -> Trace:
    steps = len(inputs)
    h = np.stack([np.resize(DEPTHS, steps), np.linspace(-1, 1, steps, dtype=np.float32)], 1)
    sizes = (0.5 ** np.arange(steps)[::-1]).astype(np.float32)
    layer = TracedLayer(
        "layer",
        0,
        False,
        "GRU",
        np.arange(2),
        {"h": h},
        {"h": np.zeros(2, dtype=np.float32)},
        np.zeros(steps, dtype=bool),
        gradients={"h": h * 0} if gradients else {},
        norms={"h": sizes} if gradients else {},
    )
    chances = np.stack([np.linspace(0.9, 0.1, steps), np.linspace(0.1, 0.9, steps)], 1)
    answers = Answers(("bad", "go$od"), chances.astype(np.float32))
    return Trace("x", inputs, (layer,), answers=answers, loss="x" if gradients else "")


def svg(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters as letters, not as outlines, so that they can be looked for."""
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")


def test_a_text_is_drawn_with_each_character_and_the_correlation_in_it(tmp_path: Path) -> None:
    trace = traced(tuple(TEXT))
    best = tracking_units(trace, "brackets")[0]
    drawn = svg(draw_text(trace, tmp_path / "a.svg", best, property="brackets"))
    assert "Unit 0 of layer 1: r = 1.00 with brackets" in drawn
    assert "underlined: brackets" in drawn
    assert "&lt;" in drawn
    assert drawn.count(">$<") == 2
    again = draw_text(trace, tmp_path / "b.svg", best, title="What I $ee")
    assert "What I $ee" in svg(again)


def test_steps_where_the_property_holds_are_underlined_and_no_others(tmp_path: Path) -> None:
    trace = traced(tuple("a(bc)d"))
    drawn = svg(
        draw_text(
            trace, tmp_path / "a.svg", TrackingUnit(0, 1, "h", 0.0), property=[0, 1, 1, 1, 0, 0]
        )
    )
    lines = drawn.split('id="LineCollection_1"')[1].split("</g>")[0]
    boxes = drawn.split('id="PolyCollection_1"')[1].split("</g>")[0]
    begins = re.findall(r'd="M ([\d.]+) ', boxes)
    assert re.findall(r'd="M ([\d.]+) ', lines) == begins[1:4]


def test_a_unit_is_drawn_without_a_property(tmp_path: Path) -> None:
    trace = traced(("the", "cat", "\n", "sleeps"))
    drawn = svg(draw_text(trace, tmp_path / "a.svg", TrackingUnit(0, 1, "h", 0.0)))
    assert "Unit 1 of layer 1" in drawn
    assert "underlined" not in drawn
    with pytest.raises(ConfigError, match="got no unit 7 in layer"):
        draw_text(trace, tmp_path / "b.svg", TrackingUnit(0, 7, "h", 0.0))
    assert not (tmp_path / "b.svg").exists()


def test_a_text_that_is_longer_than_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="got 70 lines, expected 60 at most"):
        draw_text(traced(tuple("a\n" * 70)), tmp_path / "a.svg", TrackingUnit(0, 0, "h", 0.0))


def test_long_lines_go_on_in_the_next_and_a_line_of_nothing_is_drawn(tmp_path: Path) -> None:
    unit = TrackingUnit(0, 1, "h", 0.0)
    assert draw_text(traced(tuple("ab" * 170)), tmp_path / "a.svg", unit).exists()
    assert draw_text(traced(("\n", "\n")), tmp_path / "b.svg", unit).exists()


def test_a_png_of_a_text_is_small_and_the_same_each_time(tmp_path: Path) -> None:
    trace = traced(tuple(TEXT * 8))
    unit = tracking_units(trace, "brackets")[0]
    one, other = (draw_text(trace, tmp_path / f"{k}.png", unit).read_bytes() for k in "ab")
    assert one == other
    assert one[25] == 3  # the kind of colour: a palette


def test_gradients_are_drawn_side_by_side_with_what_was_learnt(tmp_path: Path) -> None:
    traces = {"RNN": traced(tuple("ab" * 20)), "GRU": traced(tuple("ab" * 20))}
    losses = {"RNN": [(1, 0.3), (2, 0.2)], "GRU": [(1, 0.3), (2, 0.0)]}
    drawn = svg(draw_gradients(traces, tmp_path / "a.svg", losses=losses, loss="error"))
    for part in ("RNN", "GRU", "lost in rounding", "error", "step of training"):
        assert part in drawn
    assert "step of training" not in svg(draw_gradients(traces, tmp_path / "b.svg"))


def test_what_has_no_gradients_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="got 'RNN' without gradients, expected one that was tr"):
        draw_gradients({"RNN": traced(tuple("ab"), gradients=False)}, tmp_path / "a.svg")
    with pytest.raises(ConfigError, match="layer: got 1, expected one of the 1 of 'RNN', from 0"):
        draw_gradients({"RNN": traced(tuple("ab"))}, tmp_path / "a.svg", layer=1)
    with pytest.raises(ConfigError, match="traces: got 0, expected 1 to 6"):
        draw_gradients({}, tmp_path / "a.svg")


def test_answers_are_drawn_under_each_word(tmp_path: Path) -> None:
    traces = [traced(("not", "a", "$1", "film")), traced(("good",))]
    drawn = svg(draw_answers(traces, tmp_path / "a.svg"))
    for part in ("“go$od” after each word", ">film<", ">0.10<", ">0.90<", ">$1<"):
        assert part in drawn
    assert "“bad”" in svg(draw_answers(traces, tmp_path / "b.svg", label="bad"))


def test_words_under_bars_keep_to_their_columns() -> None:
    assert fitted(["good", "film"], 0.6) == (["good", "film"], 7.5)
    shown, size = fitted(["good", "unforgettable", "x" * 70], 0.3)
    assert shown[0] == "good"
    assert shown[1].startswith("unfor")
    assert shown[2].endswith("x…")
    assert 4.5 <= size < 7.5
    assert max(map(len, shown)) * 0.0085 * size <= 0.3


def test_a_chance_that_is_no_number_is_drawn_without_a_word(tmp_path: Path) -> None:
    trace = traced(("not", "good"))
    answers = Answers(("bad", "good"), np.full((2, 2), np.nan, dtype=np.float32))
    drawn = draw_answers([replace(trace, answers=answers)], tmp_path / "a.svg")
    assert "after each word" in svg(drawn)


def test_tags_are_for_each_word_and_letters_are_steps(tmp_path: Path) -> None:
    trace = traced(("a", "b"))
    assert trace.answers is not None
    tags = replace(trace, answers=replace(trace.answers, running=False))
    assert "The answer for each word" in svg(tags.draw(tmp_path / "a.svg", view="answers"))
    letters = replace(trace, joined=True)
    assert "The answer after each step" in svg(letters.draw(tmp_path / "b.svg", view="answers"))


def test_both_doors_draw_the_same_text_and_the_same_gradient(tmp_path: Path) -> None:
    trace = traced(tuple("ab" * 30))
    one = svg(draw_text(trace, tmp_path / "a.svg", TrackingUnit(0, 1, "h", 0.0), title="What"))
    other = svg(trace.draw(tmp_path / "b.svg", view="text", unit=1))
    title = "What was read, in the colours of unit 1"
    assert other.replace(title, "What") == one
    named = {"layer, layer 1 (GRU)": trace}
    one = svg(draw_gradients(named, tmp_path / "c.svg"))
    other = svg(trace.draw(tmp_path / "d.svg", view="gradient"))
    assert paths(one) == paths(other)


def paths(drawn: str) -> list[str]:
    return re.findall(r'<path d="[^"]*" clip-path', drawn)


def test_several_layers_and_several_traces_end_at_the_same_step(tmp_path: Path) -> None:
    long, short = traced(tuple("ab" * 20)), traced(tuple("ab" * 5))
    drawn = svg(draw_gradients({"RNN": long, "GRU": short}, tmp_path / "a.svg"))
    coloured = r'[^"]*" style="fill: none; stroke: #(?:1d5fa6|b84f00)'
    ends = re.findall(r'([\d.]+ [\d.]+) \n" clip-path="' + coloured, drawn)
    assert len(ends) == 2
    assert ends[0] == ends[1]


def test_the_threshold_is_told_where_the_gradient_comes_near_it(tmp_path: Path) -> None:
    far, near = traced(tuple("ab" * 3)), traced(tuple("ab" * 20))
    words = "lost in rounding: below 1.2e-7 of the largest"
    assert words not in svg(far.draw(tmp_path / "a.svg", view="gradient"))
    assert words in svg(near.draw(tmp_path / "b.svg", view="gradient"))


def test_losses_of_another_name_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="losses: got 'LSTM', expected names of the traces: 'RNN"):
        draw_gradients({"RNN": traced(("a",))}, tmp_path / "a.svg", losses={"LSTM": [(1, 1.0)]})


def test_what_can_not_be_drawn_as_answers_is_named(tmp_path: Path) -> None:
    trace = traced(("a",))
    without = Trace("x", trace.inputs, trace.layers)
    for traces, label, line in (
        ([without], None, r"got a trace without answers, expected one of a Classifier that reads"),
        ([trace], "fine", r"label: got 'fine', expected one of 'bad', 'go\$od'"),
        ([], None, r"traces: got 0, expected 1 to 12"),
        ([traced(("a",) * 25)], None, r"got one of 25 steps, expected 24 at most"),
    ):
        with pytest.raises(ConfigError, match=line):
            draw_answers(traces, tmp_path / "a.svg", label=label)
