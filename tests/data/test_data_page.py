"""The Python about texts and recordings on the page about data runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def run(begin: str, end: str, count: int) -> dict[str, object]:
    """The names after running the blocks between two headings."""
    text = PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == count
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_the_examples_about_texts_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text("It was a day. It was a night.\n" * 9, encoding="utf-8")
    rows = [f"a {word} film,{label}" for word, label in (("good", "1"), ("dull", "0"))]
    Path("reviews.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    Path("deu.txt").write_text("Go on.\tMach weiter.\tCC-BY 2.0 (France)\n", encoding="utf-8")
    names = run("## Text\n", "## Recordings\n", count=3)
    assert getattr(names["corpus"], "documents") == 1  # noqa: B009
    told = capsys.readouterr().out
    assert "2 texts with 2 labels" in told
    assert "Mach weiter. -> Go on." in told


def test_the_example_about_recordings_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recordings").mkdir()
    soundfile.write("recordings/7_ann_0.wav", np.zeros(24_000), 8000)
    run("## Recordings\n", "## Batches\n", count=1)
    assert capsys.readouterr().out == "1 recording, 3 s, 1 speaker\n"
