"""The Python about texts on the page about data runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def test_the_examples_about_texts_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text("It was a day. It was a night.\n" * 9, encoding="utf-8")
    rows = [f"a {word} film,{label}" for word, label in (("good", "1"), ("dull", "0"))]
    Path("reviews.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    Path("deu.txt").write_text("Go on.\tMach weiter.\tCC-BY 2.0 (France)\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8").partition("## Text\n")[2]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert getattr(names["corpus"], "documents") == 1  # noqa: B009
    told = capsys.readouterr().out
    assert "2 texts with 2 labels" in told
    assert "Mach weiter. -> Go on." in told
