"""A recogniser's run that stops goes on bit for bit, and what it is given reaches it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import unrolled
from tests.tasks.transcribing.small import RATE, labelled, spoken, tone
from unrolled import Transcriber
from unrolled.tasks.transcribing.batches import RecordingBatches
from unrolled.training.run import Run

SMALL: dict[str, Any] = {"hidden_size": 8, "layers": 2, "channels": 2, "bands": 16}
QUIET: dict[str, Any] = {"progress": False, "diagnose": False}


def same_weights(one: Transcriber, other: Transcriber) -> bool:
    others = other.model.state_dict()
    return all(torch.equal(value, others[name]) for name, value in one.model.state_dict().items())


@pytest.mark.parametrize("how", ["ctrl-c", "an error"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(folder: str, **options: Any) -> Transcriber:
        run: dict[str, Any] = {"budget": "14 steps", "run_dir": tmp_path / folder, "holdout": 0}
        # Small batches, so that it stops in the middle of an epoch and of the validations.
        model = Transcriber(**SMALL, batch_seconds=4.0, seed=2)
        return model.fit(spoken(30), **run, **options, **QUIET)

    whole = fit("whole")
    write, batch = Run.write, RecordingBatches.__getitem__

    def interrupted(self: Run, record: dict[str, Any]) -> None:
        write(self, record)
        if record["step"] == 6 and "loss" in record:
            signal.raise_signal(signal.SIGINT)

    def broken(self: RecordingBatches, step: int) -> Any:
        if step == 11:
            raise OSError("the disk is gone")
        return batch(self, step)

    with monkeypatch.context() as patch:
        if how == "ctrl-c":
            patch.setattr(Run, "write", interrupted)
            assert fit("part").outcome.ended == "interrupted"
        else:
            patch.setattr(RecordingBatches, "__getitem__", broken)
            with pytest.raises(OSError, match="the disk is gone"):
                fit("part")
    again = fit("part", resume=True)
    assert again.outcome.steps == whole.outcome.steps == 14
    assert again.outcome.best_score == whole.outcome.best_score
    assert same_weights(again, whole)


def test_subwords_are_learnt_kept_and_said(tmp_path: Path) -> None:
    model = Transcriber("subwords", 300, **SMALL)
    model.fit(spoken(40), budget="1 steps", holdout=0, **QUIET)
    high = model.symbols.pieces.index(" high")
    assert [one.tolist() for one in model.symbols.encode(["high high"])] == [[high, high]]
    with torch.no_grad():
        model.model.readout.bias[high] += 50  # a network that hears one word in any sound
    asked = spoken(3, seed=7)
    assert model.predict(asked) == ["high"] * 3
    again: Any = unrolled.load(model.save(tmp_path / "m.unrolled"))
    assert again.symbols.kind == "subwords"
    heard = again.transcribe(asked)
    assert heard == model.transcribe(asked)
    assert [[word.text for word in one.words] for one in heard] == [["high"]] * 3


def test_the_best_weights_are_chosen_on_the_validation_that_was_given() -> None:
    def scores(**given: Any) -> float | None:
        model = Transcriber(**SMALL)
        return model.fit(
            labelled(30), budget="4 steps", holdout=0, **given, **QUIET
        ).outcome.best_score

    one = scores(validation=labelled(12, seed=5))
    assert one is not None
    assert one != scores(validation=labelled(12, seed=6))
    assert one == scores(validation=labelled(12, seed=5))
    assert scores(validation=0) is None


@pytest.mark.parametrize("labelled_too", [True, False])
def test_an_lstm_hears_a_stream_as_the_whole(labelled_too: bool) -> None:
    data = labelled(30) if labelled_too else spoken(30)
    model = Transcriber(cell="lstm", **SMALL).fit(data, budget="3 steps", holdout=0, **QUIET)
    with torch.no_grad():
        model.model.readout.weight.mul_(5)  # a network that is sure of something
    sound = tone(["low", "high", "mid"], 4)
    (whole,) = model.transcribe([(sound, RATE)])
    state = model.start()
    for chunk in np.array_split(sound, 9):
        _, state = (
            model.step(chunk, state) if labelled_too else model.step(chunk, state, endpoint=None)
        )
    assert {"h", "c"} <= state.keys()
    last = model.finish(state)
    assert last.text == whole.text
    assert last.log_probability == pytest.approx(whole.log_probability, abs=1e-3)


def test_a_folder_on_the_disk_is_learnt_as_what_is_in_memory(tmp_path: Path) -> None:
    folder = tmp_path / "tones"
    data = labelled(30)
    for at, one in enumerate(data.items):
        (folder / one.text).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / one.text / f"{at:02}.wav", one.values, RATE, subtype="FLOAT")
    model = Transcriber(**SMALL).fit(folder, budget="3 steps", holdout=0, **QUIET)
    assert model.labels == ("high", "low", "mid")
    assert model.labelled
    asked = [folder / one.text / f"{at:02}.wav" for at, one in enumerate(data.items)][:6]
    values = [(one.values, RATE) for one in data.items[:6]]
    assert model.transcribe(asked) == model.transcribe(values)
    assert model.evaluate(folder).held_out == "all of tones, 30 recordings"
