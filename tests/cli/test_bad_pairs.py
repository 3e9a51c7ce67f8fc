"""Bad pairs of sentences through the command line: exit 2, one plain line, and nothing is lost."""

from __future__ import annotations

import pytest

GOOD = "".join(f"Satz {n} ist gut.\tSentence {n} is good.\n" for n in range(12)).encode()

# name: the files by name with their content (None: no file), what the line holds
FILES = {
    "unequal files": (
        {"t.de": b"eins\nzwei\ndrei\n", "t.en": b"one\ntwo\n"},
        ["t.de: has 3 lines and ", "t.en 2"],
    ),
    "a line with one column": (
        {"t.tsv": GOOD + b"Nur Deutsch.\n"},
        ["t.tsv, line 13: has one column ('Nur Deutsch.')", "two files are given as SOURCE,TARGET"],
    ),
    "a line with three columns": (
        {"t.tsv": GOOD + b"Ja.\tYes.\tOui.\n"}, ["line 13: has 3 columns", "--source and --target"],
    ),
    "nothing but empty sides": (
        {"t.tsv": b"Ja.\t\n\tNo.\n"}, ["holds no pair", "an empty side in lines 1, 2"],
    ),
    "an empty file": ({"t.tsv": b""}, ["t.tsv: is empty"]),
    "no such file": ({"t.tsv": None}, ["there is no such file"]),
    "a second file that is not there": (
        {"t.de": b"ja\n", "t.en": None}, ["t.en: there is no such"],
    ),
    "bytes that are not UTF-8": (
        {"t.tsv": GOOD + b"caf\xe9\tcoffee\n"},
        ["line 13", "byte 0xe9", "iconv -f cp1252 -t UTF-8"],
    ),
    "a binary file": ({"t.tsv": b"\x00\x01\x02"}, ["is no text"]),
    "a table of one column": ({"t.csv": b"de\nJa.\n"}, ["t.csv", "has one column ('de')"]),
}  # fmt: skip
TOO_FEW = {"t.tsv": b"Ja.\tYes.\nNein.\tNo.\n"}


def made(folder, files):
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content)
    return [folder / name for name in files]


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "model.unrolled"
    path.write_bytes(b"a model that took a night")
    return path


@pytest.mark.parametrize("case", FILES)
def test_bad_pairs_are_neither_learnt_nor_measured_nor_tested_on(
    check, case, tmp_path, out, pairs, translator
):
    files, expected = FILES[case]
    paths = made(tmp_path, files)
    check(tmp_path, ["train", "translate", *paths, "--out", out], expected)
    check(tmp_path, ["evaluate", translator, *paths], expected)
    named = ",".join(map(str, paths))
    for option in ("--validation", "--test"):
        words = ["train", "translate", pairs / "pairs.tsv", "--out", out, option, named]
        check(tmp_path, words, expected)


def test_too_few_pairs_cost_nothing(check, tmp_path, out):
    (path,) = made(tmp_path, TOO_FEW)
    words = ["train", "translate", path, "--out", out]
    check(tmp_path, words, ["t.tsv: got 2 different pairs", "--validation and --test"])


def test_a_column_that_is_not_there_is_told_in_our_words(check, tmp_path, out, pairs):
    words = ["train", "translate", pairs / "pairs.tsv", "--out", out]
    numbered = "the columns have no names, number them from 0 to 1"
    check(tmp_path, [*words, "--source", 2], ["there is no column 2 for --source: ", numbered])
    check(
        tmp_path,
        [*words, "--target", "en"],
        ["pairs.tsv, line 1: has no header that could name 'en' for --target"],
    )
    same = "--source and --target are the same column"
    check(tmp_path, [*words, "--source", 0, "--target", 0], [same])


def test_more_files_than_two_and_a_set_beside_a_file_are_refused(check, tmp_path, out, pairs):
    de, en = pairs / "train.de", pairs / "train.en"
    words = ["train", "translate", "--out", out]
    for named in ((de, en, en), (de, "data:multi30k-val"), (de, f"{de},{en}")):
        check(tmp_path, [*words, *named], ["FILE: got ", "two files whose lines belong together"])
    for option in ("--validation", "--test"):
        more = [one for path in (de, en, en) for one in (option, path)]
        check(tmp_path, [*words, pairs / "pairs.tsv", *more], [f"{option}: got "])
    check(tmp_path, [*words, "data:seattle-weather"], ["holds series, and pairs is needed here"])


def test_no_result_replaces_a_file_that_was_read(check, tmp_path, translator):
    (letter,) = made(tmp_path, {"letter.de": b"Ja.\n"})
    check(tmp_path, ["predict", translator, letter, "--out", letter], ["is an input itself"])
    for name in ("letter.csv", "letter", "letter.unrolled"):
        words = ["predict", translator, letter, "--out", tmp_path / name]
        check(tmp_path, words, [f"{name}: expected a name that ends in .txt or .tsv or .en"])


def test_a_validation_file_that_overlaps_the_training_is_told(call, pairs, tmp_path):
    first = (pairs / "pairs.tsv").read_bytes().splitlines(True)[:9]
    (val,) = made(tmp_path, {"val.tsv": b"".join(first)})
    small = ("--budget", "1 steps", "--hidden-size", "4", "--embedding-size", "4")
    words = (*small, "--validation", val, "--out", tmp_path / "m.unrolled")
    told = call("train", "translate", pairs / "pairs.tsv", *words)
    assert told.code == 0, told.err
    assert (
        "line 1 of the validation: the validation is a part of the training: all 9 pairs"
        in told.out
    )


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("t.csv", b"de,en\nJa.,Yes.\n", ["t.csv: expected a text with a sentence a line"]),
        ("t.jsonl.gz", b"", ["t.jsonl.gz: expected a text with a sentence a line"]),
        ("t.de", b"", None),
        ("t.de", None, ["t.de: there is no such file"]),
        ("t.de", b"Ja.\ncaf\xe9\n", ["t.de, line 2", "byte 0xe9"]),
    ],
)
def test_only_sentences_are_translated(call, tmp_path, translator, name, content, parts):
    (path,) = made(tmp_path, {name: content})
    out = tmp_path / "out.txt"
    told = call("predict", translator, path, "--out", out)
    if parts is None:
        assert (told.code, told.err, out.read_text()) == (0, "", "")
        return
    assert (told.code, told.out) == (2, "")
    assert told.err.count("\n") == 1
    assert all(part in told.err for part in parts)
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--beam", 0), "beam: got 0"),
        (("--n-best", 9), "n_best: got 9 with a beam of 5"),
        (("--n-best", 2, "--alignment"), "--alignment: can't go together with --n-best"),
        (
            ("--length-penalty", "x"),
            "--length-penalty: got 'x', expected a number from",
        ),
        (("--max-length", "2,3,4"), "--max-length: got '2,3,4', expected a whole number"),
        (("--max-length", "2.5"), "--max-length: got '2.5'"),
        (("--too-long", "drop"), "too_long: got 'drop', expected one of keep, split, truncate"),
        (("--running",), "--running: not for "),
        (("--prompt", "a"), "--prompt: not for "),
        (("--target", "a"), "--target: not for "),
        (("--text", "a"), "give INPUT or --text, not both"),
    ],
)
def test_options_that_can_not_work_are_told_before_anything_is_read(
    check, tmp_path, translator, words, part
):
    check(tmp_path, ["predict", translator, tmp_path / "no.de", *words], [part])


def test_a_model_without_attention_has_none_to_show(call, pairs, tmp_path):
    out = tmp_path / "m.unrolled"
    small = ("--budget", "1 steps", "--hidden-size", "4", "--embedding-size", "4")
    words = ("train", "translate", pairs / "pairs.tsv", *small, "--attention", "none")
    assert call(*words, "--out", out).code == 0
    assert call("predict", out, "--text", "Ja.").code == 0
    told = call("predict", out, "--text", "Ja.", "--alignment")
    assert (told.code, told.out) == (2, "")
    assert told.err == "unrolled: --alignment: the model has no attention that could be shown\n"


def test_a_translator_is_neither_scored_nor_backtested(check, tmp_path, translator, classifier):
    check(tmp_path, ["score", translator, "--text", "a"], ["holds a Translator; give the model of"])
    check(tmp_path, ["suggest", translator], ["holds a Translator; give the model of a generator"])
    check(tmp_path, ["backtest", translator, "x.csv"], ["holds a Translator; give the model of"])
    words = ["predict", classifier, "--text", "a", "--beam", 2]
    check(tmp_path, words, ["--beam: not for ", "which holds a Classifier"])
