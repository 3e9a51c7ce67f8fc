"""`examine`: what a person should know of their series before a network learns from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.data.doctor_leaks import leaks
from unrolled.data.doctor_outliers import codes, spikes
from unrolled.data.doctor_subject import Subject, told
from unrolled.data.doctor_times import apart, irregular, too_short
from unrolled.data.doctor_units import unit_changes
from unrolled.data.doctor_values import gaps, negative_counts, standing_still
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError

__all__ = ["Checkup", "DataFinding", "examine"]


def examine(
    series: SeriesSet, *, horizon: int | None = None, lookback: int | None = None
) -> Checkup:
    """Looks through series before training, changes nothing, and says what it found.

    | kind | found where |
    |---|---|
    | duplicate | the reader of the data noted it, as any other kind of note |
    | gaps | values are missing; "few known" where more than half of them are |
    | constant | all values, or the last 2 seasons (30 at least) and more, are one value |
    | outliers | a code for "missing" such as -9999, or single spikes (see `spikes`) |
    | negative | single negative values among whole numbers |
    | unit change | the level jumps by a known factor for good (see `unit_changes`) |
    | leak | a covariate holds the target's future (see `leaks`) |
    | too short | fewer values than lookback + horizon |
    | irregular | the times are on no grid |
    | late start, early end | a series begins or ends apart from most others |

    The thresholds are set so that sound series (seasons, trends, counts, random walks, epidemics)
    give no warning. Each check is linear in the number of values (leaks: n log n), one series at a
    time.

    Args:
        series: what to look through.
        horizon: steps that will be forecast; without it nothing is too short, and leaks are looked
            for up to one season ahead.
        lookback: steps of history that a window of training will take.

    Raises:
        ConfigError: horizon or lookback is below 1.
    """
    for name, value in (("horizon", horizon), ("lookback", lookback)):
        if value is not None and value < 1:
            raise ConfigError(f"got {name}={value}, expected at least 1 step")
    found = [
        DataFinding(
            note.kind,
            note.series,
            told(note.time, series.frequency),
            None,
            note.text,
            "done while the data were read",
        )
        for note in getattr(series, "notes", ())
    ]
    for place in range(len(series)):
        found += _of_series(series, place, horizon, lookback)
    found += apart(series.times, series.ids, series.frequency)
    return Checkup.of(str(series), found)


def _of_series(
    series: SeriesSet, place: int, horizon: int | None, lookback: int | None
) -> Iterator[DataFinding]:
    subject = Subject.of(
        series.ids[place], series.frequency, series.times[place], series.values[place]
    )
    yield from irregular(subject)
    if horizon is not None:
        yield from too_short(subject, horizon, lookback)
    yield from gaps(subject)
    yield from standing_still(subject)
    subject, coded = codes(subject)
    yield from coded
    yield from spikes(subject)
    yield from negative_counts(subject)
    yield from unit_changes(subject)
    categories = getattr(series, "categories", {})
    for ahead, role in ((False, "past"), (True, "future")):
        covariates = getattr(series, role, None)
        if covariates is None:
            continue
        names = tuple(
            "" if name in categories else name for name in getattr(series, f"{role}_names")
        )
        steps = horizon or series.frequency.season
        yield from leaks(subject, np.asarray(covariates[place]), names, steps, ahead=ahead)
