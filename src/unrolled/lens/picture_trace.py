"""One view of a trace as a picture: what is asked for is looked up, and the view's module draws."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.picture_answers import answers_figure
from unrolled.lens.picture_file import kind_of, save_figure
from unrolled.lens.picture_gradient import gradient_figure
from unrolled.lens.picture_links import links_figure
from unrolled.lens.picture_map import map_figure
from unrolled.lens.picture_parts import layer_name
from unrolled.lens.picture_sound import sound_figure
from unrolled.lens.picture_text import save_text, text_figure
from unrolled.lens.traces import Trace, TracedLayer

VIEWS = ("map", "text", "gradient", "answers", "links", "sound")


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
    if view not in VIEWS:
        raise ConfigError(f"view: got {view!r}, expected one of {', '.join(VIEWS)}")
    kind_of(Path(path))
    chosen = _layer(trace, layer)
    rows = _rows(chosen, quantity)
    place = None if unit is None else _place(chosen, unit)
    if view == "answers":
        return save_figure(answers_figure(trace), path)
    if view == "links":
        return save_figure(links_figure(trace), path)
    if view == "sound":
        return save_figure(sound_figure(trace), path)
    if view == "gradient":
        norms = {layer_name(one): one.norms["h"] for one in trace.layers if "h" in one.norms}
        if not norms:
            raise ConfigError(
                "view: got a trace without gradients, expected one that was traced with loss="
            )
        more = f"{trace.model} · of {trace.loss}"
        return save_figure(gradient_figure(norms, trace.inputs, more=more), path)
    if view == "map":
        return save_figure(map_figure(trace, chosen, quantity, rows, place), path)
    own = _liveliest(chosen) if place is None else place
    title = f"What was read, in the colours of unit {chosen.units[own]}"
    return save_text(text_figure(trace, chosen, quantity, rows[:, own], title), path)


def _layer(trace: Trace, layer: int | None) -> TracedLayer:
    count = len(trace.layers)
    place = count - 1 if layer is None else layer
    if place not in range(count):
        names = ", ".join(f"{k}: {layer_name(one)}" for k, one in enumerate(trace.layers))
        raise ConfigError(f"layer: got {layer!r}, expected one of {names}")
    return trace.layers[place]


def _rows(layer: TracedLayer, quantity: str) -> np.ndarray:
    parts = {**layer.states, **layer.gates, **{f"d{k}": v for k, v in layer.gradients.items()}}
    if quantity not in parts:
        raise ConfigError(f"quantity: got {quantity!r}, expected one of {', '.join(parts)}")
    return parts[quantity]


def _place(layer: TracedLayer, unit: int) -> int:
    units: list[int] = layer.units.tolist()
    if unit not in units:
        raise ConfigError(
            f"unit: got {unit!r}, expected one of the {len(units)} that are kept of"
            f" {layer_name(layer)}, from {min(units)} to {max(units)}"
        )
    return units.index(unit)


def _liveliest(layer: TracedLayer) -> int:
    """The place of the unit whose state moves most from step to step."""
    states = np.nan_to_num(layer.states["h"].astype(np.float64))
    return int(np.abs(np.diff(states, axis=0)).sum(axis=0).argmax())
