"""What the pictures of a trace share: their words, colours, scales and axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unrolled.lens.ink import DIVERGING, INK, QUIET, RULE, WIDTH
from unrolled.lens.picture_file import new_figure
from unrolled.lens.picture_tokens import columns_of, shown_token
from unrolled.lens.traces import TracedLayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Gates are shares from 0 to 1; what else is drawn has a size of its own.
GATES = ("i", "f", "o", "r", "z", "keep")
# Above this many steps the inputs are no names for an axis any more; inches of a letter there.
_NAMED, _LETTER = 48, 0.055
LEFT, RIGHT, TOP, FOOT = 0.5, 0.14, 0.42, 0.4  # inches around the axes


def layer_name(layer: TracedLayer) -> str:
    backward = ", backward" if layer.reverse else ""
    return f"{layer.name}, layer {layer.index + 1}{backward} ({layer.cell})"


def spelled(quantity: str) -> str:
    """A state, a gate or the gradient by a state, in words."""
    if quantity.startswith("d"):
        return f"gradient by {quantity[1:]}"
    return f"gate {quantity}" if quantity in GATES else quantity


def number(value: float, kind: str) -> str:
    return f"{value:{kind}}".replace("-", "\N{MINUS SIGN}")


def limit_of(quantity: str, values: NDArray[Any]) -> float:
    """Full colour: a gate's 1, and for the rest the size that nearly all values stay below."""
    if quantity in GATES:
        return 1.0
    sizes = np.abs(values[np.isfinite(values)])
    return float(np.quantile(sizes, 0.98, method="lower")) or 1.0 if sizes.size else 1.0


def key_of(quantity: str, limit: float) -> str:
    """What the colours stand for, in words."""
    if quantity in GATES:
        return "from 0 (pale) to 1 (orange)"
    return f"blue below zero, orange above, full colour from ±{limit:.2g} on"


def colours() -> Any:
    """The colour map of all that has a sign."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("unrolled", DIVERGING).with_extremes(bad=RULE)


def framed(high: float, *, top: float = TOP, right: float = RIGHT) -> tuple[Figure, Axes]:
    """A figure with axes `high` inches high, and room around them."""
    whole = high + top + FOOT
    figure = new_figure(whole)
    width = (WIDTH - LEFT - right) / WIDTH
    return figure, figure.add_axes((LEFT / WIDTH, FOOT / whole, width, high / whole))


def plain(axes: Axes) -> None:
    """Quiet axes: lines across at the ticks, no frame."""
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=6.5, colors=QUIET, length=0)
    axes.minorticks_off()
    axes.spines[:].set_visible(False)


def steps_below(axes: Axes, count: int, inputs: Sequence[str] | None = None) -> None:
    """The inputs where they are given and can be read, else the steps' numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.5, count + 0.5)
    axes.tick_params(axis="x", labelsize=6.5, colors=QUIET, length=0, pad=2)
    axes.spines[:].set_visible(False)
    names = [shown_token(one) for one in inputs or ()]
    # A name takes at most its column: else it would run into its neighbour.
    room = WIDTH * axes.get_position().width / count
    if 0 < len(names) <= _NAMED and max(map(columns_of, names)) * _LETTER < room:
        axes.set_xticks(range(1, count + 1), names, family="monospace", color=INK)
        for label in axes.get_xticklabels():
            label.set_parse_math(False)
        return
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("step", fontsize=6.5, color=QUIET, labelpad=2)
