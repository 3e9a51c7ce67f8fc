"""Values that stand out: codes for "missing" such as -9999, and single spikes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.doctor_subject import Subject, number

# What files write where nothing was measured.
_CODES = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0, 999999.0)
_REACH = 3
# A spike must be this many times what all but a few others are: heavy tails are no errors.
_STANDS_OUT = 5.0
_FEW = 5
_SHARE = 200
# A spike must be this many times the largest ordinary steps: the peak of a smooth wave is none.
_BEYOND_STEPS = 2.5
_FEWEST = 48


def codes(subject: Subject) -> tuple[Subject, list[DataFinding]]:
    """Codes for "missing" taken for values; and the series without them, for the other checks.

    A code is an extreme value of the list, further from all other values than these lie apart.
    """
    known = subject.known
    if len(known) < 8:
        return subject, []
    found = []
    for code in (float(known.min()), float(known.max())):
        if code not in _CODES:
            continue
        there = known == code
        rest = known[~there]
        if len(rest) < 2:
            continue
        nearest = float(rest.min() if code < rest[0] else rest.max())
        if abs(code - nearest) <= rest.max() - rest.min():
            continue
        count = int(there.sum())
        found.append(
            subject.finding(
                "outliers",
                int(subject.places[np.argmax(there)]),
                f"{number(code)} stands here{f' and {count - 1:,} times more' * (count > 1)}, all "
                f"else lies between {number(rest.min())} and {number(rest.max())}",
                "left as it is; if it is a code for 'missing', leave these cells empty and read "
                "with missing='mask'",
                "warning",
            )
        )
        subject = subject.without(there)
        known = subject.known
    return subject, found


def spikes(subject: Subject) -> Iterator[DataFinding]:
    """Single values, or runs of up to three, far from those around them.

        r_t = x_t - median(x_{t-3}, ..., x_{t+3})

    As in Hampel's filter (Hampel 1974; Pearson 2002), but a spike is not measured by the deviation
    of r, which heavy tails exceed now and then: its |r_t| is above 5 times what all but the largest
    few (5, or a 200th) of the |r| are, above 2.5 times all but twice as few of the
    |x_t - x_{t-1}|, and it is as far from the values one season before and after. The first and
    last three are not judged: a trend ends there, too. Nor are series below 48 values or 3 seasons.
    """
    known = subject.known
    if len(known) < max(_FEWEST, 3 * subject.season):
        return
    windows = np.lib.stride_tricks.sliding_window_view(known, 2 * _REACH + 1)
    around = np.partition(windows, _REACH, axis=1)[:, _REACH]
    rest = known[_REACH:-_REACH] - around
    size = np.abs(rest)
    few = max(_FEW, len(known) // _SHARE)
    ordinary = _all_but(size, few)
    step = _all_but(np.abs(np.diff(known)), 2 * few)
    bound = max(_STANDS_OUT * ordinary, _BEYOND_STEPS * step)
    if bound == 0:  # of a few values that are not zero, none is the odd one
        return
    picked = np.flatnonzero(size > bound)
    picked = picked[_unlike_seasons(subject, picked, size[picked])]
    if not len(picked):
        return
    worst = picked[np.argmax(size[picked])]
    more = f", and {len(picked) - 1:,} more like it" if len(picked) > 1 else ""
    yield subject.finding(
        "outliers",
        int(subject.places[worst + _REACH]),
        f"{number(known[worst + _REACH])} among values near {number(around[worst])}{more}",
        "left as it is; correct it, or leave it empty if it is an error",
    )


def _all_but(sizes: np.ndarray, largest: int) -> float:
    """The largest size where so many larger ones are left out."""
    place = len(sizes) - largest - 1
    return float(np.partition(sizes, place)[place])


def _unlike_seasons(subject: Subject, picked: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Which of the picked are as far from the values one season before and after, where known."""
    season = subject.season
    places = subject.places[picked + _REACH]
    unlike = np.ones(len(picked), dtype=bool)
    if season == 1:
        return unlike
    for shift in (-season, season):
        at = places + shift
        inside = (at >= 0) & (at < len(subject.values))
        other = subject.values[np.clip(at, 0, len(subject.values) - 1)]
        near = np.abs(subject.values[places] - other) < size / 2
        unlike &= ~(inside & near)
    return unlike
