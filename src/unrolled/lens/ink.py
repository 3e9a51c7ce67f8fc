"""The colours and the width that all pictures share; the page's light theme has the same.

Blue and orange keep apart for readers with any of the common kinds of colour blindness.
"""

from __future__ import annotations

from typing import Any

INK, QUIET, RULE, PAPER = "#1c2530", "#57636f", "#e3dfd6", "#ffffff"
NETWORK, OTHER = "#1d5fa6", "#b84f00"
# From nothing to much.
SHADES = ["#f4f2ed", "#8fb6dd", "#1d5fa6", "#0b2b56"]
DIVERGING = ["#123f7a", "#6f9fd0", "#f4f2ed", "#eb9a52", "#993a00"]
# Of curves in one picture, the first four as in the page.
SERIES: tuple[tuple[str, Any], ...] = (
    (NETWORK, "-"),
    (OTHER, "-"),
    (QUIET, (0, (5, 3))),
    (INK, (0, (2, 3))),
    (NETWORK, (0, (5, 3))),
    (OTHER, (0, (5, 3))),
)
WIDTH = 7.0  # inches
