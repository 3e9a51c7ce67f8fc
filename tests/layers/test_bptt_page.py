"""The Python on the page about backpropagation through long times runs."""

from __future__ import annotations

import re
from pathlib import Path

import torch


def test_the_examples_of_the_page_run() -> None:
    page = Path(__file__).parents[2] / "docs" / "bptt.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    weight = names["weight"]
    assert isinstance(weight, torch.Tensor)
    assert weight.grad is not None
    assert (weight.grad != 0).all()
