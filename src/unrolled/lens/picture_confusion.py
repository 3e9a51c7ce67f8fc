"""What labels are taken for: a confusion matrix as a heat map, as SVG text."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unrolled.lens.ink import NETWORK, OTHER, PAPER

if TYPE_CHECKING:
    from unrolled.tasks.label_scores import LabelScores

# More labels than this are no picture any more: the rest become one row and one column.
MOST = 20
_REST = "all others"
_LABEL, _DIGIT = 7.0, 7.0  # pixels that a character of a label or a count takes at 13 or 12 px
_TURNED = 0.64  # sine and cosine, about, of the angle of column labels that are turned


def shown_labels(scores: LabelScores) -> tuple[list[str], NDArray[np.int64]]:
    """The labels to draw and the counts between them, `(C, C)` or `(21, 21)`.

    Above `MOST` labels the ones that take part in the most mistakes are drawn, in their own order,
    and all others together, so that rows still add up to what there is.
    """
    table = np.array(scores.confusion, dtype=np.int64).reshape(len(scores.labels), -1)
    if len(scores.labels) <= MOST:
        return list(scores.labels), table
    wrong = table.sum(axis=0) + table.sum(axis=1) - 2 * np.diag(table)
    kept = np.sort(np.argsort(-wrong, kind="stable")[:MOST])
    place = np.full(len(table), MOST)
    place[kept] = np.arange(MOST)
    merged = np.zeros((MOST + 1, MOST + 1), dtype=np.int64)
    np.add.at(merged, (place[:, None], place[None, :]), table)
    return [*(scores.labels[k] for k in kept), _REST], merged


def confusion_svg(scores: LabelScores) -> str:
    """The heat map: a row for what an item is, a column for what was said, counts and row shares.

    Blue is right, orange a mistake; both the stronger the larger their share of the row. A mistake
    darkens with the root of its share, since few are many.
    """
    labels, table = shown_labels(scores)
    size = len(labels)
    cell = max(38, min(120, 900 // size))
    high = min(cell, 76)
    longest = max(len(_cut(label)) for label in labels)
    turned = longest * _LABEL > cell - 8
    left = longest * _LABEL + 92
    top = (longest * _LABEL * _TURNED + 34) if turned else 46
    right = longest * _LABEL * _TURNED if turned else 12
    width, height = left + size * cell + right, top + size * high + 8
    parts = [
        f'<svg class="confusion" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
        f' role="img" aria-label="Confusion matrix of {size} labels">',
        f'<text x="{left:.0f}" y="13" class="axis-name">said to be →</text>',
        f'<text x="{left - 12:.0f}" y="{top - 10:.0f}" class="axis-name end">is ↓ &#160;'
        " items</text>",
    ]
    totals = table.sum(axis=1)
    for column, label in enumerate(labels):
        x = left + (column + 0.5) * cell
        name = f"<title>{html.escape(label)}</title>{html.escape(_cut(label))}"
        if turned:
            spot = f'transform="translate({x - 3:.1f} {top - 8:.1f}) rotate(-40)"'
            parts.append(f'<text {spot} class="name">{name}</text>')
        else:
            parts.append(f'<text x="{x:.1f}" y="{top - 10:.1f}" class="name mid">{name}</text>')
    for row, label in enumerate(labels):
        y = top + row * high
        parts.append(
            f'<text x="{left - 74:.1f}" y="{y + high / 2 + 4.5:.1f}" class="name end">'
            f"<title>{html.escape(label)}</title>{html.escape(_cut(label))}</text>"
            f'<text x="{left - 12:.1f}" y="{y + high / 2 + 4.5:.1f}" class="total end">'
            f"{totals[row]:,}</text>"
        )
        for column in range(size):
            share = table[row, column] / totals[row] if totals[row] else 0.0
            where = (left + column * cell, y, cell, high)
            told = f"{label} said to be {labels[column]}: {table[row, column]:,} ({share:.1%})"
            parts.append(_cell(int(table[row, column]), share, row == column, where, told))
    return "\n".join([*parts, "</svg>"])


def _cell(
    count: int, share: float, right: bool, where: tuple[float, float, float, float], told: str
) -> str:
    x, y, wide, high = where
    strength = share if right else share**0.5
    fill = _mixed(NETWORK if right else OTHER, 0.92 * strength)
    ink = ' style="fill:#fff"' if strength > 0.55 else ""
    box = (
        f'<g><title>{html.escape(told)}</title><rect x="{x + 1:.1f}" y="{y + 1:.1f}"'
        f' width="{wide - 2:.1f}" height="{high - 2:.1f}" rx="3" fill="{fill}"/>'
    )
    if not count:
        return box + "</g>"
    middle, line = x + wide / 2, y + high / 2
    return (
        f'{box}<text x="{middle:.1f}" y="{line - 1:.1f}" class="count mid"{ink}>'
        f"{_short(count, wide - 8)}</text>"
        f'<text x="{middle:.1f}" y="{line + 12:.1f}" class="share mid"{ink}>'
        f"{_percent(share)}</text></g>"
    )


def _mixed(colour: str, strength: float) -> str:
    """A colour thinned with paper; what is empty stays a shade darker than paper."""
    if strength <= 0:
        return "#f7f5f0"
    ink, paper = ([int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in (colour, PAPER))
    thinned = [
        round(b + (a - b) * (0.06 + 0.94 * strength)) for a, b in zip(ink, paper, strict=True)
    ]
    return "#" + "".join(f"{part:02x}" for part in thinned)


def _percent(share: float) -> str:
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{share:.0%}" if 0.095 <= share < 0.995 else f"{share:.1%}"


def _short(count: int, room: float) -> str:
    text = f"{count:,}"
    if len(text) * _DIGIT <= room:
        return text
    for unit, word in ((1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{word}"
    return text


def _cut(label: str, most: int = 20) -> str:
    label = " ".join(label.split()) or "(empty)"
    return label if len(label) <= most else f"{label[: most - 1]}…"
