"""How large the gradient is at every step: of the layers of one network, or of several networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, QUIET, SERIES, WIDTH
from unrolled.lens.picture_file import entitle, save_figure
from unrolled.lens.picture_parts import LEFT, framed, number, plain, steps_below
from unrolled.lens.traces import Array, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What is smaller than this share of the largest is lost in rounding: float32's epsilon.
LOST = 2.0**-23
_LOWEST = 1e-12
_HIGH, _TOP = 1.85, 0.6


def draw_gradients(
    traces: Mapping[str, Trace],
    path: str | PathLike[str],
    *,
    losses: Mapping[str, Sequence[tuple[int, float]]] | None = None,
    loss: str = "loss",
    layer: int = 0,
) -> Path:
    """Draw ||dL/dh_t|| over the steps of each trace, as shares of its largest, on a log axis.

    Below the dotted line, float32's epsilon, the share of a step is lost in rounding. All traces
    end at the same step. `trace.draw(path, view="gradient")` draws all layers of one trace.

    Args:
        traces: by the name that is written beside the line; at most six.
        path: `.png`, `.svg` or `.pdf`.
        losses: by the same names, `(step of training, loss)`; drawn beside, where given.
        loss: what the losses are.
        layer: the place in `trace.layers` of the layer that is drawn.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: no traces or too many, one without gradients or without that layer, or losses
            of another name.
        OutputError: the file can't be written.
    """
    if not 0 < len(traces) <= len(SERIES):
        raise ConfigError(f"traces: got {len(traces)}, expected 1 to {len(SERIES)}")
    for name, trace in traces.items():
        if not 0 <= layer < len(trace.layers):
            raise ConfigError(
                f"layer: got {layer}, expected one of the {len(trace.layers)} of {name!r}, from 0"
            )
        if "h" not in trace.layers[layer].norms:
            raise ConfigError(
                f"traces: got {name!r} without gradients, expected one that was traced with loss="
            )
    for name in losses or {}:
        if name not in traces:
            raise ConfigError(
                f"losses: got {name!r}, expected names of the traces: "
                + ", ".join(map(repr, traces))
            )
    norms = {name: trace.layers[layer].norms["h"] for name, trace in traces.items()}
    read = {trace.inputs for trace in traces.values()}
    inputs = read.pop() if len(read) == 1 else None
    return save_figure(gradient_figure(norms, inputs, losses=losses or {}, loss=loss), path)


def gradient_figure(
    norms: Mapping[str, Array],
    inputs: Sequence[str] | None = None,
    *,
    more: str = "",
    losses: Mapping[str, Sequence[tuple[int, float]]] | None = None,
    loss: str = "loss",
) -> Figure:
    """Each of the `norms (T,)` by its largest, and beside them, where given, the `losses`.

    `inputs`: what was read at the steps, where it was the same for all.
    """
    figure, axes = framed(_HIGH, top=_TOP, right=2.75 if losses else 0.14)
    count = max(map(len, norms.values()))
    looks = {name: SERIES[k % len(SERIES)] for k, name in enumerate(norms)}
    least = 1.0
    for name, values in norms.items():
        share, largest = _shares(values)
        seen = np.where(share >= _LOWEST, share, np.nan)
        least = min(least, float(np.nanmin(share, initial=1.0, where=share > 0)))
        steps = np.arange(1, len(share) + 1) + count - len(share)
        colour, dashes = looks[name]
        told = f"{name}, at most {number(largest, '.2g')}"
        axes.plot(steps, seen, color=colour, ls=dashes, lw=1.5, label=told)
    _log_scale(axes, least)
    axes.legend(loc="best", fontsize=6.5, frameon=False, labelcolor=INK, handlelength=2.4)
    plain(axes)
    steps_below(axes, count, inputs)
    y = 1 - 0.42 / figure.get_figheight()
    words = "‖∂L/∂h‖ at each step, by its largest"
    figure.text(0.02, y, words, fontsize=6.5, color=QUIET, va="center")
    if losses:
        left = (WIDTH - 2.2) / WIDTH
        place = axes.get_position()
        right = figure.add_axes((left, place.y0, 1 - left - 0.14 / WIDTH, place.height))
        for name, pairs in losses.items():
            at, lost = zip(*pairs, strict=True)
            colour, dashes = looks[name]
            right.plot(at, lost, color=colour, ls=dashes, lw=1.5)
        right.set_ylim(bottom=0)
        plain(right)
        right.set_xlabel("step of training", fontsize=6.5, color=QUIET, labelpad=2)
        figure.text(left - LEFT / WIDTH + 0.02, y, loss, fontsize=6.5, color=QUIET, va="center")
    entitle(figure, "The gradient through time", more=more)
    return figure


def _shares(norms: Array) -> tuple[np.ndarray, float]:
    """By the largest that is finite, and that one."""
    sizes = np.where(np.isfinite(norms), norms, np.nan).astype(np.float64)
    largest = float(np.nanmax(sizes, initial=0.0, where=np.isfinite(sizes)))
    return (sizes / largest if largest > 0 else np.zeros(len(sizes))), largest


def _log_scale(axes: Axes, least: float) -> None:
    """Whole powers of ten that hold the least share, and the threshold where it comes near."""
    axes.set_yscale("log")
    low = max(_LOWEST, 10.0 ** np.floor(np.log10(min(least, 0.1))))
    near = low <= 100 * LOST
    axes.set_ylim(min(low, 0.01 * LOST) if near else low, 10.0 if near else 2.0)
    if not near:
        return
    axes.axhline(LOST, color=QUIET, lw=0.8, linestyle=":")
    axes.text(
        0.01,
        LOST * 0.5,
        "lost in rounding: below 1.2e-7 of the largest",
        transform=axes.get_yaxis_transform(),
        fontsize=6.5,
        color=QUIET,
        va="top",
    )
