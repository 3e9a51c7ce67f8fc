"""The laboratory in a real browser: from a chapter to two curves that grow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from unrolled.lab import PRESETS, Laboratory

GROWN = """([place, points]) => {
  const curve = document.querySelector(`.lab-charts .lab-panel:nth-child(2) .lab-curve:not(.raw).of-${place}`);
  return curve && Number(curve.dataset.points) >= points;
}"""  # noqa: E501


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with Laboratory() as started:
        yield started


@pytest.fixture
def page(browser: Any, laboratory: Laboratory) -> Iterator[Any]:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(laboratory.url)
    page.get_by_role("heading", name="1. Order matters").wait_for()
    yield page
    context.close()
    assert complaints == []


def chapter(page: Any, title: str) -> None:
    page.locator(".chapter", has_text=title).click()
    page.locator(".chapter[aria-current]", has_text=title).wait_for()


def steps(page: Any) -> int:
    return int(page.locator(".where b").inner_text().replace(",", ""))


def test_a_chapter_runs_pauses_and_begins_anew_with_another_cell(page: Any) -> None:
    chapter(page, "Memory")
    page.get_by_role("button", name="Start", exact=True).click()
    for place in (0, 1):
        page.wait_for_function(GROWN, arg=[place, 5], timeout=60_000)
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).wait_for()
    assert steps(page) >= 5
    page.get_by_text("Settings: your own contest").click()
    page.locator("fieldset", has_text="Network A").get_by_label("cell").select_option("GRU")
    page.get_by_role("heading", name="A: GRU, 4 units").wait_for()
    page.get_by_text("with settings of your own").wait_for()
    page.wait_for_function("() => document.querySelector('.where b').textContent === '0'")
    page.get_by_role("button", name="One step").click()
    page.wait_for_function("() => document.querySelector('.where b').textContent === '1'")
    page.get_by_role("button", name="Back to the chapter").click()
    page.get_by_role("heading", name="A: RNN, 4 units").wait_for()


def test_what_the_charts_show_is_said_in_words(page: Any) -> None:
    chapter(page, "Vanishing")
    chart = page.locator("svg[aria-label^='The gradient through time']")
    page.get_by_role("heading", name="B: LSTM, 32 units").wait_for()
    told = chart.get_attribute("aria-label")
    assert "A (RNN, 32 units) has" in told
    assert "10⁻" in told
    assert "59 steps back" in told
    assert page.locator(".lab-column svg[role=img]").count() == 2
    reading = page.locator(".lab-column svg[role=img]").first.get_attribute("aria-label")
    assert "Wanted:" in reading


def test_the_loop_opens_into_the_chain_and_is_walked_by_keys(page: Any) -> None:
    chapter(page, "Unfolding")
    chain = page.locator(".chain-svg")
    page.wait_for_function("() => document.querySelectorAll('.chain-svg .cell').length === 1")
    page.get_by_role("button", name="Open the loop").click()
    page.wait_for_function("() => document.querySelectorAll('.chain-svg .cell').length > 6")
    read = chain.locator(".cell.here .read").text_content
    first = read()
    chain.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Step 2: it reads").wait_for()
    assert first == "y"
    assert read() == "e"
    page.get_by_role("button", name="Fold it again").click()
    page.wait_for_function("() => document.querySelectorAll('.chain-svg .cell').length === 1")


def test_a_setting_that_can_not_be_is_told_in_one_line(page: Any) -> None:
    page.get_by_text("Settings: your own contest").click()
    units = page.locator("fieldset", has_text="Network B").get_by_label("units")
    units.fill("5000")
    units.blur()
    page.get_by_role("alert").get_by_text("network B, hidden_size: got 5000").wait_for()
    units.fill("8")
    units.blur()
    page.get_by_role("heading", name="B: RNN, 8 units").wait_for()
    assert page.locator(".complaint").text_content() == ""


@pytest.mark.parametrize("width", [390, 1280])
def test_every_chapter_fits_the_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for preset in PRESETS:
        chapter(page, preset.title)
        page.get_by_text(preset.why[:40]).wait_for()
        page.locator(".lab-column svg").nth(1).wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
