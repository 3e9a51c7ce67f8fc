"""What the calendar says about a time, as numbers that turn in circles."""

from __future__ import annotations

from typing import Literal

import numpy as np

from unrolled.data.frequency import Frequency

_YEARLY = frozenset({"s", "min", "h", "D", "B", "W", "MS", "QS"})
_WEEKLY = frozenset({"s", "min", "h", "D", "B"})
_DAILY = frozenset({"s", "min", "h"})
_MONTHLY = frozenset({"s", "min", "h", "D", "B", "W"})
_HARMONICS = (1, 2)


def calendar_names(frequency: Frequency) -> tuple[str, ...]:
    """Names of the columns of `calendar_features`, such as "sin(day of year)" and "cos(2 hour)"."""
    return _wave_names(_cycles(frequency))


def calendar_features(times: np.ndarray, frequency: Frequency) -> np.ndarray:
    """Sine and cosine of where each time stands in its year, week and day.

        x[n, :] = sin(2 pi k p), cos(2 pi k p)   for k = 1, 2 and each cycle that fits the frequency

    `p` in [0, 1) is the part of the cycle that has passed. Day of year: hourly and finer to
    quarterly; day of week: daily and finer; hour: hourly and finer. Yearly series and steps have
    none (F = 0).

    Args:
        times: datetime64, shape `(n,)`.
        frequency: decides which cycles there are.

    Returns:
        float32, shape `(n, F)`, columns as in `calendar_names`.
    """
    return _waves(times, _cycles(frequency))


def calendar_more_names(frequency: Frequency) -> tuple[str, ...]:
    """Names of the columns of `calendar_more`, such as "sin(day of month)"."""
    return _wave_names(_more_cycles(frequency))


def calendar_more(times: np.ndarray, frequency: Frequency) -> np.ndarray:
    """Sine and cosine of where each time stands in its month, as `calendar_features` has cycles.

    For pay days, ends of months and what is billed by them; daily and finer by the day, weekly by
    the week of the month. Other frequencies have none (M = 0).

    Args:
        times: datetime64, shape `(n,)`.
        frequency: decides whether there is such a cycle.

    Returns:
        float32, shape `(n, M)`, columns as in `calendar_more_names`.
    """
    return _waves(times, _more_cycles(frequency))


def _wave_names(cycles: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"{wave}({'' if harmonic == 1 else f'{harmonic} '}{cycle})"
        for cycle in cycles
        for harmonic in _HARMONICS
        for wave in ("sin", "cos")
    )


def _waves(times: np.ndarray, cycles: tuple[str, ...]) -> np.ndarray:
    times = np.asarray(times, dtype="datetime64[us]")
    columns = []
    for cycle in cycles:
        angle = 2 * np.pi * _passed(times, cycle)
        for harmonic in _HARMONICS:
            columns += [np.sin(harmonic * angle), np.cos(harmonic * angle)]
    if not columns:
        return np.zeros((len(times), 0), dtype=np.float32)
    return np.stack(columns, axis=1).astype(np.float32)


def _cycles(frequency: Frequency) -> tuple[str, ...]:
    every = {"day of year": _YEARLY, "day of week": _WEEKLY, "hour": _DAILY}
    return tuple(cycle for cycle, codes in every.items() if frequency.code in codes)


def _more_cycles(frequency: Frequency) -> tuple[str, ...]:
    return ("day of month",) if frequency.code in _MONTHLY else ()


def _passed(times: np.ndarray, cycle: str) -> np.ndarray:
    if cycle in ("day of year", "day of month"):
        unit: Literal["Y", "M"] = "Y" if cycle == "day of year" else "M"
        whole = times.astype(f"datetime64[{unit}]")
        begin = whole.astype("datetime64[us]")
        return (times - begin) / (
            (whole + np.timedelta64(1, unit)).astype("datetime64[us]") - begin
        )
    if cycle == "day of week":
        # datetime64[W] counts weeks from Thursday 1970-01-01
        begin = times.astype("datetime64[W]").astype("datetime64[us]")
        return (times - begin) / np.timedelta64(7, "D")
    return (times - times.astype("datetime64[D]")) / np.timedelta64(1, "D")
