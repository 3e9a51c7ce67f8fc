"""`unrolled lab`: prints the address, opens the browser where wanted, ends with a plain line."""

from __future__ import annotations

import socket

import pytest

from unrolled.lab.laboratory import Laboratory


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was asked to open; Ctrl-C comes at once."""
    found: list[str] = []
    monkeypatch.setattr("webbrowser.open", found.append)
    monkeypatch.setenv("DISPLAY", ":0")

    def interrupted(_: Laboratory) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Laboratory, "wait", interrupted)
    return found


def test_it_tells_the_address_opens_it_and_ends_on_ctrl_c(call, opened):
    told = call("lab")
    assert told.code == 0
    assert told.err == ""
    first, last = [line for line in told.out.splitlines() if line]
    assert first.startswith("The laboratory is at http://127.0.0.1:")
    assert first.split()[4] == opened[0]
    assert last == "The laboratory is closed."


def test_without_a_browser_none_is_opened(call, opened):
    assert call("lab", "--no-browser").code == 0
    assert opened == []


def test_a_port_that_is_taken_is_told_in_one_line(call, opened):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = call("lab", "--port", taken.getsockname()[1])
    assert told.code == 2
    assert told.err.count("\n") == 1
    assert "can't be opened" in told.err
    assert opened == []
