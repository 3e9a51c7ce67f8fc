"""A view of a page saved as a picture of its own, from a page on disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from unrolled.lens import Report, Trace
from unrolled.lens.page import render_report
from unrolled.lens.traces import Answers, TracedLayer

WORDS = ("the", "<b>film</b>", "is", "</svg>", "a\x01b", "\ud800", "good")
SVG = "{http://www.w3.org/2000/svg}"


def traced() -> Trace:
    rng = np.random.default_rng(5)
    steps, units = len(WORDS), 9

    def drawn() -> np.ndarray:
        return rng.normal(size=(steps, units)).astype(np.float32)

    layers = tuple(
        TracedLayer(
            f"rnn{k}",
            0,
            False,
            "RNN_TANH",
            np.arange(units),
            {"h": drawn()},
            {"h": np.zeros(units, np.float32)},
            np.zeros(steps, bool),
            {},
            {"h": drawn()},
            {"h": 10.0 ** rng.uniform(-4, 1, steps).astype(np.float32)},
        )
        for k in range(2)
    )
    chances = rng.dirichlet(np.ones(2), steps).astype(np.float32)
    return Trace("A model", WORDS, layers, answers=Answers(("yes", "no"), chances), loss="it")


def saved(page: Any, view: Any, kind: str, folder: Path) -> Path:
    with page.expect_download() as started:
        view.get_by_role("button", name=re.compile(f"as {kind}$")).click()
    target = folder / started.value.suggested_filename
    started.value.save_as(target)
    return target


def view_named(page: Any, title: str) -> Any:
    return page.locator(".trace-card > section", has=page.get_by_role("heading", name=title))


def colour_of(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_of_a_trace_is_saved_on_the_ground_of_its_card(
    scheme: str, open_file: Callable[..., Any], tmp_path: Path
) -> None:
    image = pytest.importorskip("PIL.Image", reason="the extra `lens` is not installed")
    page = open_file(traced().to_html(tmp_path / "t.html"), color_scheme=scheme)
    card = page.locator(".card").first.evaluate("e => getComputedStyle(e).backgroundColor")
    views = page.locator(".trace-card > section").all()
    assert len(views) == 6
    for view in views:
        png = saved(page, view, "PNG", tmp_path)
        title = view.locator("h3").inner_text()
        assert png.stem == re.sub(r"\W+", "-", title.lower())
        with image.open(png) as picture:
            drawn = np.asarray(picture.convert("RGB")).astype(int)
        # Twice the pixels of the view and of the space around it.
        box = view.bounding_box()
        assert drawn.shape[1] == 2 * round(box["width"] + 40)
        assert tuple(drawn[1, 1]) == colour_of(card)
        # The title, and below it something else than ground.
        ground = np.abs(drawn - drawn[1, 1]).sum(axis=2) > 60
        assert ground[: 2 * 50].any()
        assert ground[2 * 60 :].any()
    assert page.locator(".saving").count() == 0


def test_a_curve_is_saved_as_lines_in_the_colours_of_the_page(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_file(traced().to_html(tmp_path / "t.html"))
    view = view_named(page, "Gradient by the state of each step")
    root = ElementTree.parse(saved(page, view, "SVG", tmp_path)).getroot()
    lines = view.locator("path.series")
    assert lines.count() == 2
    script = "e => [e.getAttribute('d'), getComputedStyle(e).stroke, getComputedStyle(e).fill]"
    paths = {one.get("d"): one for one in root.iter(f"{SVG}path")}
    for k in range(2):
        shape, stroke, fill = lines.nth(k).evaluate(script)
        assert (paths[shape].get("stroke"), paths[shape].get("fill")) == (stroke, fill)
    told = [one.text for one in root.iter(f"{SVG}text")]
    assert told[0] == "Gradient by the state of each step"
    assert "rnn1, layer 1 (RNN_TANH)" in told
    assert "PNG" not in told


def test_a_saved_picture_needs_no_page_and_holds_no_script(
    open_file: Callable[..., Any], make_report: Callable[[], Report], tmp_path: Path
) -> None:
    page = open_file(render_report(make_report(), tmp_path / "r.html"))
    views = page.locator(".saveable").all()
    # Three forecasts, the scores, the text, two losses, and the views of the unfolded network.
    assert len(views) == 7 + page.locator("#unfolded .saveable").count() >= 10
    for view in views:
        content = saved(page, view, "SVG", tmp_path).read_text(encoding="utf-8")
        root = ElementTree.fromstring(content)
        assert "var(" not in content
        for one in root.iter():
            assert one.tag.removeprefix(SVG) not in ("script", "style", "foreignObject", "a")
            assert one.get("class") is None
            assert not [name for name in one.attrib if name.startswith("on")]
            link = one.get("href") or one.get("{http://www.w3.org/1999/xlink}href")
            assert link is None or link.startswith("data:image/png")


def test_what_was_read_is_saved_as_text_in_its_colours(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_file(traced().to_html(tmp_path / "t.html"))
    view = view_named(page, "What was read, in the colours of one unit")
    root = ElementTree.parse(saved(page, view, "SVG", tmp_path)).getroot()
    told = [one.text for one in root.iter(f"{SVG}text")]
    assert told[1:8] == ["the", "<b>film</b>", "is", "</svg>", "a�b", "�", "good"]
    script = "e => e.map(one => getComputedStyle(one).backgroundColor)"
    colours = view.locator(".strip span").evaluate_all(script)
    fills = [one.get("fill") for one in root.iter(f"{SVG}rect")]
    assert [one for one in fills if one in colours] == colours


def test_the_unfolded_network_is_saved_whole_where_the_page_scrolls(
    open_file: Callable[..., Any], make_report: Callable[[], Report], tmp_path: Path
) -> None:
    page = open_file(
        render_report(make_report(), tmp_path / "r.html"), viewport={"width": 390, "height": 800}
    )
    inner = page.locator(".unfolded-scroll").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert inner[0] > inner[1]
    svg = saved(page, view_named(page, "Every step, side by side"), "SVG", tmp_path)
    assert int(ElementTree.parse(svg).getroot().get("width", "0")) > inner[0]


def test_a_view_is_saved_from_inside_a_notebook(browser: Any, tmp_path: Path) -> None:
    around = tmp_path / "around.html"
    around.write_text(f"<!doctype html><title>x</title>{traced()._repr_html_()}")
    page = browser.new_page()
    page.goto(around.as_uri())
    with page.expect_download() as started:
        page.frame_locator("iframe").get_by_role(
            "button", name="Save “All units over time” as PNG"
        ).click()
    assert started.value.suggested_filename == "all-units-over-time.png"
    assert started.value.path().read_bytes().startswith(b"\x89PNG")
    page.close()
