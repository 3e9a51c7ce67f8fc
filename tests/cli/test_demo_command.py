"""`unrolled demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from unrolled.errors import OutputError


@pytest.fixture
def asked(monkeypatch):
    """What `run_demo` was asked for."""
    calls = []

    def run_demo(folder, *, progress=True, quick=False):
        calls.append((folder, progress, quick))
        if folder.name == "full":
            raise OutputError(f"{folder}: can't be written")
        print(f"page: {folder / 'report.html'}")
        return folder / "report.html"

    module = ModuleType("unrolled.demo")
    module.run_demo = run_demo
    monkeypatch.setitem(sys.modules, "unrolled.demo", module)
    return calls


def test_what_the_demo_tells_is_printed(call, asked):
    told = call("demo")
    assert told.code == 0
    assert told.out == f"page: {Path('demo/report.html')}\n"
    assert asked == [(Path("demo"), True, False)]


def test_options_reach_the_demo(call, asked):
    assert call("demo", "--out", "here", "--quick", "--no-progress").code == 0
    assert asked == [(Path("here"), False, True)]


def test_a_folder_that_cannot_be_written_is_bad_input(call, asked):
    told = call("demo", "--out", "full")
    assert (told.code, told.err) == (2, "unrolled: full: can't be written\n")
