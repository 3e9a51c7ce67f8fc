"""One self-contained HTML page from a `Report`: data, script and style in one file.

The page is written in `web/` (TypeScript, D3, Vite); its built bundle stands in `static/lens.js`.
Nothing is fetched: the page's own Content-Security-Policy forbids it. A live page (`server`) asks
the program that serves it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from unrolled.lens.records import Report
from unrolled.writing import replacing

_PLACEHOLDER = re.compile(r"\{\{(title|data|script|live|inside|connect)\}\}")


def render_report(report: Report, path: str | PathLike[str]) -> Path:
    """Write `report` as one HTML page and return its path.

    The page is written aside and renamed: a reader never meets half a page, and a failure leaves
    what stood there before.

    Raises:
        OutputError: the folder is missing or can't be written.
    """
    return write_page(path, report.title, report.to_json())


def write_page(path: str | PathLike[str], title: str, data: Mapping[str, Any]) -> Path:
    """Write a page of `data`, which are as of a `Report`; see `render_report`."""
    target = Path(path)
    with replacing(target) as aside:
        aside.write_text(page_of(title, data), encoding="utf-8")
    return target


def page_text(report: Report) -> str:
    """The page as text; see `render_report`."""
    return page_of(report.title, report.to_json())


def page_of(
    title: str, data: Mapping[str, Any], *, live: int | None = None, inside: bool = False
) -> str:
    """A page with its data, script and style, as text; `data` as of a `Report`.

    A live page may ask the server that it came from, and none else; `live` is the number that the
    server gave its data: see `server`. A page `inside` another, such as a notebook, leaves out what
    the one around it says already.
    """
    static = files("unrolled.lens") / "static"
    parts = {
        # Half of a surrogate pair, as in the name of a folder, can't be written.
        "title": html.escape(title.encode("utf-8", "replace").decode()),
        "data": json_for_script(data),
        "script": (static / "lens.js").read_text(encoding="utf-8"),
        "live": "" if live is None else f' data-live="{live}"',
        "inside": ' class="inside"' if inside else "",
        "connect": "'none'" if live is None else "'self'",
    }
    template = (static / "page.html").read_text(encoding="utf-8")
    # One pass over the template: a placeholder that stands in the data stays what it is, text.
    return _PLACEHOLDER.sub(lambda match: parts[match.group(1)], template)


def json_for_script(data: Mapping[str, Any]) -> str:
    """JSON that may stand inside a `<script>` element.

    `<` is written as an escape: a text that holds `</script>` or `<!--` can then not end or change
    the element.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate can't be written as UTF-8; JSON's own escape can.
    text = re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match.group()):04x}", text)
    return text.replace("<", "\\u003c")
