"""One view of a trace as a picture: the same four views, orders and colours as in the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import DIVERGING, INK, NETWORK, OTHER, QUIET, RULE, WIDTH
from unrolled.lens.order import Grid, alike_together
from unrolled.lens.picture_file import entitle, kind_of, new_figure, save_figure
from unrolled.lens.picture_tokens import height_of, write_tokens
from unrolled.lens.traces import Array, Trace, TracedLayer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Gates are shares from 0 to 1; what else is drawn has a size of its own.
_GATES = ("i", "f", "o", "r", "z", "keep")
_SERIES: tuple[tuple[str, Any], ...] = (
    (NETWORK, "-"),
    (OTHER, "-"),
    (QUIET, (0, (5, 3))),
    (INK, (0, (2, 3))),
)
# Above this many steps the inputs are no names for an axis any more.
_NAMED = 48
_LEFT, _RIGHT, _TOP, _FOOT = 0.5, 0.14, 0.42, 0.4  # inches around the axes


@dataclass(frozen=True)
class _Shown:
    """What of a trace is drawn: `rows` are the values of `quantity`, `(T, H)`."""

    trace: Trace
    layer: TracedLayer
    quantity: str
    rows: Array
    place: int  # of the unit among those that are kept
    marked: bool  # whether the unit was asked for

    @property
    def limit(self) -> float:
        """Full colour: a gate's 1, and for the rest the size that nearly all values stay below."""
        if self.quantity in _GATES:
            return 1.0
        sizes = np.abs(self.rows[np.isfinite(self.rows)])
        return float(np.quantile(sizes, 0.98, method="lower")) or 1.0 if sizes.size else 1.0

    @property
    def words(self) -> str:
        return f"{self.trace.model} · {_layer_name(self.layer)} · {_spelled(self.quantity)}"


def draw_trace(
    trace: Trace,
    path: str | PathLike[str],
    *,
    view: str = "map",
    layer: int | None = None,
    unit: int | None = None,
    quantity: str = "h",
) -> Path:
    """Draw one view of a trace; see `Trace.draw`."""
    if view not in _VIEWS:
        raise ConfigError(f"view: got {view!r}, expected one of {', '.join(_VIEWS)}")
    kind_of(Path(path))
    shown = _chosen(trace, layer, unit, quantity)
    return save_figure(_VIEWS[view](shown), path)


def _chosen(trace: Trace, layer: int | None, unit: int | None, quantity: str) -> _Shown:
    count = len(trace.layers)
    place = count - 1 if layer is None else layer
    if place not in range(count):
        names = ", ".join(f"{k}: {_layer_name(one)}" for k, one in enumerate(trace.layers))
        raise ConfigError(f"layer: got {layer!r}, expected one of {names}")
    chosen = trace.layers[place]
    parts = {**chosen.states, **chosen.gates, **{f"d{k}": v for k, v in chosen.gradients.items()}}
    if quantity not in parts:
        raise ConfigError(f"quantity: got {quantity!r}, expected one of {', '.join(parts)}")
    units = chosen.units.tolist()
    if unit is not None and unit not in units:
        raise ConfigError(
            f"unit: got {unit!r}, expected one of the {len(units)} that are kept of"
            f" {_layer_name(chosen)}, from {min(units)} to {max(units)}"
        )
    own = units.index(unit) if unit is not None else _liveliest(chosen)
    return _Shown(trace, chosen, quantity, parts[quantity], own, unit is not None)


def _map(shown: _Shown) -> Figure:
    units = len(shown.layer.units)
    high = min(2.9, max(0.5, 0.09 * units))
    figure, axes = _axes(high, right=0.62)
    # What has blown up has a place too.
    states = np.clip(np.nan_to_num(shown.layer.states["h"]), -1e6, 1e6).astype(np.float64)
    order = alike_together(states, Grid(units, 1))
    colours, limit = _colours(), shown.limit
    image = axes.imshow(
        shown.rows[:, order].T,
        aspect="auto",
        interpolation="nearest",
        cmap=colours,
        vmin=-limit,
        vmax=limit,
        extent=(0.5, len(shown.trace) + 0.5, units, 0),
    )
    if shown.marked:
        row = int(np.flatnonzero(order == shown.place)[0])
        axes.axhspan(row, row + 1, fc="none", ec=INK, lw=0.8)
        axes.text(
            1.006,
            1 - (row + 0.5) / units,
            f"unit {shown.layer.units[shown.place]}",
            transform=axes.transAxes,
            fontsize=5.5,
            color=INK,
            va="center",
        )
    axes.set_yticks([])
    axes.set_ylabel(f"{units} units", fontsize=6.5, color=QUIET)
    _steps_below(axes, shown.trace)
    _scale(figure, image, shown)
    _entitle(figure, "All units over time", shown.words)
    return figure


def _text(shown: _Shown) -> Figure:
    values = shown.rows[:, shown.place]
    high = height_of(shown.trace.inputs)
    figure = new_figure(high + _TOP + 0.28)
    whole = figure.get_figheight()
    axes = figure.add_axes((0.0, 0.28 / whole, 1.0, high / whole))
    limit = shown.limit
    write_tokens(axes, shown.trace.inputs, values / limit, _colours())
    highest = int(np.nanargmax(values)) if np.isfinite(values).any() else 0
    gate = shown.quantity in _GATES
    key = "from 0 (pale) to 1 (orange)" if gate else "blue below zero, orange above"
    full = "" if gate else f", full colour from ±{limit:.2g} on"
    most = _number(float(values[highest]), ".2f")
    told = f"{key}{full}; highest at step {highest + 1}: {most}"
    figure.text(0.02, 0.13 / whole, told, fontsize=6.5, color=QUIET, va="center")
    unit = shown.layer.units[shown.place]
    _entitle(figure, f"What was read, in the colours of unit {unit}", shown.words)
    return figure


def _gradient(shown: _Shown) -> Figure:
    trace = shown.trace
    norms = [(layer, layer.norms["h"]) for layer in trace.layers if "h" in layer.norms]
    if not norms:
        raise ConfigError("view: this trace holds no gradient; trace with loss=, then draw")
    figure, axes = _axes(1.9)
    steps = np.arange(1, len(trace) + 1)
    for k, (layer, values) in enumerate(norms):
        colour, dashes = _SERIES[k % len(_SERIES)]
        known = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        axes.plot(steps, known, color=colour, ls=dashes, lw=1.4, label=_layer_name(layer))
    axes.set_yscale("log")
    sizes = np.concatenate([values for _, values in norms])
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)].astype(np.float64)
    if sizes.size:  # whole powers of ten, two at least
        low, high = np.floor(np.log10(sizes.min())), np.ceil(np.log10(sizes.max()))
        axes.set_ylim(10.0**low, 10.0 ** max(high, low + 1))
    axes.legend(frameon=False, fontsize=6.5, loc="best", labelcolor=INK, handlelength=2.4)
    _plain(axes)
    _steps_below(axes, trace)
    _entitle(figure, "Gradient by the state of each step", f"{trace.model} · of {trace.loss}")
    return figure


def _answers(shown: _Shown) -> Figure:
    trace = shown.trace
    if trace.answers is None:
        raise ConfigError(
            "view: this trace holds no answers; they are those of a Classifier or a Tagger"
        )
    figure, axes = _axes(1.9, right=0.9)
    chances, steps = trace.answers.chances, np.arange(1, len(trace) + 1)
    likeliest = np.argsort(-np.nan_to_num(chances).max(axis=0), kind="stable")[: len(_SERIES)]
    ends = _apart([float(chances[-1, label]) for label in likeliest], 0.085)
    for (colour, dashes), label, end in zip(_SERIES, likeliest, ends, strict=False):
        axes.plot(steps, chances[:, label], color=colour, ls=dashes, lw=1.4)
        axes.text(
            1.01,
            end,
            trace.answers.names[label],
            transform=axes.get_yaxis_transform(),
            fontsize=6.5,
            color=colour,
            va="center",
            parse_math=False,
        )
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    _plain(axes)
    _steps_below(axes, trace)
    _entitle(figure, "The answer after each step", trace.model)
    return figure


_VIEWS = {"map": _map, "text": _text, "gradient": _gradient, "answers": _answers}


def _axes(high: float, right: float = _RIGHT) -> tuple[Figure, Axes]:
    whole = high + _TOP + _FOOT
    figure = new_figure(whole)
    width = (WIDTH - _LEFT - right) / WIDTH
    return figure, figure.add_axes((_LEFT / WIDTH, _FOOT / whole, width, high / whole))


def _entitle(figure: Figure, text: str, more: str) -> None:
    entitle(figure, text, 1 - 0.19 / figure.get_figheight(), more)


def _plain(axes: Axes) -> None:
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=6.5, colors=QUIET, length=0)
    axes.minorticks_off()
    axes.spines[:].set_visible(False)


def _steps_below(axes: Axes, trace: Trace) -> None:
    """The inputs where they can be read, else the steps' numbers."""
    from matplotlib.ticker import MaxNLocator

    from unrolled.lens.picture_tokens import shown_token

    count = len(trace)
    axes.set_xlim(0.5, count + 0.5)
    axes.tick_params(axis="x", labelsize=6.5, colors=QUIET, length=0, pad=2)
    axes.spines[:].set_visible(False)
    names = [shown_token(one) for one in trace.inputs]
    # A letter takes about 0.055 inches; a column at most half of it beside its neighbour.
    room = (WIDTH - _LEFT - _RIGHT) / max(1, count)
    if count <= _NAMED and max(map(len, names)) * 0.055 < room:
        axes.set_xticks(range(1, count + 1), names, family="monospace", color=INK)
        for label in axes.get_xticklabels():
            label.set_parse_math(False)
        return
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("step", fontsize=6.5, color=QUIET, labelpad=2)


def _scale(figure: Figure, image: Any, shown: _Shown) -> None:
    """The colours and what they stand for, in the corner below the map."""
    whole, limit = figure.get_figheight(), shown.limit
    axes = figure.add_axes(((WIDTH - 1.42) / WIDTH, 0.115 / whole, 0.7 / WIDTH, 0.07 / whole))
    bar = figure.colorbar(image, cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)
    low = 0.0 if shown.quantity in _GATES else -limit
    axes.set_xlim(low, limit)
    axes.set_xticks([])
    ends = [(-0.06, _number(low, ".2g"), "right"), (1.06, _number(limit, ".2g"), "left")]
    for x, text, side in ends:
        axes.text(
            x,
            0.45,
            text,
            transform=axes.transAxes,
            fontsize=6,
            color=QUIET,
            ha=side,
            va="center",
        )


def _colours() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("unrolled", DIVERGING).with_extremes(bad=RULE)


def _number(value: float, kind: str) -> str:
    return f"{value:{kind}}".replace("-", "\N{MINUS SIGN}")


def _liveliest(layer: TracedLayer) -> int:
    """The place of the unit whose state moves most from step to step."""
    states = np.nan_to_num(layer.states["h"].astype(np.float64))
    return int(np.abs(np.diff(states, axis=0)).sum(axis=0).argmax())


def _layer_name(layer: TracedLayer) -> str:
    backward = ", backward" if layer.reverse else ""
    return f"{layer.name}, layer {layer.index + 1}{backward} ({layer.cell})"


def _spelled(quantity: str) -> str:
    if quantity.startswith("d"):
        return f"gradient by {quantity[1:]}"
    return f"gate {quantity}" if quantity in _GATES else quantity


def _apart(values: list[float], least: float) -> list[float]:
    """The same heights, moved as little as keeps each `least` from the one below, inside 0 to 1."""
    order = np.argsort(values, kind="stable")
    found = np.clip(np.nan_to_num(np.asarray(values)), 0.0, 1.0)
    for below, above in pairwise(order):
        found[above] = max(found[above], found[below] + least)
    for above, below in pairwise(order[::-1]):
        found[above] = min(found[above], 1.0)
        found[below] = min(found[below], found[above] - least)
    return [float(one) for one in found]
