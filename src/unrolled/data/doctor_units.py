"""Changes of unit: a level that jumps by a known factor and stays there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.doctor_subject import Subject, middle, number, spread

_SHORTEST_WINDOW = 12
_MOST_CHANGES = 3
_SCATTER_WINDOWS = 8
# The jump must be this many times any other change of level.
_STANDS_OUT = 3.0
_FACTORS = {
    10.0: "",
    100.0: "as between a share and per cent, or cents and whole units",
    1000.0: "as between thousands or kilo- and single units",
    24.0: "as between days and hours",
    60.0: "as between hours, minutes and seconds",
    1 / 0.45359237: "as between kilograms and pounds",
    1 / 0.3048: "as between metres and feet",
}
_SMALLEST = np.log(1.7)


@dataclass(frozen=True)
class _Jump:
    place: int
    size: float
    rest: float

    @property
    def stands_out(self) -> bool:
        return self.size > _STANDS_OUT * self.rest


def unit_changes(subject: Subject) -> Iterator[DataFinding]:
    """Where the series goes on in another unit: by a factor, or from Celsius to Fahrenheit.

    With windows of `w` steps (whole seasons, 12 at least) on both sides of a place `c`,

        D_c = mean(z_c, ..., z_{c+w-1}) - mean(z_{c-w}, ..., z_{c-1}),   z = log x  (or x itself)

    a change is where |D| is largest, 3 times as large as anywhere beyond `w` steps of it (in all
    but such a jump growth, waves and seasons are spread over time or come again), where the median
    of z_{c+j} - z_{c-w+j} is the logarithm of a known factor, and where the scatter of the values
    grew by that factor, too. A change back is found in the series that is corrected for the first.
    """
    known = subject.known
    window = _window(subject)
    if len(known) < 4 * window:
        return
    found = False
    if known.min() > 0:
        for change in _by_factor(np.log(known), known, window):
            found = True
            yield _finding(subject, *change)
    if not found:
        yield from _temperature(subject, window)


def _window(subject: Subject) -> int:
    season = subject.season
    if season >= _SHORTEST_WINDOW:
        return season if len(subject.known) >= 8 * season else _SHORTEST_WINDOW
    return season * -(-_SHORTEST_WINDOW // season)


def _largest(levels: np.ndarray, window: int) -> _Jump:
    """The largest change between the means of two windows, and the largest far from it."""
    sums = np.concatenate([[0.0], np.cumsum(levels)])
    means = (sums[window:] - sums[:-window]) / window
    change = np.abs(means[window:] - means[:-window])
    place = int(np.argmax(change))
    low, high = max(0, place - window), place + window + 1
    rest = max(change[:low].max(initial=0.0), change[high:].max(initial=0.0))
    return _Jump(place + window, float(change[place]), float(rest))


def _by_factor(logs: np.ndarray, values: np.ndarray, window: int) -> list[tuple[int, float, float]]:
    """Place, factor and measured factor of each change; none where a jump remains unexplained."""
    changes: list[tuple[int, float, float]] = []
    logs = logs - logs.mean()
    for _ in range(_MOST_CHANGES):
        jump = _largest(logs, window)
        if jump.size < _SMALLEST:
            break
        known = _known_factor(logs, values, jump.place, window)
        if known is None:
            break
        changes.append((jump.place, *known))
        logs = logs.copy()
        logs[jump.place :] -= np.log(known[0])
    if not changes:
        return []
    left = _largest(logs, window).size
    smallest = min(abs(np.log(factor)) for _, factor, _ in changes)
    return changes if left * _STANDS_OUT < smallest else []


def _known_factor(
    logs: np.ndarray, values: np.ndarray, place: int, window: int
) -> tuple[float, float] | None:
    before, after = logs[place - window : place], logs[place : place + window]
    steps = after - before
    size = middle(steps)
    # the median of w values strays by 1.25 sigma / sqrt(w); nearly three times that is allowed
    blur = 3.5 * spread(steps) / np.sqrt(window)
    for factor in _FACTORS:
        signed = np.copysign(np.log(factor), size)
        sharp, wide = (0.05, 0.1) if factor >= 10 else (0.02, 0.04)
        tolerance = min(max(sharp, blur), wide)
        if abs(size - signed) <= tolerance and _scatter_grew(values, place, window, signed):
            return float(np.exp(signed)), float(np.exp(size))
    return None


def _scatter_grew(values: np.ndarray, place: int, window: int, log_factor: float) -> bool:
    """Whether the steps of the values nearby grew with the level, within a factor of 2 at most."""
    reach = _SCATTER_WINDOWS * window
    before = spread(np.diff(values[max(0, place - reach) : place]))
    after = spread(np.diff(values[place : place + reach]))
    if before == 0 or after == 0:
        return False
    allowed = min(np.log(2), abs(log_factor) / 2)
    return bool(abs(np.log(after / before) - log_factor) < allowed)


def _finding(subject: Subject, place: int, factor: float, measured: float) -> DataFinding:
    known = factor if factor > 1 else 1 / factor
    word = next(text for one, text in _FACTORS.items() if abs(one - known) < 1e-9)
    size = number(measured if factor > 1 else 1 / measured)
    text = f"the values are {size} times as {'large' if factor > 1 else 'small'} from here on"
    name = f"a change of unit by {number(known)}"
    return subject.finding(
        "unit change",
        int(subject.places[place]),
        f"{text}: looks like {name}{f', {word}' if word else ''}",
        f"left as it is; {'divide' if factor > 1 else 'multiply'} what follows by {number(known)} "
        "if so",
        "warning",
    )


def _temperature(subject: Subject, window: int) -> Iterator[DataFinding]:
    """y = 1.8 x + 32, or back."""
    known = subject.known
    jump = _largest(known, window)
    if not jump.stands_out:
        return
    place = jump.place
    before, after = known[place - window : place], known[place : place + window]
    rising = middle(after) > middle(before)
    celsius, fahrenheit = (before, after) if rising else (after, before)
    if max(abs(celsius.min()), abs(celsius.max())) > 60 or abs(jump.size) < 10:
        return
    gap = np.sort(fahrenheit - (1.8 * celsius + 32))
    tenth = window // 10
    if max(abs(gap[tenth]), abs(gap[-1 - tenth])) > 0.4 * jump.size:
        return
    if abs(middle(gap)) > 0.1 * jump.size or not _scatter_grew(
        known, place, window, np.log(1.8) if rising else -np.log(1.8)
    ):
        return
    units = ("Celsius", "Fahrenheit") if rising else ("Fahrenheit", "Celsius")
    yield subject.finding(
        "unit change",
        int(subject.places[place]),
        f"values near {number(middle(before))} become values near {number(middle(after))}: looks "
        f"like a change from {units[0]} to {units[1]}",
        "left as it is; turn one part into the other unit if so (F = 1.8 C + 32)",
        "warning",
    )
