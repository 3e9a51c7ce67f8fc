"""The Python on the page about conversion and export runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unrolled import kernels


@pytest.mark.skipif(not kernels.available(), reason=f"native kernels: {kernels.why_not()}")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:# The axis name")
def test_the_examples_of_the_page_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    page = Path(__file__).parents[2] / "docs" / "export.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("torch.nn.LSTM to unrolled.LSTM: values differ by at most")
    assert said[1].startswith("unrolled.LSTM to ONNX: values differ by at most")
    assert {path.suffix for path in tmp_path.rglob("layer.*")} == {".onnx", ".pt2"}
