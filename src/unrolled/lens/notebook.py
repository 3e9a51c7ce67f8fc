"""A page inside a notebook's cell: as a frame that holds all of it, or as a widget.

The frame is what a cell shows by itself: it needs no extension and no kernel, so it is still there
when the notebook is opened again or was made into HTML. The widget (extra `lens`) stays tied to the
program: what it shows can be changed from another cell.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from unrolled.errors import ConfigError, MissingExtra
from unrolled.lens.page import page_of

# What the page may do in its frame: run its script, and save a view. It is of no one's origin, so
# that it can neither read nor change the notebook.
_MAY = "allow-scripts allow-downloads"
_STYLE = "width: 100%; height: 760px; border: 0; resize: vertical"


def frame_of(title: str, data: Mapping[str, Any]) -> str:
    """The page of `data`, which are as of a `Report`, as one HTML element that fetches nothing."""
    page = page_of(title, data, inside=True)
    return (
        f'<iframe title="{html.escape(title)}" sandbox="{_MAY}" style="{_STYLE}"'
        f' srcdoc="{html.escape(page)}"></iframe>'
    )


def widget_of(data: Mapping[str, Any]) -> Any:
    """A widget that shows `data`, which are as of a `Report`.

    Raises:
        MissingExtra: anywidget is not installed.
    """
    return _widget_class()(report=dict(data))


@cache
def _widget_class() -> type:
    # Made when it is first asked for: the base class comes with the extra.
    try:
        from anywidget import AnyWidget
        from traitlets import Dict
    except ImportError as error:
        raise MissingExtra("lens", "a widget in a notebook") from error

    class LensWidget(AnyWidget):
        """A report or a trace in a cell of a notebook.

        `show(other)` gives another one to all places where the widget stands.
        """

        _esm = (files("unrolled.lens") / "static" / "lens.js").read_text(encoding="utf-8")
        report = Dict().tag(sync=True)

        def show(self, shown: Any) -> None:
            """Show another `Trace` or `Report`.

            Raises:
                ConfigError: it is neither.
            """
            self.report = _data_of(shown)

    return LensWidget


def _data_of(shown: Any) -> dict[str, Any]:
    from unrolled.lens.records import Report
    from unrolled.lens.trace_page import data_of, for_notebook
    from unrolled.lens.traces import Trace

    if isinstance(shown, Trace):
        return data_of(for_notebook(shown))
    if isinstance(shown, Report):
        return shown.to_json()
    raise ConfigError(f"show: got {type(shown).__name__}, expected a Trace or a Report")
