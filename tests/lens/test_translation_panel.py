"""Lines that were translated, on the page in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unrolled.lens.page import render_report
from unrolled.lens.records import Report, TranslatedLine, TranslationPanel

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
