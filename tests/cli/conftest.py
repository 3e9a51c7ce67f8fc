"""A command line that tests can call, and small models of every task that it made."""

from __future__ import annotations

import io
import os
import random
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import unrolled
from tests.tasks.transcribing.small import RATE, labelled, spoken, tone
from unrolled.cli import main

FORECAST = ("--horizon", "3", "--budget", "4 steps", "--hidden-size", "4", "--members", "1")
GENERATE = ("--budget", "4 steps", "--hidden-size", "4", "--layers", "1")
CLASSIFY = ("--budget", "12 steps", "--hidden-size", "8", "--embedding-size", "8")
TAG = (*CLASSIFY, "--layers", "1", "--character-size", "4")
TRANSLATE = (
    "--budget", "6 steps", "--hidden-size", "8", "--embedding-size", "8", "--layers", "1",
    "--batch-tokens", "200",
)  # fmt: skip
TRANSCRIBE = (
    "--hidden-size", "24", "--layers", "1", "--channels", "4", "--bands", "16",
    "--subsampling", "4", "--dropout", "0", "--augment", "0", "--batch-seconds", "4",
    "--learning-rate", "0.01", "--average", "0.9",
)  # fmt: skip


# The command line in a process of its own.
CODE = "from unrolled.cli import main; raise SystemExit(main())"


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


@pytest.fixture
def read_like_head() -> Callable[..., list[str]]:
    """Runs a command in a real process: it is given a line and read as soon as it answers, `lines`
    of them, as `head` does; then nobody reads, and it must end well and in silence."""

    def run(*words: object, given: str, lines: int) -> list[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, *map(str, words)],
            env={**os.environ, "PYTHONPATH": str(Path(unrolled.__file__).parents[1])},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(f"{given}\n")
        process.stdin.flush()
        read = [process.stdout.readline() for _ in range(lines)]
        process.stdout.close()
        process.stdin.write(f"{given}\n")
        process.stdin.close()
        assert process.stderr.read() == ""
        process.stderr.close()
        assert process.wait() == 0
        return read

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


@pytest.fixture(scope="session")
def writer(text: Path) -> Path:
    """The file of a generator of words that read `text`."""
    path = text.with_name("writer.unrolled")
    _train(["train", "generate", text, "--tokenizer", "words", *GENERATE, "--out", path])
    return path


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of reviews with a verdict each."""
    draw = random.Random(0)
    words = {"good": ("great", "lovely", "superb"), "bad": ("dull", "awful", "flat")}
    rows = ["id,review,verdict"]
    for number in range(120):
        label = draw.choice(sorted(words))
        film, plot = draw.choice(words[label]), draw.choice(words[label])
        rows.append(f'{number},"Film {number}, which was {film}, had a {plot} plot.",{label}')
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    path.write_text("\n".join([*rows, ""]))
    return path


@pytest.fixture(scope="session")
def classifier(reviews: Path) -> Path:
    """The file of a classifier of `reviews`."""
    path = reviews.with_name("classifier.unrolled")
    _train(["train", "classify", reviews, *CLASSIFY, "--out", path])
    return path


@pytest.fixture(scope="session")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences with a part of speech and a named entity for each word."""
    draw = random.Random(0)
    sentences = []
    for _ in range(90):
        who, where = draw.choice(["Anna", "Bert", "Carla", "Dora"]), draw.choice(["Rome", "Ulm"])
        does = draw.choice(["likes", "visits", "leaves"])
        sentences.append(
            f"{who} NNP B-PER\n{does} VBZ O\nNew NNP B-LOC\n{where} NNP I-LOC\n. . O\n"
        )
    path = tmp_path_factory.mktemp("tagged") / "names.conll"
    path.write_text("\n".join(sentences))
    return path


@pytest.fixture(scope="session")
def tagger(tagged: Path) -> Path:
    """The file of a tagger of `tagged`."""
    path = tagged.with_name("tagger.unrolled")
    _train(["train", "tag", tagged, *TAG, "--out", path])
    return path


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with German and English sentences: pairs.tsv, and train.de beside train.en."""
    folder = tmp_path_factory.mktemp("pairs")
    who = {"Anna": "Anna", "Der Mann": "The man", "Das Kind": "The child"}
    does = {"sieht": "sees", "sucht": "seeks"}
    what = {"den Ball": "the ball", "das Haus": "the house", "einen Baum": "a tree"}
    rows = [
        (f"{a} {b} {c} {n}.", f"{who[a]} {does[b]} {what[c]} {n}.")
        for a in who
        for b in does
        for c in what
        for n in range(3)
    ]
    random.Random(0).shuffle(rows)
    (folder / "pairs.tsv").write_text("".join(f"{de}\t{en}\n" for de, en in rows))
    for place, name in enumerate(("train.de", "train.en")):
        (folder / name).write_text("".join(f"{row[place]}\n" for row in rows))
    return folder


@pytest.fixture(scope="session")
def translator(pairs: Path) -> Path:
    """The file of a translator of `pairs`."""
    path = pairs / "translator.unrolled"
    _train(["train", "translate", pairs / "pairs.tsv", *TRANSLATE, "--out", path])
    return path


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of recordings: words/ with a manifest, labels/ with a folder for each label, and
    talk.wav at 11,025 samples a second: "low high mid", a pause, "mid low", a pause, "high"."""
    import soundfile

    from unrolled.data.sound_file import resample

    folder = tmp_path_factory.mktemp("sounds")
    (folder / "words").mkdir()
    rows = ["audio,text"]
    for at, one in enumerate(spoken(120).items):
        rows.append(f"{at:03}.wav,{one.text}")
        soundfile.write(folder / "words" / f"{at:03}.wav", one.values, RATE)
    (folder / "words" / "manifest.csv").write_text("\n".join([*rows, ""]))
    for at, one in enumerate(labelled(60).items):
        (folder / "labels" / one.text).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / "labels" / one.text / f"{at:02}.wav", one.values, RATE)
    noise = np.random.default_rng(1)
    parts = []
    for words in SAID:
        parts += [tone(words.split(), len(parts)), 0.003 * noise.standard_normal(RATE)]
    soundfile.write(folder / "talk.wav", resample(np.concatenate(parts), RATE, 11025), 11025)
    return folder


SAID = ("low high mid", "mid low", "high")


@pytest.fixture(scope="session")
def transcriber(sounds: Path) -> Path:
    """The file of a transcriber of sounds/words that hears as they come."""
    path = sounds / "transcriber.unrolled"
    how = (*TRANSCRIBE, "--tokenizer", "words", "--budget", "250 steps")
    _train(["train", "transcribe", sounds / "words", *how, "--out", path])
    return path


@pytest.fixture(scope="session")
def labeller(sounds: Path) -> Path:
    """The file of a transcriber of sounds/labels."""
    path = sounds / "labeller.unrolled"
    how = (*TRANSCRIBE, "--budget", "120 steps")
    _train(["train", "transcribe", sounds / "labels", *how, "--out", path])
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


def _snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def check(call: Callable[..., Told]) -> Callable[..., None]:
    """Exit 2, one line with these parts, and the folder as it was."""

    def refused(folder: Path, words: Sequence[object], parts: Sequence[str]) -> None:
        before = _snapshot(folder)
        told = call(*words)
        assert told.code == 2
        assert told.out == ""
        assert told.err.startswith("unrolled: ")
        assert told.err.count("\n") == 1
        assert told.err.endswith("\n")
        for part in parts:
            assert part in told.err
        assert _snapshot(folder) == before

    return refused


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], None]:
    """Sets what stands on standard input."""

    def stands(what: str | bytes) -> None:
        raw = what.encode() if isinstance(what, str) else what
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return stands


# However busy the machine is, an answer comes before this or never.
DEADLINE = 60.0


class Live:
    """A command line that runs while a test writes to its input and reads its output.

    Args:
        words: the command line.
        terminal: talk through a pseudo-terminal; else through pipes.
    """

    def __init__(self, words: Sequence[object], monkeypatch: pytest.MonkeyPatch, terminal: bool):
        if terminal:
            import pty

            self.ours, theirs = pty.openpty()
            self._write, read, write = self.ours, theirs, os.dup(theirs)
        else:
            read, self._write = os.pipe()
            self.ours, write = os.pipe()
        self.terminal = read
        self._open = {self._write, self.ours}
        self._files = (
            os.fdopen(read, encoding="utf-8"),
            os.fdopen(write, "w", encoding="utf-8", newline=""),
        )
        for name, file in zip(("stdin", "stdout"), self._files, strict=True):
            monkeypatch.setattr(sys, name, file)
        self.code: int | None = None
        self.heard = ""
        self._seen = 0
        self._thread = threading.Thread(
            target=self._run, args=(list(map(str, words)),), daemon=True
        )
        self._thread.start()

    def _run(self, words: list[str]) -> None:
        self.code = main(words)

    def say(self, text: str) -> None:
        """What a person types."""
        os.write(self._write, text.encode())

    def until(self, part: str) -> str:
        """Waits for this after what was waited for before; gives all up to its end."""
        end = time.monotonic() + DEADLINE
        while (place := self.heard.find(part, self._seen)) < 0:
            ready, _, _ = select.select([self.ours], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{part!r} did not come; there is {self.heard[self._seen :]!r}"
            self.heard += os.read(self.ours, 65536).decode()
        before, self._seen = self._seen, place + len(part)
        return self.heard[before : self._seen]

    def done(self) -> int | None:
        """Waits for the end; its exit code."""
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        return self.code

    def hang_up(self) -> None:
        """No more input."""
        os.close(self._write)
        self._open.remove(self._write)

    def close(self) -> None:
        """All ends of it, ours first: what still waits for input ends so."""
        for number in self._open:
            os.close(number)
        self.done()
        for file in self._files:
            with suppress(OSError):  # nobody reads what was not yet written
                file.close()


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Live]]:
    """Starts a command line to talk with."""
    if os.name != "posix":
        pytest.skip("pipes and terminals as POSIX has them")
    started: list[Live] = []

    def start(*words: object, terminal: bool = False) -> Live:
        started.append(Live(words, monkeypatch, terminal))
        return started[-1]

    yield start
    monkeypatch.undo()
    for one in started:
        one.close()
