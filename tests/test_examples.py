"""The examples and the tour of the code run as they stand, and print what they say they print."""

from __future__ import annotations

import os
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unrolled.errors import DataWarning
from unrolled.tasks.evaluation import NetworkLoses

EXAMPLES = Path(__file__).parents[1] / "examples"
# Before a test takes it away.
PUBLIC = os.environ.get("UNROLLED_DATA", "")
TOUR = Path(__file__).parents[1] / "docs" / "follow-a-batch.md"
SAYS = {
    "dates_to_iso": ("in the thirty languages: ", "in twelve other languages: ", "२०२४  ->  "),
    "detect_anomalies": ("MASE of the median", "hour  40:", "drew detect_anomalies.png"),
    "digits_by_ear": ("nearest of", "unrolled listen digits_by_ear.unrolled", "% sure"),
    "forecast_csv": ("1 series of 1,461 values, daily", "MASE of the median", "2016-01-07"),
    "forecast_disease": ("Crimea: 3 series of 24 values, monthly", "answered by", "before the top"),
    "forecast_stocks": ("5 series of 68 to 123 values", "EWMA(0.94) volatility", "80%: "),
    "forecast_weather": ("precipitation, temp_min, wind beside temp_max", "hold after"),
    "generate_text": ("bits per character", "is the next word with probability"),
    "names_by_language": ("linear path alone", "measured on", "\nR "),
    "next_words": ("bits per character", "'raises a Ty' -> ", "'the write operand': "),
    "patient_readings": ("known ahead: hours until due", "in 24 h:", "hold after"),
    "pretrain_and_classify": ("perplexity", "network alone", "measured on"),
    "see_inside": ("'x' was read; it cost", "open see_inside.html"),
    "sentiment_word_by_word": ("linear path alone", "      good ##", "but for"),
    "stream_a_sensor": ("MASE of the median", "hour  1:", "hour 47:"),
    "tag_words": ("window of 5 words", "        They  ", "       empty  "),
    "units_that_track": ("quotes         unit ", "brackets       unit ", " on other files"),
    "vanishing_gradient": ("RNN, tanh:", "answering 1 gives 0.1667", "the remedy, a GRU"),
}

# Examples whose own data is not at hand everywhere: what they read here, and what they say there.
FILES = {
    "names_by_language": "names",
    "pretrain_and_classify": "reviews.csv",
    "sentiment_word_by_word": "reviews.csv",
    "tag_words": "words.conllu",
}

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::{kind.__module__}.{kind.__name__}")
    for kind in (NetworkLoses, DataWarning)
]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs an example in an empty folder, with the embedded data, and gives what it printed."""
    import torch

    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path.parent / "nothing"))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()

    def example(name: str, *given: str) -> str:
        file = EXAMPLES / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(file), *given])
        torch.set_num_threads(1)
        try:
            runpy.run_path(str(file), run_name="__main__")
        finally:
            torch.set_num_threads(threads)
        return capsys.readouterr().out

    return example


def test_every_example_is_tested() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Small data of one's own: names, reviews, tagged words."""
    (tmp_path / "names").mkdir()
    for language, ends in (("Japanese", "yama ta ko to"), ("Russian", "ov ova in sky")):
        names = [first + end for first in ("Ro", "Ya", "Mi", "Sa", "Ka") for end in ends.split()]
        (tmp_path / "names" / f"{language}.txt").write_text("\n".join(names), encoding="utf-8")
    rows = [
        f"a {word} film and a {word} end in number {place},{label}"
        for place in range(20)
        for word, label in (("good", "positive"), ("slow", "negative"))
    ]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    blank = "\t_" * 6 + "\n"
    sentences = [
        f"1\tThey\tthey\tPRON{blank}2\tcan\tcan\tAUX{blank}3\t{verb}\t{verb}\tVERB{blank}"
        for verb in ("fish", "swim", "sing", "run", "read", "write") * 3
    ]
    (tmp_path / "words.conllu").write_text("\n".join(sentences) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", sorted(set(SAYS) - set(FILES)))
def test_an_example_runs_as_it_stands(run: Callable[..., str], name: str) -> None:
    said = run(name, "3 steps")
    for part in SAYS[name]:
        assert part in said


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_example_reads_a_file_of_ones_own(
    run: Callable[..., str], files: Path, name: str
) -> None:
    said = run(name, "3 steps", str(files / FILES[name]))
    for part in SAYS[name]:
        assert part in said


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_example_without_its_data_says_in_a_line_how_to_get_them(
    run: Callable[..., str], name: str
) -> None:
    with pytest.raises(SystemExit, match=r"at hand: .* or .*") as ended:
        run(name, "3 steps")
    assert "\n" not in str(ended.value)


def test_an_example_takes_a_model_that_was_saved(run: Callable[..., str], files: Path) -> None:
    from unrolled import Classifier, Generator, Tagger

    Generator(hidden_size=8).fit("It was a day. " * 60, budget=1).save(files / "text.unrolled")
    Classifier(hidden_size=8).fit(files / "reviews.csv", budget=1).save(files / "said.unrolled")
    Tagger(hidden_size=8).fit(files / "words.conllu", budget=1).save(files / "tags.unrolled")
    for name, model in (
        ("next_words", "text"),
        ("sentiment_word_by_word", "said"),
        ("tag_words", "tags"),
    ):
        said = run(name, "1 steps", str(files / f"{model}.unrolled"))
        for part in SAYS[name]:
            assert part in said


def test_the_page_of_the_example_is_where_it_says(run: Callable[..., str], tmp_path: Path) -> None:
    run("see_inside", "1 steps")
    assert [file.name for file in tmp_path.iterdir()] == ["see_inside.html"]


def test_examples_draw_where_a_picture_is_asked_for(
    run: Callable[..., str], files: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    for name, given in (
        ("vanishing_gradient", ["25 steps", "gradient.png"]),
        ("sentiment_word_by_word", ["3 steps", str(files / "reviews.csv"), "not.png"]),
    ):
        assert f"drew {given[-1]}" in run(name, *given)
        assert (tmp_path / given[-1]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.data
def test_where_public_data_are_at_hand_the_examples_take_them(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
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
