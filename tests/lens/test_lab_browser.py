"""The laboratory in a real browser: from a chapter to two curves that grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from unrolled.lab import PRESETS, Laboratory

GROWN = """([place, points]) => {
  const curve = document.querySelector(`.lab-charts .lab-panel:nth-child(2) .lab-curve:not(.raw).of-${place}`);
  return curve && Number(curve.dataset.points) >= points;
}"""  # noqa: E501

MEAN_COLOURS = """() => [...document.querySelectorAll('.lab-heat')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const sum = [0, 0, 0];
  data.forEach((value, k) => { if (k % 4 < 3) sum[k % 4] += value; });
  return sum.map((one) => one / (data.length / 4));
})"""
SAID = """(words) => document.querySelector('svg[aria-label^="The gradient through time"]')
  .getAttribute('aria-label').includes(words)"""
OPENED = """(open) => document.querySelectorAll('.chain-svg .cell').length > 1 === open"""
ROWS = """() => {
  const names = [...document.querySelectorAll('.chain-svg .row-name')];
  const told = ['A guesses', 'B guesses', 'both read'];
  const rows = ['.symbol.small', '.symbol:not(.small):not(.read)', '.symbol.read'];
  const boxes = [
    ...told.map((name) => names.find((one) => one.textContent === name)),
    ...rows.map((row) => document.querySelector(`.chain-svg .cell ${row}`)),
  ].map((one) => one.getBoundingClientRect());
  return boxes.map(({ left, right, bottom }) => ({ left, right, bottom }));
}"""


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with Laboratory() as started:
        yield started


@pytest.fixture
def page(laboratory: Laboratory, open_url: Callable[..., Any]) -> Any:
    # In this order: the page is closed before what it listens to.
    size = {"width": 1280, "height": 720}
    page = open_url(laboratory.url, reduced_motion="reduce", viewport=size)
    page.get_by_role("heading", name="1. Order matters").wait_for()
    return page


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


def test_a_setting_that_can_not_be_is_told_at_its_field(page: Any) -> None:
    page.get_by_text("Settings: your own contest").click()
    fieldset = page.locator("fieldset", has_text="Network B")
    units = fieldset.get_by_label("units")
    units.fill("5000")
    units.blur()
    told = fieldset.get_by_role("alert").get_by_text("got 5000, expected at most 128")
    told.wait_for()
    assert units.get_attribute("aria-invalid") == "true"
    assert units.get_attribute("aria-describedby") == told.get_attribute("id")
    assert page.locator("[aria-invalid]").count() == 1
    assert page.locator(".complaint").text_content() == ""
    units.fill("8")
    units.blur()
    page.get_by_role("heading", name="B: RNN, 8 units").wait_for()
    assert units.get_attribute("aria-invalid") is None
    assert page.locator(".field-trouble:not(:empty)").count() == 0


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("Order matters", []),
        ("Memory", ["steps of a sequence", "delay of the echo"]),
        ("Unfolding", ["steps of a sequence", "text"]),
        ("Vanishing", ["steps of a sequence"]),
    ],
)
def test_only_the_fields_that_apply_are_seen(page: Any, title: str, fields: list[str]) -> None:
    chapter(page, title)
    page.get_by_text("Settings: your own contest").click()
    task = page.locator(".lab-settings fieldset").first
    task.get_by_label("sequences a step").wait_for()
    for name in ("steps of a sequence", "delay of the echo", "text"):
        assert task.get_by_label(name, exact=True).is_visible() == (name in fields)


def test_a_gate_that_is_half_open_is_half_as_orange_as_an_open_one(page: Any) -> None:
    chapter(page, "Gates")
    page.get_by_role("heading", name="B: LSTM, 16 units").wait_for()
    page.wait_for_function("() => document.querySelectorAll('.lab-heat').length === 2")
    half, opened = page.evaluate(MEAN_COLOURS)
    pale = 237  # how blue the colour of nothing is
    assert 40 < half[2] < pale - 60
    assert opened[2] < half[2] - 40


def test_the_longest_half_life_is_told_beside_the_median(page: Any) -> None:
    chapter(page, "Gates")
    page.get_by_text("half-life by its gates: longest 1.").wait_for()
    page.get_by_text("half-life by its gates: longest 3").wait_for()


def test_an_exploding_gradient_stays_to_be_seen_after_the_leap(page: Any) -> None:
    chapter(page, "Exploding and clipping")
    chart = page.locator("svg[aria-label^='The gradient through time']")
    page.get_by_role("heading", name="A: RNN, 64 units").wait_for()
    page.wait_for_function(SAID, arg="times its gradient 59 steps back")
    assert chart.locator(".before").count() == 0
    step = page.get_by_role("button", name="One step")
    step.click()
    page.locator(".where", has_text="1 step learnt").wait_for()
    step.click()
    page.wait_for_function(SAID, arg="A (RNN, 64 units) has nothing left of its gradient 59 steps")
    assert "(before the first step: 2 × 10⁴); B" in chart.get_attribute("aria-label")  # noqa: RUF001
    assert chart.locator(".before.of-0").bounding_box()["height"] > 30


def test_what_has_diverged_has_no_score_and_no_loss(page: Any) -> None:
    chapter(page, "Exploding and clipping")
    page.get_by_role("heading", name="A: RNN, 64 units").wait_for()
    # A relu with nothing that holds it grows without end on every machine; whether the chapter's
    # own A overflows or is only lost hangs on how its processor rounds.
    page.get_by_text("Settings: your own contest").click()
    begins = page.locator("fieldset", has_text="Network A").get_by_label("begins")
    begins.select_option("identity")
    page.get_by_text("with settings of your own").wait_for()
    page.get_by_role("button", name="Start", exact=True).click()
    for title in ("Score", "Loss", "The gradient through time"):
        panel = page.locator(".lab-panel", has=page.get_by_role("heading", name=title, exact=True))
        panel.get_by_text("A (RNN, 64 units) has diverged").wait_for()
    page.get_by_role("button", name="Pause", exact=True).click()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_names_of_the_rows_of_the_chain_stand_beside_them(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    chapter(page, "Unfolding")
    page.locator(".chain-svg .row-name", has_text="A guesses").wait_for()
    for button in ("Open the loop", "Fold it again"):
        boxes = page.evaluate(ROWS)
        for name, row in zip(boxes[:3], boxes[3:], strict=True):
            assert abs(name["bottom"] - row["bottom"]) <= 6
            assert name["right"] < row["left"]
        page.get_by_role("button", name=button).click()
        page.wait_for_function(OPENED, arg=button == "Open the loop")


@pytest.mark.parametrize("width", [390, 1280])
def test_every_chapter_fits_the_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for preset in PRESETS:
        chapter(page, preset.title)
        page.get_by_text(preset.why[:40]).wait_for()
        page.locator(".lab-column svg").nth(1).wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
