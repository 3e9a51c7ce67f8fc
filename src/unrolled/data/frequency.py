"""`Frequency`: how far apart the points of a series stand, inferred from their times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrolled.errors import ConfigError

SECOND = 1_000_000
DAY = 86_400 * SECOND

# microseconds of the codes whose steps are all of one length, the longest first
_WIDTHS = {"W": 7 * DAY, "D": DAY, "h": 3600 * SECOND, "min": 60 * SECOND, "s": SECOND, "step": 1}
_MONTHS = {"YS": 12, "QS": 3, "MS": 1}
_SEASONS = {
    "s": 60, "min": 60, "h": 24, "D": 7, "B": 5, "W": 52, "MS": 12, "QS": 4, "YS": 1, "step": 1,
}  # fmt: skip
# what a multiple of a code repeats over: 15 minutes have a day of 96
_CYCLES = {**_SEASONS, "min": 1440}
_NAMES = {
    "s": ("every second", "seconds"),
    "min": ("every minute", "minutes"),
    "h": ("hourly", "hours"),
    "D": ("daily", "days"),
    "B": ("daily on weekdays", "weekdays"),
    "W": ("weekly", "weeks"),
    "MS": ("monthly", "months"),
    "QS": ("quarterly", "quarters"),
    "YS": ("yearly", "years"),
}
# Longest run of missing weekdays that still counts as a holiday (the Chinese spring festival closes
# exchanges for at most eight).
_LONGEST_HOLIDAY = 10
# A grid is believed where at least this share of the steps fits it; the rest are errors.
_BELIEF = 0.9


@dataclass(frozen=True)
class Frequency:
    """The distance from one point to the next.

    Attributes:
        code: "s", "min", "h", "D", "B" (weekdays), "W", "MS" (months), "QS" (quarters), "YS"
            (years), or "step" (no regular distance in time, or no dates at all).
        multiple: how many of them: `Frequency("min", 15)`. For "step" the number of microseconds
            that `future` goes on by; 1 where the points are only counted.
        day: for months, quarters and years the day of the month, 31 for the month's end; None: the
            day that the times themselves have.

    `str(frequency)` tells it in words ("daily", "every 15 minutes"); `alias` and `parse` write and
    read it in one word ("D", "15min", "MS@31").
    """

    code: str
    multiple: int = 1
    day: int | None = None

    def __post_init__(self) -> None:
        if self.code not in _SEASONS:
            raise ConfigError(
                f"frequency {self.code!r} is unknown: use one of {', '.join(_SEASONS)}, "
                "or a multiple such as '15min'"
            )
        if self.multiple < 1 or (self.code == "B" and self.multiple != 1):
            raise ConfigError(f"frequency {self.multiple} x {self.code!r} is not possible: use 1")

    @classmethod
    def parse(cls, text: str | Frequency) -> Frequency:
        """The frequency that `alias` wrote: "D", "15min", "MS", "MS@31"."""
        if isinstance(text, Frequency):
            return text
        match = re.fullmatch(r"(\d*)([A-Za-z]+)(?:@(\d+))?", text.strip())
        if match is None:
            raise ConfigError(
                f"frequency {text!r} is not understood: write one such as 'D' or '15min'"
            )
        count, code, day = match.groups()
        codes = {known.lower(): known for known in _SEASONS} | {
            "ms": "MS", "m": "MS", "me": "MS", "q": "QS", "y": "YS", "a": "YS", "t": "min",
        }  # fmt: skip
        return cls(codes.get(code.lower(), code), int(count or 1), int(day) if day else None)

    @property
    def alias(self) -> str:
        """One word that `parse` reads back."""
        count = "" if self.multiple == 1 else str(self.multiple)
        return f"{count}{self.code}" + ("" if self.day is None else f"@{self.day}")

    @property
    def dated(self) -> bool:
        """Whether the times are dates at all; False where the points are only counted."""
        return not (self.code == "step" and self.multiple == 1)

    @property
    def season(self) -> int:
        """Number of steps after which a series of this frequency usually repeats; 1: no season."""
        if self.code == "step":
            return 1
        if self.multiple == 1:
            return _SEASONS[self.code]
        cycles, rest = divmod(_CYCLES[self.code], self.multiple)
        return cycles if rest == 0 else 1

    def __str__(self) -> str:
        if self.code == "step":
            return _told_width(self.multiple) if self.dated else "steps without dates"
        one, many = _NAMES[self.code]
        return one if self.multiple == 1 else f"every {self.multiple} {many}"

    def at(self, first: np.datetime64 | np.ndarray, steps: int | np.ndarray) -> np.ndarray:
        """The times that lie `steps` after `first`: datetime64[us]; shapes as they broadcast."""
        begin = np.asarray(first, dtype="datetime64[us]")
        count = np.asarray(steps, dtype=np.int64)
        if self.code in _MONTHS:
            return _months_later(begin, count * (_MONTHS[self.code] * self.multiple), self.day)
        if self.code == "B":
            date = begin.astype("datetime64[D]")
            days = np.busday_offset(date, count, roll="backward")
            return days.astype("datetime64[us]") + (begin - date)
        return begin + count * (_WIDTHS[self.code] * self.multiple)

    def grid(self, first: np.datetime64, count: int) -> np.ndarray:
        """`count` times from `first` on: datetime64[us], shape `(count,)`."""
        return self.at(first, np.arange(count))

    def future(self, last: np.datetime64, horizon: int) -> np.ndarray:
        """The `horizon` times that follow `last`: datetime64[us], shape `(horizon,)`."""
        return self.grid(last, horizon + 1)[1:]

    def positions(
        self, times: np.ndarray, first: np.datetime64 | np.ndarray | None = None
    ) -> np.ndarray:
        """Whole steps from `first` (default: the first time) to each time, rounded down.

        `first` is one time for all, or one for each.
        """
        times = np.asarray(times, dtype="datetime64[us]")
        first = times[0] if first is None else first.astype("datetime64[us]")
        if self.code in _MONTHS:
            months = times.astype("datetime64[M]") - first.astype("datetime64[M]")
            return months.astype(np.int64) // (_MONTHS[self.code] * self.multiple)
        if self.code == "B":
            dates = times.astype("datetime64[D]")
            return np.busday_count(first.astype("datetime64[D]"), dates).astype(np.int64)
        return (times - first).astype(np.int64) // (_WIDTHS[self.code] * self.multiple)

    def on_grid(
        self, times: np.ndarray, first: np.datetime64 | np.ndarray | None = None
    ) -> np.ndarray:
        """Whether each time is whole steps after `first` (as above); all true for "step"."""
        times = np.asarray(times, dtype="datetime64[us]")
        if self.code == "step" or not len(times):
            return np.ones(len(times), dtype=bool)
        begin = times[0] if first is None else first
        return self.at(begin, self.positions(times, begin)) == times

    def missing_between(self, times: np.ndarray) -> np.ndarray:
        """Number of points missing between each time and the next, shape `(len(times) - 1,)`.

        Weekdays without a value (holidays) are not missing points, unless more than ten follow
        each other. Irregular times have no missing points.
        """
        times = np.asarray(times, dtype="datetime64[us]")
        if len(times) < 2:
            return np.zeros(max(0, len(times) - 1), dtype=np.int64)
        return self.skipped(np.diff(self.positions(times)))

    def skipped(self, steps: np.ndarray) -> np.ndarray:
        """How many points are missing where one stands `steps` after another; as above."""
        if self.code == "step" and self.dated:
            return np.zeros(len(steps), dtype=np.int64)
        missing = steps - 1
        if self.code == "B":
            missing[missing <= _LONGEST_HOLIDAY] = 0
        return missing


def infer_frequency(times: np.ndarray | Sequence[np.ndarray]) -> Frequency:
    """The frequency of one or more ascending arrays of times (datetime64).

    The most common distance counts, so that a few gaps don't hide it. Every day but no weekend is
    "B"; the same day of each month (or the month's last) is "MS", "QS" or "YS". Where more than a
    tenth of the times fits no grid the answer is "step".
    """
    several = [times] if isinstance(times, np.ndarray) else list(times)
    several = [np.asarray(one, dtype="datetime64[us]") for one in several if len(one) > 1]
    if not several:
        return Frequency("step")
    every = np.concatenate(several)
    # a distance across two series is none
    inside = np.ones(len(every), dtype=bool)
    inside[np.cumsum([0, *(len(one) for one in several[:-1])])] = False
    gaps = np.diff(every)[inside[1:]].astype(np.int64)
    calendar = _calendar_months(every, gaps, inside)
    if calendar is not None:
        return calendar
    width = _most_common(gaps)
    if width == DAY and _only_weekdays(every, gaps):
        return Frequency("B")
    if np.mean(gaps % width == 0) < _BELIEF or np.mean(gaps == width) < 0.5:
        return Frequency("step", int(np.median(gaps)))
    code = next(code for code, unit in _WIDTHS.items() if width % unit == 0)
    return Frequency(code, int(width // _WIDTHS[code]))


def _told_width(width: int) -> str:
    units = (("days", DAY), ("hours", 3600 * SECOND), ("minutes", 60 * SECOND), ("seconds", SECOND))
    name, unit = next((pair for pair in units if width >= pair[1]), units[-1])
    return f"steps of about {width / unit:.3g} {name}"


def _most_common(numbers: np.ndarray) -> int:
    values, counts = np.unique(numbers, return_counts=True)
    return int(values[np.argmax(counts)])


def _only_weekdays(times: np.ndarray, gaps: np.ndarray) -> bool:
    """Whether no time is on a weekend although at least one weekend was passed."""
    return bool(np.all(np.is_busday(times.astype("datetime64[D]"))) and gaps.max() >= 3 * DAY)


def _calendar_months(times: np.ndarray, gaps: np.ndarray, inside: np.ndarray) -> Frequency | None:
    if gaps.min() < 28 * DAY:
        return None
    months = times.astype("datetime64[M]")
    days = (times.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1
    day = int(days.max())
    if np.all(days == _last_day(months)):
        day = 31
    if not np.array_equal(days, np.minimum(day, _last_day(months))):
        return None
    if len(np.unique(times - times.astype("datetime64[D]"))) > 1:
        return None
    step = _most_common(np.diff(months)[inside[1:]].astype(np.int64))
    code = next(code for code, count in _MONTHS.items() if step % count == 0)
    return Frequency(code, step // _MONTHS[code], day if day > 28 else None)


def _last_day(months: np.ndarray) -> np.ndarray:
    nexts = (months + np.timedelta64(1, "M")).astype("datetime64[D]")
    return (nexts - months.astype("datetime64[D]")).astype(np.int64)


def _months_later(first: np.ndarray, months: np.ndarray, day: int | None) -> np.ndarray:
    date = first.astype("datetime64[D]")
    month = first.astype("datetime64[M]")
    wanted = (date - month.astype("datetime64[D]")).astype(np.int64) + 1 if day is None else day
    reached = month + months.astype("timedelta64[M]")
    days = (np.minimum(wanted, _last_day(reached)) - 1).astype("timedelta64[D]")
    dates = np.where(months == 0, date, reached.astype("datetime64[D]") + days)
    return dates.astype("datetime64[us]") + (first - date)
