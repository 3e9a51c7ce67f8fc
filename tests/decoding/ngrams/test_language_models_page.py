"""The Python on the page about language models runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "language-models.md"


def test_the_example_of_the_page_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block, str(PAGE), "exec"), {})
    said = re.findall(r"^print.*  # (.*)$", block, re.MULTILINE)
    assert len(said) == 3
    assert capsys.readouterr().out.splitlines() == said
