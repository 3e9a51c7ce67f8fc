"""What every rival of a series asks of its input, and the gaps filled from what was known."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.errors import ConfigError, DataError, ShapeError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def filled(history: Floats, season: int) -> Floats:
    """`(n,)`: each NaN replaced by the last known value a whole number of seasons before it."""
    rows = -(-len(history) // season)
    padded = np.full(rows * season, np.nan)
    padded[: len(history)] = history
    table = padded.reshape(rows, season)
    known = np.where(np.isnan(table), 0, np.arange(rows)[:, None])
    source = np.maximum.accumulate(known, axis=0)
    return np.take_along_axis(table, source, axis=0).reshape(-1)[: len(history)]


def running_mean(values: Floats) -> Floats:
    """`(n,)`: the mean of the known values up to each; NaN before the first."""
    known = ~np.isnan(values)
    total, count = np.cumsum(np.where(known, values, 0.0)), np.cumsum(known)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def running_change(history: Floats, season: int) -> Floats:
    """`(n,)`: the mean of |y_t - y_{t-season}| over all steps up to each; gaps filled from before.

    The unit that errors are measured in; NaN before the first change is known.
    """
    before = np.append(np.full(season, np.nan), filled(history, season))
    return running_mean(np.abs(history - before[: len(history)]))


def normal_quantiles(levels: Floats) -> Floats:
    """`(Q,)`: the standard normal distribution's quantiles."""
    return np.array([NormalDist().inv_cdf(level) for level in levels])


def checked_history(history: ArrayLike) -> Floats:
    """`(n,)` float64, NaN for gaps; else DataError or ShapeError."""
    try:
        values = np.asarray(history, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "the history holds something that is not a number; give floats, NaN for gaps"
        ) from None
    if values.ndim != 1:
        raise ShapeError(f"a history has the shape {values.shape}; expected one dimension, (n,)")
    if np.isinf(values).any():
        step = int(np.flatnonzero(np.isinf(values))[0])
        raise DataError(f"the history is infinite at step {step}; give a number, or NaN for a gap")
    return values


def known_history(history: ArrayLike) -> Floats:
    """A checked history that holds a known value; else DataError."""
    values = checked_history(history)
    if np.isnan(values).all():
        raise DataError(
            f"the history of {len(values)} values holds no known one; give one at least"
        )
    return values


def checked_origins(origins: ArrayLike, length: int) -> Integers:
    """`(O,)` integers from 1 to `length`; else ConfigError or ShapeError."""
    starts = np.asarray(origins)
    if starts.ndim != 1:
        raise ShapeError(f"origins have the shape {starts.shape}; expected one dimension, (O,)")
    if starts.size and (starts.dtype.kind not in "iu" or starts.min() < 1 or starts.max() > length):
        raise ConfigError(
            f"origins run from {starts.min()} to {starts.max()}; "
            f"expected integers from 1 to the length of the history, {length}"
        )
    return starts.astype(np.int64)


def checked_quantiles(quantiles: ArrayLike) -> Floats:
    """`(Q,)` levels inside (0, 1); else ConfigError."""
    levels = np.asarray(quantiles, dtype=np.float64)
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ConfigError(
            f"quantiles are {levels.tolist()}; give a list of numbers between 0 and 1"
        )
    return levels


def check_horizon(horizon: int) -> None:
    """ConfigError unless the horizon is one step or more."""
    if horizon < 1:
        raise ConfigError(f"horizon is {horizon}; give 1 step or more")
