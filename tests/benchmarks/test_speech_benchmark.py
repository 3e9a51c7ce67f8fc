"""Runs of speech tasks: what is learnt, what is scored, and the rival beside the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import run_tables
import speech
import torch
from run_folder import TEST, VALIDATION, Recipe, result_of
from run_parts import Parts, Request
from speech_tasks import digits, published, quality, speakers
from speech_tasks.plain import PlainGRU
from speech_tasks.runs import learn
from speech_tasks.speakers import Contest, over
from speech_tasks.table import tables
from text_tasks.runs import NETWORK, Goal

from tests.tasks.transcribing.small import labelled
from unrolled import Transcriber
from unrolled.data.recordings import Recordings

SMALL: dict[str, Any] = {
    "hidden_size": 8,
    "layers": 1,
    "channels": 2,
    "bands": 16,
    "batch_seconds": 4.0,
}
QUICK: dict[str, Any] = {"budget": "2 steps", "options": SMALL}


def taken(count: int, first: int) -> Recordings:
    """Tones by six speakers, called as the takes of `fsdd` are, a take for every 18 of them."""
    made = labelled(count, seed=first)
    items = (
        replace(one, place=f"{one.text}_{one.speaker}_{first + at // 18}.wav")
        for at, one in enumerate(made.items)
    )
    return replace(made, items=tuple(items))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sets that are read, made of tones: takes 5 to 11, and 0 and 1."""
    names: list[str] = []

    def load(name: str) -> Recordings:
        names.append(name)
        made = taken(36, 0) if name == "fsdd-test" else taken(126, 5)
        return replace(made, name=name)

    monkeypatch.setattr(digits, "_load", load)
    return names


@pytest.fixture
def few_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many as there is room for at 4,000 samples a second."""
    monkeypatch.setattr("speech_tasks.plain.BANDS", 16)


def test_the_official_split_chooses_by_takes_of_the_training_part(asked: list[str]) -> None:
    data = digits.fsdd()
    assert {digits.take_of(x) for x in data.train.items} == {"10", "11"}
    assert {digits.take_of(x) for x in data.validation.items} == {*"56789"}
    assert asked == ["fsdd-train"]
    assert {digits.take_of(x) for x in data.test().items} == {"0", "1"}


def test_who_is_scored_is_not_learnt_and_each_is_scored_once(asked: list[str]) -> None:
    everybody = {f"s{at}" for at in range(6)}
    for part, left_out in ((VALIDATION, 2), (TEST, 1)):
        asked.clear()
        found = digits.folds(part)
        assert ("fsdd-test" in asked) == (part == TEST)
        assert {one.speaker for one in found} == everybody
        for fold in found:
            learnt = {one.speaker for one in fold.learnt.items}
            assert len(everybody - learnt) == left_out
            assert {one.speaker for one in fold.scored.items} == {fold.speaker}
            # The name of its folder tells who does not stand in the training.
            assert all(one in fold.name for one in everybody - learnt)
            assert not any(one in fold.name for one in learnt)
        assert len({one.name for one in found}) == 6


def test_in_validation_nothing_of_the_one_who_is_tested_is_heard(asked: list[str]) -> None:
    tested = {one.name.removeprefix("without "): one.speaker for one in digits.folds(TEST)}
    for fold in digits.folds(VALIDATION):
        held, after = fold.name.removeprefix("without ").split(" and ")
        assert held in tested
        assert fold.speaker == after
        assert held not in {one.speaker for one in (*fold.learnt.items, *fold.scored.items)}


def test_digits_are_told_in_words(asked: list[str]) -> None:
    items = tuple(replace(one, text=str(at % 10)) for at, one in enumerate(labelled(12).items))
    words = digits.in_words(replace(labelled(12), items=items)).texts
    assert words[:3] == ("zero", "one", "two")
    assert words[9:] == ("nine", "zero", "one")


def test_the_test_part_is_scored_by_the_same_network(tmp_path: Path, asked: list[str]) -> None:
    goals = [Goal("accuracy", 0.1, within=2)]
    parts = {}
    for which in (VALIDATION, TEST):
        request = Request("fsdd", part=which, folder=tmp_path / which, **QUICK)
        parts[which] = quality.part(digits.fsdd(), Recipe(), goals, request)
        assert ("fsdd-test" in asked) == (which == TEST)
    assert parts[VALIDATION]["goals"] == []
    (goal,) = parts[TEST]["goals"]
    assert goal["figure"] == parts[TEST]["scores"][NETWORK]["accuracy"]
    assert parts[TEST]["took"] == parts[VALIDATION]["took"]
    assert len(list(tmp_path.rglob("took.json"))) == 1
    assert parts[TEST]["held out"].startswith("fsdd-test, takes 0 to 4: 36 recordings")
    assert parts[VALIDATION]["held out"].startswith("fsdd, takes 5 to 9: 90 recordings")
    # Beside the network stand the rivals of the gate.
    assert len(parts[TEST]["scores"]) == 3


def test_other_figures_are_of_what_is_scored(asked: list[str]) -> None:
    def more(model: Any, tested: Recordings) -> dict[str, float]:
        return {"recordings": float(len(tested))}

    request = Request("fsdd", part=TEST, **QUICK)
    found = quality.part(digits.fsdd(), Recipe(), [], request, more)
    assert found["scores"][NETWORK]["recordings"] == 36


def contest(**given: Any) -> Contest:
    usual: dict[str, Any] = {"higher": True, "recipe": Recipe(), "goals": [Goal("worst", 0.1)]}
    return Contest("tones", "accuracy", **{**usual, **given})


def test_each_speaker_has_a_network_and_a_rival_of_its_own(
    tmp_path: Path, asked: list[str], few_bands: None
) -> None:
    request = Request("made", part=TEST, folder=tmp_path / TEST, rival=True, **QUICK)
    goals = [Goal("worst", 0.0, within=5), Goal("mean", 0.0, within=1e-9)]
    part = speakers.part(contest(goals=goals), request)
    folds = [one.name for one in digits.folds(TEST)]
    assert [*part["took"]] == [one for name in folds for one in (name, f"plain {name}")]
    for who in (NETWORK, PlainGRU.name):
        row = part["scores"][who]
        each = [row[f"s{at}"] for at in range(6)]
        assert row["mean"] == pytest.approx(np.mean(each))
        assert row["worst"] == min(each)
    assert [one["figure"] for one in part["goals"]] == [
        part["scores"][NETWORK][metric] for metric in ("worst", "mean")
    ]
    # Each training has its own time.
    assert [one["reached"] for one in part["goals"]] == [True, False]
    for name in folds:
        ours, theirs = part["took"][name], part["took"][f"plain {name}"]
        assert theirs["steps"] >= 1
        assert theirs["training"] >= 0.9 * ours["training"]
    # What ended is not trained again.
    again = speakers.part(contest(), request)
    assert again["took"] == json.loads(json.dumps(part["took"]))
    assert again["scores"] == part["scores"]


def test_the_validation_part_of_the_speakers_is_judged_by_no_figure(asked: list[str]) -> None:
    part = speakers.part(contest(), Request("made", part=VALIDATION, **QUICK))
    assert part["goals"] == []
    assert "one of the five" in part["held out"]
    assert PlainGRU.name not in part["scores"]


def test_what_is_made_of_a_folds_digits_is_learnt_and_scored(asked: list[str]) -> None:
    made: list[tuple[str, int]] = []

    def first(name: str) -> Callable[[Recordings], Recordings]:
        def make(given: Recordings) -> Recordings:
            made.append((name, len(given)))
            return given

        return make

    request = Request("made", part=TEST, **QUICK)
    speakers.part(contest(learnt=first("learnt"), scored=first("scored")), request)
    assert made == [("learnt", 135), ("scored", 27)] * 6


def test_the_worst_error_is_the_largest() -> None:
    several = {
        "a": {NETWORK: {"WER %": 2.0}, "most": {"WER %": 90.0}, "nearest": {"WER %": 50.0}},
        "b": {NETWORK: {"WER %": 6.0}, "most": {"WER %": 80.0}},
    }
    found = over(several, replace(contest(higher=False), metric="WER %"))
    assert found == {
        NETWORK: {"mean": 4.0, "worst": 6.0, "a": 2.0, "b": 6.0},
        "most": {"mean": 85.0, "worst": 90.0, "a": 90.0, "b": 80.0},
    }


def test_the_rival_learns(few_bands: None) -> None:
    rival = PlainGRU(labelled(60))
    first = rival.update()
    losses = [rival.update() for _ in range(60)]
    assert losses[-1] < 0.5 * first
    assert all(one.grad is not None and one.grad.any() for one in rival.parameters())
    asked = labelled(12, seed=3)
    found = rival.predict(asked)
    assert found == [rival.predict(asked.select([at]))[0] for at in range(12)]
    assert sum(one == text for one, text in zip(found, asked.texts, strict=True)) >= 9


def test_the_rival_is_as_large_as_the_one_that_the_goals_were_set_by() -> None:
    made = labelled(20)
    items = tuple(replace(one, text=str(at % 10), rate=8000) for at, one in enumerate(made.items))
    rival = PlainGRU(replace(made, items=items))
    assert rival.took()["parameters"] == 45_962


def test_what_the_rival_learns_depends_on_its_seed_alone(few_bands: None) -> None:
    learnt = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        rival = PlainGRU(labelled(30))
        rival.learn(0.0)
        learnt.append(rival.readout.weight)
    assert torch.equal(*learnt)


def test_what_was_heard_is_told_in_passes_and_hours() -> None:
    train = labelled(60)
    model = Transcriber(**{**SMALL, "augment": 0.0})
    model, took = learn("one", model, train, 0, Request("made"), budget="12 steps")
    heard = sum(one.get("tokens", 0) for one in model.outcome.records)
    frames = sum(len(model.framing.frames(one)) for one in train.items)
    assert took["passes"] == pytest.approx(heard / frames, rel=0.15)
    assert took["passes"] > 0.5
    assert took["sound hours"] == pytest.approx(heard * model.framing.seconds / 3600, abs=1e-3)


def test_the_tables_tell_what_was_heard(tmp_path: Path, asked: list[str], few_bands: None) -> None:
    folder = tmp_path / "run" / VALIDATION
    request = Request("fsdd-speakers", part=VALIDATION, folder=folder, rival=True, **QUICK)
    result_of(request, lambda one: [speakers.part(contest(), one)])
    shown = tables(run_tables.results_under(tmp_path))
    assert "| mean | worst |" in shown
    assert "| passes | sound, h |" in shown
    assert "without theo | accuracy 0.912 |" in shown


def test_what_others_measured_stands_under_its_task() -> None:
    rows = published.shown("an4")["shown"]["rows"]
    assert [row[1] for row in rows] == ["WER 9.57 %", "WER 7.4 %"]
    assert published.shown("fsdd") == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [(["fsdd", "--rival"], "fsdd has none"), (["an4", "--model", "x"], "an4 trains its own")],
)
def test_what_a_task_does_not_have_is_refused(
    words: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["speech.py", *words])
    with pytest.raises(SystemExit):
        speech.main()
    assert told in capsys.readouterr().err


def test_the_command_scores_validation_and_keeps_the_result(
    tmp_path: Path,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(speech, "RUNS", tmp_path)
    words = ["fsdd", "--budget", "2 steps", "--options", json.dumps(SMALL)]
    monkeypatch.setattr("sys.argv", ["speech.py", *words])
    assert speech.main() == 0
    assert "validation part" in capsys.readouterr().out
    (found,) = tmp_path.rglob("result.json")
    assert found.parent.name == VALIDATION
    assert asked == ["fsdd-train"]


def test_a_part_that_is_not_scored_is_not_read() -> None:
    def test() -> Recordings:
        raise AssertionError("the test part was looked at")

    data = Parts("tones", labelled(6), labelled(3), test, "others", "some")
    assert data.scored(VALIDATION) == (data.validation, "some")
