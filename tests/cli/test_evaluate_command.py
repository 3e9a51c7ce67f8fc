"""`unrolled evaluate`."""

from __future__ import annotations

import json
import shutil

import pytest

import unrolled
from unrolled.errors import DataWarning


def test_without_a_file_the_stored_evaluation_is_told(call, forecaster, generator):
    for path in (forecaster, generator):
        told = call("evaluate", path)
        assert told.code == 0
        assert told.out.startswith(f"{unrolled.load(path).evaluation}\n")


def test_a_file_is_measured_anew(call, forecaster, generator, table, text):
    for path, file in ((forecaster, table), (generator, text)):
        told = call("evaluate", path, file)
        assert told.code == 0, told.err
        assert told.out.startswith(f"{unrolled.load(path).evaluate(file)}\n")


def test_who_was_better_in_training_is_told_apart_from_what_the_file_shows(call, forecaster, table):
    own = unrolled.load(forecaster).evaluation.comparisons[-1]
    assert own.verdict == "network loses"
    assert "all the same; with --fallback baseline" in call("evaluate", forecaster).out
    told = call("evaluate", forecaster, table).out
    assert told.endswith(f"in training the rival ({own.baseline_name}) was better\n")


def test_the_columns_of_the_table_can_be_named(call, forecaster, table):
    told = call("evaluate", forecaster, table, "--target", "tea")
    assert told.code == 0
    assert "1 series" in told.out


def test_json_holds_scores_and_verdict(call, generator):
    told = call("evaluate", generator, "--json")
    stored = unrolled.load(generator).evaluation
    found = json.loads(told.out)
    assert found.pop("verdict") == stored.verdict
    assert type(stored).from_dict(found).to_dict() == stored.to_dict()


def test_options_for_tables_need_a_table(call, forecaster, generator, text):
    told = call("evaluate", forecaster, "--target", "tea")
    assert told.code == 2
    assert told.err.startswith("unrolled: --target: ")
    told = call("evaluate", generator, text, "--time", "date")
    assert told.code == 2
    assert "--time: not for " in told.err


def test_models_of_texts_are_measured_anew(call, classifier, reviews, tagger, tagged):
    for path, file in ((classifier, reviews), (tagger, tagged)):
        told = call("evaluate", path, file)
        assert (told.code, told.err) == (0, "")
        assert told.out == f"{unrolled.load(path).evaluate(file)}\n"
        assert call("evaluate", path).out == f"{unrolled.load(path).evaluation}\n"


def test_the_columns_of_texts_and_tags_can_be_named(call, classifier, reviews, tagger, tagged):
    words = ("--text-column", "review", "--label-column", "verdict")
    assert call("evaluate", classifier, reviews, *words).code == 0
    assert call("evaluate", classifier, reviews, "--text-column", "nope").code == 2
    assert call("evaluate", tagger, tagged, "--column", "2").code == 0
    assert call("evaluate", tagger, tagged, "--column", "7").code == 2


def test_a_report_is_a_page_about_the_labels(call, classifier, reviews, tagger, tagged, tmp_path):
    for path, file in ((classifier, reviews), (tagger, tagged)):
        report = tmp_path / "report.html"
        told = call("evaluate", path, file, "--report", report)
        assert told.code == 0, told.err
        assert told.out.endswith(f"\nreport written to {report}\n")
        page = report.read_text(encoding="utf-8")
        assert f"{type(unrolled.load(path)).__name__} {path.name}</h1>" in page
        for part in (
            "What is taken for what",
            "Can its confidence be trusted?",
            "<td>network</td>",
        ):
            assert part in page
        report.unlink()
    told = call("evaluate", classifier, "--report", report, "--json")
    assert "confusion" in json.loads(told.out)["labels"]
    assert report.exists()


def test_a_translator_is_measured_by_a_table_or_by_two_files(call, translator, pairs):
    task = unrolled.load(translator)
    table, two = pairs / "pairs.tsv", (pairs / "train.de", pairs / "train.en")
    told = call("evaluate", translator, table)
    assert (told.code, told.err) == (0, "")
    assert told.out == f"{task.evaluate(table)}\n"
    for part in ("BLEU: network ", "chrF: network ", "word for word", "copy of", "|tok:13a|"):
        assert part in told.out
    figures = told.out.split("measured on")[0]
    for words in (two, (f"{two[0]},{two[1]}",), (*two, "--source", "de", "--target", "en")):
        assert call("evaluate", translator, *words).out.split("measured on")[0] == figures
    turned = call("evaluate", translator, table, "--source", 1)
    assert turned == call("evaluate", translator, table, "--target", "0")
    with pytest.warns(DataWarning, match="more than the "):  # they fall into more tokens
        assert turned.out == f"{task.evaluate(table, source=1)}\n" != told.out
    assert turned.err.startswith("warning: ")
    assert call("evaluate", translator).out == f"{task.evaluation}\n"


def test_a_translator_is_measured_as_it_is_told_to_search(call, translator, pairs):
    table, task = pairs / "pairs.tsv", unrolled.load(translator)
    options = {"beam": 1, "length_penalty": 0.0, "no_repeat": 1, "coverage_penalty": 0.1}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    told = call("evaluate", translator, table, *words, "--max-length", 4, "--json")
    expected = task.evaluate(table, **options, max_length=4)
    found = json.loads(told.out)
    assert found.pop("verdict") == expected.verdict
    assert type(expected).from_dict(found).to_dict() == expected.to_dict()
    assert expected.details != task.evaluate(table).details


def test_the_worst_translations_are_listed(call, translator, pairs):
    table, task = pairs / "pairs.tsv", unrolled.load(translator)
    told = call("evaluate", translator, table, "--worst", 3)
    measured = task.evaluate(table, worst=3)
    assert len(measured.worst) == 3
    listed = "\n".join(map(str, measured.worst))
    assert told.out == f"{measured}\n\nthe worst by chrF:\n{listed}\n"
    told = call("evaluate", translator, "--worst", 2)
    listed = "\n".join(map(str, task.evaluation.worst[:2]))
    assert told.out == f"{task.evaluation}\n\nthe worst by chrF:\n{listed}\n"


def test_what_a_task_can_not_be_told_is_refused(call, translator, classifier, pairs, reviews):
    table = pairs / "pairs.tsv"
    for words, part in (
        ((translator, table, "--report", "r.html"), "--report: of labels only"),
        ((translator, table, "--column", 1), "--column: not for "),
        ((translator, table, "--time", "a"), "--time: not for "),
        ((translator, "--beam", 1), "--beam: say how to "),
        ((translator, table, "--target", 0, "--target", 1), "--target: of pairs one column only"),
        ((translator, table, "--worst", 0), "unrolled: --worst: got 0, expected a whole number"),
        ((classifier, reviews, "--worst", 3), "--worst: not for "),
        ((classifier, reviews, "--source", 3), "--source: not for "),
        ((classifier, reviews, reviews), "expected one FILE, got "),
    ):
        told = call("evaluate", *words)
        assert (told.code, told.out) == (2, "")
        assert part in told.err


def test_a_turned_translator_is_measured_in_its_own_direction(call, pairs, tmp_path):
    table, out = pairs / "pairs.tsv", tmp_path / "en-de.unrolled"
    small = ("--budget", "2 steps", "--hidden-size", "4", "--embedding-size", "4", "--layers", "1")
    told = call("train", "translate", table, "--source", 1, *small, "--out", out)
    assert told.code == 0, told.err
    found = call("evaluate", out, table)
    assert found.code == 0, found.err
    assert found == call("evaluate", out, table, "--source", 1)
    assert found.out != call("evaluate", out, table, "--source", 0).out


def test_what_is_left_out_of_the_pairs_is_told(call, translator, pairs, tmp_path):
    table = tmp_path / "more.tsv"
    table.write_text((pairs / "pairs.tsv").read_text() + "Anna\t\n")
    told = call("evaluate", translator, table)
    assert told.code == 0
    assert "left out 1 pair with one empty side: line 55" in told.out
    assert told.err == "warning: more.tsv: left out 1 pair with one empty side: line 55\n"


def test_a_transcriber_is_measured_by_a_folder_or_a_table(call, transcriber, labeller, sounds):
    for path, folder, part in (
        (transcriber, sounds / "words", "WER %: network "),
        (labeller, sounds / "labels", "accuracy: network "),
    ):
        told = call("evaluate", path, folder)
        assert (told.code, told.err) == (0, "")
        assert told.out == f"{unrolled.load(path).evaluate(folder)}\n"
        assert part in told.out
        assert call("evaluate", path).out == f"{unrolled.load(path).evaluation}\n"
    table = sounds / "words" / "manifest.csv"
    words = ("--audio", "audio", "--text", "text", "--beam", 1)
    assert call("evaluate", transcriber, table, *words).code == 0
    assert call("evaluate", transcriber, table, "--text", "nope").code == 2


def test_the_recordings_heard_worst_are_listed_and_broken_ones_left_out(
    call, labeller, sounds, tmp_path
):
    task = unrolled.load(labeller)
    low = next((sounds / "labels" / "low").iterdir())
    for label in ("low", "high"):  # one of the two is wrong
        (tmp_path / label).mkdir()
        (tmp_path / label / "a.wav").write_bytes(low.read_bytes())
    (tmp_path / "low" / "b.wav").write_bytes(b"nothing")
    told = call("evaluate", labeller, tmp_path, "--worst", 3)
    assert (told.code, told.out) == (2, "")
    assert "--skip" in told.err
    told = call("evaluate", labeller, tmp_path, "--worst", 3, "--skip")
    assert told.code == 0, told.err
    measured = task.evaluate(tmp_path, skip=True, worst=3)
    listed = "\n".join(map(str, measured.worst))
    assert told.out.startswith(f"{measured}\n")
    assert told.out.endswith(f"\n\nthe worst by wrong words:\n{listed}\n")
    assert len(measured.worst) == 1


def test_what_a_transcriber_can_not_be_told_is_refused(call, transcriber, classifier, sounds):
    folder = sounds / "words"
    for words, part in (
        ((transcriber, folder, "--text-column", "a"), "--text-column: not for "),
        ((transcriber, folder, "--no-repeat", 3), "--no-repeat: not for "),
        ((transcriber, folder, folder), "expected one FILE, got "),
        ((transcriber, "--skip"), "--skip: say how to "),
        ((transcriber, folder, "--beam", 0), "beam: got 0"),
        ((classifier, folder, "--skip"), "--skip: not for "),
        ((classifier, folder, "--beam", 3), "--beam: not for "),
    ):
        told = call("evaluate", *words)
        assert (told.code, told.out) == (2, "")
        assert part in told.err


def test_what_was_left_out_and_what_a_transcriber_can_not_write_is_told(
    call, transcriber, sounds, tmp_path
):
    for name, said in (("000", "zebra"), ("001", "zebra quagga"), ("002", None)):
        shutil.copy(sounds / "words" / f"{name}.wav", tmp_path)
        if said is not None:
            (tmp_path / f"{name}.txt").write_text(said)
    told = call("evaluate", transcriber, tmp_path, "--skip")
    assert told.code == 0, told.err
    assert "left out, sounds without a transcript: 1 (002.wav)" in told.out
    assert "transcripts hold words that this model can't write: 'zebra' 'quagga'\n" in told.out
