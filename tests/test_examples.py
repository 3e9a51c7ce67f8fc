"""The examples and the tour of the code run as they stand, and print what they say they print."""

from __future__ import annotations

import os
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unrolled.tasks.evaluation import NetworkLoses

EXAMPLES = Path(__file__).parents[1] / "examples"
# Before a test takes it away.
PUBLIC = os.environ.get("UNROLLED_DATA", "")
TOUR = Path(__file__).parents[1] / "docs" / "follow-a-batch.md"
SAYS = {
    "detect_anomalies": ("MASE of the median", "hour  40:", "drew detect_anomalies.png"),
    "forecast_csv": ("1 series of 1,461 values, daily", "MASE of the median", "2016-01-07"),
    "forecast_disease": ("Crimea: 3 series of 24 values, monthly", "answered by", "before the top"),
    "forecast_stocks": ("5 series of 68 to 123 values", "EWMA(0.94) volatility", "80%: "),
    "forecast_weather": ("precipitation, temp_min, wind beside temp_max", "hold after"),
    "generate_text": ("bits per character", "comes next with probability"),
    "patient_readings": ("known ahead: hours until due", "in 24 h:", "hold after"),
    "see_inside": ("'x' was read; it cost", "open see_inside.html"),
    "stream_a_sensor": ("MASE of the median", "hour  1:", "hour 47:"),
    "vanishing_gradient": ("RNN, tanh:", "answering 1 gives 0.1667", "the remedy, a GRU"),
}

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str], str]:
    """Runs an example in an empty folder, with the embedded data, and gives what it printed."""
    import torch

    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path.parent / "nothing"))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()

    def example(name: str, budget: str) -> str:
        file = EXAMPLES / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(file), budget])
        torch.set_num_threads(1)
        try:
            runpy.run_path(str(file), run_name="__main__")
        finally:
            torch.set_num_threads(threads)
        return capsys.readouterr().out

    return example


def test_every_example_is_tested() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_runs_as_it_stands(run: Callable[[str, str], str], name: str) -> None:
    said = run(name, "3 steps")
    for part in SAYS[name]:
        assert part in said


def test_the_page_of_the_example_is_where_it_says(
    run: Callable[[str, str], str], tmp_path: Path
) -> None:
    run("see_inside", "1 steps")
    assert [file.name for file in tmp_path.iterdir()] == ["see_inside.html"]


@pytest.mark.data
def test_where_public_data_are_at_hand_the_examples_take_them(
    run: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNROLLED_DATA", PUBLIC)
    said = run("forecast_disease", "2 steps") + run("forecast_stocks", "2 steps")
    for part in ("16 series of 925 values, daily", "drew forecast_influenza.png", "5,105 values"):
        assert part in said


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_tells_how_to_call_it(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert f"python examples/{name}.py [budget]" in text.splitlines()[0]


def test_the_tour_of_the_code_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    code = "".join(re.findall(r"```python\n(.*?)```", TOUR.read_text(encoding="utf-8"), re.DOTALL))
    exec(compile(code, str(TOUR), "exec"), {})
    printed = capsys.readouterr().out
    # Beside each print stands its output; what follows a colon explains it.
    claims = re.findall(r"print\(.*\)\s+# (\[.*?\]|\(.*?\)|True|\d+ series.*|\d+)", code)
    assert len(claims) == 11
    position = 0
    for claim in claims:
        position = printed.find(claim, position)
        assert position >= 0, f"{claim} is not printed, or not in this place"
