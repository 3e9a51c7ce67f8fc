"""What docs/learn shows is what its code prints, and the network by hand stands there whole."""

from __future__ import annotations

import importlib.util
import math
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from unrolled.tasks.evaluation import NetworkLoses

ROOT = Path(__file__).parents[2]
LEARN = ROOT / "docs" / "learn"
CHAPTERS = sorted(page.stem for page in LEARN.glob("[0-9]*.md"))

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NetworkLoses.__module__}.{NetworkLoses.__name__}"
)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("outputs", ROOT / "tools" / "outputs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alike(one: float, other: float) -> bool:
    """Of a trained network numbers differ in the last digits from one processor to the next; what
    has vanished has vanished."""
    size = max(abs(one), abs(other))
    return abs(one - other) <= 0.3 * size + 0.02 or size < 1e-4 or min(abs(one), abs(other)) > 1e4


def quick(code: str) -> str:
    return (
        re.sub(r'budget="[^"]+"', 'budget="3 steps"', code)
        .replace("hidden_size=128", "hidden_size=8")
        .replace('load("python-docs")', 'load("python-docs")[:40_000]')
    )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_code_of_a_chapter_prints_what_the_chapter_shows(
    tool: ModuleType, chapter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (LEARN / f"{chapter}.md").read_text(encoding="utf-8")
    trains = "budget=" in page  # then shortly here, to other numbers
    count = 0
    for code, shown, said in tool.outputs(page, quick):
        count += 1
        if trains:
            assert bool(shown) == bool(said), code
            continue
        if "explain" in code:  # tells the machine's instruction set
            shown, said = (
                re.sub(r"avx\w+|generic|neon|\d threads?", "", one) for one in (shown, said)
            )
        assert tool.words_of(said) == tool.words_of(shown), code
        for one, other in zip(tool.numbers_of(said), tool.numbers_of(shown), strict=True):
            assert math.isfinite(one)
            assert alike(one, other), f"{code}\nshows\n{shown}\nprinted\n{said}"
    assert count == len(re.findall("^```python$", page, re.MULTILINE)) >= 3


def test_every_output_that_is_shown_stands_below_its_code() -> None:
    for chapter in CHAPTERS:
        page = (LEARN / f"{chapter}.md").read_text(encoding="utf-8")
        assert len(re.findall("^```text$", page, re.MULTILINE)) == len(
            re.findall("^```\n\n```text$", page, re.MULTILINE)
        )


def test_the_network_by_hand_stands_in_its_chapter_whole() -> None:
    page = (LEARN / "2-backpropagation.md").read_text(encoding="utf-8")
    file = (LEARN / "by_hand.py").read_text(encoding="utf-8")
    assert f"```python\n{file}```\n" in page


def test_the_path_leads_to_every_chapter() -> None:
    path = (LEARN / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d-[a-z]+)\.md\)", path) == CHAPTERS
    for chapter, after in pairwise(CHAPTERS):
        assert f"({after}.md)" in (LEARN / f"{chapter}.md").read_text(encoding="utf-8")
