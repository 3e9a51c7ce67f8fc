"""How irregular times enter a network: the time since the last reading, as input columns."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unrolled.errors import ConfigError, DataError


def elapsed_names() -> tuple[str, str]:
    """Names of the columns of `elapsed_features`."""
    return "since the last reading", "first reading"


def usual_step(times: Iterable[np.ndarray]) -> np.timedelta64:
    """The median of all steps from reading to reading: the unit of `elapsed_features`.

    Args:
        times: for each series datetime64 `(n,)`, ascending.

    Raises:
        DataError: no series has two readings.
    """
    steps = [np.diff(np.asarray(one, dtype="datetime64[us]")).astype(np.int64) for one in times]
    every = np.concatenate(steps) if steps else np.empty(0, dtype=np.int64)
    if not len(every):
        raise DataError("no series has two readings, expected at least one that has; add readings")
    return np.timedelta64(int(np.median(every)), "us")


def elapsed_features(times: np.ndarray, unit: np.timedelta64 | None = None) -> np.ndarray:
    """The time since the last reading, squashed, and whether there was none.

        x[n, 0] = log(1 + (t_n - t_{n-1}) / unit),   x[0, 0] = 0
        x[n, 1] = 1 for n = 0, else 0

    The logarithm keeps minutes apart from hours without letting weeks drown both. What follows a
    reading is not known when it comes, so no column looks ahead; for a forecast at a given time,
    append that time.

    Args:
        times: datetime64, shape `(n,)`, ascending.
        unit: what one step is; default: the median step of these times. A model needs the same unit
            for every series, and when it predicts: see `usual_step`.

    Returns:
        float32, shape `(n, 2)`, columns as in `elapsed_names`.

    Raises:
        ConfigError: a unit that is not above zero.
        DataError: times that are not ascending.
    """
    times = np.asarray(times, dtype="datetime64[us]")
    features = np.zeros((len(times), 2), dtype=np.float32)
    features[:1, 1] = 1
    if len(times) < 2:
        return features
    steps = np.diff(times)
    if steps.min() <= np.timedelta64(0, "us"):
        place = int(np.argmin(steps))
        raise DataError(
            f"the time {times[place + 1]} comes after {times[place]}, expected ascending times; "
            "sort the readings by time"
        )
    unit = usual_step([times]) if unit is None else unit
    if unit <= np.timedelta64(0, "us"):
        raise ConfigError(f"got unit={unit}, expected a step above zero")
    features[1:, 0] = np.log1p(steps / unit)
    return features
