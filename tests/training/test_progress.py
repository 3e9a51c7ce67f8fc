"""The bar is for people: nothing is written where nobody watches."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from unrolled.training.loop import Trainer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_written_where_the_output_is_no_terminal(
    make_trainer: Callable[..., Trainer], capfd: pytest.CaptureFixture[str]
) -> None:
    make_trainer(progress=True).train()
    assert capfd.readouterr() == ("", "")


def test_a_terminal_shows_loss_speed_and_time_left(
    make_trainer: Callable[..., Trainer],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    outcome = make_trainer(
        progress=True, title="learning", unit="letters", validate=lambda: 1.25
    ).train()
    shown = terminal.getvalue()
    last = outcome.records[-2]["loss"]
    for word in ("learning", "letters/s", f"loss {last:.3f}", "held out 1.250", "0:00 left"):
        assert word in shown
    assert capfd.readouterr().out == ""


def test_no_progress_is_silent_on_a_terminal_too(
    make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    make_trainer(progress=False).train()
    assert terminal.getvalue() == ""
