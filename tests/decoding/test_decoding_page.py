"""The Python on the page about decoding runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

PAGE = Path(__file__).parents[2] / "docs" / "decoding.md"


def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {"logits": torch.randn(2, 50), "generator": torch.Generator()}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert capsys.readouterr().out.splitlines() == [
        "One line. True",
        "1 (2,) -1.61",
        "2 (3,) -1.02",
        "(3,) (2,) 9",
        "() (1,) -0.446",
        "one 0.0 0.04 0.64",
        "(1,) 0 3",
        "['one'] 0",
        "((3, 3),)",
    ]
