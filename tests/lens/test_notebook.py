"""A trace and a report in a notebook: as a frame that needs nothing, and as a widget."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
import unrolled.lens
from unrolled.errors import ConfigError, MissingExtra
from unrolled.lens import Report, Trace, trace_page

BUNDLE = Path(unrolled.lens.__file__).parent / "static" / "lens.js"
CELL = """
import torch, unrolled
torch.manual_seed(0)
layer = unrolled.LSTM(3, 6)
words = ["a", "</iframe>", '"', "<b>", "&amp;"]
unrolled.trace(layer, torch.randn(5, 1, 3), loss=lambda y: y[0].sum(), inputs=words)
"""

needs_notebook = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("nbconvert", "nbclient", "ipykernel")),
    reason="nbconvert, nbclient or ipykernel is not installed",
)
needs_anywidget = pytest.mark.skipif(
    find_spec("anywidget") is None, reason="anywidget (extra `lens`) is not installed"
)


def traced(name: str = "A model", steps: int = 5, units: int = 6) -> Trace:
    torch.manual_seed(0)
    layer = unrolled.LSTM(3, units)
    found = unrolled.trace(layer, torch.randn(steps, 1, 3))
    return Trace(name, found.inputs, found.layers)


def page_in(frame: str) -> str:
    found = re.search(r'srcdoc="([^"]*)"', frame)
    assert found is not None
    return html.unescape(found[1])


def shown_in(page: str) -> Any:
    found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@needs_notebook
def test_a_notebook_that_was_executed_to_html_shows_the_view_and_fetches_nothing_for_it(
    browser: Any, tmp_path: Path
) -> None:
    notebook = tmp_path / "night.ipynb"
    cell = {
        "cell_type": "code",
        "id": "one",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": CELL,
    }
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.write_text(
        json.dumps(
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": [cell]}
        )
    )
    folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", notebook.name],
        cwd=tmp_path,
        env={**os.environ, **{name: str(tmp_path / name) for name in folders}},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr

    page = browser.new_page(viewport={"width": 1000, "height": 900})
    asked: list[tuple[str, bool]] = []
    # The page around the frame is nbconvert's, and asks for scripts of its own.
    page.route(re.compile("^https?:"), lambda route: route.abort())
    page.on("request", lambda one: asked.append((one.url, one.frame == page.main_frame)))
    page.goto((tmp_path / "night.html").as_uri())
    frame = page.frame_locator("iframe")
    assert frame.locator(".strip span").all_text_contents() == [
        "a",
        "</iframe>",
        '"',
        "<b>",
        "&amp;",
    ]
    frame.locator(".map canvas").wait_for()
    frame.locator(".strip span").nth(2).click()
    assert "Step 3 of 5" in frame.locator(".reading").inner_text()
    assert [url for url, around in asked if not around and not url.startswith("data:")] == []
    page.close()


def test_the_frame_holds_the_page_of_the_trace_and_can_not_reach_the_notebook() -> None:
    found = traced('<script>"&')
    frame = found._repr_html_()
    assert 'sandbox="allow-scripts allow-downloads"' in frame
    assert frame.count("<") == frame.count(">") == 2
    assert shown_in(page_in(frame)) == trace_page.data_of(found)


def test_a_report_at_the_end_of_a_cell_shows_its_page(make_report: Callable[[], Report]) -> None:
    report = make_report()
    assert shown_in(page_in(report._repr_html_())) == report.to_json()


def test_in_words_a_trace_and_a_report_are_one_short_line(
    make_report: Callable[[], Report],
) -> None:
    assert repr(traced()) == "<Trace of A model: 5 steps, LSTM of 6>"
    assert repr(make_report()) == "<Report 'unrolled: the demo'>"


def test_a_notebook_gets_fewer_units_of_a_large_trace_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = traced()
    every = trace_page.numbers_in(found)
    monkeypatch.setattr(trace_page, "MOST_IN_NOTEBOOK", every // 2)
    shown = shown_in(page_in(found._repr_html_()))
    assert shown["trace"]["layers"][0]["units"] == sorted(
        np.argsort(-found.layers[0].states["h"].std(axis=0))[:3].tolist()
    )
    told = shown["notes"][0]
    assert told.startswith("Of the 6 units of ")
    assert told.endswith(" the 3 that change most are shown.")
    monkeypatch.setattr(trace_page, "MOST_IN_NOTEBOOK", every)
    assert len(shown_in(page_in(found._repr_html_()))["trace"]["layers"][0]["units"]) == 6


def test_the_parts_of_a_page_inside_another_are_found(
    make_report: Callable[[], Report], browser: Any, tmp_path: Path
) -> None:
    around = tmp_path / "around.html"
    around.write_text(f"<!doctype html><title>x</title>{make_report()._repr_html_()}")
    page = browser.new_page(viewport={"width": 1000, "height": 900}, reduced_motion="reduce")
    page.goto(around.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("nav a", has_text="How it learnt").click()
    top = frame.locator("#training").evaluate("part => part.getBoundingClientRect().top")
    assert -1 < top < 760
    assert page.frames[1].url == "about:srcdoc"
    page.close()


@needs_anywidget
def test_the_widget_draws_and_draws_anew_what_it_is_given(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    widget = traced("First").widget()
    states = [widget.get_state()]
    widget.show(traced("Second", steps=4))
    states.append(widget.get_state())
    assert states[0]["_esm"] == BUNDLE.read_text(encoding="utf-8")
    # What a notebook does: it imports the module and calls `render` with a model and an element.
    module = base64.b64encode(states[0]["_esm"].encode()).decode()
    values = json.dumps([state["report"] for state in states])
    path = tmp_path / "cell.html"
    path.write_text(
        f"""<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>
        <div id="cell"></div><script type="module">
        import lens from "data:text/javascript;base64,{module}";
        const values = {values}, calls = new Set();
        let now = values[0];
        const model = {{
          get: (name) => name === "report" ? now : undefined,
          on: (event, call) => calls.add(event + call) && (window[event] = call),
          off: (event) => delete window[event],
          send: () => undefined,
        }};
        const close = lens.render({{ model, el: document.getElementById("cell") }});
        window.next = () => {{ now = values[1]; window["change:report"](); }};
        window.end = () => close();
        </script>"""
    )
    page = open_file(path)
    assert page.locator("h1").inner_text() == "First, step by step"
    assert page.locator(".strip span").count() == 5
    page.locator(".map canvas").wait_for()
    page.evaluate("window.next()")
    assert page.locator("h1").inner_text() == "Second, step by step"
    assert page.locator(".strip span").count() == 4
    page.evaluate("window.end()")
    assert page.evaluate("window['change:report'] === undefined")


@needs_anywidget
def test_a_widget_shows_reports_and_traces_and_nothing_else(
    make_report: Callable[[], Report],
) -> None:
    widget = make_report().widget()
    assert widget.report == make_report().to_json()
    widget.show(traced())
    assert widget.report == trace_page.data_of(traced())
    with pytest.raises(ConfigError, match="show: got str, expected a Trace or a Report"):
        widget.show("a text")
    assert widget.report == trace_page.data_of(traced())


def test_without_anywidget_the_pip_line_is_given_and_the_frame_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from unrolled.lens import notebook

    monkeypatch.setitem(sys.modules, "anywidget", None)
    notebook._widget_class.cache_clear()
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[lens\]'"):
        traced().widget()
    assert "srcdoc" in traced()._repr_html_()
