"""Checks of one series by itself: gaps, few known values, standing still, negative counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.doctor_subject import Subject, number

_FEW = 0.5
_LONG_STILL = 30
_UNUSUAL = 3
# Corrections of counts are rare; a series below zero more often is no count.
_RARELY_NEGATIVE = 0.01


def gaps(subject: Subject) -> Iterator[DataFinding]:
    """Runs of missing values; "few known" where they are more than half of the series."""
    n, m = len(subject.values), len(subject.known)
    if m == n:
        return
    if m == 0:
        yield subject.finding(
            "few known",
            0,
            "no value is known",
            "leave it out",
            "warning",
        )
        return
    edges = np.concatenate([[-1], subject.places, [n]])
    runs = np.diff(edges) - 1
    longest = int(np.argmax(runs))
    text = f"{n - m:,} of {n:,} values {'is' if n - m == 1 else 'are'} missing"
    if (runs > 0).sum() > 1:
        text += f" in {(runs > 0).sum():,} runs, the longest of {runs[longest]:,} from here on"
    done = "masked: they count for nothing in the loss"
    few = m < _FEW * n
    yield subject.finding(
        "few known" if few else "gaps",
        int(edges[longest]) + 1,
        text,
        f"{done}, and little is left to learn from" if few else done,
        "warning" if few else "note",
    )


def standing_still(subject: Subject) -> Iterator[DataFinding]:
    """A series, or its last part, that does not change.

    Of the last part only where it is 3 times as long as any earlier part of one value: a shop that
    sold nothing for two months, as it did before, is no news.
    """
    known = subject.known
    if len(known) < 3:
        return
    others = np.flatnonzero(known != known[-1])
    if not len(others):
        yield subject.finding(
            "constant",
            int(subject.places[0]),
            f"all {len(known):,} known values are {number(known[0])}",
            "the forecast will be that value; leave it out if that tells nothing",
            "warning",
        )
        return
    still = len(known) - 1 - int(others[-1])
    if still < max(2 * subject.season, _LONG_STILL):
        return
    changes = np.flatnonzero(np.diff(known))
    earlier = int(np.diff(changes, prepend=-1).max())
    if still > _UNUSUAL * earlier:
        yield subject.finding(
            "constant",
            int(subject.places[len(known) - still]),
            f"the last {still:,} known values are all {number(known[-1])}",
            "left as they are; end the series here if nothing was measured any more",
            "warning",
        )


def negative_counts(subject: Subject) -> Iterator[DataFinding]:
    """Single negative values in a series of whole numbers that is never below zero otherwise.

    A temperature below zero stays there for more than a step; a correction of a count does not.
    """
    known = subject.known
    below = np.flatnonzero(known < 0)
    if not 0 < len(below) <= max(1, _RARELY_NEGATIVE * len(known)) or len(known) < 30:
        return
    if np.any(np.diff(below) == 1) or np.any(known != np.floor(known)):
        return
    lowest = int(below[np.argmin(known[below])])
    amount = "1 value is" if len(below) == 1 else f"{len(below):,} values are"
    yield subject.finding(
        "negative",
        int(subject.places[lowest]),
        f"{amount} negative in a series that counts otherwise, the lowest {number(known[lowest])}"
        " here",
        "left as they are; a distribution of counts needs them corrected or left empty",
    )
