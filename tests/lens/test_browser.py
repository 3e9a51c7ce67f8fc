"""The page in a real browser, opened from disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unrolled.lens.page import render_report
from unrolled.lens.records import Report

MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def open_page(open_file: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Opens a report."""

    def open_report(report: Report, **options: Any) -> Any:
        return open_file(render_report(report, tmp_path / "report.html"), **options)

    return open_report


def test_all_parts_are_there_and_the_unfolded_view_has_a_column_for_each_symbol(
    open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    report = make_report()
    page = open_page(report)
    assert page.title() == report.title
    assert page.locator("nav a").count() == 6
    page.wait_for_selector(".chart .median")
    assert page.locator("article.forecast").count() == 3
    assert page.locator(".column").count() == len(report.unfolded)
    read = "".join(page.locator(".column .input-text").all_text_contents())
    assert read == "".join(report.unfolded.inputs).replace(" ", "␣")
    assert page.locator(".column image").count() == len(report.unfolded) * 2


def test_where_the_network_loses_the_page_says_so_in_words(
    open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    page = open_page(make_report())
    row = page.get_by_role("row", name="Monthly stock prices")
    assert row.get_by_text("network loses").is_visible()
    assert "loses 2" in page.locator(".scores caption").inner_text()
    assert page.get_by_text("network loses").count() == 2


def test_the_slider_the_buttons_and_the_series_move_the_fan(
    open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    page = open_page(make_report())
    panel = page.locator("article.forecast").nth(1)
    panel.locator(".chart .median").first.wait_for()
    drawn = lambda: panel.locator(".chart > g:nth-of-type(2)").inner_html()  # noqa: E731
    slider = panel.get_by_role("slider")
    seen = [drawn()]
    slider.fill("0")
    seen.append(drawn())
    assert "1 of 6" in panel.locator(".where").inner_text()
    assert panel.get_by_role("button", name="Earlier forecast").is_disabled()
    panel.get_by_role("button", name="Later forecast").click()
    seen.append(drawn())
    assert "2 of 6" in panel.locator(".where").inner_text()
    panel.get_by_label("Series").select_option("IBM")
    seen.append(drawn())
    assert len(set(seen)) == len(seen)


def test_values_can_be_read_with_the_mouse_and_with_the_keyboard(
    open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    page = open_page(make_report())
    panel = page.locator("article.forecast").first
    chart = panel.locator(".chart")
    chart.wait_for()
    assert panel.locator(".tip").is_hidden()
    chart.hover()
    assert "observed" in panel.locator(".tip").inner_text()
    page.mouse.move(2, 2)
    assert panel.locator(".tip").is_hidden()
    chart.focus()
    page.keyboard.press("ArrowRight")
    assert "came true" in panel.locator(".tip").inner_text()
    assert "80%" in panel.locator(".tip").inner_text()


def test_steps_and_units_can_be_chosen_with_the_keyboard_and_the_mouse(
    open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    report = make_report()
    trace = report.unfolded
    page = open_page(report)
    reading = page.locator(".unfolded-reading")
    page.locator(".column.here").focus()
    page.keyboard.press("Home")
    assert f"Step 1 of {len(trace)}" in reading.inner_text()
    page.keyboard.press("ArrowRight")
    assert "Step 2 of" in reading.inner_text()
    page.get_by_role("spinbutton", name="Unit to follow").fill("16")
    assert (
        f"unit 16 holds {trace.layers[1].states['h'][1][16]:.3f}".replace("-", MINUS)
        in reading.inner_text()
    )

    page.get_by_text("as stored").click()
    tile = page.locator(".column").nth(1).locator("image").first
    tile.scroll_into_view_if_needed()
    # Layer 1 comes first; its tiles are 5 pixels wide, 16 in a row: this is unit 34.
    tile.click(position={"x": 12, "y": 12})
    assert (
        f"unit 34 holds {trace.layers[0].states['h'][1][34]:.3f}".replace("-", MINUS)
        in reading.inner_text()
    )
    page.get_by_text("memory c").click()
    assert (
        f"unit 34 holds {trace.layers[0].states['c'][1][34]:.3f}".replace("-", MINUS)
        in reading.inner_text()
    )


def test_the_unfolded_network_and_the_views_below_it_have_one_cursor(
    open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    report = make_report()
    page = open_page(report)
    page.locator(".column.here").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator(".column.here").get_attribute("data-step") == "1"
    assert "Step 2 of 18" in page.locator(".reading").inner_text()
    page.locator(".strip span").nth(7).click()
    assert page.locator(".column.here").get_attribute("data-step") == "7"
    page.locator("select[aria-label=Layer]").select_option("0")
    page.locator("input[aria-label=Unit]").fill("5")
    told = page.locator(".unfolded-reading").inner_text()
    value = report.unfolded.layers[0].states["h"][7][5]
    assert f"unit 5 holds {value:.3f}".replace("-", MINUS) in told
    page.get_by_role("spinbutton", name="Unit to follow").fill("9")
    assert page.locator("input[aria-label=Unit]").input_value() == "9"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_all_without_scrolling_sideways(
    scheme: str, open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    page = open_page(make_report(), viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page.wait_for_selector(".chart .median")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(248, 246, 241)", "dark": "rgb(17, 21, 26)"}[scheme]


def test_an_empty_report_is_a_page_with_its_title(open_page: Callable[..., Any]) -> None:
    page = open_page(Report("nothing yet", "", ""))
    assert page.get_by_role("heading", name="nothing yet").is_visible()
    assert page.locator("section").count() == 0


def test_missing_values_and_odd_symbols_draw_without_complaint(
    open_page: Callable[..., Any], make_report: Callable[[], Report]
) -> None:
    report = make_report()
    series = report.forecasts[2].series[0]
    series.y = [None] * len(series.y)
    for fan in series.fans:
        fan.actual = [None] * len(fan.actual)
    report.scores[0].network = float("nan")
    report.losses[0].points[3] = (4, 0.3, float("nan"))
    report.losses[1].points = []
    whole = report.unfolded
    first, second = whole.layers
    odd = (*whole.inputs[:2], "\n", "<b>", "\x00", "", *whole.inputs[6:])
    plain = replace(first, states={"h": first.states["h"]})
    report.unfolded = replace(whole, inputs=odd, layers=(plain, second))
    page = open_page(report)
    page.wait_for_selector(".chart .median")
    assert page.locator(".column .input-text").nth(2).text_content() == "⏎"
    assert page.locator(".column .input-text").nth(3).text_content() == "<b>"
    # Without the heat maps, whose base64 may spell anything.
    written = re.sub(r"data:image[^\"]*", "", page.locator("#report").inner_html())
    for bad in ("NaN", "undefined", "Infinity"):
        assert bad not in written
