"""The Python on the page about text runs, with budgets of a few steps and small files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unrolled.errors import DataWarning
from unrolled.tasks.evaluation import NetworkLoses

PAGE = Path(__file__).parents[2] / "docs" / "text.md"
pytestmark = [
    pytest.mark.filterwarnings(f"ignore::{kind.__module__}.{kind.__name__}")
    for kind in (NetworkLoses, DataWarning)
]
SIZES = {
    "Generator(": "Generator(hidden_size=8, ",
    "Classifier(": "Classifier(hidden_size=8, ",
    "Classifier(hidden_size=8, pretrained": "Classifier(pretrained",
    "Tagger(": "Tagger(hidden_size=8, ",
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the page names, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    line = "The value of the attribute is the name of their class, there and here. It was a day.\n"
    Path("book.txt").write_text(line * 30, encoding="utf-8")
    Path("another.txt").write_text(line * 2, encoding="utf-8")
    said = [
        f"{kind} film number {place},{label}"
        for place in range(30)
        for kind, label in (("good", "positive"), ("dull", "negative"))
    ]
    Path("reviews.csv").write_text("\n".join(["text,label", *said]) + "\n", encoding="utf-8")
    rows = [
        f"1\tThe\tthe\tDET{rest}2\t{word}\t{word}\tNOUN{rest}3\tends\tend\tVERB{rest}"
        for word in ("cat", "can", "fish", "day", "sun", "rain") * 3
        for rest in ["\t_" * 6 + "\n"]
    ]
    Path("train.conllu").write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.mark.usefixtures("files")
def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 9
    names: dict[str, object] = {}
    for block in blocks:
        quick = re.sub(r'budget="[^"]+"', 'budget="2 steps"', block)
        for given, small in SIZES.items():
            quick = quick.replace(given, small)
        exec(compile(quick, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    for part in ("bits per character", "linear path alone", "film {'negative'", "add up to that"):
        assert part in printed
