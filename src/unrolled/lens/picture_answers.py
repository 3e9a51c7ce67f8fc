"""The answer after every word: how an opinion changes as one reads."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.ink import INK, NETWORK, OTHER, QUIET, RULE, WIDTH
from unrolled.lens.picture import _figure, _save, _title
from unrolled.lens.traces import Trace

_EACH, _TOP, _SIDE = 1.02, 0.34, 0.42
MOST_WORDS, MOST_TEXTS = 24, 12


def draw_answers(
    traces: Sequence[Trace], path: str | PathLike[str], *, label: str | None = None
) -> Path:
    """Draw the probability of a label after each word, one text below the other.

    A bar goes up from one half where the label is the likelier, down where it is not.

    Args:
        traces: of a `Classifier` that reads forward; see `unrolled.trace`.
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
    rows = [_chances(trace, label) for trace in traces]
    name = label or rows[0][0]
    most = max(len(chances) for _, chances in rows)
    height = _TOP + _EACH * len(rows) + 0.05
    figure = _figure(height)
    for k, (trace, (_, chances)) in enumerate(zip(traces, rows, strict=True)):
        bottom = height - _TOP - (k + 1) * _EACH + 0.3
        wide = (WIDTH - _SIDE - 0.15) / WIDTH
        axes = figure.add_axes((_SIDE / WIDTH, bottom / height, wide, (_EACH - 0.42) / height))
        colours = [NETWORK if chance >= 0.5 else OTHER for chance in chances]
        places = np.arange(len(chances))
        axes.bar(places, chances - 0.5, bottom=0.5, color=colours, width=0.72, lw=0)
        axes.hlines(0.5, -0.6, len(chances) - 0.4, colors=QUIET, lw=0.7)
        for place, chance in zip(places, chances, strict=True):
            up = chance >= 0.5
            axes.annotate(
                f"{chance:.2f}",
                (place, chance),
                (0, 2 if up else -2),
                textcoords="offset points",
                fontsize=5.6,
                color=QUIET,
                ha="center",
                va="bottom" if up else "top",
            )
        axes.set_xlim(-0.6, max(most, 8) - 0.4)
        axes.set_ylim(0, 1)
        axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
        words = [word.strip().replace("$", r"\$") or "⏎" for word in trace.inputs]
        axes.set_xticks(places, words)
        axes.tick_params(axis="x", labelsize=min(7.5, 120 / max(most, 8)), colors=INK, length=0)
        axes.tick_params(axis="y", labelsize=6, colors=QUIET, length=2)
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
        axes.spines["left"].set_color(RULE)
    shown = name.replace("$", r"\$")
    _title(figure, f"Probability of “{shown}” after each word", 1 - 0.17 / height)
    return _save(figure, path)


def _chances(trace: Trace, label: str | None) -> tuple[str, np.ndarray]:
    if trace.answers is None:
        raise ConfigError(
            "traces: got one without answers, expected those of a Classifier that reads forward"
            " (directions=1)"
        )
    names = trace.answers.names
    if label is not None and label not in names:
        raise ConfigError(f"label: got {label!r}, expected one of {', '.join(map(repr, names))}")
    if len(trace) > MOST_WORDS:
        raise ConfigError(
            f"traces: got one of {len(trace)} steps, expected {MOST_WORDS} at most; trace with"
            " fewer steps="
        )
    chosen = names[-1] if label is None else label
    return chosen, trace.answers.chances[:, names.index(chosen)]
