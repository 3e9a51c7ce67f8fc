"""From the log of a run to records."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from unrolled.errors import ConfigError, DataError
from unrolled.lens import runs
from unrolled.lens.runs import MOST_LOOKS, MOST_POINTS, names_of, read_run, run_folders
from unrolled.training.log import LogReader


def step(number: int, **more: Any) -> dict[str, Any]:
    told = {"loss": 1 / number, "rate": 0.1, "gradient_norm": number % 3, "clip": 1.0, "tokens": 10}
    return {"step": number, **told, "seconds": number / 10, **more}


def look(number: int, *findings: tuple[str, str, str], **layer: Any) -> dict[str, Any]:
    told = {"name": "rnn", "layer": 0, "direction": "forward", "cell": "GRU", "steps": 5, "rows": 2}
    curve = {"gradient": [0.5, 0.25, "nan", "inf", 0.0], "gradient_steps": 4}
    found = [
        {"kind": kind, "where": "rnn", "text": f"rnn: {measured}; {remedy}", "remedy": remedy}
        for kind, measured, remedy in findings
    ]
    diagnostics = {"layers": [{**told, **curve, **layer}], "findings": found, "falling": False}
    return {"step": number, "diagnostics": diagnostics, "seconds": number / 10}


def write(folder: Path, *records: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "log.jsonl").write_text(text)
    return folder


def test_a_short_log_is_kept_point_by_point(tmp_path: Path) -> None:
    records = [step(k) for k in range(1, 7)]
    records.insert(4, {"step": 4, "held_out": 0.5, "seconds": 0.45})
    records += [{"step": 6, "held_out": 0.5, "seconds": 0.7}]
    found = read_run(write(tmp_path / "one", *records))
    assert found.name == "one"
    assert found.every == 1
    assert found.steps == [1, 2, 3, 4, 5, 6]
    assert found.loss == found.low == found.high
    assert found.loss == pytest.approx([1 / k for k in range(1, 7)], rel=1e-5)
    assert found.tokens == [10, 20, 30, 40, 50, 60]
    assert found.seconds == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert found.norm == [1, 2, 0, 1, 2, 0]
    assert found.clipped == [0, 1, 0, 0, 1, 0]
    assert found.clip == 1.0
    assert [(one.step, one.tokens, one.score) for one in found.validation] == [
        (4, 40, 0.5),
        (6, 60, 0.5),
    ]
    assert found.best == 4  # the first of equal ones, whose weights are kept
    assert found.notes == []


def test_a_long_log_is_put_together_and_loses_no_extreme(tmp_path: Path) -> None:
    count = 2 * MOST_POINTS + 3
    losses = [9.0 if k == 1234 else 1.0 for k in range(1, count + 1)]
    found = read_run(
        write(tmp_path, *(step(k, loss=loss) for k, loss in enumerate(losses, start=1)))
    )
    assert found.every == 4
    assert len(found.steps) <= MOST_POINTS
    assert found.steps[:2] == [4, 8]
    assert found.steps[-1] == count
    assert found.tokens[-1] == pytest.approx(10 * count)
    place = next(k for k, last in enumerate(found.steps) if last >= 1234)
    assert (found.low[place], found.loss[place], found.high[place]) == (1.0, 3.0, 9.0)
    # Of norms 0, 1, 2 in turn those above 1.
    assert found.clipped[0] == 0.25


def test_what_is_not_known_or_no_number_is_none(tmp_path: Path) -> None:
    lines = (
        '{"step": 1, "loss": NaN, "gradient_norm": "inf", "rate": true}',
        f'{{"step": 2, "loss": 1{"0" * 400}, "seconds": null}}',
        '{"step": 3, "held_out": "nan"}',
        "",
    )
    tmp_path.joinpath("log.jsonl").write_text("\n".join(lines))
    found = read_run(tmp_path)
    for values in (found.loss, found.seconds, found.tokens, found.norm, found.rate, found.clipped):
        assert values == [None, None]
    assert found.best is None
    assert found.clip is None
    json.dumps(found.to_json(), allow_nan=False)


def test_lines_are_in_the_order_of_their_steps_whatever_that_of_the_file(tmp_path: Path) -> None:
    found = read_run(write(tmp_path, step(3), step(1), step(2)))
    assert found.steps == [1, 2, 3]


def test_a_finding_that_stays_is_one_and_says_when_it_was_seen(tmp_path: Path) -> None:
    gates = [("SaturatedGates", f"gate {name}", "smaller inputs") for name in "io"]
    found = read_run(
        write(
            tmp_path,
            look(10, *gates),
            look(20, gates[0], ("DeadUnits", "60% zero", "tanh")),
            look(30),
            look(40, gates[0]),
        )
    )
    told = [(one.kind, one.measured, one.first, one.last, one.looks) for one in found.findings]
    assert told == [
        ("SaturatedGates", "gate i", 10, 20, 2),
        ("SaturatedGates", "gate o", 10, 10, 1),
        ("DeadUnits", "60% zero", 20, 20, 1),
        ("SaturatedGates", "gate i", 40, 40, 1),
    ]
    assert [one.remedy for one in found.findings] == ["smaller inputs"] * 2 + ["tanh"] + [
        "smaller inputs"
    ]


def test_a_finding_that_was_made_while_the_loss_fell_throughout_says_so(tmp_path: Path) -> None:
    first, second = look(10, ("DeadUnits", "a", "b")), look(20, ("DeadUnits", "a", "b"))
    first["diagnostics"]["falling"] = True
    (span,) = read_run(write(tmp_path / "a", first)).findings
    assert span.falling
    (span,) = read_run(write(tmp_path / "b", first, second)).findings
    assert not span.falling


def test_the_gradient_through_time_stands_at_its_places(tmp_path: Path) -> None:
    long = [float(k) for k in range(33)]
    more = {"steps": 65, "gradient": long, "gradient_steps": 64, "gradient_back": long}
    seen = {"gradient_carried": 0.25, "gradient_peak": "inf", "gradient_reach": "inf"}
    short, whole = read_run(write(tmp_path, look(1), look(2, **more, **seen))).looks
    (profile,) = short.layers
    assert (short.step, profile.where, profile.steps) == (1, "rnn, layer 0, forward", 5)
    assert profile.places == [1, 2, 3, 4, 5]
    assert profile.norms == [0.5, 0.25, None, None, 0.0]
    assert (profile.lags, profile.back, profile.carried) == ([], [], None)
    (profile,) = whole.layers
    assert profile.places == list(range(1, 66, 2))
    assert profile.lags == list(range(0, 65, 2))
    assert profile.back == long
    assert (profile.carried, profile.peak, profile.reach) == (0.25, None, None)


def test_of_many_looks_some_are_kept_and_the_last(tmp_path: Path) -> None:
    found = read_run(write(tmp_path, *(look(k) for k in range(1, 3 * MOST_LOOKS))))
    assert len(found.looks) <= MOST_LOOKS + 1
    assert (found.looks[0].step, found.looks[-1].step) == (1, 3 * MOST_LOOKS - 1)


@pytest.mark.parametrize(
    ("units", "expected", "factor"),
    [
        ({"loss": "nats per a", "held_out": "bits per a"}, ("bits per a", "bits per a"), 1.442695),
        ({"loss": "nats per a", "held_out": "bits per b"}, ("nats per a", "bits per b"), 1),
        ({"loss": "nats per a", "held_out": "nats per a"}, ("nats per a", "nats per a"), 1),
        ({"held_out": "F1"}, (None, "F1"), 1),
        ({"loss": 3, "held_out": ""}, (None, None), 1),
        ("nats", (None, None), 1),
    ],
)
def test_losses_are_in_the_unit_of_the_score_where_that_is_bits_for_nats(
    tmp_path: Path, units: Any, expected: tuple[str | None, str | None], factor: float
) -> None:
    records = [step(1, loss=2.0), {"step": 1, "held_out": 3.0}]
    found = read_run(write(tmp_path, {"step": 0, "units": units, "seconds": 0.0}, *records))
    assert (found.loss_unit, found.score_unit) == expected
    for losses in (found.loss, found.low, found.high):
        assert losses == pytest.approx([2 * factor], rel=1e-5)
    assert found.validation[0].score == 3.0


def test_a_log_of_an_earlier_version_has_no_units(tmp_path: Path) -> None:
    found = read_run(write(tmp_path, step(1)))
    assert (found.loss, found.loss_unit, found.score_unit) == ([1.0], None, None)


def test_a_layer_has_the_findings_that_its_look_made_of_it(tmp_path: Path) -> None:
    record = look(1)
    elsewhere = {"kind": "DeadUnits", "where": "rnn, layer 1, forward"}
    here = {"kind": "VanishingGradient", "where": "rnn, layer 0, forward"}
    record["diagnostics"]["findings"] = [elsewhere, here]
    (seen,) = read_run(write(tmp_path, record)).looks
    assert seen.layers[0].found == ["VanishingGradient"]


@pytest.mark.parametrize(
    "diagnostics",
    [
        {},
        {"layers": 1, "findings": {"a": 1}},
        {"layers": [1, {}, {"gradient": "x"}, {"gradient": [1.0]}], "findings": [[], {}]},
        {
            "layers": [
                {"gradient": [], "steps": 3},
                {"gradient": [1], "steps": 3, "gradient_back": 4},
            ]
        },
    ],
)
def test_diagnostics_of_another_shape_are_no_error(tmp_path: Path, diagnostics: Any) -> None:
    found = read_run(write(tmp_path, {"step": 1, "diagnostics": diagnostics}, step(1)))
    assert found.looks == []
    json.dumps(found.to_json(), allow_nan=False)


def test_broken_lines_are_told_and_a_file_without_one_of_a_log_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", step(1))
    with (tmp_path / "a" / "log.jsonl").open("a") as log:
        log.write("garbage\n" + json.dumps(step(2)) + '\n{"step": 3, "lo')
    found = read_run(tmp_path / "a")
    assert found.steps == [1, 2]
    assert found.notes == ["a: line 2 of log.jsonl can't be read and is left out"]
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "log.jsonl").write_text("my diary\n")
    with pytest.raises(DataError, match=r"b.log\.jsonl: no line of it is that of a run's log"):
        read_run(tmp_path / "b")


def test_a_run_that_has_just_begun_is_empty_and_no_error(tmp_path: Path) -> None:
    write(tmp_path)
    found = read_run(tmp_path)
    assert found.steps == []
    assert found.best is None


def test_a_folder_of_runs_stands_for_those_inside(tmp_path: Path) -> None:
    one, two = write(tmp_path / "b", step(1)), write(tmp_path / "a", step(1))
    (tmp_path / "c").mkdir()
    assert run_folders([tmp_path]) == [two, one]
    # A run that made others on its way, as trials, stands for itself.
    write(tmp_path / "b" / "trial-1", step(1))
    assert run_folders([one, tmp_path, one]) == [one, two]
    for folder in (tmp_path / "c", tmp_path / "missing"):
        with pytest.raises(DataError, match=f"{folder.name}: no log.jsonl in this folder"):
            run_folders([folder])


def test_more_runs_than_can_be_told_apart_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST_RUNS", 1)
    folders = [write(tmp_path / name, step(1)) for name in "ab"]
    with pytest.raises(ConfigError, match="got 2 runs, expected 1 at most"):
        run_folders(folders)


def test_names_are_as_long_as_it_takes_to_tell_runs_apart(tmp_path: Path) -> None:
    folders = [tmp_path / "x" / "run", tmp_path / "y" / "run"]
    assert names_of(folders) == ["x/run", "y/run"]
    assert names_of(folders[:1]) == ["run"]


def test_a_real_runs_log_is_read_whole(tmp_path: Path) -> None:
    from unrolled import Generator
    from unrolled.tasks.evaluation import NetworkLoses

    model = Generator(hidden_size=4, layers=1, ngram_weight=0)
    text = "the quick brown fox jumps over the lazy dog. " * 40
    with pytest.warns(NetworkLoses):
        model.fit(text, budget="12 steps", run_dir=tmp_path, progress=False)
    found = read_run(tmp_path)
    records = model.outcome.records
    assert found.steps == [one["step"] for one in records if "loss" in one] == list(range(1, 13))
    losses = [one["loss"] for one in records if "loss" in one]
    # The log has nats, and the score bits of the same.
    assert found.loss == pytest.approx([loss / math.log(2) for loss in losses], rel=1e-5)
    assert (found.loss_unit, found.score_unit) == ("bits per character", "bits per character")
    assert found.clip == 1.0
    assert found.best == model.outcome.best_step
    first, last = found.looks
    assert (first.step, last.step) == (1, 12)
    (profile,) = first.layers
    (layer,) = next(one["diagnostics"] for one in records if "diagnostics" in one)["layers"]
    assert profile.back == pytest.approx(layer["gradient_back"], rel=1e-3)
    assert profile.lags[-1] == layer["gradient_steps"]
    assert all(norm is not None and math.isfinite(norm) for norm in profile.norms)


def test_records_of_other_lengths_are_refused() -> None:
    from unrolled.lens import RunRecord

    with pytest.raises(ConfigError, match=r"RunRecord\.loss has 0 entries, expected 1"):
        RunRecord("a", 1, [1], [0.1], [1.0], [], [1.0], [1.0], [0.1], [1.0], [0.0])


def test_a_reader_that_looks_again_gives_the_same_as_one_that_looks_once(tmp_path: Path) -> None:
    path = write(tmp_path, *(step(k) for k in range(1, 50))) / "log.jsonl"
    whole = path.read_bytes()
    reader = LogReader(path)
    for end in (0, 100, 5000, len(whole)):
        path.write_bytes(whole[:end])
        reader.read()
    assert runs.record_of(tmp_path.name, reader) == read_run(tmp_path)


def test_losses_beyond_what_a_sum_can_hold_have_a_mean(tmp_path: Path) -> None:
    lines = [json.dumps({"step": k, "loss": 1.7e308}) for k in range(1, MOST_POINTS + 2)]
    (tmp_path / "log.jsonl").write_text("\n".join(lines) + "\n")
    assert read_run(tmp_path).loss[0] == pytest.approx(1.7e308)
