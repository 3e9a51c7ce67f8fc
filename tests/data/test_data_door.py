"""`import unrolled.data` offers every name and loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import unrolled.data


def test_every_exported_name_is_there():
    for name in unrolled.data.__all__:
        assert getattr(unrolled.data, name) is not None
    assert set(unrolled.data.__all__) <= set(dir(unrolled.data))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = unrolled.data.no_such_name


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import unrolled.data", {"numpy", "torch", "polars", "pandas", "narwhals", "pooch"}),
        ("from unrolled.data import SeriesSet, read_text", {"torch", "polars", "pandas"}),
        ("from unrolled.data import read_series", {"torch", "pandas", "narwhals"}),
        ("from unrolled.data import catalog; catalog.entries()", {"torch", "polars", "requests"}),
    ],
)
def test_a_name_loads_only_what_it_needs(code, unwanted):
    check = f"import sys; {code}; print(sorted({unwanted!r} & set(sys.modules)))"
    folder = str(Path(unrolled.data.__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", check],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": folder, "PATH": ""},
        check=True,
    )
    assert run.stdout.strip() == "[]"
