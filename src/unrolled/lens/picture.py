"""Records as PNG, SVG or PDF files, with matplotlib (extra `lens`): views for a README."""

from __future__ import annotations

import io
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError, MissingExtra
from unrolled.lens.ink import INK, PAPER, QUIET, WIDTH
from unrolled.lens.picture_forecast import draw_fans
from unrolled.lens.picture_unfolded import draw_steps, height_of
from unrolled.lens.records import ForecastPanel, Report, TextTrace
from unrolled.writing import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200


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


def _figure(height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("lens", "drawing a picture") from error
    # A Figure of its own, never pyplot: no global state, no window, no backend to choose.
    return Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)


def _save(figure: Figure, path: str | PathLike[str]) -> Path:
    target = Path(path)
    kind = target.suffix.lower().lstrip(".")
    if kind not in ("png", "svg", "pdf"):
        raise ConfigError(
            f"can't draw {target.name!r}: expected a name that ends in .png, .svg or .pdf"
        )
    content = io.BytesIO()
    # No date and no version inside: the same records give the same file.
    nothing: dict[str, Any] = {
        "png": {"Software": None},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None},
    }
    figure.savefig(content, format=kind, facecolor=PAPER, metadata=nothing[kind])
    with replacing(target) as aside:
        aside.write_bytes(content.getvalue())
    return target


_KEY = "state: blue below zero, orange above · ✓ what really came next"


def _title(figure: Figure, text: str, y: float, more: str = "") -> None:
    figure.text(0.02, y, text, fontsize=9.5, fontweight="bold", color=INK, va="center")
    if more:
        figure.text(0.98, y, more, fontsize=6.5, color=QUIET, va="center", ha="right")
