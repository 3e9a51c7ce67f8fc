"""What only some traces have: checked, saved and loaded."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from unrolled.errors import ConfigError, ModelFileError
from unrolled.lens import Trace
from unrolled.lens.sound_parts import Heard, Sound, SoundsAlike
from unrolled.lens.trace_page import packed, to_json
from unrolled.lens.trace_parts import Forecast, Links, Series, Spectrogram
from unrolled.lens.traces import Answers, TracedLayer
from unrolled.tasks.transcribing.sounds_alike import ExplainedWord, OtherContext, Rival
from unrolled.tasks.transcribing.transcript import HeardWord

STEPS = 3
ALIKE = ExplainedWord(
    HeardWord("h", 0.25, 0.5, 0.5),
    (Rival("aitch", "same sound", -0.5, -3.0, contexts=(OtherContext("an", True, 4.0),)),),
    "heard",
)


def plain() -> Trace:
    values = np.zeros((STEPS, 2), dtype=np.float32)
    layer = TracedLayer(
        "a", 0, False, "GRU", np.arange(2), {"h": values}, {"h": values[0]}, np.zeros(STEPS, bool)
    )
    return Trace("A model", ("a", "b", "c"), (layer,))


def parts() -> dict[str, Any]:
    return {
        "series": Series(
            "sales",
            ("1", "2", "3", "4"),
            np.array([1e9 + 0.25, np.nan, 3, 4]),
            np.array([[0, 1], [1, 3], [3, 4]]),
        ),
        "fan": Forecast(
            ("5", "6", "7"),
            (0.1, 0.25, 0.5, 0.75, 0.9),
            np.array([[1.0, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]),
            np.array([3.0, 5, np.nan]),
        ),
        "links": Links(
            ("<b>", "y"),
            ("p", "q", "r"),
            np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]], dtype=np.float32),
        ),
        "spectrogram": Spectrogram(np.ones((6, 4), dtype=np.float32), 0.01, ("", "h", "h")),
        "heard": Heard(
            "h",
            ("", "h"),
            np.array([[0.75, 0.25], [0.5, 0.5], [0, 1]], dtype=np.float32),
            ("h",),
            np.array([[0.25, 0.5]], dtype=np.float32),
            np.array([0.5], dtype=np.float32),
            (),
            np.zeros((0, 2), dtype=np.float32),
            np.zeros(0, dtype=np.float32),
        ),
        "sound": Sound(np.array([1, -2, 3], dtype=np.int16), 8000),
        "alike": SoundsAlike((ALIKE.to_dict(),)),
        "answers": Answers(
            ("A", "B"),
            np.ones((STEPS, 2), dtype=np.float32),
            running=False,
            chosen=("A", "A", "B"),
            truth=("A", "B", "A"),
        ),
        "joined": True,
    }


def same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(other, name))
            assert value.dtype == getattr(other, name).dtype
        else:
            assert value == getattr(other, name)


def test_a_file_gives_every_part_back(tmp_path: Path) -> None:
    found = replace(plain(), **parts())
    back = Trace.load(found.save(tmp_path / "a.trace"))
    for name in ("series", "fan", "links", "spectrogram", "heard", "sound", "alike", "answers"):
        same(getattr(found, name), getattr(back, name))
    assert back.joined


def card_of(path: Path) -> dict[str, Any]:
    blob = path.read_bytes()
    head = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
    card: dict[str, Any] = json.loads(head["__metadata__"]["trace"])
    return card


def test_files_of_before_there_were_parts_still_load(tmp_path: Path) -> None:
    path = plain().save(tmp_path / "a.trace")
    # What a trace does not have is not written: this is the card as it always was.
    assert set(card_of(path)) == {
        *("format", "model", "inputs", "layers", "choices", "names", "losses", "notes", "loss")
    }
    back = Trace.load(path)
    for name in ("series", "fan", "links", "spectrogram", "heard", "sound", "alike"):
        assert getattr(back, name) is None
    assert not back.joined


@pytest.mark.parametrize(
    ("change", "arrays"),
    [
        ({"series": {"name": "a"}}, {}),
        ({"fan": {"times": ["5"], "levels": [0.5]}}, {}),
        ({"links": {"sources": ["a"], "targets": ["a", "b", "c"]}}, {"links.weights": (3, 2)}),
        (
            {"spectrogram": {"hop": "1", "path": ["", "", ""]}},
            {"spectrogram.values": (3, 2)},
        ),
        ({"alike": {"words": [{"text": "a"}]}}, {}),
        ({"more": 1}, {}),
        ({"truth": ["a"], "names": ["a"]}, {"answers": (3, 1)}),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_told(
    change: dict[str, Any], arrays: dict[str, tuple[int, ...]], tmp_path: Path
) -> None:
    path = plain().save(tmp_path / "a.trace")
    whole = load(path.read_bytes()) | {
        name: np.ones(shape, dtype=np.float32) for name, shape in arrays.items()
    }
    card = json.dumps(card_of(path) | change)
    path.write_bytes(save(whole, metadata={"trace": card}))
    with pytest.raises(ModelFileError, match="do not belong together"):
        Trace.load(path)


def test_a_page_gets_every_number_and_none_that_json_has_not() -> None:
    told = to_json(replace(plain(), **parts()))
    json.dumps(told, allow_nan=False)
    assert told["series"]["values"] == [1e9, None, 3, 4]
    assert told["series"]["reads"] == [[0, 1], [1, 3], [3, 4]]
    assert told["fan"]["truth"] == [3, 5, None]
    assert told["fan"]["quantiles"][0] == [1, 2, 3, 4, 5]
    assert told["links"]["weights"] == packed(parts()["links"].weights)
    assert told["spectrogram"]["values"] == packed(parts()["spectrogram"].values)
    assert told["spectrogram"]["path"] == ("", "h", "h")
    assert told["heard"]["words"] == [{"text": "h", "start": 0.25, "end": 0.5, "confidence": 0.5}]
    assert told["heard"]["chances"] == packed(parts()["heard"].chances)
    assert told["alike"] == (ALIKE.to_dict(),)
    assert b64decode(told["sound"]["wav"]) == parts()["sound"].wav()
    assert (told["answers"]["running"], told["joined"]) == (False, True)
    some = {"series", "fan", "links", "spectrogram", "heard", "sound", "alike"}
    assert not some & set(to_json(plain()))


def test_coverage_is_the_share_of_what_came_inside_each_interval() -> None:
    fan = parts()["fan"]
    assert fan.coverage == {0.8: 1.0, 0.5: 0.5}
    assert replace(fan, truth=np.full(3, np.nan)).coverage == {}


def test_a_path_says_each_run_of_a_symbol_once() -> None:
    sound = Spectrogram(
        np.zeros((9, 1), dtype=np.float32), 0.01, ("", "l", "l", "", "l", "o", "o", "", "")
    )
    assert sound.text == "llo"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("series", {"values": np.zeros(3)}, "values: got float64"),
        ("series", {"values": np.zeros(4, dtype=np.float32)}, "got float32"),
        ("series", {"reads": np.array([[0, 1], [1, 5], [3, 4]])}, "places from 0 to 4"),
        ("series", {"reads": np.array([[0, 1], [1, 1], [3, 4]])}, "each step some"),
        ("series", {"reads": np.array([[-1, 1], [1, 2], [3, 4]])}, "places from 0 to 4"),
        ("fan", {"quantiles": np.zeros((3, 4))}, "quantiles: got float64"),
        ("fan", {"truth": np.zeros(2)}, "truth: got float64"),
        ("fan", {"levels": (0.1, 0.25, 0.5, 0.4, 0.9)}, "ascend"),
        ("fan", {"levels": (0.0, 0.25, 0.5, 0.75, 0.9)}, "inside"),
        ("links", {"weights": np.ones((3, 2), dtype=np.float32)}, "add up to 1"),
        (
            "links",
            {"weights": np.array([[2, -1], [1, 0], [1, 0]], dtype=np.float32)},
            "from 0 up",
        ),
        ("links", {"weights": np.full((3, 2), np.nan, dtype=np.float32)}, "add up to 1"),
        ("spectrogram", {"values": np.zeros((2, 4), dtype=np.float32)}, "got 2 frames"),
        ("spectrogram", {"values": np.zeros(6, dtype=np.float32)}, "spectrogram"),
        ("spectrogram", {"values": np.full((6, 4), np.inf, dtype=np.float32)}, "finite"),
        ("spectrogram", {"hop": 0.0}, "hop above 0"),
        ("spectrogram", {"hop": float("nan")}, "hop above 0"),
        ("answers", {"truth": ("A",)}, "truth: got 1 answers, expected 3"),
        ("answers", {"chosen": ("A", "B", "C")}, "chosen: got 'C'"),
    ],
)
def test_parts_check_themselves(name: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(parts()[name], **change)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("series", replace(parts()["series"], reads=np.array([[0, 1]]))),
        (
            "links",
            Links(("a",), ("b",), np.ones((1, 1), dtype=np.float32)),
        ),
        ("spectrogram", replace(parts()["spectrogram"], path=("a", "b"))),
    ],
)
def test_a_part_has_the_steps_of_its_trace(name: str, part: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: got \d steps, expected 3"):
        replace(plain(), **{name: part})
