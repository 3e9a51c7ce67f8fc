"""From what a user gives to series that a `Forecaster` can work with, or a plain line why not."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from unrolled.data.doctor import Checkup
from unrolled.data.frequency import Frequency
from unrolled.data.regular import shown
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError, DataWarning
from unrolled.tasks.arrays import Arrays, check_state
from unrolled.tasks.base import check_share, whole_number
from unrolled.tasks.forecasting.engine import TIME


def checked_holdout(holdout: float | int) -> float | int:
    """A share below 1 or a number of steps, as Python's own number; 0 for nothing.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(holdout, float | np.floating):
        if holdout != 0:
            check_share("holdout", holdout)
        return float(holdout)
    return whole_number("holdout", holdout, least=0)


def told(holdout: float | int) -> str:
    """What is held out, in words."""
    return f"{holdout:.0%}" if isinstance(holdout, float) else f"{holdout} steps"


def told_of(series: SeriesSet, cuts: list[int], holdout: float | int) -> str:
    """What is held out of these series, in words."""
    kept = [(len(values), cut) for values, cut in zip(series.values, cuts, strict=True)]
    text = f"the last {told(holdout)} of each series"
    if isinstance(holdout, float) and any(n - cut > round(n * holdout) for n, cut in kept):
        text += f", but at least {min(n - cut for n, cut in kept)} steps"
    return text


def warn_of(checkup: Checkup) -> None:
    """Say what the data doctor found that may spoil a forecast, a few lines of each kind."""
    if checkup.warnings:
        told_of = Checkup(checkup.about, checkup.warnings)
        lines = str(told_of).splitlines()[1:]
        warnings.warn("; ".join(line.strip() for line in lines), DataWarning, stacklevel=3)


def learnable(
    series: SeriesSet, horizon: int, holdout: float | int
) -> tuple[SeriesSet, tuple[str, ...]]:
    """The series that can be learnt from, and the names of those that are left out.

    One that is too short for the horizon, or of which too little is known, does not keep the others
    from being learnt. Where none can be learnt from all are returned: `cuts_of` says why.
    """
    kept = []
    for name, values in zip(series.ids, series.values, strict=True):
        cut = _cut(len(values), horizon, holdout)
        if cut >= horizon + 2 and np.isfinite(values[:cut]).sum() >= 2:
            kept.append(name)
    if not kept or len(kept) == len(series):
        return series, ()
    there = set(kept)
    return series.select(kept), tuple(name for name in series.ids if name not in there)


def warn_of_left_out(names: tuple[str, ...]) -> None:
    """Say which series were not learnt from."""
    shown = ", ".join(map(repr, names[:3])) + (
        f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    )
    warnings.warn(
        f"too short to learn from, or hardly known: series {shown}; left out, and can still be"
        " forecast",
        DataWarning,
        stacklevel=3,
    )


def _cut(length: int, horizon: int, holdout: float | int) -> int:
    """Where the held-out part begins: a share of a short series is one horizon at least."""
    if isinstance(holdout, float) and holdout:
        return length - max(round(length * holdout), horizon)
    return length - int(holdout)


def cuts_of(series: SeriesSet, horizon: int, holdout: float | int) -> list[int]:
    """Where the held-out part of each series begins; its end where nothing is held out.

    Raises:
        ConfigError: fewer steps are held out than a forecast has.
        DataError: a series is too short for the horizon, or holds no value to learn or to test.
    """
    cuts = []
    share = isinstance(holdout, float)
    if holdout and not share and holdout < horizon:
        raise ConfigError(
            f"holdout: got {told(holdout)}, expected at least the horizon, {horizon}, to score a"
            " forecast on; or 0 for no evaluation"
        )
    for name, values in zip(series.ids, series.values, strict=True):
        cut = _cut(len(values), horizon, holdout)
        if cut < horizon + 2:
            needed = horizon + 2 + int(holdout)
            if share and holdout:
                needed = max(2 * horizon + 2, int(np.ceil((horizon + 2) / (1 - holdout))))
            raise DataError(
                f"series {name!r} has {len(values)} values, expected at least {needed} for a"
                f" horizon of {horizon} with {told(holdout)} held out; give a longer series or a"
                " shorter horizon",
                file=series.source,
            )
        if np.isfinite(values[:cut]).sum() < 2:
            raise DataError(
                f"series {name!r} has fewer than 2 known values before its held-out part; leave it"
                " out or begin it later",
                file=series.source,
            )
        cuts.append(cut)
    later = [values[cut:] for values, cut in zip(series.values, cuts, strict=True)]
    if holdout and not any(np.isfinite(part).any() for part in later):
        raise DataError(
            "no series has a known value in its held-out part; give data that ends later",
            file=series.source,
        )
    return cuts


def evaluation_cuts(
    series: SeriesSet, trained_until: dict[str, np.datetime64], horizon: int
) -> list[int]:
    """Where the part of each series begins that a model may be scored on: behind its training part.

    Of a series that it does not know, the last fifth; its end where too little is left to score on,
    or to forecast from.

    Raises:
        DataError: that is so for every series.
    """
    cuts, short = [], None
    for name, times, values in zip(series.ids, series.times, series.values, strict=True):
        until = trained_until.get(name)
        cut = round(0.8 * len(times)) if until is None else int((times <= until).sum())
        known = np.isfinite(values)
        if known[:cut].sum() < 2 or len(times) - cut < horizon or not known[cut:].any():
            short = short or (name, len(times) - cut, cut)
            cut = len(times)
        cuts.append(cut)
    if short is not None and all(
        cut == len(times) for cut, times in zip(cuts, series.times, strict=True)
    ):
        name, later, before = short
        raise DataError(
            f"series {name!r} has {later} values to score on after {before} of history, expected at"
            f" least {horizon} after 2 known; give a longer series",
            file=series.source,
        )
    return cuts


def check_history(series: SeriesSet, frequency: Frequency) -> SeriesSet:
    """The history as one of the model's frequency, which it must fit; it must hold something, too.

    A short history may look like another frequency (four weekdays like days in a row): what counts
    is that its times fit the model's.

    Raises:
        DataError: it does not.
    """
    for name, times, values in zip(series.ids, series.times, series.values, strict=True):
        fits = frequency.on_grid(times).all() and not frequency.missing_between(times).any()
        if frequency.code == "step":  # of irregular times, only dates and counts are kept apart
            fits = series.frequency.dated == frequency.dated
        if series.frequency != frequency and not fits:
            raise DataError(
                f"series {name!r} is {series.frequency}, the model learnt {frequency} ones; give"
                " data of that frequency",
                file=series.source,
            )
        if not np.isfinite(values).any():
            raise DataError(
                f"series {name!r} has no known value to forecast from; leave it out",
                file=series.source,
            )
    return replace(series, frequency=frequency)


def checked_next(
    state: Arrays, time: np.datetime64 | None, frequency: Frequency
) -> np.datetime64 | None:
    """The time of one more value of a stream: one step after the value before; None stays None.

    Raises:
        DataError: it is no later, lies between two steps, or leaves steps out.
    """
    if time is None:
        return None
    check_state(state, TIME)
    both = np.array([state[TIME].item(), time], dtype="datetime64[us]")
    told = f"time: got {shown(both[1])} after {shown(both[0])}"
    if both[1] <= both[0]:
        raise DataError(f"{told}, expected ascending times; give the values in order")
    if not frequency.on_grid(both).all():
        raise DataError(f"{told}, expected a series that is {frequency}; correct the time")
    missing = int(frequency.missing_between(both)[0])
    if missing and frequency.dated:
        raise DataError(
            f"{told}, expected the next step of a series that is {frequency}; read NaN for each of"
            f" the {missing} that {'is' if missing == 1 else 'are'} missing"
        )
    return both[1]


def bytes_of(series: SeriesSet) -> bytes:
    """All that a model can learn from, for a checksum."""
    parts = ["\0".join(series.ids).encode()]
    for times, values in zip(series.times, series.values, strict=True):
        parts += [times.tobytes(), values.tobytes()]
    static = () if series.static is None else (series.static,)
    parts += [rows.tobytes() for rows in (*(series.past or ()), *(series.future or ()), *static)]
    return b"".join(parts)
