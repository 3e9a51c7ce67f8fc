"""The answer step by step: several labels of one text as lines, one label of several as bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, NETWORK, OTHER, QUIET, RULE, SERIES, WIDTH
from unrolled.lens.picture_file import cut, entitle, new_figure, save_figure
from unrolled.lens.picture_parts import LEFT, framed, number, plain, steps_below
from unrolled.lens.picture_tokens import columns_of, shown_token
from unrolled.lens.traces import Answers, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches of a letter of one point.
_LETTER = 0.0085
# Inches of the bars of one text with its words, and above all of them.
_EACH, _TOP = 1.06, 0.34
_HALVES = ("0", "½", "1")
MOST_WORDS, MOST_TEXTS, MOST_LINES = 24, 12, 4


def draw_answers(
    traces: Sequence[Trace], path: str | PathLike[str], *, label: str | None = None
) -> Path:
    """Draw the probability of a label after each word, one text below the other.

    A bar goes up from one half where the label is the likelier, down where it is not.
    `trace.draw(path, view="answers")` draws the likeliest labels of one text as lines.

    Args:
        traces: of a `Classifier` that reads forward, or of a `Tagger`; see `unrolled.trace`.
        path: `.png`, `.svg` or `.pdf`.
        label: None takes the last one.

    Raises:
        MissingExtra: matplotlib is not installed.
        ConfigError: no traces, too many, or too long ones; no answer after each step; no such
            label.
        OutputError: the file can't be written.
    """
    if not 0 < len(traces) <= MOST_TEXTS:
        raise ConfigError(f"traces: got {len(traces)}, expected 1 to {MOST_TEXTS}")
    return save_figure(_bars_figure(traces, label), path)


def answers_figure(trace: Trace) -> Figure:
    """The likeliest labels over the steps of one text, each a line with its name at the end."""
    answers = _answers_of(trace, "view")
    figure, axes = framed(1.9, right=0.9)
    chances, steps = answers.chances, np.arange(1, len(trace) + 1)
    most = np.nan_to_num(chances).max(axis=0)
    likeliest = np.argsort(-most, kind="stable")[:MOST_LINES]
    ends = _apart([float(chances[-1, label]) for label in likeliest], 0.085)
    for (colour, dashes), label, end in zip(SERIES, likeliest, ends, strict=False):
        axes.plot(steps, chances[:, label], color=colour, ls=dashes, lw=1.4)
        axes.text(
            1.01,
            end,
            answers.names[label],
            transform=axes.get_yaxis_transform(),
            fontsize=6.5,
            color=colour,
            va="center",
            parse_math=False,
        )
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], _HALVES)
    plain(axes)
    steps_below(axes, len(trace), trace.inputs)
    entitle(figure, f"The answer {_when(trace, answers)}", more=trace.model)
    return figure


def _bars_figure(traces: Sequence[Trace], label: str | None) -> Figure:
    rows = [_chances(trace, label) for trace in traces]
    height = _TOP + _EACH * len(rows) + 0.05
    figure = new_figure(height)
    columns = max(8, *map(len, traces))
    for k, (trace, (_, chances)) in enumerate(zip(traces, rows, strict=True)):
        bottom = height - _TOP - (k + 1) * _EACH + 0.34
        wide = (WIDTH - LEFT - 0.15) / WIDTH
        axes = figure.add_axes((LEFT / WIDTH, bottom / height, wide, (_EACH - 0.46) / height))
        _bars(axes, trace.inputs, chances, columns)
    when = _when(traces[0], _answers_of(traces[0], "traces"))
    entitle(figure, f"Probability of “{rows[0][0]}” {when}")
    return figure


def _bars(axes: Axes, words: Sequence[str], chances: np.ndarray, columns: int) -> None:
    """One text: a bar a word, up or down from one half, in `columns` places."""
    places = np.arange(len(chances))
    colours = [NETWORK if chance >= 0.5 else OTHER for chance in chances]
    axes.bar(places, chances - 0.5, bottom=0.5, color=colours, width=0.72, lw=0)
    axes.hlines(0.5, -0.6, len(chances) - 0.4, colors=QUIET, lw=0.7)
    for place, chance in zip(places, chances.tolist(), strict=True):
        up = chance >= 0.5
        axes.annotate(
            number(chance, ".2f"),
            (place, chance if np.isfinite(chance) else 0.5),
            (0, 2 if up else -2),
            textcoords="offset points",
            fontsize=5.6,
            color=QUIET,
            ha="center",
            va="bottom" if up else "top",
        )
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], _HALVES)
    names, size = fitted(words, (WIDTH - LEFT - 0.15) / columns)
    axes.set_xticks(places, names)
    for name in axes.get_xticklabels():
        name.set_parse_math(False)
    # Below what a bar that goes down to 0 has under it.
    axes.tick_params(axis="x", labelsize=size, colors=INK, length=0, pad=7)
    axes.tick_params(axis="y", labelsize=6, colors=QUIET, length=2)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(RULE)


def fitted(words: Sequence[str], inches: float) -> tuple[list[str], float]:
    """The words as they are shown in columns of so many `inches`, and the points of their font:
    smaller where one is long, and cut where that is not enough."""
    shown = [shown_token(word) for word in words]
    size = min(7.5, max(4.5, inches / (_LETTER * max(1, *map(columns_of, shown)))))
    most = int(inches / (_LETTER * size))
    return [cut(word, most) if columns_of(word) > most else word for word in shown], size


def _chances(trace: Trace, label: str | None) -> tuple[str, np.ndarray]:
    answers = _answers_of(trace, "traces")
    names = answers.names
    if label is not None and label not in names:
        raise ConfigError(f"label: got {label!r}, expected one of {', '.join(map(repr, names))}")
    if len(trace) > MOST_WORDS:
        raise ConfigError(
            f"traces: got one of {len(trace)} steps, expected {MOST_WORDS} at most; trace with"
            " fewer steps="
        )
    chosen = names[-1] if label is None else label
    return chosen, answers.chances[:, names.index(chosen)]


def _answers_of(trace: Trace, place: str) -> Answers:
    if trace.answers is None:
        raise ConfigError(
            f"{place}: got a trace without answers, expected one of a Classifier that reads forward"
            " (directions=1) or of a Tagger"
        )
    return trace.answers


def _when(trace: Trace, answers: Answers) -> str:
    return f"{'after' if answers.running else 'for'} each {'step' if trace.joined else 'word'}"


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
