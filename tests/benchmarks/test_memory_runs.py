"""A run of a memory task can be stopped and goes on, is tested once, and learns."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from memory_tasks import runs
from memory_tasks.networks import CELLS, Network
from memory_tasks.published import TARGETS
from memory_tasks.recipes import Settings, settings_of
from memory_tasks.runs import Training, task_of
from memory_tasks.table import results_under, tables

from unrolled.errors import ConfigError
from unrolled.training.modelfile import read_model
from unrolled.training.run import CHECKPOINT

SMALL = Settings("digits", "lstm", hidden=12, layers=2, dropout=0.3, updates=60, validations=4)


def assert_same_end(one: Path, other: Path) -> None:
    """Weights, best weights, moments and generators of two runs are the same, bit for bit."""
    (_, tensors), (_, others) = (read_model(folder / CHECKPOINT) for folder in (one, other))
    assert tensors.keys() == others.keys()
    assert {name.partition(".")[0] for name in tensors} == {"last", "best", "optimizer", "rng"}
    for name, tensor in tensors.items():
        assert torch.equal(tensor, others[name]), name


def told(result: dict[str, Any] | None) -> dict[str, Any]:
    """A result without what the clock says."""
    assert result is not None
    return {name: value for name, value in result.items() if name != "minutes"}


def stop_at(step: int, how: str) -> Any:
    def tell(record: dict[str, Any]) -> None:
        if record["step"] == step and how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        elif record["step"] == step:
            raise RuntimeError("killed")

    return tell


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    folder, tmp_path = tmp_path / "whole", tmp_path / "parts"
    result = Training(SMALL, folder).train()

    stopped = Training(SMALL, tmp_path, tell=stop_at(37, "interrupt"))
    assert stopped.train() is None
    assert stopped.step == 37
    resumed = Training(SMALL, tmp_path)
    assert resumed.step == 37
    assert told(resumed.train()) == told(result)
    assert_same_end(tmp_path, folder)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert {*range(1, 61)} == {*steps}


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    folder, tmp_path = tmp_path / "whole", tmp_path / "parts"
    result = Training(SMALL, folder).train()
    with pytest.raises(RuntimeError, match="killed"):
        Training(SMALL, tmp_path, tell=stop_at(41, "kill")).train()
    resumed = Training(SMALL, tmp_path)
    assert resumed.step == 30  # the last validation
    assert told(resumed.train()) == told(result)
    assert_same_end(tmp_path, folder)


def test_a_run_that_has_ended_gives_its_result_again_without_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SMALL, updates=4)
    result = Training(settings, tmp_path).train()
    monkeypatch.setattr(runs, "score", None)
    monkeypatch.setattr(Training, "_update", None)
    again = Training(settings, tmp_path).train()
    assert again == json.loads(json.dumps(result))


def test_the_test_rows_are_scored_once_with_the_best_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    score = runs.score

    def spy(network: Network, task: Any, part: str) -> float:
        if part == "validation":  # the second of the four is the best
            asked.append(part)
            return {2: 99.0}.get(len(asked), 50.0)
        asked.append([p.detach().clone() for p in network.parameters()])
        return score(network, task, part)

    monkeypatch.setattr(runs, "score", spy)
    short = Training(replace(SMALL, updates=60))
    result = short.train()
    assert result is not None
    assert asked[:4] == ["validation"] * 4
    assert len(asked) == 5
    assert result["best_step"] == 30
    assert result["validation"] == 99.0
    monkeypatch.setattr(runs, "score", score)
    stopped = Training(SMALL)
    while stopped.step < 30:
        stopped._update()
    pairs = zip(asked[4], stopped.network.parameters(), strict=True)
    # No validation was made on the way, which draws nothing: the weights are those of step 30.
    assert all(torch.equal(a, b) for a, b in pairs)


def test_another_seed_is_another_run_and_not_a_continuation(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        Training(SMALL, tmp_path, tell=stop_at(41, "kill")).train()
    with pytest.raises(ConfigError, match="seed"):
        Training(replace(SMALL, seed=2), tmp_path)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pool", ["last", "mean"])
def test_padding_and_other_rows_change_no_answer(cell: str, pool: str) -> None:
    settings = Settings("parity", cell, length=9, hidden=6, state=5, layers=2, pool=pool)
    task = task_of(settings)
    network = Network(settings, task.inputs, task.outputs, task.every_step).double()
    batch = task.batch(5, 1, 0)
    x = batch.inputs.double()
    answers = network(x, batch.lengths)
    for row, length in enumerate(batch.lengths):
        alone = network(x[:length, row : row + 1], None)
        torch.testing.assert_close(answers[row], alone[0])


def test_a_lstm_reads_digits_row_by_row() -> None:
    result = Training(settings_of("digits", "lstm")).train()
    assert result is not None
    assert result["test"] > 95


def test_the_runs_towards_the_goals_keep_to_their_limits() -> None:
    for target in TARGETS:
        if target.limit is None:
            continue
        for cell in CELLS:
            settings = settings_of(target.task, cell, length=target.length or None)
            inputs, outputs = {"adding": (2, 1), "copy": (10, 10)}.get(target.task, (1, 10))
            network = Network(settings, inputs, outputs, target.task == "copy")
            parameters = sum(p.numel() for p in network.parameters())
            assert parameters <= target.limit, (target.task, cell)


def test_the_table_says_what_was_not_run(tmp_path: Path) -> None:
    settings = settings_of("adding", "gru", length=100, updates=2, hidden=4)
    Training(settings, tmp_path / "one").train()
    found = results_under(tmp_path)
    assert len(found) == 1
    found[0]["test"] = 1.234e-5
    row = next(line for line in tables(found).splitlines() if line.startswith("| adding | 100 |"))
    assert row.count("1.2e-05") == 1
    assert row.count("not run") == len(CELLS) - 1
    two = tables([*found, {**found[0], "seed": 2, "test": 3.234e-5}])
    assert "2.2e-05 (mean of 2)" in two
