"""`unrolled check`."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from unrolled.data.doctor import Checkup, examine
from unrolled.data.labelled import read_labelled
from unrolled.data.pairs_doctor import examine_pairs
from unrolled.data.recordings_doctor import examine_recordings
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.series import read_series
from unrolled.data.text_doctor import examine_texts

BESIDE = {
    "id_column": "shop", "time_column": "day", "value_columns": ["sold"],
    "past_columns": ["rain", "leak"], "missing": "mask",
}  # fmt: skip


@pytest.fixture
def leaking(beside, tmp_path):
    """A table with a column that is tomorrow's value, and what reads it."""
    path = tmp_path / "leaking.csv"
    frame = pl.read_csv(beside.history)
    noise = pl.Series([(i * 37 % 101) / 7 for i in range(len(frame))])
    frame = frame.with_columns(sold=noise)
    frame.with_columns(leak=pl.col("sold").shift(-1).over("shop").fill_null(0)).write_csv(path)
    columns = ("--id", "shop", "--time", "day", "--target", "sold")
    return path, (*columns, "--past", "rain", "--past", "leak")


def test_what_the_doctor_says_is_told_and_is_no_error(call, leaking):
    path, columns = leaking
    told = call("check", path, *columns, "--horizon", 3)
    assert told.code == 0, told.err
    found = examine(read_series(path, **BESIDE), horizon=3)
    assert told.out == f"{found}\n"
    assert "warning: leak: series 'a', column 'leak'" in told.out


def test_nothing_found_is_said_with_the_frequency(call, table):
    told = call("check", table)
    assert told.out == "2 series of 90 values, daily, 2024-01-01 to 2024-03-30: nothing to report\n"


def test_a_horizon_makes_series_too_short(call, table):
    told = call("check", table, "--horizon", 50, "--lookback", 60)
    assert told.code == 0
    assert "too short: series 'tea'" in told.out


def test_json_and_a_table_hold_every_finding(call, leaking, tmp_path):
    path, columns = leaking
    out = tmp_path / "findings.csv"
    told = call("check", path, *columns, "--json", "--out", out)
    found = examine(read_series(path, **BESIDE))
    assert len(found) > 0
    assert Checkup.from_dict(json.loads(told.out)) == found
    assert pl.read_csv(out)["text"].to_list() == [one.text for one in found]


def test_findings_never_replace_the_table(call, table):
    before = table.read_bytes()
    told = call("check", table, "--out", table)
    assert told.code == 2
    assert "is an input itself" in told.err
    assert table.read_bytes() == before


def test_a_table_that_cannot_be_read_is_one_line(call, tmp_path):
    told = call("check", tmp_path / "no.csv")
    assert told.code == 2
    assert "there is no such file" in told.err
    assert told.err.count("\n") == 1


def test_texts_are_examined_where_a_column_of_them_is_named(call, reviews):
    told = call("check", reviews, "--text-column", "review")
    assert (told.code, told.err) == (0, "")
    assert told.out == f"{examine_texts(read_labelled(reviews, text_column='review'))}\n"
    assert told.out.startswith("120 texts with 2 labels")


def test_a_table_without_times_is_pointed_to_the_texts(call, reviews):
    told = call("check", reviews)
    assert told.code == 2
    assert told.err.endswith(
        "; if it holds texts, name their column: --text-column; if pairs of sentences, both of"
        " theirs: --source, --target\n"
    )
    assert told.err.count("\n") == 1


def test_what_a_test_shares_with_the_training_is_told(call, reviews):
    words = ("--text-column", "review", "--label-column", "verdict")
    told = call("check", reviews, *words, "--test", reviews)
    assert told.code == 0, told.err
    assert "warning: across splits: " in told.out
    chosen_by = call("check", reviews, *words, "--validation", reviews)
    assert "of the validation stand in the training too" in chosen_by.out
    assert call("check", reviews, *words, "--validation", "none.csv").code == 2


def test_tagged_words_and_a_text_are_examined_by_their_endings(call, tagged, text, tmp_path):
    assert call("check", tagged).out.startswith("90 sentences of 450 words with 4 tags\n")
    assert "with 3 tags\n" in call("check", tagged, "--column", "1").out
    assert call("check", text).out.startswith("30 lines of 1,350 characters")
    one = tmp_path / "one.jsonl"
    one.write_text('{"text": "a b", "label": "x"}\n' * 9)
    told = call("check", one)
    assert told.code == 0
    assert "warning: one label: label 'x': all 9 texts" in told.out
    assert "name another --label-column" in told.out


@pytest.fixture
def pairs(tmp_path):
    """The files of German and English sentences, in the form of Tatoeba and as two."""
    rows = [(f"The house number {n} is old.", f"Das Haus Nummer {n} ist alt.") for n in range(40)]
    path = tmp_path / "deu.txt"
    path.write_text("".join(f"{en}\t{de}\tCC-BY 2.0 (France)\n" for en, de in rows))
    for place, name in enumerate(("train.en", "train.de")):
        (tmp_path / name).write_text("".join(f"{row[place]}\n" for row in rows))
    return tmp_path


def test_pairs_are_known_by_their_tabs_or_their_two_files(call, pairs):
    path = pairs / "deu.txt"
    told = call("check", path)
    assert (told.code, told.err) == (0, "")
    assert told.out == f"{examine_pairs(path)}\n" == "40 pairs of sentences: nothing to report\n"
    two = f"{pairs}/train.de,{pairs}/train.en"
    assert call("check", two).out == "40 pairs of sentences, de to en: nothing to report\n"
    apart = two.split(",")
    assert call("check", *apart).out == call("check", two).out
    assert call("check", *apart, *(f"--test={one}" for one in apart)) == call(
        "check", two, "--test", two
    )
    assert call("check", two, "--source", "en").out.startswith("40 pairs of sentences, en to de")
    assert call("check", two, "--target", "de").out.startswith("40 pairs of sentences, en to de")
    assert call("check", path, "--source", "1", "--target", "0").code == 0


def test_pairs_that_a_part_shares_are_told_whatever_its_form(call, pairs):
    two = f"{pairs}/train.de,{pairs}/train.en"
    told = call("check", pairs / "deu.txt", "--source", 1, "--test", pairs / "deu.txt")
    assert "line 1 of the test: the test is the training: all 40 pairs" in told.out
    told = call("check", two, "--validation", two)
    assert "the validation is the training: all 40 pairs of it stand there too" in told.out


def test_what_is_wrong_with_pairs_is_one_line_in_our_words(call, pairs):
    (pairs / "train.en").write_text("one\ntwo\n")
    two = f"{pairs}/train.de,{pairs}/train.en"
    told = call("check", two)
    assert told.code == 2
    assert "train.de: has 40 lines and " in told.err
    assert told.err.count("\n") == 1
    told = call("check", pairs / "train.de", "--source", 0)
    assert "two files are given as SOURCE,TARGET" in told.err
    told = call("check", pairs / "deu.txt", "--source", "en")
    assert "deu.txt, line 1: has no header that could name 'en' for --source (it " in told.err
    assert told.err.count("\n") == 1
    told = call("check", pairs / "deu.txt", "--target", 0, "--target", 1)
    assert "--target: of pairs one column only" in told.err
    told = call("check", pairs / "deu.txt", "--horizon", 3)
    assert "--horizon: not for " in told.err
    out = pairs / "train.csv"
    (pairs / "train.csv").write_text("de,en\nJa.,Yes.\n")
    told = call("check", f"{pairs}/train.csv,{pairs}/train.en", "--out", out)
    assert "is an input itself" in told.err


@pytest.fixture
def sounds(tmp_path):
    """A folder of two commands by two speakers, and a table of the same sounds."""
    import soundfile

    draw = np.random.default_rng(0)
    rows = ["clip,words,who"]
    for label in ("on", "off"):
        (tmp_path / "commands" / label).mkdir(parents=True)
        for take in range(12):
            name = f"{label}/{'ab'[take % 2]}_{take}.wav"
            values = draw.normal(size=3000 + 10 * take) * 0.05
            soundfile.write(tmp_path / "commands" / name, values, 8000)
            rows.append(f"commands/{name},turn it {label},{'ab'[take % 2]}")
    (tmp_path / "all.csv").write_text("\n".join([*rows, ""]))
    return tmp_path


def test_a_folder_of_sounds_is_examined_as_python_does(call, sounds):
    told = call("check", sounds / "commands")
    assert (told.code, told.err) == (0, "")
    found = examine_recordings(read_recordings(sounds / "commands"))
    assert not list(found)
    assert told.out.splitlines()[0] == found.about == "24 recordings, 9 s"
    assert "note: reading: labels: the 2 folders" in told.out
    named = call("check", sounds / "commands", "--pattern", "{speaker}_{take}.wav")
    assert named.out.startswith("24 recordings, 9 s, 2 speakers\n")


def test_a_table_of_sounds_is_examined_by_the_columns_that_are_named(call, sounds):
    words = ("--audio", "clip", "--text", "words", "--speaker", "who")
    told = call("check", sounds / "all.csv", *words, "--test", sounds / "all.csv", "--json")
    assert told.code == 0, told.err
    read = read_recordings(sounds / "all.csv", audio="clip", text="words", speaker="who")
    found = examine_recordings(read, test=read)
    assert Checkup.from_dict(json.loads(told.out)) == found
    assert {one.kind for one in found.warnings} == {"across splits"}
    chosen_by = call("check", sounds / "all.csv", *words, "--validation", sounds / "all.csv")
    assert "of the validation hold the same sound as one of the training" in chosen_by.out
    slow = call("check", sounds / "all.csv", *words, "--frame-seconds", 0.1)
    assert "warning: too long to say: line 14: 24 of 24 (100%)" in slow.out
    # without them their usual names are looked for
    guessed = call("check", sounds / "all.csv", "--text", "words")
    assert "note: reading: audio: column 'clip' (guessed; --audio names others)" in guessed.out


def test_sounds_that_cannot_be_used_are_told_and_the_rest_is_examined(call, sounds):
    (sounds / "commands" / "on" / "a_0.wav").write_bytes(b"no sound")
    told = call("check", sounds / "commands")
    assert told.code == 0, told.err
    assert told.out.startswith("23 recordings, ")
    assert "warning: reading: left out, sounds that can't be used: 1 (on/a_0.wav)" in told.out


def test_what_is_wrong_with_recordings_is_one_line_in_our_words(call, sounds):
    for words, part in (
        ((sounds / "all.csv", "--text", "none"), "there is no column"),
        ((sounds / "commands", "--pattern", "{take}.wav"), "has no {label}, {text} or {speaker}"),
        ((sounds / "commands", "--horizon", 3), "--horizon: not for "),
        ((sounds / "commands", "--frame-seconds", 0), "frame_seconds"),
        ((sounds / "commands", "--test", "a", "--test", "b"), "one file of recordings"),
        (("data:seattle-weather", "--audio", "clip"), "leave out --audio"),
    ):
        told = call("check", *words)
        assert (told.code, told.err.count("\n")) == (2, 1), told
        assert part in told.err


@pytest.mark.data
def test_recordings_of_the_catalog_are_examined(call):
    told = call("check", "data:an4-train", "--test", "data:an4-test")
    assert told.code == 0, told.err
    assert told.out.startswith("948 recordings, 42 min, 74 speakers\n")


@pytest.mark.parametrize(("end", "mark"), [(".csv", ","), (".tsv", "\t")])
def test_pairs_among_other_columns_are_known_by_the_names_of_languages(call, tmp_path, end, mark):
    rows = [("id", "Deutsch", "English")]
    rows += [(f"{n}", f"Haus {n} ist alt.", f"House {n} is old.") for n in range(3)]
    path = tmp_path / f"train{end}"
    path.write_text("".join(mark.join(row) + "\n" for row in rows))
    told = call("check", path)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("3 pairs of sentences, Deutsch to English\n")
    assert "columns 'Deutsch' and 'English' of 3 were taken (--source and --target" in told.out
    rows[0] = ("nr", "Satz", "Übersetzung")
    path.write_text("".join(mark.join(row) + "\n" for row in rows))
    told = call("check", path)
    assert (told.code, told.out) == (2, "")
    assert "nr" in told.err
    assert "Satz" in told.err
    assert told.err.endswith("if pairs of sentences, both of theirs: --source, --target\n")
    named = call("check", path, "--source", "Satz", "--target", "Übersetzung")
    assert named.out.startswith("3 pairs of sentences, Satz to Übersetzung: nothing")


def test_options_of_another_kind_of_data_are_refused(call, reviews, tagged, table):
    for words, part in (
        ((tagged, "--horizon", 3), "--horizon: not for "),
        ((reviews, "--text-column", "review", "--target", "id"), "--target: not for "),
        ((table, "--test", table), "--test: of texts, pairs and recordings only"),
    ):
        told = call("check", *words)
        assert told.code == 2
        assert part in told.err
