"""Where each step looked, as a heat map: a row for each step, a column for each source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, QUIET, SHADES, WIDTH
from unrolled.lens.picture_file import cut, entitle, new_figure
from unrolled.lens.picture_tokens import columns_of, pieces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from unrolled.lens.traces import Trace

# Inches: of a cell at most, of a row, below which rows and columns have no names, of a letter.
_CELL, _ROW, _NAMED, _LETTER = 0.34, 0.155, 0.1, 0.062
_TITLE, _EDGE, _LONGEST = 0.38, 0.14, 18


def links_figure(trace: Trace) -> Figure:
    """The heat map of a trace's links."""
    if trace.links is None:
        raise ConfigError(
            "view: got a trace without links, expected one of a Translator with attention"
        )
    from matplotlib.colors import LinearSegmentedColormap

    links, source = trace.links, trace.source
    joined = source is not None and source.joined
    sources = _names(pieces_of(links.sources, joined))
    targets = _names(pieces_of(links.targets, trace.joined))
    room = WIDTH - _EDGE - _width(targets)
    cell = min(_CELL, room / len(sources))
    named = cell >= _NAMED
    left, top = (_width(targets), _TITLE + _width(sources)) if named else (_EDGE, _TITLE + 0.1)
    wide = min(_CELL, (WIDTH - _EDGE - left) / len(sources)) * len(sources)
    high = max(0.6, _ROW * len(targets)) if named else 3.0
    whole = top + high + _EDGE
    figure = new_figure(whole)
    axes = figure.add_axes((left / WIDTH, _EDGE / whole, wide / WIDTH, high / whole))
    axes.imshow(
        links.weights,
        aspect="auto",
        interpolation="nearest",
        cmap=LinearSegmentedColormap.from_list("shades", SHADES),
        vmin=0,
        vmax=1,
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=3, labelsize=7, labelcolor=INK)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(sources)) if named else [], sources if named else [])
    axes.set_yticks(range(len(targets)) if named else [], targets if named else [])
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontfamily("monospace")
        label.set_parse_math(False)
    axes.tick_params(axis="x", labelrotation=90)
    if not named:
        axes.set_ylabel(f"{len(targets)} steps", fontsize=6.5, color=QUIET, labelpad=2)
        axes.set_xlabel(f"{len(sources)} sources", fontsize=6.5, color=QUIET, labelpad=2)
        axes.xaxis.set_label_position("top")
    more = f"{trace.model} · a row a step, a column a source, from 0 (pale) to 1 (dark)"
    entitle(figure, "Where it looked", more=more)
    return figure


def _names(pieces: Sequence[str]) -> list[str]:
    return [cut(piece, _LONGEST) for piece in pieces]


def _width(names: Sequence[str]) -> float:
    return 0.12 + _LETTER * max(map(columns_of, names))
