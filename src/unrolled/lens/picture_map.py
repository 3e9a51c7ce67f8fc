"""All units over time, like ones together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.lens.ink import INK, QUIET, WIDTH
from unrolled.lens.order import Grid, alike_together
from unrolled.lens.picture_file import entitle
from unrolled.lens.picture_parts import (
    GATES,
    colours,
    framed,
    layer_name,
    limit_of,
    number,
    spelled,
    steps_below,
)
from unrolled.lens.traces import Array, Trace, TracedLayer

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def map_figure(
    trace: Trace, layer: TracedLayer, quantity: str, rows: Array, marked: int | None
) -> Figure:
    """The map of `rows (T, H)`, with the row of the unit at the place `marked` framed."""
    units = len(layer.units)
    figure, axes = framed(min(2.9, max(0.5, 0.09 * units)), right=0.62)
    # What has blown up has a place too.
    states = np.clip(np.nan_to_num(layer.states["h"]), -1e6, 1e6).astype(np.float64)
    order = alike_together(states, Grid(units, 1))
    limit = limit_of(quantity, rows)
    image = axes.imshow(
        rows[:, order].T,
        aspect="auto",
        interpolation="nearest",
        cmap=colours(),
        vmin=-limit,
        vmax=limit,
        extent=(0.5, len(trace) + 0.5, units, 0),
    )
    if marked is not None:
        row = int(np.flatnonzero(order == marked)[0])
        axes.axhspan(row, row + 1, fc="none", ec=INK, lw=0.8)
        axes.text(
            1.006,
            1 - (row + 0.5) / units,
            f"unit {layer.units[marked]}",
            transform=axes.transAxes,
            fontsize=5.5,
            color=INK,
            va="center",
        )
    axes.set_yticks([])
    axes.set_ylabel(f"{units} units", fontsize=6.5, color=QUIET)
    steps_below(axes, len(trace), trace.inputs)
    _scale(figure, image, 0.0 if quantity in GATES else -limit, limit)
    more = f"{trace.model} · {layer_name(layer)} · {spelled(quantity)}"
    entitle(figure, "All units over time", more=more)
    return figure


def _scale(figure: Figure, image: Any, low: float, high: float) -> None:
    """The colours and what they stand for, in the corner below the map."""
    whole = figure.get_figheight()
    axes = figure.add_axes(((WIDTH - 1.42) / WIDTH, 0.115 / whole, 0.7 / WIDTH, 0.07 / whole))
    bar = figure.colorbar(image, cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)
    axes.set_xlim(low, high)
    axes.set_xticks([])
    for x, value, side in ((-0.06, low, "right"), (1.06, high, "left")):
        axes.text(
            x,
            0.45,
            number(value, ".2g"),
            transform=axes.transAxes,
            fontsize=6,
            color=QUIET,
            ha=side,
            va="center",
        )
