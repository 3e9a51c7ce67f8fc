"""The views of a trace: their numbers are the trace's, and one cursor is in all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled.errors import ConfigError
from unrolled.lens import Trace, trace

MINUS, SIGMA = "\N{MINUS SIGN}", "\N{GREEK SMALL LETTER SIGMA}"
WORDS = ("she", "said", '"', "no", '"', "and", "left", "the", "old", "house")


def traced(kind: str = "LSTM", words: tuple[str, ...] = WORDS, **options: Any) -> Trace:
    torch.manual_seed(0)
    layer = getattr(unrolled, kind)(3, 8, **options)
    return trace(
        layer, torch.randn(len(words), 1, 3), loss=lambda y: y[0][-1].square().sum(), inputs=words
    )


def numbers(text: str) -> list[float]:
    plain = text.replace(MINUS, "-")
    return [float(one) for one in re.findall(r"-?\d+\.\d+", plain)]


def go(page: Any, step: int) -> None:
    page.locator(".strip").focus()
    page.keyboard.press("Home")
    for _ in range(step):
        page.keyboard.press("ArrowRight")


def unit_of(page: Any, found: Trace) -> int:
    number = int(page.locator("input[aria-label=Unit]").input_value())
    return found.layers[-1].units.tolist().index(number)


def test_the_loop_opens_into_the_steps_around_the_cursor(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_file(traced().to_html(tmp_path / "t.html"), reduced_motion="reduce")
    go(page, 0)
    shown = page.locator(".loop .in").all_text_contents()
    assert shown[0] in WORDS
    assert len(shown) == 10  # all, on a wide screen
    assert page.locator(".loop .step.here .in").text_content() == "she"
    page.locator(".loop .step", has_text="left").locator(".in").click()
    assert "Step 7 of 10" in page.locator(".reading").inner_text()
    page.get_by_role("button", name="Fold it back into a loop").click()
    assert page.get_by_text("the state goes on to the next step").count() == 1
    page.get_by_role("button", name="Unfold it over time").click()
    assert page.get_by_text("the state goes on to the next step").count() == 0


def test_the_loop_opens_by_itself_when_it_is_seen(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_file(traced().to_html(tmp_path / "t.html"))
    page.locator(".loop").scroll_into_view_if_needed()
    page.get_by_role("button", name="Fold it back into a loop").wait_for()
    page.locator(".loop .loop-name").wait_for(state="detached")


def test_arrows_tell_how_much_a_step_keeps(open_file: Callable[..., Any], tmp_path: Path) -> None:
    found = traced()
    page = open_file(found.to_html(tmp_path / "t.html"), reduced_motion="reduce")
    kept = [float(one) for one in page.locator(".loop .kept").all_text_contents()]
    np.testing.assert_allclose(kept, found.layers[0].gates["f"].mean(1)[1:], atol=0.006)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN", "MinGRU"])
@pytest.mark.parametrize("step", [0, 4])
def test_what_flows_together_is_what_flows_on(
    kind: str, step: int, open_file: Callable[..., Any], tmp_path: Path
) -> None:
    found = traced(kind)
    page = open_file(found.to_html(tmp_path / "t.html"))
    go(page, step)
    unit = unit_of(page, found)
    flows = {
        line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1].replace(MINUS, "-"))
        for line in page.locator(".ribbon-name").all_text_contents()
    }
    layer = found.layers[0]
    h = float(layer.states["h"][step, unit])
    if kind == "LSTM":
        assert flows["f · c before"] + flows["i · g"] == pytest.approx(
            flows["c, goes on"], abs=2e-3
        )
        assert flows["h, the output"] == pytest.approx(h, abs=6e-4)
        assert flows["c, goes on"] == pytest.approx(layer.states["c"][step, unit], abs=6e-4)
    elif kind == "GRU":
        made = flows["z · h before"] + flows[f"(1 {MINUS} z) · n"]
        assert made == pytest.approx(flows["h, goes on, and is the output"], abs=2e-3)
        assert flows["h, goes on, and is the output"] == pytest.approx(h, abs=6e-4)
    elif kind == "RNN":
        made = flows["from the state before, W h"] + flows["from the input, W x"]
        assert made == pytest.approx(flows["sum"], abs=2e-3)
        assert flows["h, goes on, and is the output"] == pytest.approx(np.tanh(made), abs=2e-3)
    else:
        made = flows["a · h before"] + flows["b, from the input alone"]
        assert made == pytest.approx(flows["h, goes on"], abs=2e-3)
        assert flows["h, goes on"] == pytest.approx(h, abs=6e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "LSTM", "peephole": True},
        {"kind": "LSTM", "layer_norm": True, "zoneout": (0.2, 0.3)},
        {"kind": "GRU", "zoneout": 0.25, "layer_norm": True},
        {"kind": "RNN", "nonlinearity": "relu"},
        {"kind": "RNN", "bidirectional": True},
        {"kind": "MinGRU"},
    ],
)
def test_every_line_of_an_equation_adds_up(
    options: dict[str, Any], open_file: Callable[..., Any], tmp_path: Path
) -> None:
    """Each line is evaluated as it stands there; the last gives the state that the map shows."""
    found = traced(**options)
    page = open_file(found.to_html(tmp_path / "t.html"))
    names = {
        SIGMA: lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "relu": lambda x: max(0.0, x),
    }
    for step in (0, 5, 9):
        page.locator("select[aria-label=Layer]").select_option(str(len(found.layers) - 1))
        go(page, step)
        unit = unit_of(page, found)
        lines = [
            line.replace(MINUS, "-").replace("·", "*").replace("tanh c", "").strip()
            for line in page.locator(".equation").all_text_contents()
        ]
        assert len(lines) >= (1 if options["kind"] in ("RNN", "MinGRU") else 4)
        for line in lines:
            if line.startswith("N(c)"):
                continue
            *_, made, result = line.split(" = ")
            value = eval(made, {"__builtins__": {}}, names)
            assert value == pytest.approx(float(result), abs=6e-3), line
        last = float(lines[-1].split(" = ")[-1])
        assert last == pytest.approx(found.layers[-1].states["h"][step, unit], abs=6e-4)


def test_the_influence_under_the_cursor_is_the_traces(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    found = traced()
    assert found.influence is not None
    page = open_file(found.to_html(tmp_path / "t.html"))
    for step in (3, 9):
        go(page, step)
        size, product = found.influence.at(step, 10)
        bars = page.locator(".influence rect").evaluate_all(
            "bars => bars.map(one => [one.getBBox().height, one.getAttribute('class')])"
        )
        assert len(bars) == step + 1
        high = np.array([bar[0] for bar in bars])
        np.testing.assert_allclose(
            high / high.max(), np.maximum(size / size.max(), 1 / 98)[: step + 1], atol=0.01
        )
        assert [bar[1] for bar in bars] == [
            "lowers" if value < 0 else "raises" for value in product[: step + 1]
        ]
        best = int(size.argmax())
        assert (
            f"step {best + 1} ({round(100 * size[best] / size.sum())}%)"
            in page.locator(".influence + .quiet").inner_text()
        )


def test_half_lives_are_dots_that_choose_their_unit(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    found = traced()
    page = open_file(found.to_html(tmp_path / "t.html"))
    titles = page.locator(".half-lives .dot title").all_text_contents()
    assert len(titles) == 8
    lives = found.layers[0].half_lives
    assert numbers(titles[2])[0] == pytest.approx(float(lives["gates"][2]), rel=0.06)
    page.locator(".half-lives .dot").nth(2).click(force=True)
    assert page.locator("input[aria-label=Unit]").input_value() == "2"


def test_a_span_finds_the_units_that_are_on_exactly_there(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    found = traced()
    h = np.zeros((10, 8), dtype=np.float32)
    h[2:5, 3] = 0.9  # on in the quotes alone
    h[:, 4] = 0.9  # always on
    h[2:5, 5] = -0.8
    h[8, 5] = -0.8  # low in the quotes, and at one step more
    found.layers[0].states["h"][:] = h
    page = open_file(found.to_html(tmp_path / "t.html"))
    go(page, 2)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator(".strip .marked").all_text_contents() == ['"', "no", '"']
    assert page.locator(".span-units button").all_text_contents() == [
        "unit 3 high, on nowhere else",
        "unit 5 low, on in 14% of the rest",
    ]
    page.locator(".span-units button").nth(1).click()
    assert page.locator("input[aria-label=Unit]").input_value() == "5"
    page.locator(".strip").focus()
    page.keyboard.press("Escape")
    assert page.locator(".strip .marked").count() == 0
    spans = page.locator(".strip span")
    spans.nth(5).hover()
    page.mouse.down()
    spans.nth(7).hover()
    page.mouse.up()
    assert page.locator(".strip .marked").all_text_contents() == ["and", "left", "the"]
    assert "No unit is on in" in page.locator(".span-units").inner_text()


def test_units_are_sorted_by_what_they_follow_and_how_long_they_hold(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    found = traced()
    h = np.random.default_rng(0).normal(size=(10, 8)).astype(np.float32)
    inside = np.array([0, 0, 1, 1, 0, 0, 0, 0, 0, 0], dtype=np.float32)
    h[:, 6] = 0.5 - inside  # follows it downwards
    found.layers[0].states["h"][:] = h
    found.layers[0].half_lives["measured"][:] = [1, 2, 9, 3, 1, 1, np.inf, 1]
    page = open_file(found.to_html(tmp_path / "t.html"))
    order = page.locator("select[aria-label='Order of the units']")
    order.select_option("quotes")
    assert page.locator("input[aria-label=Unit]").input_value() == "6"
    told = page.locator(".map + .quiet")
    assert f"unit 6, correlation {MINUS}1.00 over these 10 steps" in told.inner_text()
    assert page.locator(".row-mark").bounding_box()["y"] == pytest.approx(
        page.locator(".map canvas").bounding_box()["y"], abs=2
    )
    order.select_option("memory")
    assert "unit 6, longer than was followed" in told.inner_text()
    order.select_option("alike")
    assert "like units" in order.inner_text()
    assert "alike lie side by side" in told.inner_text()


def test_a_gradient_that_has_vanished_is_said_to_have(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    words = tuple("x" * 80)
    faint, strong = traced("RNN", words), traced("LSTM", words, init=("chrono", 80))
    page = open_file(faint.to_html(tmp_path / "t.html", beside={"<b>LSTM</b>": strong}))
    section = page.locator("section", has_text="Gradient by the state of each step").last
    told = section.inner_text()
    assert "RNN, layer 1 (RNN_TANH) is" in told
    assert "on its way back it fades by a factor of ten every" in told
    assert "It has vanished before it gets there." in told
    assert "<b>LSTM</b> is" in told
    assert told.count("It has vanished") == 1
    assert section.locator("path.series").count() == 2
    assert section.locator(".threshold-name").all_text_contents() == [
        "vanished: below 1.2e-7 of the largest"
    ]
    bare = trace(unrolled.RNN(3, 4), torch.zeros(3, 1, 3))
    with pytest.raises(ConfigError, match="beside: the trace 'bare' has no gradients"):
        faint.to_html(tmp_path / "t.html", beside={"bare": bare})


def test_all_views_redraw_at_another_width(open_file: Callable[..., Any], tmp_path: Path) -> None:
    page = open_file(traced().to_html(tmp_path / "t.html"), reduced_motion="reduce")
    assert page.locator(".loop .in").count() == 10
    page.set_viewport_size({"width": 480, "height": 900})
    page.locator(".loop .in").nth(5).wait_for(state="detached")
    assert page.locator(".map canvas").bounding_box()["width"] < 450
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
