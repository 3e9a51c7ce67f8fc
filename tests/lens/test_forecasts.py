"""Forecasts as records and as pictures: what is known, what is said, and nothing from later."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, MissingExtra
from unrolled.lens import draw_backtest, draw_calibration, draw_forecasts, forecast_panel
from unrolled.lens.picture import check_picture
from unrolled.lens.picture_forecast import _bands
from unrolled.lens.records import MEDIAN, Fan, ForecastPanel
from unrolled.tasks.forecasting.calibration import Audit, audit

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


def some(count: int, length: int, frequency: str | None = "D") -> SeriesSet:
    rng = np.random.default_rng(3)
    values = {f"shop {k}": 20 + rng.normal(size=length).cumsum() for k in range(count)}
    return SeriesSet.from_arrays(values, frequency=frequency)


def said(series: SeriesSet, horizon: int, windows: int = 0) -> pl.DataFrame:
    """A frame as `predict` gives it, or (with windows) as a backtest does."""
    rows: list[dict[str, Any]] = []
    for name, times, values in zip(series.ids, series.times, series.values, strict=True):
        last = len(values) - 1
        origins = [last - horizon * (w + 1) for w in reversed(range(windows))] or [last]
        for at in origins:
            for k, time in enumerate(series.frequency.future(times[at], horizon)):
                shown = time if series.frequency.dated else int(time.astype(np.int64))
                row: dict[str, Any] = {"store": name, "day": shown}
                if windows:
                    row |= {"cutoff": times[at], "y": values[at + 1 + k]}
                row["forecast"] = float(k)
                rows.append(row | {f"q{q:g}": k + 10 * (q - 0.5) for q in LEVELS})
    return pl.DataFrame(rows)


def audits() -> tuple[Audit, Audit]:
    rng = np.random.default_rng(0)
    fans = np.broadcast_to(np.quantile(rng.normal(size=999), LEVELS), (40, 5, len(LEVELS)))
    came = rng.normal(size=(40, 5))
    return audit(came, 0.4 * fans, LEVELS), audit(came, fans, LEVELS)


def test_a_panel_holds_what_the_frame_says_after_the_end_of_the_history() -> None:
    series = some(2, 300)
    panel = forecast_panel(series, said(series, 28))
    assert panel.name == "28 steps ahead: 2 series"
    first = panel.series[0]
    (fan,) = first.fans
    assert len(first.ds) == 84 + 1
    assert first.y[-1] == series.values[0][-1]
    assert fan.origin == first.ds[-1] < fan.ds[0]
    assert fan.actual == [None] * 28
    assert fan.quantiles[MEDIAN] == list(range(28))
    assert set(fan.quantiles) == {f"{q:g}" for q in LEVELS}


def test_of_many_series_the_first_are_shown_and_the_others_counted() -> None:
    series = some(30, 20)
    panel = forecast_panel(series, said(series, 3), most=2)
    assert panel.name == "3 steps ahead: the first 2 of 30 series"
    assert [one.id for one in panel.series] == ["shop 0", "shop 1"]


def test_a_single_series_is_named() -> None:
    series = some(1, 20)
    assert forecast_panel(series, said(series, 1)).name == "1 step ahead: shop 0"


def test_a_backtest_has_a_fan_for_each_window_beside_what_came_true() -> None:
    series = some(1, 300)
    (one,) = forecast_panel(series, said(series, 7, windows=3)).series
    assert len(one.fans) == 3
    for k, fan in enumerate(one.fans):
        begin = 300 - 7 * (3 - k)
        assert fan.actual == series.values[0][begin : begin + 7].tolist()
        assert one.y[one.ds.index(fan.origin)] == series.values[0][begin - 1]
    assert len(one.ds) == 48 + 1 + 3 * 7


def test_missing_values_become_none_and_counted_times_stay_numbers() -> None:
    values = np.arange(12.0)
    values[4] = np.nan
    series = SeriesSet.from_arrays(values)
    (one,) = forecast_panel(series, said(series, 2)).series
    assert one.y == [0, 1, 2, 3, None, *range(5, 12)]
    assert one.ds == [str(k) for k in range(12)]
    assert one.fans[0].ds == ["12", "13"]


def test_a_frame_of_other_series_is_refused() -> None:
    series = some(2, 20)
    with pytest.raises(ConfigError, match="no forecast of the series"):
        forecast_panel(series.select(["shop 0"]), said(series.select(["shop 1"]), 3))


def test_of_many_bands_the_outermost_the_innermost_and_80_percent_are_drawn() -> None:
    fan = Fan(["a"], {f"{q:g}": [q] for q in LEVELS}, [None], "b")
    assert _bands(fan) == [("0.025", "0.975"), ("0.1", "0.9"), ("0.25", "0.75")]


@pytest.mark.parametrize(
    ("count", "length", "frequency", "horizon"),
    [(1, 3, "MS", 1), (1, 900, "h", 48), (6, 30, "D", 7), (2, 40, None, 5)],
)
def test_few_and_many_series_short_and_long_are_drawn(
    count: int, length: int, frequency: str | None, horizon: int, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    series = some(count, length, frequency)
    path = draw_forecasts(forecast_panel(series, said(series, horizon)), tmp_path / "a.svg")
    text = path.read_text(encoding="utf-8")
    assert "<svg" in text


def test_large_amounts_are_short_and_values_alone_are_seen(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    from matplotlib import rc_context

    values = np.full(40, np.nan)
    values[[3, 20, 39]] = -2e6, 1e6, 3e6
    series = SeriesSet.from_arrays(values, frequency="D")
    panel = forecast_panel(series, said(series, 2))
    with rc_context({"svg.fonttype": "none"}):
        text = draw_forecasts(panel, tmp_path / "a.svg").read_text(encoding="utf-8")
    shown = re.findall(r">([^<>]+)<", text)  # not the names of marks, which are drawn
    assert "2M" in shown
    assert "\N{MINUS SIGN}2M" in shown
    assert not any("1e6" in one for one in shown)


def test_the_same_backtest_gives_the_same_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    series = some(3, 90)
    panel = forecast_panel(series, said(series, 5, windows=4))
    first, second = (
        draw_backtest(panel, *audits(), tmp_path / f"{k}.png").read_bytes() for k in "ab"
    )
    assert first == second


def test_calibration_before_and_after_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):
        text = draw_calibration(*audits(), tmp_path / "a.svg").read_text(encoding="utf-8")
    for part in ("before repair", "after", "80%", "95%", "Calibration of the intervals"):
        assert part in text


def test_a_panel_without_series_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `lens` is not installed")
    with pytest.raises(ConfigError, match="has no series"):
        draw_forecasts(ForecastPanel("n", "", ""), tmp_path / "a.png")


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: draw_forecasts(forecast_panel(some(1, 9), said(some(1, 9), 2)), path),
        lambda path: draw_calibration(*audits(), path),
        check_picture,
    ],
)
def test_without_matplotlib_the_pip_line_is_given(
    draw: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[lens\]'"):
        draw(tmp_path / "a.png")
