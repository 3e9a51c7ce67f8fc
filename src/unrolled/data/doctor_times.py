"""Checks of the times: irregular ones, too few of them, series that begin or end apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.doctor_subject import Subject, told
from unrolled.data.frequency import Frequency

_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def irregular(subject: Subject) -> Iterator[DataFinding]:
    """Times on no grid."""
    if subject.frequency.code != "step" or len(subject.times) < 3:
        return
    steps = np.diff(subject.times).astype(np.int64)
    low, high = int(steps.min()), int(steps.max())
    if low == high:
        return
    show = _span if subject.frequency.dated else str
    yield subject.finding(
        "irregular",
        int(np.argmax(steps)),
        f"{show(low)} to {show(high)} from value to value, the median "
        f"{show(int(np.median(steps)))}; the longest from here on",
        "the time since the last reading will be an input",
    )


def too_short(subject: Subject, horizon: int, lookback: int | None) -> Iterator[DataFinding]:
    """Fewer values than a window of training takes: `lookback` (2 where not given) + `horizon`."""
    needed = (lookback or 2) + horizon
    n = len(subject.values)
    if n >= needed or not len(subject.known):
        return
    past = "2" if lookback is None else f"{lookback:,}"
    yield subject.finding(
        "too short",
        n - 1,
        f"{n:,} values, expected at least {needed:,} to learn from ({past} of history, {horizon:,}"
        " ahead)",
        "it can be forecast but not learnt from; give a longer series or a shorter horizon",
        "warning",
    )


def apart(
    times: Sequence[np.ndarray], ids: Sequence[str], frequency: Frequency
) -> list[DataFinding]:
    """Series that begin after, or end before, the time at which at least half of them do.

    Where no time is common to half of the series there is nothing to be late for.
    """
    if len(ids) < 2:
        return []
    found = []
    firsts = np.array([one[0] for one in times])
    lasts = np.array([one[-1] for one in times])
    for kind, edges in (("late start", firsts), ("early end", lasts)):
        usual = _usual(edges)
        if usual is None:
            continue
        late = kind == "late start"
        odd = np.flatnonzero(edges > usual if late else edges < usual)
        # the furthest first, since only the first few are shown
        order = odd[np.argsort(edges[odd], kind="stable")]
        for place in order[::-1] if late else order:
            found.append(
                DataFinding(
                    kind,
                    ids[place],
                    told(edges[place], frequency),
                    None,
                    f"{'begins after' if late else 'ends before'} the others, most of which "
                    f"{'begin' if late else 'end'} at {told(usual, frequency)}",
                    "learnt from its own start on" if late else "forecasts start at its own end",
                )
            )
    return found


def _usual(edges: np.ndarray) -> np.datetime64 | None:
    counts = Counter(edges.astype(np.int64).tolist())
    time, count = counts.most_common(1)[0]
    return np.datetime64(time, "us") if count * 2 >= len(edges) and count > 1 else None


def _span(microseconds: int) -> str:
    seconds = microseconds / 1e6
    for unit, size in _UNITS:
        if seconds >= size:
            count = f"{seconds / size:.3g}"
            return f"{count} {unit}{'' if count == '1' else 's'}"
    return f"{seconds:.3g} seconds"
