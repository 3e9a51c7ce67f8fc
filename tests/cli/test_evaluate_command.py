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
    assert "--time: for tables only" in told.err
