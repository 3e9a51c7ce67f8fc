"""The network unfolded over time: a column for each symbol, a box for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, NETWORK, OTHER, PAPER, QUIET, RULE, WIDTH
from unrolled.lens.order import Grid, alike_together, grid_of
from unrolled.lens.picture_parts import colours, limit_of
from unrolled.lens.picture_tokens import shown_token
from unrolled.lens.traces import Trace, TracedLayer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# All is laid out in inches, from the bottom up, so that tiles and letters keep their size.
_LEFT, _RIGHT = 0.76, 0.1
_INPUT, _GAP, _GUESS, _GUESSES = 0.27, 0.2, 0.112, 5
_BOX_SHARE = 0.74


def _pitch(steps: int) -> float:
    return (WIDTH - _LEFT - _RIGHT) / steps


def _chain(trace: Trace) -> list[TracedLayer]:
    """The layers of the first network that read forward, the lowest first."""
    first = trace.layers[0].name
    return [one for one in trace.layers if one.name == first and not one.reverse]


def _bits(trace: Trace, step: int) -> float | None:
    """What a symbol cost, given all before it; None where nothing foretold it."""
    if trace.losses is None or not 0 < step < len(trace):
        return None
    # The first zero turns the -0.0 of a sure symbol into 0.0.
    return 0.0 + float(trace.losses[step - 1]) / float(np.log(2))


def _boxes(trace: Trace, steps: int) -> list[tuple[Grid, float, float]]:
    """Grid, width and height in inches of each layer's box."""
    found = []
    for layer in _chain(trace):
        grid = grid_of(len(layer.units))
        tile = min(_BOX_SHARE * _pitch(steps) / grid.columns, 0.09)
        found.append((grid, tile * grid.columns, tile * grid.rows))
    return found


def height_of(trace: Trace, steps: int) -> float:
    """Inches that the last `steps` steps of `trace` need; ConfigError for fewer than one."""
    if steps < 1:
        raise ConfigError(f"steps: got {steps}, expected 1 or more")
    shown = min(steps, len(trace))
    boxes = sum(height + _GAP for _, _, height in _boxes(trace, shown))
    return 0.36 + _INPUT + _GAP + boxes + (_GUESSES + 1) * _GUESS


def draw_steps(axes: Axes, trace: Trace, steps: int, height: float) -> None:
    """Draw the last `steps` steps into `axes`, which are `WIDTH` by `height` inches."""
    from matplotlib.patches import FancyBboxPatch

    steps = min(steps, len(trace))
    first = len(trace) - steps
    layers = _chain(trace)
    pitch, boxes = _pitch(steps), _boxes(trace, steps)
    states = [layer.states["h"].astype(float) for layer in layers]
    limit, shades = max(limit_of("h", h) for h in states), colours()
    orders = [alike_together(h, grid) for h, (grid, _, _) in zip(states, boxes, strict=True)]

    axes.set_xlim(0, WIDTH)
    axes.set_ylim(0, height)
    axes.axis("off")

    def arrow(x0: float, y0: float, x1: float, y1: float, colour: str, width: float) -> None:
        axes.annotate(
            "",
            (x1, y1),
            (x0, y0),
            arrowprops={
                "arrowstyle": "-|>,head_width=0.13,head_length=0.28",
                "color": colour,
                "lw": width,
                "shrinkA": 0,
                "shrinkB": 0,
                "mutation_scale": 9,
            },
        )

    def rounded(x: float, y: float, w: float, h: float, fill: str, edge: str) -> None:
        style = "round,pad=0,rounding_size=0.04"
        axes.add_patch(FancyBboxPatch((x, y), w, h, boxstyle=style, fc=fill, ec=edge, lw=0.7))

    def label(y: float, name: str, more: str) -> None:
        axes.text(0.14, y + 0.055, name, fontsize=6.8, fontweight="bold", color=INK, va="center")
        axes.text(0.14, y - 0.055, more, fontsize=5.8, color=QUIET, va="center")

    input_y = 0.36
    bottoms = [input_y + _INPUT + _GAP]
    for _, _, box_height in boxes:
        bottoms.append(bottoms[-1] + box_height + _GAP)
    label(input_y + _INPUT / 2, "reads", "at a cost")
    for k, (layer, (_, _, box_height)) in enumerate(zip(layers, boxes, strict=True)):
        label(bottoms[k] + box_height / 2, f"layer {k + 1}", f"{layer.cell}, {states[k].shape[1]}")
    label(bottoms[-1] + 3.5 * _GUESS, "expects", "next, in %")

    for column in range(steps):
        step = first + column
        x = _LEFT + (column + 0.5) * pitch
        rounded(x - _INPUT / 2, input_y, _INPUT, _INPUT, "#eeece6", RULE)
        axes.text(
            x,
            input_y + _INPUT / 2 - 0.005,
            shown_token(trace.inputs[step]),
            parse_math=False,
            fontsize=9.5,
            fontweight="bold",
            family="monospace",
            color=INK,
            ha="center",
            va="center",
        )
        bits = _bits(trace, step)
        if bits is not None:
            axes.text(
                x,
                input_y - 0.1,
                f"{bits:.1f} bits",
                fontsize=5.6,
                color=QUIET,
                ha="center",
                va="center",
            )
        for k, (grid, w, h) in enumerate(boxes):
            y = bottoms[k]
            below = input_y + _INPUT if k == 0 else bottoms[k - 1] + boxes[k - 1][2] + 0.03
            arrow(x, below + 0.015, x, y - 0.035, QUIET, 0.8)
            came_from = x - pitch + w / 2 + 0.03 if column else x - w / 2 - 0.12
            arrow(came_from, y + h / 2, x - w / 2 - 0.035, y + h / 2, NETWORK, 1.2)
            rounded(x - w / 2 - 0.022, y - 0.022, w + 0.044, h + 0.044, PAPER, RULE)
            image = np.full(grid.rows * grid.columns, np.nan)
            image[: len(orders[k])] = states[k][step][orders[k]]
            axes.pcolormesh(
                x - w / 2 + np.arange(grid.columns + 1) * w / grid.columns,
                y + h - np.arange(grid.rows + 1) * h / grid.rows,
                image.reshape(grid.rows, grid.columns),
                cmap=shades,
                vmin=-limit,
                vmax=limit,
                edgecolors=PAPER,
                linewidth=0.25,
                zorder=2,
            )
        top = bottoms[-1] - _GAP + 0.03
        arrow(x, top, x, top + 0.13, QUIET, 0.8)
        _guesses(axes, trace, step, x, bottoms[-1], pitch)


def _guesses(axes: Axes, trace: Trace, step: int, x: float, bottom: float, pitch: float) -> None:
    if trace.expected is None:
        return
    came = None if step + 1 == len(trace) else trace.inputs[step + 1]
    both = zip(trace.expected.choices[step], trace.expected.chances[step].tolist(), strict=True)
    rows = [(s, p, s == came) for s, p in list(both)[:_GUESSES]]
    bits = _bits(trace, step + 1)
    if came is not None and bits is not None and not any(hit for _, _, hit in rows):
        rows.append((came, 2.0**-bits, True))
    left, right = x - 0.45 * pitch, x + 0.4 * pitch
    for k, (symbol, p, hit) in enumerate(rows):
        y = bottom + (_GUESSES + 0.5 - k) * _GUESS - 0.01
        colour = OTHER if hit else QUIET
        weight = "bold" if hit else "normal"
        axes.text(
            left,
            y,
            shown_token(symbol),
            parse_math=False,
            fontsize=6.4,
            family="monospace",
            color=colour if hit else INK,
            fontweight=weight,
            ha="center",
            va="center",
        )
        span = 0.28 * pitch
        axes.barh(
            y,
            max(0.008, p * span),
            height=0.066,
            left=left + 0.075,
            color=colour,
            alpha=1 if hit else 0.45,
            lw=0,
        )
        text = f"{_percent(p)} ✓" if hit else _percent(p)
        axes.text(
            right, y, text, fontsize=5.4, color=colour, fontweight=weight, ha="right", va="center"
        )


def _percent(p: float) -> str:
    if p < 0.005:
        return "<1"
    return str(round(100 * p))
