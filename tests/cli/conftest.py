"""A command line that tests can call, and two small models that it made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from unrolled.cli import main

FORECAST = ("--horizon", "3", "--budget", "4 steps", "--hidden-size", "4", "--members", "1")
GENERATE = ("--budget", "4 steps", "--hidden-size", "4", "--layers", "1")


class Beside(NamedTuple):
    """A model with covariates of every kind, and the tables that it may be asked on."""

    model: Path
    whole: Path
    history: Path
    ahead: Path


class Told(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Runs one command line."""

    def run(*words: object) -> Told:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Told(code, out, err)

    return run


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wide table with two daily series."""
    path = tmp_path_factory.mktemp("table") / "sales.csv"
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(90)]
    rows = [f"{day},{i % 7 + i / 30},{(i % 7) ** 2}" for i, day in enumerate(days)]
    path.write_text("\n".join(["date,tea,coffee", *rows, ""]))
    return path


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short text."""
    path = tmp_path_factory.mktemp("text") / "fox.txt"
    path.write_text("The quick brown fox jumps over the lazy dog.\n" * 30)
    return path


def _train(words: Sequence[object]) -> None:
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="session")
def forecaster(table: Path) -> Path:
    """The file of a forecaster of `table`."""
    path = table.with_name("forecaster.unrolled")
    _train(["train", "forecast", table, *FORECAST, "--out", path])
    return path


@pytest.fixture(scope="session")
def generator(text: Path) -> Path:
    """The file of a generator that read `text`."""
    path = text.with_name("generator.unrolled")
    _train(["train", "generate", text, *GENERATE, "--out", path])
    return path


BESIDE = (
    "--id", "shop", "--time", "day", "--target", "sold", "--past", "rain", "--future", "promo",
    "--future", "mood", "--static", "town",
)  # fmt: skip


@pytest.fixture(scope="session")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Beside:
    """Two shops of 60 days with covariates, and three days ahead of them."""
    folder = tmp_path_factory.mktemp("beside")
    lines = {"whole": ["shop,day,sold,rain,promo,mood,town"], "ahead": ["shop,day,promo,mood"]}
    lines["history"] = lines["whole"][:]
    for shop, town in (("a", "Ulm"), ("b", "Bonn")):
        for i in range(63):
            day, promo, mood = date(2024, 1, 1) + timedelta(days=i), i % 5, ("up", "down")[i % 2]
            known = f"{i % 7 + promo},{i % 4}" if i < 60 else ","
            lines["whole"].append(f"{shop},{day},{known},{promo},{mood},{town}")
            if i < 60:
                lines["history"].append(lines["whole"][-1])
            else:
                lines["ahead"].append(f"{shop},{day},{promo},{mood}")
    paths = {name: folder / f"{name}.csv" for name in lines}
    for name, path in paths.items():
        path.write_text("\n".join([*lines[name], ""]))
    model = folder / "beside.unrolled"
    _train(["train", "forecast", paths["whole"], *BESIDE, *FORECAST, "--out", model])
    return Beside(model, **paths)
