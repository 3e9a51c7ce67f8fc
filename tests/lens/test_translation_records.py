"""A translation in records: two sequences, what links them, and the tree of the search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from unrolled.errors import ConfigError, ModelFileError
from unrolled.lens import Trace
from unrolled.lens.sound_parts import Sound
from unrolled.lens.trace_page import data_of, for_notebook, numbers_in, title_of, to_json
from unrolled.lens.trace_parts import Beam
from unrolled.lens.tracing import fewer_units

from .translations import GERMAN, searched, translation


def small(**changes: Any) -> Beam:
    """A man | The man, the first better; "A ma" was given up."""
    parts: dict[str, Any] = {
        "width": 2,
        "tokens": ("A", "The", " man", " man", " ma", "\n", "\n"),
        "steps": np.array([0, 0, 1, 1, 1, 2, 2]),
        "parents": np.array([-1, -1, 0, 1, 0, 2, 3]),
        "log_p": np.float32([-0.5, -1, -0.25, -0.25, -3, -0.125, -0.125]),
        "sums": np.float32([-0.5, -1, -0.75, -1.25, -3.5, -0.875, -1.375]),
        "fates": ("kept", "kept", "kept", "kept", "pruned", "finished", "finished"),
        "ranks": np.array([-1, -1, -1, -1, -1, 0, 1]),
        "scores": np.float32([*[np.nan] * 5, -0.3, -0.46]),
    }
    return Beam(**(parts | changes))


def changed(name: str, place: int, value: float) -> dict[str, Any]:
    array = getattr(small(), name).copy()
    array[place] = value
    return {name: array}


def test_a_hypothesis_is_the_path_to_its_last_token() -> None:
    beam = small()
    assert beam.best == 5
    assert beam.path(5) == (0, 2, 5)
    assert beam.path(6) == (1, 3, 6)
    assert beam.path(1) == (1,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": np.zeros(7)}, "steps: got float64"),
        ({"sums": np.zeros(6, np.float32)}, r"sums: got float32 \(6,\)"),
        ({"fates": ("kept",) * 6}, "fates: expected one of kept, finished, pruned"),
        ({"fates": ("lost",) * 7}, "fates: expected one of"),
        (changed("parents", 2, 2), "before its own"),
        (changed("parents", 2, -2), "before its own"),
        (changed("parents", 2, -1), "steps: expected each one after that of its parent"),
        (changed("steps", 0, 1), "steps"),
        (changed("sums", 2, -0.7), "sums"),
        (changed("sums", 2, np.nan), "sums"),
        (changed("log_p", 0, np.inf), "sums"),
        ({"fates": ("kept", "pruned", *small().fates[2:])}, "after one that is pruned"),
        ({"fates": ("kept", "finished", *small().fates[2:])}, "after one that is finished"),
        ({"width": 1}, "got 2 that are kept at a step, expected 1"),
        (changed("ranks", 6, 0), "ranks"),
        (changed("ranks", 5, -1), "ranks"),
        ({"ranks": np.full(7, -1)}, "ranks"),
        (changed("ranks", 2, 2), "at the last tokens"),
        (changed("scores", 6, np.nan), "scores"),
    ],
)
def test_a_search_that_is_no_tree_is_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        small(**change)


def test_the_best_hypothesis_is_what_the_trace_is_of() -> None:
    with pytest.raises(ConfigError, match="beam, its best hypothesis: got 3 steps, expected 16"):
        replace(translation(), beam=small())


def test_links_have_a_source_for_each_step_of_the_encoder() -> None:
    whole = translation()
    assert whole.source is not None
    shorter = replace(
        whole.source,
        inputs=GERMAN[:-1],
        layers=tuple(layer.part(steps=slice(-1)) for layer in whole.source.layers),
    )
    with pytest.raises(ConfigError, match="links: got 16 sources, expected 15"):
        replace(whole, source=shorter)
    with pytest.raises(ConfigError, match="source of its own"):
        replace(whole, source=whole)


def test_what_came_is_told_for_each_step() -> None:
    expected = translation().expected
    assert expected is not None
    with pytest.raises(ConfigError, match="came: got 3 names, expected 16"):
        replace(expected, came=("a", "b", "c"))


def equal(one: Any, other: Any) -> bool:
    """The same records, numbers and all."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype != bool)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if hasattr(one, "__dataclass_fields__"):
        return equal(vars(one), vars(other))
    return bool(one == other)


@pytest.mark.parametrize("attention", [True, False])
def test_a_file_gives_both_sequences_and_the_search_back(attention: bool, tmp_path: Path) -> None:
    whole = translation(attention=attention)
    back = Trace.load(whole.save(tmp_path / "a.trace"))
    assert equal(whole, back)
    assert not equal(whole, replace(back, source=None))
    assert repr(back) == "<Trace of Translator: 16 steps from 16, GRU of 24, GRU of 24>"


def card_of(path: Path) -> dict[str, Any]:
    blob = path.read_bytes()
    head = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
    card: dict[str, Any] = json.loads(head["__metadata__"]["trace"])
    return card


def test_only_what_older_versions_cannot_read_has_the_new_format(tmp_path: Path) -> None:
    whole = translation()
    path = whole.save(tmp_path / "a.trace")
    assert card_of(path)["format"] == 3
    expected = replace(whole.expected, came=())
    replace(whole, source=None, beam=None, expected=expected).save(path)
    assert card_of(path)["format"] == 2
    for change in ({"beam": None}, {"source": None}):
        replace(whole, expected=expected, **change).save(path)
        assert card_of(path)["format"] == 3
    sound = Sound(np.ones(3, dtype=np.int16), 8000)
    replace(whole, source=None, beam=None, expected=expected, sound=sound).save(path)
    assert card_of(path)["format"] == 4


def test_a_file_whose_source_does_not_fit_is_told(tmp_path: Path) -> None:
    path = translation().save(tmp_path / "a.trace")
    arrays, card = load(path.read_bytes()), card_of(path)
    path.write_bytes(
        save(
            {name: array for name, array in arrays.items() if name != "source.layer.1.cuts"},
            metadata={"trace": json.dumps(card)},
        )
    )
    with pytest.raises(ModelFileError, match="do not belong together"):
        Trace.load(path)
    card["beam"]["fates"][0] = "lost"
    path.write_bytes(save(arrays, metadata={"trace": json.dumps(card)}))
    with pytest.raises(ModelFileError, match="do not belong together"):
        Trace.load(path)


def test_a_page_gets_both_sequences_and_the_search() -> None:
    whole = translation()
    assert whole.source is not None
    assert whole.beam is not None
    told = to_json(whole)
    json.dumps(told, allow_nan=False)
    assert told["source"] == to_json(whole.source)
    assert told["expected"]["came"] == whole.links.targets  # type: ignore[union-attr]
    assert told["beam"]["tokens"] == whole.beam.tokens
    assert told["beam"]["parents"] == whole.beam.parents.tolist()
    assert told["beam"]["scores"].count(None) == int(np.isnan(whole.beam.scores).sum())
    assert not {"beam", "source"} & set(to_json(whole.source))
    noted = replace(whole, notes=("one",), source=replace(whole.source, notes=("two",)))
    assert data_of(noted)["notes"] == ["one", "two"]
    assert title_of(whole) == "Translator: Ein Mann in einem blauen Hemd steht auf …"


def test_the_units_of_the_encoder_are_cut_and_counted_too() -> None:
    whole = translation()
    assert whole.source is not None
    few = fewer_units(whole, 5)
    assert few.source is not None
    assert [len(layer.units) for layer in (*few.layers, *few.source.layers)] == [5] * 4
    assert len(few.source.notes) == 2
    assert numbers_in(whole) == numbers_in(replace(whole, source=None)) + numbers_in(whole.source)


def test_a_notebook_gets_no_more_than_it_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = translation(units=40)
    assert whole.source is not None
    narrow = replace(whole, layers=tuple(one.part(units=slice(4)) for one in whole.layers))
    monkeypatch.setattr("unrolled.lens.trace_page.MOST_IN_NOTEBOOK", numbers_in(narrow) // 2)
    shown = for_notebook(narrow)
    assert shown.source is not None
    assert len(shown.source.layers[0].units) == 20


def test_the_made_search_is_one() -> None:
    beam, _ = searched()
    text = "".join(beam.tokens[node] for node in beam.path(beam.best))
    assert text == "A man in a blue shirt is standing on a ladder cleaning a window.\n"
    assert "pruned" in beam.fates
