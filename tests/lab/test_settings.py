"""What the page may choose is checked, and a refusal is one plain line."""

from __future__ import annotations

from typing import Any

import pytest

from unrolled.errors import ConfigError
from unrolled.lab.settings import INITS, LabSettings, StudentSettings, read_choice

TWO = [{"cell": "RNN"}, {"cell": "LSTM"}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"length": 900}, "length: got 900, expected less than or equal to 200"),
        ({"length": 2.5}, "length: got 2.5"),
        ({"length": True}, "length: got True"),
        ({"seed": "1"}, "seed: got '1', expected a valid integer"),
        ({"rows": 0}, "rows: got 0"),
        ({"text": "x" * 2001}, "text: got 'xxx"),
        ({"task": "next", "text": "aaa"}, "text: one character alone"),
        ({"task": "echo", "length": 5, "delay": 5}, "delay: 5 with a length of 5"),
        ({"task": "<script>"}, "task: got '<script>'"),
        ({"colour": 1}, "colour: is no setting"),
        ({"students": [{}]}, "network B: is missing"),
        ({"students": [{}, {"cell": "GRU", "init": "identity"}]}, "network B: got 'identity'"),
        ({"students": [{"clip": float("nan")}, {}]}, "network A, clip: got nan"),
        ({"students": [{"clip": -1}, {}]}, "network A, clip: got -1"),
        ({"students": [{}, {"hidden_size": 1000}]}, "network B, hidden_size: got 1000"),
        ({"students": [{"learning_rate": 1e300}, {}]}, "network A, learning_rate: got 1e"),
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


def test_settings_come_back_from_json_as_they_were() -> None:
    for cell, names in INITS.items():
        for init in names:
            student = StudentSettings(cell=cell, init=init)
            settings = LabSettings(students=(student, student))
            assert read_choice(LabSettings, settings.model_dump(mode="json")) == settings


def test_what_is_left_out_is_the_default() -> None:
    assert read_choice(LabSettings, {"students": TWO}) == LabSettings()
