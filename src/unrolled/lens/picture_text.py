"""A text in the colours of one unit (Karpathy, Johnson & Fei-Fei 2015, arXiv 1506.02078)."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import DIVERGING, INK, PAPER, QUIET, WIDTH
from unrolled.lens.picture import _figure, _save, _title
from unrolled.lens.properties import Property, TrackingUnit, numbers_of
from unrolled.lens.traces import Trace

# Inches: above the text, beside it. Lines at most, and characters in a line.
_TOP, _SIDE = 0.58, 0.14
MOST = 60
NARROW, WIDE = 64, 100


def draw_text(
    trace: Trace,
    path: str | PathLike[str],
    unit: TrackingUnit,
    *,
    property: Property | None = None,
    title: str | None = None,
) -> Path:
    """Draw what was read with one unit's state behind each step: blue below zero, orange above.

    Colours are full at the 98th percentile of the state's size. Longer lines go on in the next.

    Args:
        trace: see `unrolled.trace`.
        path: `.png`, `.svg` or `.pdf`.
        unit: one of those that `tracking_units` gives, or `TrackingUnit(layer, unit, "h", 0)`.
        property: see `tracking_units`; steps where it is above 0 are underlined.
        title: None names the unit, and its correlation with the property in this text.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: the trace does not hold the unit; no such property; a text of more lines than
            a picture can hold.
        OutputError: the file can't be written.
    """
    values = np.nan_to_num(unit.values(trace).astype(np.float64))
    marks = None if property is None else numbers_of(property, trace) > 0
    places, lines, columns = _layout(trace.inputs)
    if lines > MOST:
        raise ConfigError(
            f"draw_text: got {lines} lines, expected {MOST} at most; trace a shorter text, or with"
            " fewer steps="
        )
    wide = (WIDTH - 2 * _SIDE) / columns
    line = 2.1 * wide
    height = _TOP + lines * line + 0.1
    figure = _figure(height)
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.colors import LinearSegmentedColormap

    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")
    boxes, under = [], []
    for step, row, column, text in places:
        x, y = _SIDE + column * wide, _TOP + row * line
        end = x + len(text) * wide
        boxes.append([(x, y), (end, y), (end, y + line * 0.94), (x, y + line * 0.94)])
        if marks is not None and marks[step]:
            under.append([(x, y + line * 0.9), (end, y + line * 0.9)])
    limit = float(np.quantile(np.abs(values), 0.98)) or 1.0
    shades = PolyCollection(
        boxes,
        array=values[[step for step, *_ in places]],
        cmap=LinearSegmentedColormap.from_list("unrolled", DIVERGING),
        linewidths=0,
    )
    shades.set_clim(-limit, limit)
    axes.add_collection(shades)
    axes.add_collection(LineCollection(under, colors=INK, linewidths=1.0))
    for step, row, column, text in places:
        ink = PAPER if _luminance(shades.to_rgba(values[step])) < 0.2 else INK
        for offset, character in enumerate(text):
            if character.isspace():
                continue
            axes.text(
                _SIDE + (column + offset + 0.5) * wide,
                _TOP + (row + 0.5) * line,
                r"\$" if character == "$" else character,
                fontsize=95 * wide,
                family="monospace",
                color=ink,
                ha="center",
                va="center",
            )
    layer = trace.layers[unit.layer]
    _title(figure, title or _named(trace, unit, property), 1 - 0.17 / height)
    key = f"{unit.state} of unit {unit.unit}, {layer.cell}: blue below zero, orange above"
    if marks is not None:
        key += f" · underlined: {property if isinstance(property, str) else 'the property'}"
    figure.text(0.02, 1 - 0.38 / height, key, fontsize=6.5, color=QUIET, va="center")
    return _save(figure, path, few_colours=True)


def _luminance(colour: Any) -> float:
    """Relative luminance of WCAG 2; below 0.2 white has more contrast than ink."""
    linear = np.where(
        (rgb := np.array(colour[:3])) <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4
    )
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _named(trace: Trace, unit: TrackingUnit, property: Property | None) -> str:
    name = f"Unit {unit.unit} of layer {unit.layer + 1}"
    if property is None:
        return name
    goal = property if isinstance(property, str) else "the property"
    return f"{name}: r = {unit.on(trace, property).correlation:.2f} with {goal}"


def _layout(inputs: tuple[str, ...]) -> tuple[list[tuple[int, int, int, str]], int, int]:
    """Of each piece of a step its step, line, column and text; how many lines and columns."""
    apart = any(len(text) > 1 for text in inputs)  # words, which stand apart
    longest = max(len(line) for line in (" " * apart).join(inputs).split("\n"))
    columns = min(max(longest, NARROW), WIDE)
    found, row, column = [], 0, 0
    for step, text in enumerate(inputs):
        if text == "\n":
            row, column = row + 1, 0
            continue
        shown = text.replace("\n", " ").replace("\t", " ")[:columns]
        if column + len(shown) > columns:
            row, column = row + 1, 0
        found.append((step, row, column, shown))
        column += len(shown) + apart
    return found, found[-1][1] + 1 if found else 1, columns
