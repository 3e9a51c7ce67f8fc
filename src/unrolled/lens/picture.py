"""Records as PNG, SVG or PDF files, with matplotlib (extra `lens`): views for a README."""

from __future__ import annotations

import importlib.util
import io
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError, MissingExtra
from unrolled.lens.ink import INK, PAPER, QUIET, WIDTH
from unrolled.lens.picture_calibration import calibration_key, draw_coverage, draw_histogram
from unrolled.lens.picture_forecast import draw_fans
from unrolled.lens.picture_unfolded import draw_steps, height_of
from unrolled.lens.records import ForecastPanel, Report, TextTrace
from unrolled.writing import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from unrolled.tasks.forecasting.calibration import Audit

DPI = 200
# Heights in inches: of the title, of one series among several or alone, of what lies between two of
# them, and of the calibration with what lies above it.
_TOP, _SEVERAL, _ALONE, _BETWEEN, _CALIBRATION = 0.52, 1.0, 2.0, 0.34, 2.0


def draw_forecast(panel: ForecastPanel, path: str | PathLike[str], *, series: int = 0) -> Path:
    """Draw the last fans of one series, one after the other, over the line of what came true.

    Args:
        panel: the data set; `series` is the index of the one to draw.
        path: `.png`, `.svg` or `.pdf`.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: there is no such series, or it has no fans.
        OutputError: the file can't be written.
    """
    figure = _figure(2.6)
    axes = figure.add_axes((0.075, 0.11, 0.905, 0.72))
    draw_fans(axes, panel, series)
    _title(figure, panel.name, 0.955)
    return _save(figure, path)


def draw_forecasts(panel: ForecastPanel, path: str | PathLike[str]) -> Path:
    """Draw all series of a panel, one below the other: the end of each history, and its fans.

    Args:
        panel: see `forecast_panel`.
        path: `.png`, `.svg` or `.pdf`.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: there is nothing to draw.
        OutputError: the file can't be written.
    """
    return _save(_forecasts(panel, 0.0), path)


def draw_backtest(
    panel: ForecastPanel, before: Audit, after: Audit, path: str | PathLike[str]
) -> Path:
    """Draw a backtest: the fans over what came true, and below them the calibration.

    Args:
        panel: see `forecast_panel`.
        before, after: the calibration before and after the repair of the intervals.
        path: `.png`, `.svg` or `.pdf`.

    Raises: as `draw_forecasts`.
    """
    figure = _forecasts(panel, _CALIBRATION)
    _calibration(figure, before, after)
    return _save(figure, path)


def draw_calibration(before: Audit, after: Audit, path: str | PathLike[str]) -> Path:
    """Draw two calibration audits: the histogram of the PIT, and coverage by steps ahead.

    Args:
        before, after: the repair of the intervals.
        path: `.png`, `.svg` or `.pdf`.

    Raises:
        MissingExtra: matplotlib is not installed.
        OutputError: the file can't be written.
    """
    figure = _figure(_CALIBRATION)
    _calibration(figure, before, after)
    return _save(figure, path)


def draw_unfolded(trace: TextTrace, path: str | PathLike[str], *, steps: int = 10) -> Path:
    """Draw the network unfolded over the last `steps` symbols that it read.

    From bottom to top in each column: the symbol read, each layer's hidden state as a heat map
    (blue below zero, orange above, units that behave alike side by side), and the likeliest next
    symbols with the one that really came marked.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: the trace is empty.
        OutputError: the file can't be written.
    """
    height = height_of(trace, steps)
    figure = _figure(height + 0.45)
    axes = figure.add_axes((0.0, 0.0, 1.0, height / (height + 0.45)))
    draw_steps(axes, trace, steps, height)
    _title(figure, "The network, unfolded over time", 1 - 0.2 / (height + 0.45), _KEY)
    return _save(figure, path)


def draw_overview(report: Report, path: str | PathLike[str], *, steps: int = 10) -> Path:
    """One picture of a report: the first forecast on top, the unfolded network below.

    A PNG is 1400 pixels wide.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: the report holds neither forecasts nor an unfolded network.
        OutputError: the file can't be written.
    """
    panel = next((p for p in report.forecasts if any(s.fans for s in p.series)), None)
    trace = report.unfolded
    if panel is None and trace is None:
        raise ConfigError(
            "draw_overview got a report without forecasts and without a trace; give at least one"
        )
    top = 2.65 if panel is not None else 0.0
    bottom = height_of(trace, steps) + 0.45 if trace is not None else 0.0
    figure = _figure(top + bottom)
    whole = top + bottom
    if panel is not None:
        axes = figure.add_axes((0.075, (bottom + 0.36) / whole, 0.905, (top - 0.92) / whole))
        draw_fans(axes, panel, next(k for k, s in enumerate(panel.series) if s.fans))
        _title(figure, panel.name, 1 - 0.17 / whole)
    if trace is not None:
        axes = figure.add_axes((0.0, 0.0, 1.0, (bottom - 0.45) / whole))
        draw_steps(axes, trace, steps, bottom - 0.45)
        _title(figure, "The network, unfolded over what it read", (bottom - 0.2) / whole, _KEY)
    return _save(figure, path)


def _forecasts(panel: ForecastPanel, below: float) -> Figure:
    """A figure with all series of a panel, and `below` inches free."""
    count = len(panel.series)
    if not count:
        raise ConfigError(f"{panel.name!r} has no series; give one that was forecast")
    each = _ALONE if count == 1 else _SEVERAL
    # Above the first of several stand its name and, above that, the key.
    top = _TOP + (0.14 if count > 1 else 0.0)
    whole = top + count * (each + _BETWEEN) + below
    figure = _figure(whole)
    _title(figure, panel.name, 1 - 0.17 / whole)
    spans = {(one.ds[0], one.fans[-1].ds[-1]) for one in panel.series if one.fans}
    for k, series in enumerate(panel.series):
        bottom = whole - top - (k + 1) * each - k * _BETWEEN
        axes = figure.add_axes((0.085, bottom / whole, 0.895, each / whole))
        foot = None if k else 1 + (top - _TOP) / each
        draw_fans(axes, panel, k, before=len(series.ds), most=len(series.fans), key=foot)
        if count > 1:
            axes.set_title(_cut(series.id, 40), loc="left", fontsize=7, color=INK, pad=3)
        if len(spans) == 1 and k < count - 1:
            axes.tick_params(labelbottom=False)
            axes.xaxis.get_offset_text().set_visible(False)
    return figure


def _calibration(figure: Figure, before: Audit, after: Audit) -> None:
    """Both pictures of it, in the lowest part of a figure."""
    whole = figure.get_figheight()
    _title(figure, "Calibration of the intervals", (_CALIBRATION - 0.17) / whole)
    inner = (_CALIBRATION - 0.86) / whole
    left = figure.add_axes((0.085, 0.26 / whole, 0.38, inner))
    right = figure.add_axes((0.555, 0.26 / whole, 0.385, inner))
    draw_histogram(left, before, after)
    draw_coverage(right, before, after)
    calibration_key(right)


def check_picture(path: str | PathLike[str]) -> None:
    """Fail now as drawing at the end would: before the work whose result is to be drawn.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: another ending than .png, .svg or .pdf.
    """
    _kind_of(Path(path))
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtra("lens", "drawing a picture")


def _figure(height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("lens", "drawing a picture") from error
    # A Figure of its own, never pyplot: no global state, no window, no backend to choose.
    return Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)


def _save(figure: Figure, path: str | PathLike[str], *, few_colours: bool = False) -> Path:
    target = Path(path)
    kind = _kind_of(target)
    content = io.BytesIO()
    # No date and no version inside: the same records give the same file.
    nothing: dict[str, Any] = {
        "png": {"Software": None},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None},
    }
    figure.savefig(content, format=kind, facecolor=PAPER, metadata=nothing[kind])
    if few_colours and kind == "png":
        content = _palette(content)
    with replacing(target) as aside:
        aside.write_bytes(content.getvalue())
    return target


def _palette(content: io.BytesIO) -> io.BytesIO:
    """The same PNG with 256 colours, a third of the size where there is much shaded text."""
    from PIL import Image

    smaller = io.BytesIO()
    drawn = Image.open(content).convert("RGB")
    drawn.quantize(256, dither=Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return smaller


def _kind_of(target: Path) -> str:
    kind = target.suffix.lower().lstrip(".")
    if kind not in ("png", "svg", "pdf"):
        raise ConfigError(
            f"can't draw {target.name!r}: expected a name that ends in .png, .svg or .pdf"
        )
    return kind


_KEY = "state: blue below zero, orange above · ✓ what really came next"


def _title(figure: Figure, text: str, y: float, more: str = "") -> None:
    figure.text(0.02, y, _cut(text, 72), fontsize=9.5, fontweight="bold", color=INK, va="center")
    if more:
        figure.text(0.98, y, more, fontsize=6.5, color=QUIET, va="center", ha="right")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
