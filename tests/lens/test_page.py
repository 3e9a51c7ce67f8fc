"""The page as a file: self-contained, its data safe inside, never half written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import OutputError
from unrolled.lens.page import json_for_script, page_text, render_report
from unrolled.lens.records import Report


class Page(HTMLParser):
    """Collects each element with its attributes, and the text of the element with the data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("id") == "data"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data.append(data)


def test_the_page_loads_nothing_from_elsewhere(make_report: Callable[[], Report]) -> None:
    text = page_text(make_report())
    for tag, attributes in Page(text).elements:
        for name in ("src", "href", "srcset", "action", "poster"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
    assert not re.search(r"@import|url\(\s*['\"]?https?:|XMLHttpRequest|import\(", text)
    # A live page talks to the program that serves it; any other is forbidden to ask at all.
    assert "default-src 'none'; " in text
    assert "connect-src 'none'\"" in text
    assert "default-src 'none'" in text


@pytest.mark.parametrize(
    "nasty",
    [
        "</script><script>alert(1)</script>",
        "<!-- <script>",
        "{{script}} {{data}}",
        "\u2028\u2029",
        "\\u003c",
        "\ud800",
    ],
)
def test_text_that_looks_like_markup_stays_data(
    nasty: str, make_report: Callable[[], Report]
) -> None:
    plain = Page(page_text(make_report()))
    report = make_report()
    report.title = report.notes[0] = nasty
    report.text.sample = nasty
    page = Page(page_text(report))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    read = json.loads("".join(page.data))
    assert (read["title"], read["notes"][0], read["text"]["sample"]) == (nasty, nasty, nasty)


@given(st.text(st.characters(), max_size=30))
def test_any_text_comes_back_from_the_page(note: str) -> None:
    text = json_for_script(Report("t", "s", "m", notes=[note]).to_json())
    assert "<" not in text
    assert json.loads(text.encode("utf-8"))["notes"] == [note]


def test_a_page_replaces_what_stood_there_and_leaves_nothing_beside(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")
    assert render_report(Report("a title", "s", "m"), target) == target
    assert "<title>a title</title>" in target.read_text(encoding="utf-8")
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_missing_folder_is_one_plain_line(tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"report\.html: can't write into .*No such file or directory.*; choose"
    ) as caught:
        render_report(Report("t", "s", "m"), tmp_path / "no" / "report.html")
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_place_of_the_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match="is a folder, expected a file"):
        render_report(Report("t", "s", "m"), tmp_path / "report.html")
    assert os.listdir(tmp_path) == ["report.html"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_can_not_be_written_keeps_the_old_page(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied"):
            render_report(Report("t", "s", "m"), target)
    finally:
        tmp_path.chmod(0o700)
    assert target.read_text() == "before"


def test_a_failure_while_renaming_keeps_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")

    def refuse(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="No space left on device"):
        render_report(Report("t", "s", "m"), target)
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["report.html"]
