"""The Python on the page about forecasting runs, with budgets of a few steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unrolled.tasks.evaluation import NetworkLoses

PAGE = Path(__file__).parents[2] / "docs" / "forecasting.md"
pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")


def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    names: dict[str, object] = {}
    for block in blocks:
        quick = re.sub(r'budget="[^"]+"', 'budget="3 steps"', block)
        exec(compile(quick, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    claims = ("28\n28", "daily, 2024-01-01 to 2024-07-14: nothing to report", "'cutoff', 'ds', 'y'")
    for claim in (*claims, "(7, 9) True"):
        assert claim in printed
