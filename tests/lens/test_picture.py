"""Pictures: drawn, of the promised size, and one plain line where they can't be."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError, MissingExtra, OutputError
from unrolled.lens.order import alike_together, grid_of
from unrolled.lens.picture import draw_forecast, draw_overview, draw_unfolded
from unrolled.lens.picture_unfolded import height_of
from unrolled.lens.records import Fan, ForecastPanel, ForecastSeries, Report
from unrolled.lens.traces import Trace


def size_of_png(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def needs_matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")


def test_the_overview_is_1400_pixels_wide(
    make_report: Callable[[], Report], tmp_path: Path
) -> None:
    needs_matplotlib()
    width, height = size_of_png(draw_overview(make_report(), tmp_path / "demo.png"))
    assert width == 1400
    assert 900 < height < 1400


def test_the_same_trace_gives_the_same_file(
    make_trace: Callable[..., Trace], tmp_path: Path
) -> None:
    needs_matplotlib()
    trace = make_trace(units=20)
    first, second = (draw_unfolded(trace, tmp_path / f"{k}.png").read_bytes() for k in "ab")
    assert first == second


def test_a_network_that_foretells_nothing_and_reads_both_ways_is_drawn(
    make_trace: Callable[..., Trace], tmp_path: Path
) -> None:
    needs_matplotlib()
    plain = make_trace(units=6)
    other = replace(plain.layers[0], name="members.1", reverse=False)
    back = replace(plain.layers[0], reverse=True)
    mixed = replace(
        plain, layers=(*plain.layers, back, other), expected=None, losses=None, joined=False
    )
    shown = draw_unfolded(mixed, tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<svg" in shown
    # Two layers of one network: the other direction and the other network are no links of it.
    assert height_of(mixed, 10) == height_of(plain, 10)


def test_each_forecast_of_the_report_can_be_drawn(
    make_report: Callable[[], Report], tmp_path: Path
) -> None:
    needs_matplotlib()
    for k, panel in enumerate(make_report().forecasts):
        assert size_of_png(draw_forecast(panel, tmp_path / f"{k}.png"))[0] == 1400


def test_times_that_are_no_dates_and_symbols_that_are_no_letters_are_drawn(
    make_trace: Callable[..., Trace], tmp_path: Path
) -> None:
    needs_matplotlib()
    ds = [f"week {k}" for k in range(9)]
    fan = Fan(ds[7:], {"0.1": [0.0, 0.0], "0.5": [1.0, 1.0], "0.9": [2.0, 2.0]}, [1.0, None], ds[6])
    panel = ForecastPanel("n", "$", "", [ForecastSeries("s", ds, [1.0, None, *range(7)], [fan])])
    draw_forecast(panel, tmp_path / "a.svg")
    plain = make_trace(units=1)
    odd = ("$", "\n", "", "<b>", *plain.inputs[4:])
    draw_unfolded(replace(plain, inputs=odd), tmp_path / "b.svg", steps=18)
    assert "<svg" in (tmp_path / "b.svg").read_text(encoding="utf-8")


def test_nothing_to_draw_is_refused(make_trace: Callable[..., Trace], tmp_path: Path) -> None:
    needs_matplotlib()
    with pytest.raises(ConfigError, match="without forecasts and without a trace"):
        draw_overview(Report("t", "s", "m"), tmp_path / "a.png")
    with pytest.raises(ConfigError, match="no fans in series 0"):
        draw_forecast(
            ForecastPanel("n", "u", "", [ForecastSeries("s", ["a"], [1.0])]), tmp_path / "a.png"
        )
    with pytest.raises(ConfigError, match="steps: got 0"):
        draw_unfolded(make_trace(units=1), tmp_path / "a.png", steps=0)
    assert list(tmp_path.iterdir()) == []


def test_a_name_or_a_folder_that_does_not_work_is_one_line(
    make_trace: Callable[..., Trace], tmp_path: Path
) -> None:
    needs_matplotlib()
    trace = make_trace(units=4)
    with pytest.raises(ConfigError, match=r"ends in \.png, \.svg or \.pdf"):
        draw_unfolded(trace, tmp_path / "a.bmp")
    with pytest.raises(OutputError, match="No such file or directory"):
        draw_unfolded(trace, tmp_path / "no" / "a.png")


def test_without_matplotlib_the_pip_line_is_given(
    make_trace: Callable[..., Trace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = make_trace(units=4)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[lens\]'"):
        draw_unfolded(trace, tmp_path / "a.png")


@pytest.mark.parametrize("module", ["records", "forecasts", "page", "picture", "traces", "tracing"])
def test_importing_the_lens_imports_neither_torch_nor_matplotlib(module: str) -> None:
    heavy = "{'torch', 'matplotlib'}"
    code = f"import sys, unrolled.lens.{module}; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


@settings(max_examples=60)
@given(st.integers(1, 130), st.integers(1, 6), st.integers(0, 9))
def test_every_unit_has_one_place(units: int, steps: int, seed: int) -> None:
    grid = grid_of(units)
    assert (grid.rows - 1) * grid.columns < units <= grid.rows * grid.columns
    order = alike_together(np.random.default_rng(seed).normal(size=(steps, units)), grid)
    assert sorted(order) == list(range(units))


def test_units_that_behave_alike_become_neighbours() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, 64)
    hidden = np.where(kinds, 1.0, -1.0) * np.sin(np.arange(12))[:, None] + 0.01 * rng.normal(
        size=(12, 64)
    )
    placed = kinds[alike_together(hidden, grid_of(64))].reshape(8, 8)
    changes = int(np.abs(np.diff(placed, axis=1)).sum())
    assert changes <= 8 + 1
    assert int(np.abs(np.diff(kinds.reshape(8, 8), axis=1)).sum()) > 15
