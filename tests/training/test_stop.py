"""Real processes, stopped for real: killed, interrupted, or left by their terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import unrolled
from unrolled.training.interrupt import StopRequest
from unrolled.training.loop import Outcome, Trainer
from unrolled.training.modelfile import read_model

Start = Callable[..., subprocess.Popen[str]]
WaitFor = Callable[[Callable[[], bool], subprocess.Popen[str]], None]
MakeTrainer = Callable[..., Trainer]

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them"),
    pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses"),
]

# What both processes do: the child runs this text, the test imports it.
WORK = """
import sys
from datetime import date, timedelta
import numpy as np
import unrolled
from unrolled.training.run import Run

STEPS = 60

def generator(run_dir, resume=False, **options):
    text = "".join(f"{n} by {n} is {n * n}, and {n} more is {n * n + n}.\\n" for n in range(90))
    model = unrolled.Generator(
        hidden_size=12, layers=2, embedding_size=6, dropout=0.2, rows=4, steps=16, device="cpu"
    )
    options = {"budget": STEPS, **options}
    return model.fit(text, run_dir=run_dir, resume=resume, progress=False, **options)

def forecaster(run_dir, resume=False):
    import polars
    days, noise = np.arange(120), np.random.default_rng(1).normal(size=120)
    frame = polars.DataFrame(
        {
            "ds": [date(2020, 1, 1) + timedelta(days=int(n)) for n in days],
            "y": 10 + 3 * np.sin(2 * np.pi * days / 7) + noise,
        }
    )
    model = unrolled.Forecaster(
        "steps", 2, hidden_size=8, members=2, lookback=20, batch_size=8, device="cpu"
    )
    return model.fit(frame, budget=STEPS, run_dir=run_dir, resume=resume, progress=False)
"""

# Every line of the log is on the disk at once, and at a step the child waits for its end.
HELD = (
    WORK
    + """
write = Run.write

def write_and_wait(self, record):
    write(self, record)
    self._log.flush()
    if record["step"] == 37:
        sys.stdin.read()

Run.write = write_and_wait
{"generator": generator, "forecaster": forecaster}[sys.argv[1]](sys.argv[2])
"""
)

# The child is killed while it writes its fourth checkpoint aside.
HALF_WRITTEN = (
    WORK
    + """
import os
from pathlib import Path

replace, written = Path.replace, []

def wait_half_way(aside, path):
    if path.name == "checkpoint.unrolled":
        written.append(path)
    if len(written) == 4:
        aside.write_bytes(aside.read_bytes()[:1000])
        Path(sys.argv[2], "half").touch()
        sys.stdin.read()
    return replace(aside, path)

Path.replace = wait_half_way
generator(sys.argv[2])
"""
)


@pytest.fixture
def work() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(WORK, "work", "exec"), names)
    return names


def last_logged(folder: Path) -> int:
    """The last step of which the log holds a whole line."""
    log = folder / "log.jsonl"
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return json.loads(lines[-1])["step"] if lines else 0


def last_saved(folder: Path) -> int:
    if not (folder / "checkpoint.unrolled").exists():
        return 0
    training = read_model(folder / "checkpoint.unrolled")[0].training
    assert training is not None
    return training["step"]


def assert_same_run(stopped: Any, whole: Any, folder: Path) -> None:
    first, second = stopped.model.state_dict(), whole.model.state_dict()
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name
    assert stopped.evaluation == whole.evaluation
    steps = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in steps if "loss" in r] == list(range(1, 61))
    losses = [[r["loss"] for r in one.outcome.records if "loss" in r] for one in (stopped, whole)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("task", ["generator", "forecaster"])
def test_a_run_that_is_killed_and_goes_on_ends_with_the_same_weights_bit_for_bit(
    task: str, work: dict[str, Any], tmp_path: Path, start_python: Start, wait_for: WaitFor
) -> None:
    folder = tmp_path / "run"
    child = start_python(HELD, task, folder)
    whole = work[task](None)
    wait_for(lambda: last_logged(folder) > last_saved(folder) > 20, child)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert 20 < last_saved(folder) < 60
    usable = unrolled.load(folder / "checkpoint.unrolled")
    assert usable.model.training is False
    resumed = work[task](folder, resume=True)
    assert resumed.outcome.steps == 60
    assert_same_run(resumed, whole, folder)


def test_a_kill_in_the_middle_of_a_checkpoint_costs_only_that_checkpoint(
    work: dict[str, Any], tmp_path: Path, start_python: Start, wait_for: WaitFor
) -> None:
    folder = tmp_path / "run"
    child = start_python(HALF_WRITTEN, "generator", folder)
    whole = work["generator"](None)
    wait_for((folder / "half").exists, child)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert last_saved(folder) == 9  # 60 steps in 20 parts: the third of them
    resumed = work["generator"](folder, resume=True)
    assert_same_run(resumed, whole, folder)


INTERRUPTED = (
    WORK
    + """
model = generator(sys.argv[1], budget=1_000_000)
model.save(sys.argv[2])
print("ended:", model.outcome.ended, model.generate("3 by 3", length=5, seed=1).isprintable())
"""
)


def test_ctrl_c_ends_a_process_in_peace_with_what_was_learnt_so_far(
    tmp_path: Path, start_python: Start, wait_for: WaitFor
) -> None:
    folder, saved = tmp_path / "run", tmp_path / "model.unrolled"
    child = start_python(INTERRUPTED, folder, saved)
    wait_for(lambda: last_logged(folder) > 20, child)
    child.send_signal(signal.SIGINT)
    told = child.communicate()[0]
    assert child.returncode == 0, told
    assert "ended: interrupted" in told
    assert "Traceback" not in told
    assert last_saved(folder) == last_logged(folder) > 20
    assert unrolled.load(saved).evaluate().comparisons
    model = unrolled.load(folder / "checkpoint.unrolled")
    assert len(model.generate("3 by", length=4, seed=1)) == 4


# The bar is drawn on a terminal that goes away.
CLOSED = (
    WORK.replace("progress=False", "progress=True")
    + """
model = generator(sys.argv[1], budget=1_000_000)
model.save(sys.argv[2])
"""
)


def test_a_closed_terminal_ends_a_process_in_peace_with_what_was_learnt_so_far(
    tmp_path: Path, start_python: Start, wait_for: WaitFor
) -> None:
    folder, saved = tmp_path / "run", tmp_path / "model.unrolled"
    script = tmp_path / "leader.py"
    script.write_text(
        "import fcntl, sys, termios\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n" + CLOSED  # the terminal becomes this session's own
    )
    screen, keyboard = pty.openpty()
    child = start_python(
        script.read_text(),
        folder,
        saved,
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        start_new_session=True,
    )
    os.close(keyboard)
    os.set_blocking(screen, False)
    seen = b""

    def started() -> bool:
        nonlocal seen
        with suppress(BlockingIOError):
            seen += os.read(screen, 65536)
        return last_logged(folder) > 20

    wait_for(started, child)
    assert b"loss" in seen
    os.close(screen)
    assert child.wait() == 0
    assert last_saved(folder) == last_logged(folder) > 20
    assert unrolled.load(saved).evaluate().comparisons


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGTERM"])
def test_the_first_signal_asks_and_the_second_acts_as_usual(name: str) -> None:
    number = getattr(signal, name)
    caught = []
    before = signal.signal(number, lambda *_: caught.append(name))
    try:
        with StopRequest() as stop:
            assert not stop.asked
            os.kill(os.getpid(), number)
            assert stop.asked
            assert caught == []
            os.kill(os.getpid(), number)
            assert caught == [name]
        os.kill(os.getpid(), number)
        assert caught == [name, name]
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("validated", [True, False])
def test_a_run_that_was_interrupted_goes_on_to_the_same_weights(
    validated: bool,
    tmp_path: Path,
    make_trainer: MakeTrainer,
    equal_weights: Callable[[nn.Module, nn.Module], bool],
) -> None:
    def trainer(folder: Path | None, *, resume: bool = False, ends_at: int = 0) -> Trainer:
        def validate() -> float:
            # The step of the interruption would be the best of all.
            return 0.0 if made._at.step == 5 else float(made._at.step)

        made = make_trainer(
            folder,
            resume=resume,
            validate=validate if validated else None,
            recipe={"average": 0.9},
        )
        show = made._show

        def interrupt(*arguments: Any) -> None:
            show(*arguments)
            if made._at.step == ends_at:
                os.kill(os.getpid(), signal.SIGINT)

        made._show = interrupt
        return made

    whole = trainer(None)
    expected = whole.train()
    stopped = trainer(tmp_path, ends_at=5)
    outcome = stopped.train()
    assert (outcome.ended, outcome.steps, outcome.best_step) == ("interrupted", 5, 5)
    resumed = trainer(tmp_path, resume=True)
    again = resumed.train()
    assert (again.ended, again.steps) == ("plan", 12)
    assert (again.best_step, again.best_score) == (expected.best_step, expected.best_score)
    assert equal_weights(resumed.model, whole.model)


def test_a_run_in_another_thread_is_not_asked_and_does_not_fail(make_trainer: MakeTrainer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        outcome: Outcome = pool.submit(make_trainer().train).result()
    assert outcome.ended == "plan"
