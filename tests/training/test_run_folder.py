"""The run folder: a line a step, a whole checkpoint, and a run that goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from unrolled.errors import ConfigError, ModelFileError, OutputError
from unrolled.training import loop, run
from unrolled.training.loop import Trainer
from unrolled.training.modelfile import read_model
from unrolled.training.snapshot import flatten, seeded, unflatten

MakeTrainer = Callable[..., Trainer]
EqualWeights = Callable[[nn.Module, nn.Module], bool]


class Stopped(Exception):
    """What a test raises in the middle of a run."""


def train_until(trainer: Trainer, step: int) -> None:
    """Stop the run dead after `step` steps: the process's memory is as good as lost."""
    show = trainer._show

    def stop(*arguments: object) -> None:
        show(*arguments)
        if trainer._at.step == step:
            raise Stopped

    trainer._show = stop
    with pytest.raises(Stopped):
        trainer.train()


def logged(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def untimed(records: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records]


def test_the_log_has_one_line_a_step_in_order(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    outcome = make_trainer(tmp_path, budget=12, validate=lambda: 1.0).train()
    records = logged(tmp_path)
    assert records == outcome.records
    assert [r["step"] for r in records if "loss" in r] == list(range(1, 13))
    assert [r["step"] for r in records if "held_out" in r] == [4, 8, 12]
    seconds = [r["seconds"] for r in records]
    assert seconds == sorted(seconds)


UNITS = {"loss_unit": "nats per token", "score_unit": "bits per token"}


def test_the_log_begins_with_what_loss_and_score_are_counted_in(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    outcome = make_trainer(tmp_path / "run", budget=4, validate=lambda: 1.0, **UNITS).train()
    told = {"step": 0, "units": {"loss": "nats per token", "held_out": "bits per token"}}
    assert untimed(outcome.records[:1]) == [told]
    assert logged(tmp_path / "run") == outcome.records
    silent = make_trainer(tmp_path / "silent", budget=4).train()
    assert not any("units" in record for record in silent.records)


@pytest.mark.parametrize("stopped_at", [2, 5])
def test_units_stand_there_once_wherever_a_run_was_stopped(
    stopped_at: int, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    whole = make_trainer(tmp_path / "whole", **UNITS).train()
    train_until(make_trainer(tmp_path / "stopped", **UNITS), stopped_at)
    again = make_trainer(tmp_path / "stopped", resume=True, **UNITS).train()
    assert ["units" in record for record in again.records].count(True) == 1
    assert untimed(again.records) == untimed(whole.records)
    assert untimed(logged(tmp_path / "stopped")) == untimed(whole.records)


def test_a_log_without_units_is_gone_on_with_as_it_is(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    train_until(make_trainer(tmp_path), 5)
    again = make_trainer(tmp_path, resume=True, **UNITS).train()
    assert [r["step"] for r in again.records if "loss" in r] == list(range(1, 13))
    assert not any("units" in record for record in again.records)


@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("stopped_at", [4, 7, 11])
def test_a_run_that_goes_on_ends_with_the_weights_of_one_that_never_stopped(
    stopped_at: int,
    average: float,
    tmp_path: Path,
    make_trainer: MakeTrainer,
    make_model: Callable[..., nn.Module],
    equal_weights: EqualWeights,
) -> None:
    def trainer(name: str, *, resume: bool = False) -> Trainer:
        model = make_model(dropout=0.3)
        torch.manual_seed(100 if resume else 3)
        return make_trainer(
            tmp_path / name,
            resume=resume,
            budget=12,
            model=model,
            validate=lambda: float(model.readout.weight.sum().cos()),
            recipe={"average": average, "validations": 4},
        )

    whole = trainer("whole")
    expected = whole.train()
    train_until(trainer("stopped"), stopped_at)
    again = trainer("stopped", resume=True)
    outcome = again.train()
    assert equal_weights(again.model, whole.model)
    assert (outcome.best_step, outcome.best_score) == (expected.best_step, expected.best_score)
    assert untimed(logged(tmp_path / "stopped")) == untimed(logged(tmp_path / "whole"))
    assert untimed(outcome.records) == untimed(expected.records)


def test_patience_counts_on_after_a_stop(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    recipe = {"validations": 6, "patience": 2}
    scores = iter([1.0, 2.0])
    train_until(make_trainer(tmp_path, validate=lambda: next(scores), recipe=recipe), 5)
    outcome = make_trainer(tmp_path, resume=True, validate=lambda: 2.0, recipe=recipe).train()
    assert (outcome.ended, outcome.steps, outcome.best_step) == ("patience", 6, 2)


def test_a_checkpoint_is_written_in_time_even_before_the_first_validation(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_trainer: MakeTrainer,
    equal_weights: EqualWeights,
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    train_until(make_trainer(tmp_path, budget=12), 3)
    card, tensors = read_model(tmp_path / "checkpoint.unrolled")
    assert card.training is not None
    assert card.training["step"] == 2
    assert {name.partition(".")[0] for name in tensors} >= {"model", "last", "optimizer", "rng"}
    resumed, whole = make_trainer(tmp_path, budget=12, resume=True), make_trainer(budget=12)
    resumed.train()
    whole.train()
    assert equal_weights(resumed.model, whole.model)


def test_lines_after_the_checkpoint_and_a_line_cut_off_are_dropped(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    train_until(make_trainer(tmp_path, budget=12), 6)
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 7, "loss": 1.0}\n{"step": 8, "lo')
    make_trainer(tmp_path, budget=12, resume=True).train()
    steps = [record["step"] for record in logged(tmp_path) if "loss" in record]
    assert steps == list(range(1, 13))


def test_a_finished_run_gives_its_weights_again(
    tmp_path: Path, make_trainer: MakeTrainer, equal_weights: EqualWeights
) -> None:
    scores = iter([2.0, 1.0, 3.0])
    first = make_trainer(tmp_path, validate=lambda: next(scores))
    expected = first.train()
    before = (tmp_path / "checkpoint.unrolled").read_bytes()
    again = make_trainer(tmp_path, resume=True, validate=lambda: pytest.fail("no step is left"))
    outcome = again.train()
    assert equal_weights(first.model, again.model)
    assert replace(outcome, seconds=expected.seconds) == expected
    assert (tmp_path / "checkpoint.unrolled").read_bytes() == before


def test_a_second_run_in_a_folder_touches_nothing_unless_asked_to_go_on(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    make_trainer(tmp_path).train()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigError, match="resume=True") as caught:
        make_trainer(tmp_path)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert before.keys() == {"checkpoint.unrolled", "log.jsonl"}


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"configuration": {"hidden_size": 9}}, "hidden_size=8, now it is 9"),
        ({"configuration": {"learning_rate": 0.1}}, "learning_rate"),
        ({"data": "second"}, "first"),
        ({"budget": 13}, "budget='12 steps', now it is '13 steps'"),
        ({"budget": "12s"}, "budget"),
    ],
)
def test_going_on_with_other_settings_names_the_setting(
    other: dict[str, object], name: str, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    make_trainer(tmp_path).train()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigError) as caught:
        make_trainer(tmp_path, resume=True, **other).train()
    assert name in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_settings_that_json_changes_are_still_the_same(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    configuration = {"quantiles": (0.1, 0.5, 0.9)}
    make_trainer(tmp_path, configuration=configuration).train()
    make_trainer(tmp_path, configuration=configuration, resume=True).train()


def test_resume_without_a_folder_is_one_plain_line(make_trainer: MakeTrainer) -> None:
    with pytest.raises(ConfigError, match="run_dir"):
        make_trainer(None, resume=True)


def test_resume_in_an_empty_folder_is_a_fresh_start(
    tmp_path: Path, make_trainer: MakeTrainer, equal_weights: EqualWeights
) -> None:
    fresh, plain = make_trainer(tmp_path / "a" / "b", resume=True), make_trainer()
    fresh.train()
    plain.train()
    assert equal_weights(fresh.model, plain.model)


def test_a_checkpoint_that_is_damaged_is_one_plain_line(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    make_trainer(tmp_path).train()
    checkpoint = tmp_path / "checkpoint.unrolled"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-7])
    with pytest.raises(ModelFileError) as caught:
        make_trainer(tmp_path, resume=True).train()
    assert str(checkpoint) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_folder_that_cannot_be_made_is_one_plain_line(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError) as caught:
            make_trainer(folder)
        assert str(folder) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_run_without_a_folder_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_trainer: MakeTrainer
) -> None:
    monkeypatch.chdir(tmp_path)
    make_trainer().train()
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(tmp_path, budget=12)
    write, written = run.write_model, []

    def fail_later(*arguments: object) -> Path:
        if written:
            raise OutputError("no space left on device")
        written.append(True)
        return write(*arguments)

    monkeypatch.setattr(run, "write_model", fail_later)
    with pytest.raises(OutputError):
        trainer.train()
    card, _ = read_model(tmp_path / "checkpoint.unrolled")
    assert card.training is not None
    assert card.training["step"] == 4


@settings(max_examples=20)
@given(st.sampled_from([0, 1, 2]))
def test_a_carried_state_comes_back_from_its_tensors(count: int) -> None:
    leaves = [torch.full((1, 2, 3), float(i)) for i in range(count)]
    state = unflatten(leaves)
    back = unflatten(flatten(state))
    assert type(back) is type(state)
    assert all(torch.equal(a, b) for a, b in zip(flatten(back), leaves, strict=True))


def test_a_seeded_block_repeats_and_leaves_the_callers_numbers_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(7):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(7):
        assert torch.equal(torch.rand(3), first)
