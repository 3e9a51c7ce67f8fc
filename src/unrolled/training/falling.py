"""Whether a loss still falls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

WINDOW = 100
FEWEST = 20
LEAST_FALL = 0.01


def still_falls(losses: Sequence[float], *, window: int = WINDOW) -> bool:
    """Whether the median of the last `window` losses is clearly below that of as many before.

    Clearly: by more than 1% of it, and by more than twice the standard error of the difference,
    which is estimated from the median absolute deviations (1.4826 of them are a standard deviation
    of normal noise; the error of a median is 1.2533 times that of a mean). Medians, so that single
    wild batches count for nothing. Of fewer than 40 losses nothing can be said, and the answer is
    yes; a loss that is not finite does not fall.
    """
    window = min(window, len(losses) // 2)
    if window < FEWEST:
        return True
    before, after = losses[-2 * window : -window], losses[-window:]
    if not all(map(math.isfinite, after)):
        return False
    was, now = median(before), median(after)
    if not math.isfinite(was):
        return True
    variance = sum(_spread(part) ** 2 for part in (before, after)) / window
    return was - now > max(LEAST_FALL * abs(was), 2 * 1.2533 * math.sqrt(variance))


def _spread(values: Sequence[float]) -> float:
    """The standard deviation, without its sense for outliers."""
    middle = median(values)
    return 1.4826 * median(abs(value - middle) for value in values)
