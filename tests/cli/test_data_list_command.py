"""`unrolled data list`."""

from __future__ import annotations

import pytest

from unrolled.data import catalog


@pytest.fixture(autouse=True)
def _nothing_at_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))


def rows(told):
    return {line.split()[0]: line for line in told.out.splitlines()}


def test_each_set_stands_in_a_line_with_kind_place_and_licence(call):
    told = call("data", "list")
    assert told.code == 0
    found = rows(told)
    for entry in catalog.entries():
        assert entry.kind in found[entry.name]
        assert found[entry.name].endswith(entry.licence)
    assert len(told.out.splitlines()) == 1 + len(catalog.entries())


def test_the_place_says_what_getting_it_takes(call, tmp_path):
    entry = catalog.entry("tiny-shakespeare")
    found = rows(call("data", "list"))
    assert " embedded " in found["seattle-weather"]
    assert " to download " in found[entry.name]
    assert " local only " in found["weather-hourly"]
    file = tmp_path / "data" / entry.local.file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not what was published")
    assert " damaged " in rows(call("data", "list"))[entry.name]


def test_a_set_at_hand_is_here(call, monkeypatch, tmp_path):
    file = tmp_path / "at-hand"
    monkeypatch.setattr(catalog, "find", lambda name: file if name == "ett-h1" else None)
    found = rows(call("data", "list"))
    assert " here " in found["ett-h1"]
    assert " not installed " in found["stocks"]
