"""`make web-check`: a bundle that differs fails, and what can't be built here is told by name."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bundle.py"
pytestmark = [
    pytest.mark.skipif(not TOOL.is_file(), reason="tools/ is not here"),
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a shell script"),
]
BUILT = "built\n"


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundle_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose bundle is what its `npm` builds, with that npm first on the path."""
    (tmp_path / "web" / "node_modules").mkdir(parents=True)
    bundle = tmp_path / tool.BUNDLE
    bundle.parent.mkdir(parents=True)
    bundle.write_text(BUILT)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    program(tmp_path, "node", "echo v22.1.0")
    npm(tmp_path, "")
    return tmp_path


def program(root: Path, name: str, script: str) -> None:
    path = root / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def npm(root: Path, script: str) -> None:
    """`script` runs first, with `$1` and `$2` as of npm."""
    build = f'mkdir -p ../src/unrolled/lens/static; printf "{BUILT.strip()}\\n" > ../'
    target = "src/unrolled/lens/static/lens.js"
    # A folder of installed packages that came along would hide what the lock file lacks.
    copied = "test -e node_modules && { echo copied >&2; exit 1; }"
    program(
        root,
        "npm",
        f'{script}\ntest "$1" = ci && {{ {copied}; exit 0; }}\n'
        f'test "$2" = build && {{ {build}{target}; }}\nexit 0',
    )


def test_the_bundle_that_is_built_again_passes(tool: ModuleType, root: Path) -> None:
    assert "6 bytes" in tool.check(root)


def test_a_bundle_of_one_other_byte_fails(tool: ModuleType, root: Path) -> None:
    (root / tool.BUNDLE).write_text("Built\n")
    with pytest.raises(tool.Fault, match="run make web and commit"):
        tool.check(root)


@pytest.mark.parametrize("script", ["test", "build"])
def test_a_test_or_a_build_that_fails_is_told_with_its_words(
    script: str, tool: ModuleType, root: Path
) -> None:
    npm(root, f'test "$2" = {script} && {{ echo seven is not eight; exit 1; }}')
    with pytest.raises(tool.Fault, match=rf"npm run {script} fails in web/:\nseven is not eight"):
        tool.check(root)


def test_a_lock_file_that_does_not_fit_fails(tool: ModuleType, root: Path) -> None:
    npm(root, 'test "$1" = ci && { echo npm error code EUSAGE >&2; exit 1; }')
    with pytest.raises(tool.Fault, match="EUSAGE"):
        tool.check(root)


def test_a_registry_that_is_away_is_no_fault(tool: ModuleType, root: Path) -> None:
    npm(root, 'test "$1" = ci && { echo npm error code ENOTFOUND >&2; exit 1; }')
    with pytest.raises(tool.Skip, match=r"can't be reached \(ENOTFOUND\)"):
        tool.check(root)


def test_without_node_or_with_an_old_one_nothing_is_checked(
    tool: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(root, "node", "echo v18.20.4")
    with pytest.raises(tool.Skip, match=r"node is v18\.20\.4, and 20\.19 or newer"):
        tool.check(root)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(tool.Skip, match="not installed"):
        tool.check(root)
