"""Bad input through the command line: exit 2, one plain line, and nothing is lost."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest
from safetensors.numpy import save

FIRST = date(2024, 1, 1)
DAYS = [f"{FIRST + timedelta(day)},{day + 1},{day % 7}" for day in range(40)]
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
    "contradicting times": (
        table(*DAYS[:9], "2024-01-09,77,3", *DAYS[9:]), [],
        ["line 11", "2024-01-09", "with other values", "keep one"],
    ),
    "unordered times": (
        table(*DAYS[:9], DAYS[10], DAYS[9], *DAYS[11:]), [], ["line 12", "sort the rows by time"],
    ),
    "an empty file": (b"", [], ["is empty"]),
    "a header only": (table(), [], ["only a header"]),
    "one row": (table(DAYS[0]), [], ["only one row"]),
    "a run of NaN": (
        table(*DAYS[:9], "2024-01-10,,3", "2024-01-11,NaN,4", *DAYS[11:]), ["--missing", "error"],
        ["line 11, column 'a'", "2 values in a row", "--missing mask"],
    ),
    TOO_SHORT: (table(*DAYS[:5]), [], ["5 values", "horizon of 7"]),
    "bytes that are not UTF-8": (
        table(*DAYS).replace(b"2024-01-05,5", b"2024-01-05,\xff"), [], ["line 6", "byte 0xff"],
    ),
    "a damaged table": (table(*DAYS, "2024-02-10,1,2,3"), [], ["line 42", "4 cells"]),
    "an infinite value": (
        table(*DAYS[:9], "2024-01-10,inf,3", *DAYS[10:]), [],
        ["line 11, column 'a'", "infinite"],
    ),
    "time zones mixed": (
        table(*(f"{row[:10]}T00:00{'+01:00' if day > 5 else ''}{row[10:]}"
                for day, row in enumerate(DAYS))), [], ["line 8, column 'date'", "offset"],
    ),
    "no such file": (None, [], ["there is no such file"]),
}  # fmt: skip

TEXTS = {
    "an empty text": (b"", [], ["holds no text"]),
    "a short text": (b"not enough", [], ["10 characters", "500"]),
    "bytes that are not UTF-8": (b"line\n" * 200 + b"\xe9", [], ["line 201", "byte 0xe9"]),
    "no such file": (None, [], ["there is no such file"]),
}


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "model.unrolled"
    path.write_bytes(b"a model that took a night")
    return path


@pytest.mark.parametrize("case", TABLES)
def test_a_bad_table_costs_nothing(check, case, tmp_path, out):
    content, options, parts = TABLES[case]
    file = tmp_path / "t.csv"
    if content is not None:
        file.write_bytes(content)
    words = ["train", "forecast", file, "--horizon", 7, *options, "--out", out]
    check(tmp_path, words, [str(file), *parts])


@pytest.mark.parametrize("case", TEXTS)
def test_a_bad_text_costs_nothing(check, case, tmp_path, out):
    content, options, parts = TEXTS[case]
    file = tmp_path / "t.txt"
    if content is not None:
        file.write_bytes(content)
    words = ["train", "generate", file, *options, "--out", out]
    check(tmp_path, words, [str(file), *parts])


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
@pytest.mark.parametrize("case", [case for case in TABLES if case != TOO_SHORT])
def test_a_bad_table_is_no_history(check, verb, case, tmp_path, forecaster):
    content, options, parts = TABLES[case]
    file = tmp_path / "t.csv"
    if content is not None:
        file.write_bytes(content)
    check(tmp_path, [verb, forecaster, file, *options], [str(file), *parts])


OPTIONS = {
    "--horizon": ["0", "-1", "x"],
    "--budget": ["soon", "0s", "-1 steps", ""],
    "--holdout": ["1.0", "-1", "nan", "some"],
    "--hidden-size": ["0"],
    "--layers": ["0"],
    "--cell": ["tree"],
    "--device": ["toaster"],
    "--precision": ["fp3"],
    "--dropout": ["-1", "1", "nan"],
    "--learning-rate": ["0", "-1", "nan"],
    "--members": ["0", "some"],
    "--lookback": ["0", "x"],
    "--segment": ["0"],
    "--architecture": ["tree"],
    "--head": ["tail"],
    "--paths": ["0"],
    "--validation": ["1", "-1", "nan"],
    "--fallback": ["naive"],
    "--shortcut": ["long"],
    "--normalise": ["never"],
    "--holidays": ["Atlantis"],
    "--batch-size": ["0"],
    "--quantile": ["2", "0.4"],
    "--missing": ["perhaps"],
    "--seed": ["-1"],
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_cannot_work_costs_nothing(check, option, tmp_path, out):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    small = ["--horizon", 2, "--budget", "1 steps", "--hidden-size", 2, "--out", out]
    for value in OPTIONS[option]:
        words = ["train", "forecast", file, *small, option, value]
        check(tmp_path, words, [option.strip("-").split("-")[-1].removesuffix("s")])


def test_resume_without_a_run_costs_nothing(check, tmp_path, out):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    words = ["train", "forecast", file, "--horizon", 2, "--out", out, "--resume"]
    check(tmp_path, words, ["run_dir"])


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
def test_a_broken_model_file_is_named(check, verb, case, tmp_path, generator):
    path = tmp_path / "m.unrolled"
    path.write_bytes(BROKEN[case](generator.read_bytes()))
    check(tmp_path, [verb, path], [f"unrolled: {path}: "])


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_a_model_file_that_is_not_there_is_named(check, verb, tmp_path):
    check(tmp_path, [verb, tmp_path / "no.unrolled"], [str(tmp_path / "no.unrolled")])
    check(tmp_path, [verb, tmp_path], ["found a folder"])


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_without_permission_costs_nothing(check, tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    words = ["train", "forecast", file, "--horizon", 2, "--out", closed / "m.unrolled"]
    check(tmp_path, words, [str(closed), "choose another folder"])


def test_a_run_folder_that_cannot_be_made_costs_nothing(check, tmp_path, out):
    file = tmp_path / "t.csv"
    file.write_bytes(table(*DAYS))
    words = ["train", "forecast", file, "--horizon", 2, "--out", out, "--run-dir", file / "run"]
    check(tmp_path, words, ["can't make the run folder"])


def swap(table: str, old: str, new: str) -> str:
    assert old in table
    return table.replace(old, new)


# name: which table, how it is spoilt, what the line holds
SPOILT = {
    "a covariate that is not there": (
        "history", lambda text: text.replace(",mood,", ",moods,"), ["no column 'mood'"],
    ),
    "a future covariate without a row for a step": (
        "ahead", lambda text: swap(text, "b,2024-03-02,1,down\n", ""),
        ["series 'b'", "2024-03-02", "column 'promo'"],
    ),
    "a future covariate that is not given for a step": (
        "ahead", lambda text: swap(text, "b,2024-03-02,1,down", "b,2024-03-02,1,"),
        ["line 6", "column 'mood'", "series 'b'", "2024-03-02"],
    ),
    "another frequency": (
        "history",
        lambda text: "".join(
            line for line in text.splitlines(keepends=True)
            if "day" in line or int(line.split(",")[1].replace("-", "")) % 7 == 0
        ),
        ["series 'a'", "daily"],
    ),
    "a category that was not seen in training": (
        "history", lambda text: swap(text, "b,2024-01-31,2,2,0,up", "b,2024-01-31,2,2,0,sideways"),
        ["series 'b'", "2024-01-31", "column 'mood'", "'sideways'"],
    ),
    "a category ahead that was not seen in training": (
        "ahead", lambda text: swap(text, "b,2024-03-02,1,down", "b,2024-03-02,1,sideways"),
        ["series 'b'", "2024-03-02", "column 'mood'", "'sideways'"],
    ),
    "a series of a kind that was not seen in training": (
        "history", lambda text: text.replace("Bonn", "Rome"), ["column 'town'", "'Rome'", "'b'"],
    ),
    "a static covariate that changes": (
        "history", lambda text: swap(text, "31,2,2,0,up,Bonn", "31,2,2,0,up,Ulm"),
        ["line 92, column 'town'", "series 'b'", "name it in --past"],
    ),
    "text where the training had numbers": (
        "ahead", lambda text: swap(text, "b,2024-03-02,1,down", "b,2024-03-02,some,down"),
        ["column 'promo'"],
    ),
    "an infinite covariate": (
        "history", lambda text: swap(text, "b,2024-01-31,2,2,0,up", "b,2024-01-31,2,inf,0,up"),
        ["column 'rain'", "infinite", "line 92"],
    ),
    "an infinite covariate ahead": (
        "ahead", lambda text: swap(text, "b,2024-03-02,1,down", "b,2024-03-02,-inf,down"),
        ["column 'promo'", "infinite", "line 6"],
    ),
    "time zones mixed": (
        "history", lambda text: text.replace("b,2024-01-31,", "b,2024-01-31T00:00+02:00,"),
        ["line 92", "column 'day'"],
    ),
    "no table of the future": ("ahead", lambda text: None, ["there is no such file"]),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_a_bad_covariate_is_named_with_its_place(check, case, tmp_path, beside):
    which, spoil, parts = SPOILT[case]
    paths = {"history": beside.history, "ahead": beside.ahead}
    content = spoil(paths[which].read_text())
    paths[which] = tmp_path / f"{which}.csv"
    if content is not None:
        paths[which].write_text(content)
    out = tmp_path / "next.csv"
    out.write_text("what was there")
    words = ["predict", beside.model, paths["history"], "--future", paths["ahead"], "--out", out]
    check(tmp_path, words, [str(paths[which]), *parts])


def test_a_future_that_nobody_knows_is_named(check, tmp_path, beside):
    words = ["predict", beside.model, beside.history]
    check(tmp_path, words, ["series 'a'", "2024-03-01, step 1 of 3", "column 'promo'"])


def test_a_future_for_a_model_without_covariates_is_refused(check, tmp_path, forecaster, beside):
    table = forecaster.with_name("sales.csv")
    words = ["predict", forecaster, table, "--future", beside.ahead]
    check(tmp_path, words, ["trained without future covariates", "leave it out"])


def test_an_option_is_named_once(call, tmp_path):
    table = tmp_path / "sky.csv"
    table.write_text("date,sky\n2024-01-01,rain\n2024-01-02,sun\n")
    told = call("check", table)
    assert told.code == 2
    assert "with --target, or name it with --id if" in told.err
