"""The Python on the page about layers runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unrolled import kernels, use_path


def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2] / "docs" / "layers.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 10
    names: dict[str, object] = {}
    try:
        for block in blocks:
            exec(compile(block, str(page), "exec"), names)
    finally:
        use_path("auto")
    path = "native" if kernels.available() else "aten"
    assert capsys.readouterr().out.startswith(f"LSTM: {path}, chosen by the rule")
