"""The committed bundle is the one that `web/` builds; checked without npm."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

import unrolled.lens

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
BUNDLE = Path(unrolled.lens.__file__).parent / "static" / "lens.js"
NAMED = ["package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]

needs_sources = pytest.mark.skipif(
    not WEB.is_dir(), reason="the sources of the page (web/) are not here"
)


def hash_of_sources() -> str:
    """As in web/vite.config.ts: path, newline, text, newline, in the order of the paths."""
    sources = (file for file in (WEB / "src").rglob("*") if file.is_file())
    paths = sorted([*NAMED, *(file.relative_to(WEB).as_posix() for file in sources)])
    digest = hashlib.sha256()
    for path in paths:
        text = (WEB / path).read_bytes().decode("utf-8").replace("\r\n", "\n")
        digest.update(f"{path}\n{text}\n".encode())
    return digest.hexdigest()


@needs_sources
def test_the_bundle_is_built_from_the_sources_that_stand_beside_it() -> None:
    stamp = re.search(r"Sources: sha256 ([0-9a-f]{64})", BUNDLE.read_text(encoding="utf-8"))
    assert stamp is not None
    assert stamp.group(1) == hash_of_sources(), (
        "web/ has changed: cd web && npm ci && npm run build"
    )


def test_the_bundle_can_stand_inside_a_script_element() -> None:
    assert not re.search(r"</script|<!--", BUNDLE.read_text(encoding="utf-8"), re.IGNORECASE)


def test_the_bundle_carries_the_licence_of_what_it_contains() -> None:
    head = BUNDLE.read_text(encoding="utf-8")[:2000]
    assert "Mike Bostock" in head
    assert "provided that the above copyright notice" in head


@needs_sources
def test_the_lock_file_names_no_registry_and_has_a_hash_for_each_package() -> None:
    packages = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        assert "resolved" not in package
        assert name == "" or "integrity" in package, name
