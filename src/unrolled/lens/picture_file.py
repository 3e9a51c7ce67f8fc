"""What all pictures share: a figure of one width, its title, and the file that it becomes."""

from __future__ import annotations

import io
import warnings
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError, MissingExtra
from unrolled.lens.ink import INK, PAPER, QUIET, WIDTH
from unrolled.writing import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
# Inches of a letter in a title, and in the words beside it.
_BOLD, _SMALL = 0.089, 0.05


def new_figure(height: float) -> Figure:
    """`WIDTH` by `height` inches; MissingExtra where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("lens", "drawing a picture") from error
    # A Figure of its own, never pyplot: no global state, no window, no backend to choose.
    return Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)


def save_figure(figure: Figure, path: str | PathLike[str], *, few_colours: bool = False) -> Path:
    """Write a figure; what stood at `path` is replaced only by a complete one. A PNG with few
    colours is a third of the size where there is much shaded text."""
    target = Path(path)
    kind = kind_of(target)
    content = io.BytesIO()
    # No date and no version inside: the same records give the same file.
    nothing: dict[str, Any] = {
        "png": {"Software": None},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None},
    }
    from matplotlib import rc_context

    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "unrolled"}):
        # A letter that the font lacks is a box in the picture, and no news for each of them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(content, format=kind, facecolor=PAPER, metadata=nothing[kind])
    if few_colours and kind == "png":
        content = _palette(content)
    with replacing(target) as aside:
        aside.write_bytes(content.getvalue())
    return target


def _palette(content: io.BytesIO) -> io.BytesIO:
    """The same PNG with 256 colours."""
    from PIL import Image

    smaller = io.BytesIO()
    drawn = Image.open(content).convert("RGB")
    drawn.quantize(256, dither=Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return smaller


def kind_of(target: Path) -> str:
    """The ending of a name; ConfigError where it is none of a picture."""
    kind = target.suffix.lower().lstrip(".")
    if kind not in ("png", "svg", "pdf"):
        raise ConfigError(
            f"can't draw {target.name!r}: expected a name that ends in .png, .svg or .pdf"
        )
    return kind


def entitle(figure: Figure, text: str, y: float | None = None, more: str = "") -> None:
    """A title at the left, and more in small letters at the right as far as there is room, at `y`
    of the height; None: at the top."""
    if y is None:
        y = 1 - 0.19 / figure.get_figheight()
    title = cut(text, 72)
    figure.text(
        0.02,
        y,
        title,
        fontsize=9.5,
        fontweight="bold",
        color=INK,
        va="center",
        parse_math=False,
    )
    room = int((0.96 * WIDTH - len(title) * _BOLD) / _SMALL)
    if more and room > 8:
        figure.text(
            0.98,
            y,
            cut(more, room),
            fontsize=6.5,
            color=QUIET,
            va="center",
            ha="right",
            parse_math=False,
        )


def cut(text: str, most: int) -> str:
    """At most so many characters, the last an ellipsis where some are left out."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
