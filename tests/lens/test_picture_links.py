"""The heat map of where each step looked: its colours are the weights, its names the tokens."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unrolled.errors import ConfigError
from unrolled.lens.ink import SHADES
from unrolled.lens.picture_tokens import pieces_of
from unrolled.lens.trace_parts import Links
from unrolled.lens.traces import Trace, TracedLayer

from .translations import translation


@pytest.fixture(autouse=True)
def _matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")


def looking(weights: list[list[float]], names: str = "") -> Trace:
    rows = np.float32(weights)
    steps, sources = rows.shape
    states = np.zeros((steps, 1), np.float32)
    layer = TracedLayer(
        "a", 0, False, "GRU", np.arange(1), {"h": states}, {"h": states[0]}, np.zeros(steps, bool)
    )
    inputs = tuple(names or "x" * steps)
    return Trace("A model", inputs, (layer,), links=Links(("y",) * sources, inputs, rows))


def test_every_kind_is_drawn_and_the_same_each_time(tmp_path: Path) -> None:
    found = translation()
    first = found.draw(tmp_path / "a.png", view="links").read_bytes()
    assert struct.unpack(">I", first[16:20]) == (1400,)
    assert found.draw(tmp_path / "b.png", view="links").read_bytes() == first
    svg = found.draw(tmp_path / "a.svg", view="links").read_text(encoding="utf-8")
    for token in ("Mann", "\u2010en", "ladder", "⏎"):
        assert f"<!-- {token} -->" in svg
    assert found.draw(tmp_path / "a.pdf", view="links").read_bytes().startswith(b"%PDF")


def test_each_cell_has_the_colour_of_its_weight(tmp_path: Path) -> None:
    import matplotlib.image

    path = looking([[1, 0, 0], [0, 0, 1]]).draw(tmp_path / "a.png", view="links")
    image = (255 * matplotlib.image.imread(path)[..., :3]).round().astype(int)
    dark = np.abs(image - list(bytes.fromhex(SHADES[-1][1:]))).max(axis=2) <= 1
    rows, columns = np.nonzero(dark)
    pale = np.abs(image - list(bytes.fromhex(SHADES[0][1:]))).max(axis=2) <= 1
    top, bottom = np.nonzero(pale.any(axis=1))[0][[0, -1]]
    left = min(np.nonzero(pale[bottom - 9])[0][0], columns.min())
    right = max(np.nonzero(pale[top + 9])[0][-1], columns.max())
    third, middle = (right - left) / 3, (top + bottom) / 2
    above = columns[rows < middle - 1]
    below = columns[rows > middle + 1]
    # The first of three in the first row, the last in the second.
    assert above.max() <= left + third + 2
    assert below.min() >= right - third - 2
    assert dark.sum() == pytest.approx(third * (bottom - top), rel=0.05)


def test_many_steps_have_no_names_and_fit(tmp_path: Path) -> None:
    size = 90
    path = looking(np.eye(size).tolist(), "z" * size).draw(tmp_path / "a.svg", view="links")
    svg = path.read_text(encoding="utf-8")
    assert "<!-- z -->" not in svg
    assert "90 steps" in svg
    assert "90 sources" in svg


def test_a_trace_that_looked_nowhere_has_no_such_view(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="without links, expected one of a Translator"):
        replace(translation(), links=None).draw(tmp_path / "a.png", view="links")
    assert not list(tmp_path.iterdir())


def test_a_piece_goes_on_with_the_word_before_it() -> None:
    assert pieces_of(("Ein", " blau", "es", " Hemd", ".", " ", "\n"), True) == [
        *("Ein", "blau", "\u2010es", "Hemd", ".", "␣", "⏎")
    ]
    assert pieces_of(("so", "so"), False) == ["so", "so"]
    assert pieces_of(("s", "o", " "), True) == ["s", "o", "␣"]
