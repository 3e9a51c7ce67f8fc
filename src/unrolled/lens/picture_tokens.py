"""A text in colours: each token in a box of its own, line after line."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unrolled.lens.ink import INK, PAPER, WIDTH
from unrolled.lens.picture_file import cut

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VISIBLE = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"}
# Inches: of a letter of the font at this size, around it, of a line, and at the sides.
_SIZE, _LETTER, _AROUND, _LINE, _SIDE = 7.5, 0.0627, 0.03, 0.19, 0.14
_LONGEST = 60
# From this share of full colour on, letters are as pale as the paper; as in the page.
_STRONG = 0.62


def shown_token(token: str) -> str:
    """A token as it is drawn: blanks that stand alone become signs, others one space."""
    if token in _VISIBLE:
        return _VISIBLE[token]
    return cut(
        " ".join(token.split()) or "".join(_VISIBLE.get(one, one) for one in token), _LONGEST
    )


def height_of(tokens: Sequence[str]) -> float:
    """Inches that the lines of a text need."""
    return (max(line for line, _, _ in _places(tokens)) + 1) * _LINE


def write_tokens(
    axes: Axes, tokens: Sequence[str], shares: NDArray[np.float32], colours: Any
) -> None:
    """Write tokens into `axes`, which are `WIDTH` inches wide and `height_of` high.

    `shares` are between -1 and 1, or beyond, which is full colour as well.
    """
    from matplotlib.patches import Rectangle

    high = height_of(tokens)
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(high, 0)
    axes.axis("off")
    for token, share, (line, left, width) in zip(tokens, shares, _places(tokens), strict=True):
        top = line * _LINE + 0.01
        fill = colours((float(share) + 1) / 2)
        axes.add_patch(Rectangle((left, top), width - 0.012, _LINE - 0.02, fc=fill, lw=0))
        axes.text(
            left + (width - 0.012) / 2,
            top + (_LINE - 0.02) / 2 + 0.004,
            shown_token(token),
            fontsize=_SIZE,
            family="monospace",
            color=PAPER if abs(share) > _STRONG else INK,
            ha="center",
            va="center_baseline",
            parse_math=False,
        )


def _places(tokens: Sequence[str]) -> list[tuple[int, float, float]]:
    """Of each token its line, where it begins and how wide it is."""
    line, left, found = 0, _SIDE, []
    for token in tokens:
        letters = sum(
            2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in shown_token(token)
        )
        width = max(1, letters) * _LETTER + 2 * _AROUND
        if left + width > WIDTH - _SIDE and left > _SIDE:
            line, left = line + 1, _SIDE
        found.append((line, left, width))
        left += width
    return found
