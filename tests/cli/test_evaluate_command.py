"""`unrolled evaluate`."""

from __future__ import annotations

import json

import unrolled


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
