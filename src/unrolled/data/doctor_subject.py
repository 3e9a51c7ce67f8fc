"""`Subject`: one series as the doctor's checks look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.frequency import Frequency
from unrolled.data.regular import shown


@dataclass(frozen=True)
class Subject:
    """One series, its known values drawn together.

    Attributes:
        name: of the series.
        frequency: of the set.
        times: datetime64[us] `(n,)`.
        values: float64 `(n,)`, NaN where unknown.
        places: int64 `(m,)`, where a value is known.
        known: float64 `(m,)`, the values there.
    """

    name: str
    frequency: Frequency
    times: np.ndarray
    values: np.ndarray
    places: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, name: str, frequency: Frequency, times: np.ndarray, values: np.ndarray) -> Subject:
        """The subject that is this series."""
        places = np.flatnonzero(np.isfinite(values))
        return cls(name, frequency, times, values, places, values[places])

    @property
    def season(self) -> int:
        """Steps after which a series of this frequency usually repeats; 1: none."""
        return self.frequency.season

    def when(self, place: int) -> str:
        """The time at a place, as a person writes it."""
        return told(self.times[place], self.frequency)

    def without(self, dropped: np.ndarray) -> Subject:
        """The same, with the known values `dropped` (bool `(m,)`) taken for unknown."""
        if not dropped.any():
            return self
        values = self.values.copy()
        values[self.places[dropped]] = np.nan
        return Subject.of(self.name, self.frequency, self.times, values)

    def finding(
        self,
        kind: str,
        place: int | None,
        text: str,
        done: str,
        severity: Literal["note", "warning"] = "note",
        column: str | None = None,
    ) -> DataFinding:
        """A finding about this series, at a place of it."""
        time = None if place is None else self.when(place)
        return DataFinding(kind, self.name, time, column, text, done, severity)


def told(time: np.datetime64, frequency: Frequency) -> str:
    """A time as a person writes it; "step 17" where the points are only counted."""
    if not frequency.dated:
        return f"step {int(time.astype(np.int64))}"
    text = shown(time)
    return text[:-3] if " " in text and text.endswith(":00") else text


def number(value: float) -> str:
    """A value with as many digits as a person reads."""
    whole = float(value).is_integer() and abs(value) < 1e12
    return f"{value:,.0f}" if whole else f"{value:,.5g}"


def spread(values: np.ndarray) -> float:
    """Median absolute deviation, times 1.4826: the standard deviation where it is normal."""
    if not len(values):
        return 0.0
    return 1.4826 * float(middle(np.abs(values - middle(values))))


def middle(values: np.ndarray) -> float:
    """The upper median: an element of the values (numpy's median takes five times as long)."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])
