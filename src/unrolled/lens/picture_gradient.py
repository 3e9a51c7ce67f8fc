"""How large the gradient is at every step, of one network or of several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, NETWORK, OTHER, QUIET, RULE
from unrolled.lens.picture import _figure, _save, _title
from unrolled.lens.traces import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What is smaller than this share of the largest is lost in rounding: float32's epsilon.
LOST = 2.0**-23
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": OTHER, "linestyle": "-"},
    {"color": NETWORK, "linestyle": "-"},
    {"color": QUIET, "linestyle": "-"},
    {"color": OTHER, "linestyle": (0, (4, 2))},
    {"color": NETWORK, "linestyle": (0, (4, 2))},
    {"color": QUIET, "linestyle": (0, (4, 2))},
)


def draw_gradients(
    traces: Mapping[str, Trace],
    path: str | PathLike[str],
    *,
    losses: Mapping[str, Sequence[tuple[int, float]]] | None = None,
    loss: str = "loss",
    layer: int = 0,
) -> Path:
    """Draw ||dL/dh_t|| over the steps of each trace, as shares of its largest, on a log axis.

    Below the dotted line, float32's epsilon, the share of a step is lost in rounding.

    Args:
        traces: by the name that is written beside the line; at most six.
        path: `.png`, `.svg` or `.pdf`.
        losses: by the same names, `(step of training, loss)`; drawn beside, where given.
        loss: what the losses are.
        layer: the place in `trace.layers` of the layer that is drawn.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: no traces or too many, or one without gradients or without that layer.
        OutputError: the file can't be written.
    """
    if not 0 < len(traces) <= len(_LOOKS):
        raise ConfigError(f"traces: got {len(traces)}, expected 1 to {len(_LOOKS)}")
    shares = {name: _shares(name, trace, layer) for name, trace in traces.items()}
    figure = _figure(2.7)
    left = figure.add_axes((0.09, 0.16, 0.5 if losses else 0.88, 0.66))
    looks = dict(zip(traces, _LOOKS, strict=False))
    floor = 1e-12
    for name, share in shares.items():
        seen = np.where(share > floor, share, np.nan)
        left.plot(np.arange(1, len(share) + 1), seen, lw=1.5, label=name, **looks[name])
    left.axhline(LOST, color=QUIET, lw=0.8, linestyle=":")
    left.text(
        0.01,
        LOST * 0.5,
        "lost in rounding",
        transform=left.get_yaxis_transform(),
        fontsize=6.5,
        color=QUIET,
        va="top",
    )
    left.set_yscale("log")
    left.set_ylim(floor, 10)
    left.set_xlabel("step", fontsize=7, color=QUIET)
    _quiet(left)
    figure.text(
        0.02, 0.86, "‖∂L/∂h‖ at each step, by its largest", fontsize=7, color=QUIET, va="center"
    )
    if losses:
        right = figure.add_axes((0.68, 0.16, 0.29, 0.66))
        for name, pairs in losses.items():
            steps, values = zip(*pairs, strict=True)
            right.plot(steps, values, lw=1.5, **looks[name])
        right.set_ylim(bottom=0)
        right.set_xlabel("step of training", fontsize=7, color=QUIET)
        _quiet(right)
        figure.text(0.63, 0.86, loss, fontsize=7, color=QUIET, va="center")
    left.legend(loc="lower left", fontsize=7, frameon=False, labelcolor=INK, handlelength=2.2)
    _title(figure, "The gradient through time", 1 - 0.17 / 2.7)
    return _save(figure, path)


def _shares(name: str, trace: Trace, layer: int) -> np.ndarray:
    if not 0 <= layer < len(trace.layers):
        raise ConfigError(
            f"layer: got {layer}, expected one of the {len(trace.layers)} of {name!r}, from 0"
        )
    norms = trace.layers[layer].norms.get("h")
    if norms is None:
        raise ConfigError(
            f"traces: got {name!r} without gradients, expected one that was traced with loss="
        )
    sizes = norms.astype(np.float64)
    finite = sizes[np.isfinite(sizes)]
    largest = finite.max() if finite.size else 0.0
    return sizes / largest if largest > 0 else np.zeros(len(sizes))


def _quiet(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(RULE)
    axes.tick_params(labelsize=6.5, colors=QUIET, length=2)
    axes.minorticks_off()
    axes.margins(x=0.01)
