"""Lines that were translated, on the page in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unrolled.lens.page import render_report
from unrolled.lens.records import Report, TranslatedLine, TranslationPanel

from .translations import translation

LINES = [
    TranslatedLine("May 19th, 2024", "2024-05-19", "2024-05-19", "en", "English"),
    TranslatedLine("الأحد، ١٩ مايو ٢٠٢٤", "2024-05-19", "2024-05-19", "ar", "Arabic"),
    TranslatedLine(
        "duminică, 19 mai 2024", "2024-03-19", "2024-05-19", "ro", "Romanian", "was not learnt"
    ),
]


@pytest.fixture
def open_lines(open_file: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Opens a page of some lines."""

    def open_them(lines: list[TranslatedLine], **options: Any) -> Any:
        report = Report("t", "s", "m", translation=TranslationPanel("Dates", "As ISO.", lines))
        return open_file(render_report(report, tmp_path / "report.html"), **options)

    return open_them


def test_each_line_stands_beside_its_translation_and_is_said_to_be_right_or_wrong(
    open_lines: Callable[..., Any],
) -> None:
    page = open_lines(LINES)
    rows = page.locator(".translated tbody tr")
    assert [row.split("\n")[0] for row in rows.locator("th").all_inner_texts()] == [
        line.source for line in LINES
    ]
    right = rows.nth(0).inner_text()
    assert "2024-05-19" in right
    assert "right" in right
    assert "wrong" not in right
    wrong = rows.nth(2).inner_text()
    assert "2024-03-19" in wrong
    assert "wrong" in wrong
    assert "right is 2024-05-19" in wrong
    assert "Romanian" in wrong
    assert "was not learnt" in wrong
    assert page.locator(".translated caption").inner_text() == "2 of 3 are exactly right."


def test_a_source_is_marked_with_its_language_and_runs_its_own_way(
    open_lines: Callable[..., Any],
) -> None:
    page = open_lines(LINES)
    source = page.locator(".translated tbody tr").nth(1).locator("th bdi")
    assert source.get_attribute("lang") == "ar"
    assert source.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"


def test_an_empty_translation_is_said_to_be_one(open_lines: Callable[..., Any]) -> None:
    page = open_lines([TranslatedLine("x", "", "2024-05-19")])
    assert "(nothing)" in page.locator(".translated tbody tr").inner_text()
    assert page.locator(".translated caption").inner_text() == "0 of 1 are exactly right."


def test_on_a_phone_the_lines_fit_the_page(open_lines: Callable[..., Any]) -> None:
    long = TranslatedLine(
        "วันศุกร์ที่ ๒๙ เมษายน ค.ศ. ๒๐๙๕ " * 3, "2095-04-29" * 2, "2095-04-29", "th", "Thai"
    )
    page = open_lines([*LINES, long], viewport={"width": 390, "height": 800})
    page.locator(".translated tbody tr").nth(3).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def traced() -> list[TranslatedLine]:
    """The first two lines with a trace, told apart by what those of the network hold."""
    first, second, last = LINES
    return [
        replace(first, trace=translation(units=6)),
        replace(second, trace=translation(attention=False, units=6)),
        last,
    ]


def test_of_the_line_that_is_chosen_it_is_shown_where_each_step_looked(
    open_lines: Callable[..., Any],
) -> None:
    page = open_lines(traced())
    headings = page.locator(".alignment h3")
    with_attention = ["Where it looked", "The encoder and the decoder, unfolded"]
    assert headings.all_inner_texts() == with_attention
    assert page.get_by_role("radio").count() == 2
    page.locator(".translated tbody tr").nth(1).locator("td").last.click()
    assert page.get_by_role("radio").nth(1).is_checked()
    assert headings.all_inner_texts() == with_attention[1:]
    page.get_by_role("radio").nth(1).press("ArrowUp")
    assert headings.all_inner_texts() == with_attention


def test_one_step_has_the_cursor_in_all_views_of_the_line(open_lines: Callable[..., Any]) -> None:
    page = open_lines(traced())
    told = page.locator(".alignment .saying")
    before = told.inner_text()
    page.locator(".alignment .links").click(position={"x": 1, "y": 1})
    page.keyboard.press("End")
    assert told.inner_text() != before
    steps = len(traced()[0].trace or ())
    assert f"Step {steps} of {steps}" in page.locator(".alignment").inner_text()


def test_each_view_of_each_line_can_be_saved(open_lines: Callable[..., Any]) -> None:
    page = open_lines(traced())
    buttons = page.locator(".alignment .save")
    assert buttons.count() == 2
    for line, views in ((1, 1), (0, 2), (1, 1)):
        page.get_by_role("radio").nth(line).check()
        assert buttons.count() == views


def test_the_page_says_what_of_the_network_is_not_shown(open_lines: Callable[..., Any]) -> None:
    lines = traced()
    whole = translation(units=6)
    assert whole.source is not None
    told = replace(whole, notes=("six units",), source=replace(whole.source, notes=("of many",)))
    page = open_lines([replace(lines[0], trace=told)])
    assert page.locator(".notes-of").inner_text() == "six units of many"


def test_lines_without_a_trace_can_not_be_chosen(open_lines: Callable[..., Any]) -> None:
    page = open_lines(LINES)
    assert page.get_by_role("radio").count() == 0
    assert page.locator(".alignment").count() == 0
