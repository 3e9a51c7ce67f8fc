"""What the page may choose is checked, and a refusal is one plain line."""

from __future__ import annotations

from typing import Any

import pytest

from unrolled.errors import ConfigError
from unrolled.lab.settings import INITS, ChoiceError, LabSettings, StudentSettings, read_choice

TWO = [{"cell": "RNN"}, {"cell": "LSTM"}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"length": 900}, "steps of a sequence: got 900, expected at most 200"),
        ({"length": 2.5}, "steps of a sequence: got 2.5"),
        ({"length": True}, "steps of a sequence: got True"),
        ({"seed": "1"}, "seed: got '1', expected a whole number"),
        ({"rows": 0}, "sequences a step: got 0, expected at least 1"),
        ({"text": "x" * 2001}, "text: got 'xxx"),
        ({"task": "next", "text": "aaa"}, "text: got one character alone"),
        ({"task": "echo", "length": 5, "delay": 5}, "delay of the echo: got 5 in a sequence of 5"),
        ({"task": "<script>"}, "task: got '<script>'"),
        ({"colour": 1}, "colour: is no setting"),
        ({"students": [{}]}, "network B: is missing"),
        (
            {"students": [{}, {"cell": "GRU", "init": "identity"}]},
            "network B, begins: got 'identity'",
        ),
        ({"students": [{"clip": float("nan")}, {}]}, "network A, clip above: got nan"),
        ({"students": [{"clip": -1}, {}]}, "network A, clip above: got -1, expected at least 0"),
        (
            {"students": [{}, {"hidden_size": 1000}]},
            "network B, units: got 1000, expected at most 128",
        ),
        ({"students": [{"learning_rate": 1e300}, {}]}, "network A, learning rate: got 1e"),
        ([], "message: got []"),
        (None, "message: got None"),
        ("x" * 100, "message: got"),
    ],
)
def test_a_bad_choice_is_told_in_one_line_with_its_place(given: Any, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_choice(LabSettings, given)
    text = str(refused.value)
    assert text.startswith(told)
    assert "\n" not in text
    assert len(text) < 200


@pytest.mark.parametrize(
    ("given", "place", "told"),
    [
        ({"rows": ""}, ("rows",), "got nothing, expected a whole number"),
        ({"students": [{}, {"clip": 5000}]}, ("students", 1, "clip"), "got 5000"),
        ({"students": [{"cell": "GRU", "init": "large"}, {}]}, ("students", 0, "init"), "got 'l"),
        ({"task": "echo", "length": 5, "delay": 5}, ("delay",), "got 5 in a sequence of 5"),
        ({"task": "next", "text": "aaa"}, ("text",), "got one character alone"),
    ],
)
def test_a_refusal_leads_to_its_field(given: Any, place: tuple[str | int, ...], told: str) -> None:
    with pytest.raises(ChoiceError) as refused:
        read_choice(LabSettings, given)
    assert refused.value.place == place
    assert refused.value.told.startswith(told)


def test_settings_come_back_from_json_as_they_were() -> None:
    for cell, names in INITS.items():
        for init in names:
            student = StudentSettings(cell=cell, init=init)
            settings = LabSettings(students=(student, student))
            assert read_choice(LabSettings, settings.model_dump(mode="json")) == settings


def test_what_is_left_out_is_the_default() -> None:
    assert read_choice(LabSettings, {"students": TWO}) == LabSettings()
