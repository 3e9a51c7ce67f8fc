"""What a recogniser heard: spectrogram, words and path, and how probable each symbol is."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, NETWORK, OTHER, QUIET, RULE, SHADES, WIDTH
from unrolled.lens.picture_file import cut, entitle, new_figure
from unrolled.lens.picture_parts import LEFT
from unrolled.lens.picture_tokens import columns_of, shown_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator

    from unrolled.lens.sound_parts import Heard
    from unrolled.lens.trace_parts import Array, Spectrogram
    from unrolled.lens.traces import Trace

# Inches of the title, of a row of words, of the spectrogram, of a row of symbols, of the time and
# between two; at the right edge, of a letter of the path and its line, of which there are some at
# most.
_TITLE, _WORDS, _SOUND, _ROW, _TIME, _GAP = 0.38, 0.2, 1.5, 0.135, 0.34, 0.05
_RIGHT, _LETTER, _LINE, _LINES = 0.14, 0.07, 0.14, 3
# From silence to the loudest, as the logarithm of a power: 52 decibels.
_DEEP = 12.0
_BLANK = ["#f4f2ed", "#b9bdc0"]


def sound_figure(trace: Trace) -> Figure:
    """The spectrogram of a trace with the words above it, and its symbols below."""
    sound, heard = trace.spectrogram, trace.heard
    if sound is None or heard is None:
        raise ConfigError("view: got a trace without a sound, expected one of a Transcriber")
    seconds = len(sound.values) * sound.hop
    names, runs = heard.names, _runs(sound.path, seconds, heard.repeats)
    lines = 1 + max((run.line for run in runs), default=-1)
    rows = [bool(heard.words) * _WORDS, _SOUND, lines * _LINE]
    rows += [bool(heard.reference) * _WORDS, _ROW * len(names)]
    whole = _TITLE + sum(rows) + _GAP * (len(rows) - 1) + _TIME
    figure, top = new_figure(whole), whole - _TITLE
    axes: list[Axes] = []
    for high in rows:
        top -= high
        place = (LEFT / WIDTH, top / whole, (WIDTH - LEFT - _RIGHT) / WIDTH, high / whole)
        axes.append(figure.add_axes(place, visible=high > 0))
        top -= _GAP
        axes[-1].set_xlim(0, seconds)
        axes[-1].set_xticks([])
        axes[-1].set_yticks([])
        axes[-1].spines[:].set_visible(False)
    _words(axes[0], "heard", heard.words, heard.spans, heard.confidences, OTHER)
    _spectrogram(axes[1], sound, heard, seconds, loud=trace.sound is not None)
    _path(axes[2], runs, lines)
    given = (heard.reference, heard.reference_spans, heard.reference_confidences)
    _words(axes[3], "given", *given, NETWORK)
    _chances(axes[4], heard, seconds)
    said = cut(f"What it heard: {heard.text}" if heard.text else "It heard nothing", 60)
    entitle(figure, said, more=f"{trace.model} · {seconds:.2f} s, {len(trace)} steps")
    return figure


def _spectrogram(
    axes: Axes, sound: Spectrogram, heard: Heard, seconds: float, *, loud: bool
) -> None:
    low, high = np.quantile(sound.values, [0.02, 0.98])
    axes.imshow(
        sound.values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=_shades(SHADES),
        vmin=max(low, high - _DEEP) if loud else low,
        vmax=max(high, low + 1e-6),
        extent=(0, seconds, 0, 1),
    )
    for start, end in heard.spans.tolist():
        axes.axvline(start, color=OTHER, lw=0.7)
        axes.axvline(end, color=OTHER, lw=0.7)
    _name(axes, "sound")


def _words(
    axes: Axes, name: str, words: Sequence[str], spans: Array, sure: Array, colour: str
) -> None:
    """Each where it was said, the surer the stronger; a long one goes on to the next one's."""
    axes.set_ylim(0, 1)
    if not words:
        return
    _name(axes, name)
    inches = (WIDTH - LEFT - _RIGHT) / axes.get_xlim()[1]
    nexts = [*spans[1:, 0].tolist(), axes.get_xlim()[1]]
    each = zip(words, spans.tolist(), sure.tolist(), nexts, strict=True)
    for word, (start, end), confidence, until in each:
        axes.axvspan(start, end, fc=colour, ec="none", alpha=0.04 + 0.3 * confidence)
        axes.axvline(start, color=colour, lw=0.7)
        axes.text(
            start + 0.03 / inches,
            0.46,
            cut(word, max(1, int((until - start) * inches / _LETTER))),
            fontsize=7,
            color=INK,
            va="center",
            parse_math=False,
        )


class _Run(NamedTuple):
    """Steps in a row with one symbol, in seconds, and the line that its letters stand on."""

    name: str
    start: float
    end: float
    line: int


def _runs(path: Sequence[str], seconds: float, repeats: bool) -> list[_Run]:
    """Letters that would lie on each other stand on lines of their own."""
    apart = range(len(path)) if repeats else [0] * len(path)
    each, inches = seconds / len(path), (WIDTH - LEFT - _RIGHT) / seconds
    found: list[_Run] = []
    ends: list[float] = []
    step = 0
    for (symbol, _), run in groupby(zip(path, apart, strict=True)):
        start, step = step * each, step + len(list(run))
        if not symbol:
            continue
        name = shown_token(symbol)
        middle, half = (start + step * each) / 2, _LETTER * columns_of(name) / inches / 2
        free = next((k for k, end in enumerate(ends) if end <= middle - half), len(ends))
        line = min(free, _LINES - 1)
        ends[line : line + 1] = [middle + half]
        found.append(_Run(name, start, step * each, line))
    return found


def _path(axes: Axes, runs: Sequence[_Run], lines: int) -> None:
    axes.set_ylim(max(1, lines), 0)
    if runs:
        _name(axes, "path")
    for run in runs:
        axes.axvspan(
            run.start, run.end, 1 - (run.line + 1) / lines, fc=NETWORK, ec="none", alpha=0.12
        )
        axes.text(
            (run.start + run.end) / 2,
            run.line + 0.54,
            run.name,
            fontsize=7,
            fontfamily="monospace",
            color=NETWORK,
            ha="center",
            va="center",
            parse_math=False,
        )


def _chances(axes: Axes, heard: Heard, seconds: float) -> None:
    names = heard.names
    for row, name in enumerate(names):
        axes.imshow(
            heard.chances[:, row][None],
            aspect="auto",
            interpolation="nearest",
            cmap=_shades(SHADES if name else _BLANK),
            vmin=0,
            vmax=1,
            extent=(0, seconds, row + 1, row),
        )
    axes.set_xlim(0, seconds)
    axes.set_ylim(len(names), 0)
    shown = [cut(shown_token(name), 9) if name else "blank" for name in names]
    axes.set_yticks(np.arange(len(names)) + 0.5, shown)
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set_parse_math(False)
        label.set_fontfamily("monospace" if name else "sans-serif")
    axes.tick_params(axis="y", length=0, labelsize=6.5, labelcolor=INK, pad=3)
    axes.xaxis.set_major_locator(_times())
    axes.tick_params(axis="x", length=2, labelsize=6, labelcolor=QUIET, color=RULE)
    axes.set_xlabel("seconds", fontsize=6.5, color=QUIET, labelpad=1)


def _times() -> Locator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(8)


def _shades(colours: list[str]) -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", colours)


def _name(axes: Axes, name: str) -> None:
    axes.set_ylabel(
        name, fontsize=6.5, color=QUIET, rotation=0, ha="right", va="center", labelpad=4
    )
