"""The Python on the page about diagnostics runs, and its table has the thresholds of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unrolled.training import diagnostics_findings as findings

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"


def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    assert "VanishingGradient: layer, layer 0, forward: over 199 steps" in printed
    assert printed.endswith("LeakFromPadding\n")


def test_the_page_and_the_code_have_the_same_thresholds() -> None:
    for text in (PAGE.read_text(encoding="utf-8"), findings.__doc__ or ""):
        rows = dict(re.findall(r"^\| `?([A-Z]\w+)`? \|(.*)$", text, re.MULTILINE))
        assert len(rows) == 5
        assert f"below {findings.VANISHED:.2g}".replace("e-0", "e-") in rows["VanishingGradient"]
        assert f"above {findings.EXPLODED:g}" in rows["ExplodingGradient"]
        assert f"above {findings.SATURATED:g}" in rows["SaturatedGates"]
        assert f"above {findings.DEAD:g}" in rows["DeadUnits"]
        assert f"above {findings.BLOWN_UP:g}" in rows["StateBlowUp"]
