"""From what a user gives to series that a `Forecaster` can work with, or a plain line why not."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.data.frequency import Frequency
from unrolled.data.series import read_series
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError


def series_of(data: SeriesSet | Any) -> SeriesSet:
    """The series of a set, a file or a frame.

    Raises:
        ConfigError: they come with past covariates, which the Forecaster does not use.
    """
    series = data if isinstance(data, SeriesSet) else read_series(data)
    if series.past is not None:
        raise ConfigError(
            f"got the past covariates {', '.join(series.past_names)}, which the Forecaster does not"
            " use; read the series without past_columns"
        )
    return series


def cuts_of(series: SeriesSet, horizon: int, holdout: float) -> list[int]:
    """Where the held-out part of each series begins.

    Raises:
        DataError: a series is too short for the horizon, or holds no value to learn or to test.
    """
    cuts = []
    for name, values in zip(series.ids, series.values, strict=True):
        cut = len(values) - round(len(values) * holdout)
        if cut < horizon + 2 or len(values) - cut < horizon:
            needed = max(
                int(np.ceil(horizon / holdout)), int(np.ceil((horizon + 2) / (1 - holdout)))
            )
            raise DataError(
                f"series {name!r} has {len(values)} values, expected at least {needed} for a"
                f" horizon of {horizon} with {holdout:.0%} held out; give a longer series or a"
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
    if not any(np.isfinite(part).any() for part in later):
        raise DataError(
            "no series has a known value in its held-out part; give data that ends later",
            file=series.source,
        )
    return cuts


def evaluation_cuts(
    series: SeriesSet, trained_until: dict[str, np.datetime64], horizon: int
) -> list[int]:
    """Where the part of each series begins that a model may be scored on: behind its training part.

    Of a series that it does not know, the last fifth.

    Raises:
        DataError: too little is left to score on, or to forecast from.
    """
    cuts = []
    for name, times, values in zip(series.ids, series.times, series.values, strict=True):
        until = trained_until.get(name)
        cut = round(0.8 * len(times)) if until is None else int((times <= until).sum())
        known = np.isfinite(values)
        if known[:cut].sum() < 2 or len(times) - cut < horizon or not known[cut:].any():
            raise DataError(
                f"series {name!r} has {len(times) - cut} values to score on after {cut} of"
                f" history, expected at least {horizon} after 2 known; give a longer series",
                file=series.source,
            )
        cuts.append(cut)
    return cuts


def check_history(series: SeriesSet, frequency: Frequency) -> SeriesSet:
    """A history must be of the model's frequency and hold something.

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
    return series


def bytes_of(series: SeriesSet) -> bytes:
    """All that a model can learn from, for a checksum."""
    parts = ["\0".join(series.ids).encode()]
    for times, values in zip(series.times, series.values, strict=True):
        parts += [times.tobytes(), values.tobytes()]
    return b"".join(parts)
