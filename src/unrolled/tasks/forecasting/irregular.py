"""Readings at irregular times: the time since the last one as covariates by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unrolled.data.elapsed import elapsed_features, elapsed_names
from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import Arrays, check_state
from unrolled.tasks.forecasting.engine import TIME


def is_irregular(frequency: Frequency) -> bool:
    """Whether times of this frequency are dates on no grid."""
    return frequency.code == "step" and frequency.dated


def with_elapsed(series: SeriesSet, frequency: Frequency) -> SeriesSet:
    """The series with the columns of `elapsed_features` among their past covariates.

    Args:
        series: what was read; a set that holds a column of such a name stays as it is.
        frequency: of the model, whose usual step is the unit. On a grid nothing is added.
    """
    names = elapsed_names()
    if not is_irregular(frequency) or set(names) & set(series.past_names):
        return series
    unit = _unit(frequency)
    told = [elapsed_features(times, unit).astype(np.float64) for times in series.times]
    past = told
    if series.past is not None:
        past = [np.concatenate(both, axis=1) for both in zip(series.past, told, strict=True)]
    return replace(series, past=tuple(past), past_names=(*series.past_names, *names))


def elapsed_since(
    state: Arrays, time: np.datetime64 | None, frequency: Frequency
) -> dict[str, float]:
    """The same columns of one more reading, by name; nothing on a grid.

    Args:
        state: of the stream, up to the reading before it.
        time: its own; None: one usual step later.
        frequency: of the model.

    Raises:
        DataError: `time` is not after the reading before.
    """
    if not is_irregular(frequency):
        return {}
    check_state(state, TIME)
    unit, last = _unit(frequency), np.datetime64(state[TIME].item(), "us")
    both = np.array([last, last + unit if time is None else time], dtype="datetime64[us]")
    return dict(zip(elapsed_names(), elapsed_features(both, unit)[1].tolist(), strict=True))


def _unit(frequency: Frequency) -> np.timedelta64:
    return np.timedelta64(frequency.multiple, "us")
