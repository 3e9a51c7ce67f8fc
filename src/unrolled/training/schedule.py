"""The learning rate over a run: linear warm-up, then half a cosine or a line down to a floor."""

from __future__ import annotations

import math


def warmup_cosine(step: int, total: int | None, *, warmup: int, floor: float = 0.02) -> float:
    """Factor on the peak learning rate at `step` (from 1).

        factor = min(1, step / warmup) * (floor + (1 - floor) * (1 + cos(pi * step / total)) / 2)

    The warm-up never takes more than a tenth of a known `total`. While `total` is not known yet
    (a time budget that is still being measured) the cosine is left out.

    Source: Loshchilov & Hutter 2017 (arXiv 1608.03983), without restarts.
    """
    rise = _rise(step, total, warmup)
    if total is None:
        return rise
    fall = (1.0 + math.cos(math.pi * min(1.0, step / total))) / 2
    return rise * (floor + (1 - floor) * fall)


def warmup_linear(step: int, total: int | None, *, warmup: int, floor: float = 0.02) -> float:
    """As `warmup_cosine`, but down in a line, which leaves more of a run at small rates.

    factor = min(1, step / warmup) * (1 - (1 - floor) * step / total)

    Source: Bergsma et al. 2025 (arXiv 2502.15938).
    """
    rise = _rise(step, total, warmup)
    return rise if total is None else rise * (1 - (1 - floor) * min(1.0, step / total))


def _rise(step: int, total: int | None, warmup: int) -> float:
    most = warmup if total is None else min(warmup, total // 10)
    return min(1.0, step / max(1, most))


SCHEDULES = {"cosine": warmup_cosine, "linear": warmup_linear}
