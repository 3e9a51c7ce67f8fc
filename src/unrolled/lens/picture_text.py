"""A text in the colours of one unit (Karpathy, Johnson & Fei-Fei 2015, arXiv 1506.02078)."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, PAPER, QUIET, WIDTH
from unrolled.lens.picture_file import entitle, new_figure, save_figure
from unrolled.lens.picture_parts import colours, key_of, layer_name, limit_of, number, spelled
from unrolled.lens.picture_tokens import laid_out
from unrolled.lens.properties import Property, TrackingUnit, numbers_of
from unrolled.lens.traces import Array, Trace, TracedLayer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Inches: above the text, below it, beside it. Lines at most.
_TOP, _FOOT, _SIDE = 0.58, 0.1, 0.14
# Points of a font whose letters are a little narrower than a column of one inch.
_SIZE = 102.0
MOST = 60


def draw_text(
    trace: Trace,
    path: str | PathLike[str],
    unit: TrackingUnit,
    *,
    property: Property | None = None,
    title: str | None = None,
) -> Path:
    """Draw what was read with one unit's state behind each step: blue below zero, orange above.

    Colours are full at the 98th percentile of the state's size. A text of letters or subwords has
    its own lines, each ended by the sign of the line break, which is a step too; longer ones go on
    in the next. `trace.draw(path, view="text")` draws gates and gradients in the same way.

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
    values, layer = unit.values(trace), trace.layers[unit.layer]
    marks, goal = None, property if isinstance(property, str) else "the property"
    if property is not None:
        marks = (goal, numbers_of(property, trace) > 0)
    if title is None:
        title = f"Unit {unit.unit} of layer {unit.layer + 1}"
        if property is not None:
            title += f": r = {number(unit.on(trace, property).correlation, '.2f')} with {goal}"
    return save_text(text_figure(trace, layer, unit.state, values, title, marks), path)


def save_text(figure: Figure, path: str | PathLike[str]) -> Path:
    return save_figure(figure, path, few_colours=True)


def text_figure(
    trace: Trace,
    layer: TracedLayer,
    quantity: str,
    values: Array,
    title: str,
    marks: tuple[str, NDArray[np.bool_]] | None = None,
) -> Figure:
    """The text with `values (T,)` of one unit behind it, underlined where `marks` are true."""
    pieces, columns = laid_out(trace.inputs, trace.joined)
    lines = pieces[-1].line + 1
    if lines > MOST:
        raise ConfigError(
            f"text: got {lines} lines, expected {MOST} at most; trace a shorter text, or with"
            " fewer steps="
        )
    wide = (WIDTH - 2 * _SIDE) / columns
    line = 2.1 * wide
    height = _TOP + lines * line + _FOOT
    figure = new_figure(height)
    from matplotlib.collections import LineCollection, PolyCollection

    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")
    limit = limit_of(quantity, values)
    fills = colours()(np.clip(values / limit, -1, 1) / 2 + 0.5)
    boxes, under = [], []
    for piece in pieces:
        x, y = _SIDE + piece.column * wide, _TOP + piece.line * line
        end, foot = x + piece.columns * wide, y + line * 0.94
        boxes.append([(x, y), (end, y), (end, foot), (x, foot)])
        if marks is not None and marks[1][piece.step]:
            under.append([(x, y + line * 0.955), (end, y + line * 0.955)])
        letters = piece.text.strip()
        if not letters:
            continue
        # Blanks at both sides keep their columns.
        left = len(piece.text) - len(piece.text.lstrip())
        right = len(piece.text) - len(piece.text.rstrip())
        axes.text(
            (x + left * wide + end - right * wide) / 2,
            y + line * 0.43,
            letters,
            fontsize=_SIZE * wide,
            family="monospace",
            color=PAPER if _luminance(fills[piece.step]) < 0.2 else INK,
            ha="center",
            va="center_baseline",
            parse_math=False,
        )
    shades = fills[[piece.step for piece in pieces]]
    axes.add_collection(PolyCollection(boxes, facecolors=shades, linewidths=0))
    axes.add_collection(LineCollection(under, colors=INK, linewidths=1.0))
    more = f"{trace.model} · {layer_name(layer)} · {spelled(quantity)}"
    entitle(figure, title, more=more)
    highest = int(np.nanargmax(values)) if np.isfinite(values).any() else 0
    most = number(float(values[highest]), ".2f")
    key = f"{key_of(quantity, limit)}; highest at step {highest + 1}: {most}"
    if marks is not None:
        key += f" · underlined: {marks[0]}"
    figure.text(0.02, 1 - 0.38 / height, key, fontsize=6.5, color=QUIET, va="center")
    return figure


def _luminance(colour: Any) -> float:
    """Relative luminance of WCAG 2; below 0.2 white has more contrast than ink."""
    linear = np.where(
        (rgb := np.array(colour[:3])) <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4
    )
    return float(linear @ (0.2126, 0.7152, 0.0722))
