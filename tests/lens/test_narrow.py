"""Pages on a telephone: nothing scrolls sideways but what is made to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.lens import Report, Trace
from unrolled.lens.page import render_report
from unrolled.lens.traces import TracedLayer


def traced() -> Trace:
    states = {name: np.full((9, 4), 0.5, np.float32) for name in "hc"}
    layer = TracedLayer(
        "members.0.encoder.recurrent",
        1,
        True,
        "LSTM",
        np.arange(4),
        states,
        {name: np.zeros(4, np.float32) for name in "hc"},
        np.zeros(9, bool),
        {name: np.full((9, 4), 0.5, np.float32) for name in "ifgo"},
        states,
        {name: np.ones(9, np.float32) for name in "hc"},
    )
    return Trace("A model", ("extraordinarily",) * 9, (layer,), loss="what it costs")


def test_no_page_is_wider_than_the_screen(
    open_file: Callable[..., Any], make_report: Callable[[], Report], tmp_path: Path
) -> None:
    pages = (
        traced().to_html(tmp_path / "t.html"),
        render_report(make_report(), tmp_path / "r.html"),
    )
    for path in pages:
        page = open_file(path, viewport={"width": 390, "height": 800})
        page.locator(".saveable").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
