"""A translation on the page: two sequences with one cursor, what links them, and the search."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled.lens import Trace

from .translations import GERMAN, translation


@pytest.fixture
def drawn(open_file: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def draw(found: Trace, **options: Any) -> Any:
        return open_file(found.to_html(tmp_path / "t.html"), **options)

    return draw


def said(text: str) -> str:
    return text.strip() or "\u23ce"


def here(page: Any) -> str:
    """The step that the words of the views below speak of."""
    text: str = page.locator(".side:not([hidden]) .reading").inner_text()
    return text


def test_the_cursor_of_one_sequence_is_followed_in_the_other(drawn: Callable[..., Any]) -> None:
    whole = translation()
    assert whole.links is not None
    weights, targets = whole.links.weights, whole.links.targets
    page = drawn(whole)
    tokens = page.locator(".translation .token")
    assert tokens.count() == len(GERMAN) + len(targets)
    for step in (1, 6):
        tokens.nth(len(GERMAN) + step).click()
        assert f"Step {step + 1} of 16" in here(page)
        best = int(weights[step].argmax())
        told = f"For \u201c{said(targets[step])}\u201d it looked most at \u201c{said(GERMAN[best])}"
        assert told in page.locator(".task .saying").first.inner_text()
        assert page.locator(".links .here").all_text_contents() == [said(targets[step])]
        seen = [k for k, weight in enumerate(weights[step]) if weight > 0.1]
        lit = page.locator(".links .seen").all_text_contents()
        assert lit == [said(GERMAN[k]) for k in seen]
        assert page.locator(".translation .link.now").count() == (weights[step] > 0.02).sum()
        assert page.locator(".attention .row-mark").is_visible()
    # The same from the other side: the views below are those of the encoder now.
    tokens.nth(7).click()
    assert "Step 8 of 16: read \u201c steht\u201d" in here(page)
    assert page.locator(".links .here").all_text_contents() == ["steht"]
    seen = [k for k, weight in enumerate(weights[:, 7]) if weight > 0.1]
    assert page.locator(".links .seen").all_text_contents() == [said(targets[k]) for k in seen]
    assert page.locator(".translation .link.now").count() == (weights[:, 7] > 0.02).sum()
    assert not page.locator(".attention .row-mark").is_visible()
    assert page.locator(".attention .column-mark").is_visible()
    # The decoder followed to the step that looks there most.
    page.get_by_text("the decoder, along the translation").click()
    assert f"Step {int(weights[:, 7].argmax()) + 1} of 16: read" in here(page)


def test_arrow_keys_move_along_a_sequence_and_from_one_to_the_other(
    drawn: Callable[..., Any],
) -> None:
    whole = translation()
    assert whole.links is not None
    page = drawn(whole)
    page.locator(".translation-scroll").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert "Step 2 of 16: read \u201cA\u201d" in here(page)
    page.keyboard.press("ArrowUp")
    assert "Step 2 of 16: read \u201c Mann\u201d" in here(page)
    page.keyboard.press("End")
    assert "Step 16 of 16: read \u201c.\u201d" in here(page)
    page.keyboard.press("ArrowDown")
    step = int(whole.links.weights[:, -1].argmax())
    assert f"Step {step + 1} of 16" in here(page)
    page.keyboard.press("ArrowLeft")
    assert f"Step {step} of 16" in here(page)
    chosen = page.locator(".sides input:checked").evaluate("e => e.value")
    assert chosen == "target"


def test_the_layers_of_each_sequence_are_chosen_and_drawn_by_themselves(
    drawn: Callable[..., Any],
) -> None:
    page = drawn(translation())
    layers = page.locator(".side:not([hidden]) select[aria-label=Layer]")
    assert layers.locator("option").all_text_contents() == [
        "decoder, layer 1 (GRU)",
        "decoder, layer 2 (GRU)",
    ]
    page.get_by_text("the encoder, along the source").click()
    assert layers.locator("option").all_text_contents() == [
        "encoder, layer 1 (GRU)",
        "encoder, layer 1, backward (GRU)",
    ]
    layers.select_option("1")
    assert "of encoder, layer 1, backward" in here(page)
    assert page.locator(".translation .step").first.locator(".box.chosen").count() == 1
    assert page.locator(".translation .step").last.locator(".box").count() == 2
    tile = page.locator(".translation .step").nth(2).locator(".tile").nth(3)
    unit = re.match(r"unit (\d+)", tile.locator("title").text_content() or "")
    assert unit is not None
    tile.click()
    assert f"Unit {unit[1]} of encoder, layer 1 (GRU)" in here(page)


def test_without_attention_one_vector_joins_the_two(drawn: Callable[..., Any]) -> None:
    page = drawn(translation(attention=False))
    titles = page.locator(".trace-card > section > h3").all_text_contents()
    assert "Where it looked" not in titles
    assert "The encoder and the decoder, unfolded" in titles
    # From where each direction of the encoder ends.
    assert page.locator(".translation .link.now").count() == 2
    page.locator(".translation .token").nth(4).click()
    assert "Step 5 of 16: read \u201c blau\u201d" in here(page)
    page.get_by_text("the decoder, along the translation").click()
    assert "Step 9 of 16" in here(page)


def test_what_came_is_the_answer_of_each_step(drawn: Callable[..., Any]) -> None:
    whole = translation()
    assert whole.expected is not None
    page = drawn(whole)
    page.locator(".translation-scroll").focus()
    page.keyboard.press("End")
    assert "Then came the end of the sentence" in here(page)
    page.keyboard.press("Home")
    assert "read the beginning of the translation. It expects \u201cA\u201d 86%" in here(page)
    both = zip(whole.expected.choices, whole.expected.came, strict=True)
    first = sum(row[0] == came for row, came in both)
    told = f"What came was the first choice at {first} of 16 steps"
    assert told in page.locator(".task", has=page.locator(".expected")).inner_text()


def test_the_search_is_drawn_with_its_answer_on_top(drawn: Callable[..., Any]) -> None:
    whole = translation()
    beam = whole.beam
    assert beam is not None
    page = drawn(whole)
    nodes = page.locator(".beam .node")
    assert nodes.count() == len(beam.tokens)
    path = beam.path(beam.best)
    wins = page.locator(".beam .node.wins").evaluate_all(
        """e => e.map(one => [
            +one.dataset.node, one.querySelector('rect').getBoundingClientRect().y
        ])"""
    )
    assert sorted(node for node, _ in wins) == list(path)
    assert len({y for _, y in wins}) == 1
    others = page.locator(".beam .node:not(.wins) rect").evaluate_all(
        "e => e.map(one => one.getBoundingClientRect().y)"
    )
    assert min(others) > wins[0][1]
    for node in (0, path[-1], len(beam.tokens) - 1):
        text = page.locator(f".beam [data-node='{node}'] text").all_text_contents()
        assert text[:2] == [
            said(beam.tokens[node]),
            f"{beam.sums[node]:.2f}".replace("-", "\N{MINUS SIGN}"),
        ]
    ranks = page.locator(".beam .rank-text").all_text_contents()
    assert sorted(ranks) == ["1", "2", "3", "4"]
    page.get_by_text("without", exact=True).click()
    assert nodes.count() == sum(fate != "pruned" for fate in beam.fates)


def test_pointing_at_a_hypothesis_says_what_it_is_and_why_it_lost(
    drawn: Callable[..., Any],
) -> None:
    whole = translation()
    beam = whole.beam
    assert beam is not None
    page = drawn(whole)
    part = page.locator(".task", has=page.locator(".beam"))
    lost = next(k for k, fate in enumerate(beam.fates) if fate == "pruned" and beam.steps[k] == 2)
    text = "".join(beam.tokens[node] for node in beam.path(lost))
    page.locator(f".beam [data-node='{lost}'] .token").hover()
    assert f"\u201c{text}\u201d" in part.locator(".saying").inner_text()
    kept = min(
        beam.sums[k] for k, fate in enumerate(beam.fates) if fate == "kept" and beam.steps[k] == 2
    )
    least = f"{kept:.2f}".replace("-", "\N{MINUS SIGN}")
    why = part.locator(".quiet").last
    assert f"Given up at step 3: the last of the 4 that were kept has {least}." in why.inner_text()
    lit = page.locator(".beam .node.on").evaluate_all("e => e.map(one => +one.dataset.node)")
    assert sorted(lit) == list(beam.path(lost))
    # A click takes the cursor there; keys go on from it.
    page.locator(f".beam [data-node='{lost}'] .token").click()
    assert "Step 3 of 16" in here(page)
    page.keyboard.press("ArrowLeft")
    assert "Step 2 of 16" in here(page)
    page.keyboard.press("ArrowUp")
    focused = page.evaluate("document.activeElement.dataset.node")
    assert int(focused) in beam.path(beam.best)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("+document.activeElement.dataset.node") == beam.path(beam.best)[3]
    assert "Step 4 of 16" in here(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_shows_it_all_and_scrolls_to_the_cursor(
    scheme: str, drawn: Callable[..., Any]
) -> None:
    page = drawn(translation(), viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page.locator(".saveable").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for box, mark in (
        (".translation-scroll", ".translation .step.here"),
        (".beam-scroll", ".here"),
    ):
        page.locator(box).scroll_into_view_if_needed()
        outer = page.locator(box).bounding_box()
        inner = page.locator(f"{box} {mark}").first.bounding_box()
        assert outer["x"] <= inner["x"] + inner["width"] / 2 <= outer["x"] + outer["width"]
    # Of sixteen columns each has its name, and none runs into the next.
    names = page.locator(".attention .above text").evaluate_all(
        "e => e.map(one => [one.getBoundingClientRect().left, one.getBoundingClientRect().right])"
    )
    assert len(names) == 16
    assert all(right <= left + 2 for (_, right), (left, _) in pairwise(names))


def test_every_view_of_a_translation_can_be_saved(
    drawn: Callable[..., Any], tmp_path: Path
) -> None:
    page = drawn(translation())
    for title in ("Where it looked", "How it searched", "The encoder and the decoder, unfolded"):
        with page.expect_download() as download:
            page.get_by_label(f"Save \u201c{title}\u201d as SVG").click()
        download.value.save_as(tmp_path / "a.svg")
        svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
        assert title in svg
        assert ">ladder</text>" in svg
        assert np.char.count(svg, "http") <= svg.count("http://www.w3.org") + 1
