"""`unrolled info`, and `unrolled.info()` behind it."""

from __future__ import annotations

import json
import re

import torch

import unrolled


def test_the_command_prints_what_python_gives(call):
    told = call("info")
    assert told.code == 0
    assert told.out == f"{unrolled.info()}\n"
    assert json.loads(call("info", "--json").out) == unrolled.info()


def test_versions_and_machine_are_told():
    found = unrolled.info()
    assert found["unrolled"] == unrolled.__version__
    assert found["torch"] == torch.__version__
    assert found["threads"] == torch.get_num_threads()
    assert found["devices"][0] == "cpu"
    assert "seattle-weather" in found["data sets"]


def test_kernels_that_are_switched_off_are_told_with_the_reason(monkeypatch):
    monkeypatch.setenv("UNROLLED_KERNELS", "off")
    told = unrolled.info()["kernels"]
    assert told == "not used: UNROLLED_KERNELS=off is set; unset it to use them"


def test_a_part_that_fails_says_so_and_the_others_are_told(monkeypatch):
    monkeypatch.setenv("UNROLLED_KERNELS", "sometimes")
    found = unrolled.info()
    assert found["kernels"].startswith("ConfigError: UNROLLED_KERNELS is 'sometimes'")
    assert found["devices"][0] == "cpu"


def test_data_folders_are_told_in_order(monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", "")
    assert re.search("^data folders +none$", str(unrolled.info()), re.MULTILINE)


def test_the_parts_of_speech_are_told_with_the_extra_of_those_that_are_missing(monkeypatch):
    from importlib import metadata

    version = metadata.version

    def some(package):
        if package == "soundfile":
            return "0.13.1"
        if package in ("soxr", "sounddevice", "espeakng-loader"):
            raise metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(metadata, "version", some)
    found = unrolled.info()
    assert found["soundfile"] == "0.13.1"
    for package, extra in (
        ("soxr", "speech"),
        ("sounddevice", "listen"),
        ("espeakng-loader", "spoken"),
    ):
        assert found[package] == f"not installed: pip install 'unrolled[{extra}]'"
