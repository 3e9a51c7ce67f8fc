"""Bad input through the command line: exit 2, one plain line, and nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from safetensors.numpy import save

DAYS = [f"2024-01-{day:02},{day},{day % 7}" for day in range(1, 31)]
HEAD = "date,a,b"


def table(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines, ""]).encode()


# Too short to learn from, but enough to go on from.
TOO_SHORT = "a series shorter than the horizon"

# name: content of the file, further options, what the line holds
TABLES = {
    "missing column": (table(*DAYS), ["--target", "c"], ["no column 'c'", "a, b"]),
    "missing time column": (table(*DAYS), ["--time", "when"], ["no column 'when'"]),
    "text where a number stands": (
        table(*DAYS[:9], "2024-01-10,ten,3", *DAYS[10:]), [],
        ["line 11, column 'a'", "'ten' is not a number"],
    ),
    "duplicate times": (table(*DAYS[:9], DAYS[8], *DAYS[9:]), [], ["line 11", "keep one"]),
    "unordered times": (
        table(*DAYS[:9], DAYS[10], DAYS[9], *DAYS[11:]), [], ["line 12", "sort the rows by time"],
    ),
    "an empty file": (b"", [], ["is empty"]),
    "a header only": (table(), [], ["only a header"]),
    "one row": (table(DAYS[0]), [], ["only one row"]),
    "a run of NaN": (
        table(*DAYS[:9], "2024-01-10,,3", "2024-01-11,NaN,4", *DAYS[11:]), [],
        ["line 11, column 'a'", "2 values in a row", "--missing mask"],
    ),
    TOO_SHORT: (table(*DAYS[:5]), [], ["5 values", "horizon of 7"]),
    "bytes that are not UTF-8": (
        table(*DAYS).replace(b"2024-01-05,5", b"2024-01-05,\xff"), [], ["line 6", "byte 0xff"],
    ),
    "a damaged table": (table(*DAYS, "2024-01-31,1,2,3"), [], ["line 32", "4 cells"]),
    "no such file": (None, [], ["there is no such file"]),
}  # fmt: skip

TEXTS = {
    "an empty text": (b"", [], ["holds no text"]),
    "a short text": (b"not enough", [], ["10 characters", "500"]),
    "bytes that are not UTF-8": (b"line\n" * 200 + b"\xe9", [], ["line 201", "byte 0xe9"]),
    "no such file": (None, [], ["there is no such file"]),
}


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def check(call, folder, words, parts):
    """Exit 2, one line with these parts, and the folder as it was."""
    before = snapshot(folder)
    told = call(*words)
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("unrolled: ")
    assert told.err.count("\n") == 1
    assert told.err.endswith("\n")
    for part in parts:
        assert part in told.err
    assert snapshot(folder) == before


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "model.unrolled"
    path.write_bytes(b"a model that took a night")
    return path


@pytest.mark.parametrize("case", TABLES)
def test_a_bad_table_costs_nothing(call, case, tmp_path, out):
    content, options, parts = TABLES[case]
    file = tmp_path / "t.csv"
    if content is not None:
        file.write_bytes(content)
    words = ["train", "forecast", file, "--horizon", 7, *options, "--out", out]
    check(call, tmp_path, words, [str(file), *parts])


@pytest.mark.parametrize("case", TEXTS)
def test_a_bad_text_costs_nothing(call, case, tmp_path, out):
    content, options, parts = TEXTS[case]
    file = tmp_path / "t.txt"
    if content is not None:
        file.write_bytes(content)
    words = ["train", "generate", file, *options, "--out", out]
    check(call, tmp_path, words, [str(file), *parts])


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
@pytest.mark.parametrize("case", [case for case in TABLES if case != TOO_SHORT])
def test_a_bad_table_is_no_history(call, verb, case, tmp_path, forecaster):
    content, options, parts = TABLES[case]
    file = tmp_path / "t.csv"
    if content is not None:
        file.write_bytes(content)
    check(call, tmp_path, [verb, forecaster, file, *options], [str(file), *parts])


OPTIONS = {
    "--horizon": ["0", "-1", "x"],
    "--budget": ["soon", "0s", "-1 steps", ""],
    "--holdout": ["0", "1", "nan"],
    "--hidden-size": ["0"],
    "--layers": ["0"],
    "--cell": ["tree"],
    "--device": ["toaster"],
    "--precision": ["fp3"],
    "--dropout": ["-1", "1", "nan"],
    "--learning-rate": ["0", "-1", "nan"],
    "--members": ["0", "some"],
    "--window": ["0"],
    "--batch-size": ["0"],
    "--quantile": ["2", "0.4"],
    "--missing": ["perhaps"],
    "--seed": ["-1"],
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_cannot_work_costs_nothing(call, option, tmp_path, out):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    small = ["--horizon", 2, "--budget", "1 steps", "--hidden-size", 2, "--out", out]
    for value in OPTIONS[option]:
        words = ["train", "forecast", file, *small, option, value]
        check(call, tmp_path, words, [option.strip("-").split("-")[-1].removesuffix("s")])


def test_resume_without_a_run_costs_nothing(call, tmp_path, out):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    words = ["train", "forecast", file, "--horizon", 2, "--out", out, "--resume"]
    check(call, tmp_path, words, ["run_dir"])


BROKEN = {
    "truncated": lambda whole: whole[: len(whole) // 2],
    "cut in its header": lambda whole: whole[:20],
    "empty": lambda whole: b"",
    "a text": lambda whole: b"date,a\n2024-01-01,1\n",
    "without a card": lambda whole: save({}),
    "with a strange card": lambda whole: save({}, metadata={"card": "[1]"}),
    "of another task": lambda whole: save(
        {}, metadata={"card": '{"task": "Painter", "configuration": {}}'}
    ),
    "of a newer format": lambda whole: save(
        {}, metadata={"card": '{"format": 99, "task": "Generator", "configuration": {}}'}
    ),
    "without its weights": lambda whole: save(
        {}, metadata={"card": '{"task": "Generator", "configuration": {}}'}
    ),
}


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_model_file_is_named(call, verb, case, tmp_path, generator):
    path = tmp_path / "m.unrolled"
    path.write_bytes(BROKEN[case](generator.read_bytes()))
    check(call, tmp_path, [verb, path], [f"unrolled: {path}: "])


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_a_model_file_that_is_not_there_is_named(call, verb, tmp_path):
    check(call, tmp_path, [verb, tmp_path / "no.unrolled"], [str(tmp_path / "no.unrolled")])
    check(call, tmp_path, [verb, tmp_path], ["found a folder"])


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_without_permission_costs_nothing(call, tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    words = ["train", "forecast", file, "--horizon", 2, "--out", closed / "m.unrolled"]
    check(call, tmp_path, words, [str(closed), "choose another folder"])


def test_a_run_folder_that_cannot_be_made_costs_nothing(call, tmp_path, out):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    words = ["train", "forecast", file, "--horizon", 2, "--out", out, "--run-dir", file / "run"]
    check(call, tmp_path, words, ["can't make the run folder"])
