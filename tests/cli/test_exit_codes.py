"""Exit codes, errors in one line, `--debug`, closed pipes, Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import unrolled
from unrolled.errors import (
    ConfigError,
    DataError,
    MissingExtra,
    ModelFileError,
    NotFittedError,
    OutputError,
    ShapeError,
    TrainingDiverged,
)

CODE = "from unrolled.cli import main; raise SystemExit(main())"


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(unrolled, "info", fail, raising=False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("is empty", file="x.csv"), 2),
        (ConfigError("no"), 2),
        (ShapeError("no"), 2),
        (ModelFileError("no"), 2),
        (OutputError("no"), 2),
        (NotFittedError("no"), 2),
        (TrainingDiverged(3, "the loss", "lower learning_rate"), 1),
        (MissingExtra("lens", "a picture"), 1),
    ],
)
def test_an_error_on_purpose_is_its_message_in_one_line(call, monkeypatch, error, code):
    raising(monkeypatch, error)
    assert call("info") == (code, "", f"unrolled: {error}\n")


def test_an_unexpected_error_is_one_line_that_names_debug(call, monkeypatch):
    raising(monkeypatch, ZeroDivisionError("first\n  second"))
    told = call("info")
    assert told.code == 1
    assert told.err == (
        "unrolled: unexpected ZeroDivisionError: first second;"
        " run it again with --debug for the trace\n"
    )


@pytest.mark.parametrize("words", [("--debug", "info"), ("info", "--debug")])
def test_debug_shows_the_trace_wherever_it_stands(call, monkeypatch, words):
    raising(monkeypatch, ConfigError("no"))
    told = call(*words)
    assert told.code == 2
    assert told.err.startswith("Traceback")
    assert told.err.endswith("\nunrolled: no\n")


def test_debug_after_two_dashes_is_a_name(call):
    told = call("data", "get", "--", "--debug")
    assert told.code == 2
    assert "there is no data set '--debug'" in told.err


def test_ctrl_c_ends_in_one_line(call, monkeypatch):
    raising(monkeypatch, KeyboardInterrupt())
    assert call("info") == (1, "", "unrolled: interrupted\n")


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-verb",),
        ("train",),
        ("data",),
        ("data", "get"),
        ("info", "one", "two"),
        ("info", "-z"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(call, words):
    told = call(*words)
    assert told.code == 2
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith("unrolled: ")
    assert told.err.endswith(" --help\n")


def test_no_verb_at_all_prints_the_help(call):
    told = call()
    assert told == call("--help")
    assert told.code == 0
    assert told.out.startswith("Usage: unrolled ")


def test_version_is_told(call):
    assert call("--version") == (0, f"unrolled {unrolled.__version__}\n", "")


def start(words: list[str], **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(unrolled.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *words],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_quietly(unbuffered, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reader, writer = os.pipe()
    os.close(reader)
    process = start(["data", "list"], stdout=writer)
    os.close(writer)
    _, err = process.communicate()
    assert (process.returncode, err) == (0, "")
