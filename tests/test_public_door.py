"""The public door: every name can be had, and nothing heavy is loaded before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import unrolled

HEAVY = {
    "accelerate", "matplotlib", "narwhals", "numpy", "pandas", "polars", "pooch", "pyarrow", "rich",
    "safetensors", "scipy", "sklearn", "torch", "unrolled._kernels",
}  # fmt: skip
HELP = "from unrolled.cli import main; assert main({words!r}) == 0"

# What was measured is in brackets; the rest is a margin for other versions of Python and typer.
MOST_MODULES = {"import": 120, "help": 220, "verb": 350}  # (62, 159, 272: typer loads pydantic)


def loaded_by(code: str) -> set[str]:
    """Names of the modules that a fresh Python holds after `code`."""
    check = f"import sys; {code}; print(' '.join(sys.modules), file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", check],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(unrolled.__file__).parents[1])},
    )
    return set(run.stderr.split())


@pytest.mark.parametrize("name", unrolled.__all__)
def test_every_exported_name_can_be_had(name):
    assert getattr(unrolled, name) is not None
    assert name in dir(unrolled)


@pytest.mark.parametrize("room", unrolled.ROOMS)
def test_every_room_opens_and_holds_what_it_exports(room):
    opened = getattr(unrolled, room)
    for name in getattr(opened, "__all__", ()):
        assert getattr(opened, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = unrolled.no_such_name
    assert not hasattr(unrolled, "cat")


def test_importing_the_package_loads_nothing_heavy():
    found = loaded_by("import unrolled")
    assert not found & (HEAVY | {"typer", "pydantic"})
    assert len(found) <= MOST_MODULES["import"], sorted(found)


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (["--help"], "help"),
        ([], "verb"),
        (["--version"], "verb"),
        (["train", "forecast", "--help"], "verb"),
        (["predict", "--help"], "verb"),
    ],
)
def test_the_help_loads_nothing_heavy(words, most):
    found = loaded_by(HELP.format(words=words))
    assert not found & HEAVY
    assert len(found) <= MOST_MODULES[most], sorted(found)


def test_listing_the_catalog_needs_no_torch():
    assert "torch" not in loaded_by(HELP.format(words=["data", "list"]))
