"""A trace as a page: what is drawn is what the trace holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled.errors import ConfigError, OutputError
from unrolled.lens import Trace, trace, trace_page
from unrolled.lens.traces import Answers, Expected, TracedLayer

TEXT = ("the", "<b>film</b>", "is", "</script>", "good")


def traced(cell: str = "LSTM", text: tuple[str, ...] = TEXT, **options: Any) -> Trace:
    torch.manual_seed(0)
    layer = getattr(unrolled, cell)(3, 6, 2, **options)
    found = trace(
        layer, torch.randn(len(text), 1, 3), loss=lambda y: y[0].square().sum(), inputs=text
    )
    steps = len(text)
    shares = torch.rand(steps, 2).softmax(-1).numpy()
    return Trace(
        "A model",
        found.inputs,
        found.layers,
        losses=np.array([*range(1, steps), np.nan], dtype=np.float32),
        expected=Expected((("film", "<i>"),) * steps, shares),
        answers=Answers(("good", "bad"), shares),
        notes=("of many steps the last are shown",),
    )


def numbers(text: str) -> list[float]:
    return [float(one) for one in re.findall(r"-?\d+\.\d+", text.replace("\N{MINUS SIGN}", "-"))]


def test_one_cursor_is_in_all_views(open_file: Callable[..., Any], tmp_path: Path) -> None:
    found = traced()
    page = open_file(found.to_html(tmp_path / "t.html"))
    page.locator(".strip span").nth(2).click()
    page.keyboard.press("ArrowRight")
    assert page.locator(".strip .here").all_text_contents() == ["</script>"]
    told = page.locator(".reading").inner_text()
    assert "Step 4 of 5" in told
    assert "Then came \u201cgood\u201d, which cost 4.00 nats" in told
    canvas = page.locator(".map canvas").bounding_box()
    column = page.locator(".column-mark").bounding_box()
    assert column["x"] == pytest.approx(canvas["x"] + 3 * canvas["width"] / 5, abs=2)
    for mark in page.locator(".time-mark").all():
        assert mark.bounding_box()["x"] == pytest.approx(
            canvas["x"] + 3.5 * canvas["width"] / 5, abs=3
        )
    page.locator(".map canvas").click(position={"x": canvas["width"] * 0.1, "y": 5})
    assert "Step 1 of 5" in page.locator(".reading").inner_text()
    page.keyboard.press("End")


def test_what_was_read_is_shown_as_text(open_file: Callable[..., Any], tmp_path: Path) -> None:
    page = open_file(traced().to_html(tmp_path / "t.html"))
    assert page.locator(".strip span").all_text_contents() == list(TEXT)
    assert page.locator(".strip b").count() == 0
    assert "of many steps the last are shown" in page.locator("#notes").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_unit_the_quantity_and_the_scheme(
    scheme: str, open_file: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_file(traced().to_html(tmp_path / "t.html"), color_scheme=scheme)

    def colours() -> list[str]:
        script = "e => e.map(one => getComputedStyle(one).backgroundColor)"
        return page.locator(".strip span").evaluate_all(script)

    first = colours()
    page.get_by_text("gate f", exact=True).click()
    assert colours() != first
    least = {"light": "pale", "dark": "dark"}[scheme]
    assert f"From 0 ({least}) to 1" in page.locator(".strip + .quiet").inner_text()
    page.get_by_text("gradient by c", exact=True).click()
    page.locator("select[aria-label=Layer]").select_option("0")
    page.locator("input[aria-label=Unit]").fill("3")
    assert "Unit 3 of LSTM, layer 1" in page.locator(".reading").inner_text()


def test_a_large_trace_is_drawn(open_file: Callable[..., Any], tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(1000, 512)).astype(np.float32)
    layer = TracedLayer(
        "a",
        0,
        False,
        "RNN_TANH",
        np.arange(512),
        {"h": values},
        {"h": values[0]},
        np.zeros(1000, dtype=bool),
    )
    found = Trace("A model", tuple("x" * 1000), (layer,))
    page = open_file(found.to_html(tmp_path / "t.html"))
    assert page.locator(".strip span").count() == 1000
    page.locator(".strip").focus()
    page.keyboard.press("End")
    shown = page.locator(".equation").inner_text()
    unit = int(page.locator("input[aria-label=Unit]").input_value())
    assert numbers(shown)[0] == pytest.approx(values[-1, unit], abs=6e-4)


def test_more_than_a_page_can_show_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_page, "MOST", 10)
    with pytest.raises(ConfigError, match="numbers, expected 10 at most"):
        traced().to_html(tmp_path / "t.html")
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    with pytest.raises(OutputError):
        traced().to_html(tmp_path / "no" / "t.html")
