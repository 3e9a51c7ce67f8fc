"""What the verbs print."""

from __future__ import annotations

import io
import sys
import warnings

import pytest

from unrolled.cli.outputs import plain_warnings
from unrolled.errors import DataWarning


def test_a_warning_to_a_closed_terminal_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Closed())
    with plain_warnings():
        warnings.warn("two sentences are long", DataWarning, stacklevel=1)
