"""`make_patients`: made readings of patients at irregular times, for the worked example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    import polars

RELAXATION = 18.0
"""Hours after which a deviation from the personal level has faded to 1/e."""

PEAK = 3.0
"""Hours after which a dose lowers the reading most."""

_DEVIATION = 1.5
_PER_UNIT = 0.45
_NOISE = 0.2
_FIRST_DAY = np.datetime64("2024-01-01", "m")
_FIRST_HOUR = 8
# share, shortest and longest step in hours: checked again soon, between meals, days without a visit
_STEPS = ((0.3, 0.2, 1.5), (0.5, 3.0, 9.0), (0.2, 20.0, 96.0))


def make_patients(count: int = 200, seed: int = 0) -> polars.DataFrame:
    """Blood sugar of made patients, with their doses, age and sex. No person stands behind it.

    Patient `i` has a level, and readings at times `t_k` (hours since a midnight):

        level_i   = 7 + 0.06 (age_i - 50) + 0.5 [male] + N(0, 0.4)                     mmol/L
        u(t_k)    = e^{-dt/18} u(t_{k-1}) + 1.5 sqrt(1 - e^{-2 dt/18}) N(0, 1)         dt = t_k - t_{k-1}
        fall(t)   = sum over doses d_j before t of 0.45 d_j K(t - t_j),    K(s) = s/3 e^{1 - s/3}
        reading_k = level_i + 0.8 sin(2 pi (t_k - 9) / 24) + u(t_k) - fall(t_k) + N(0, 0.2)
        dose_k    = round(1.5 (reading_k - 7)), 1 to 12 units, with probability 0.7 where
                    reading_k > 8.5, right after the reading; else 0

    `u` is an Ornstein-Uhlenbeck process (Uhlenbeck & Ornstein 1930) seen at irregular times: how
    much the last reading still tells fades with the hours since, a dose is seen only in the hours
    after it, and where both are long past, age and sex tell most. The steps `dt` are log-uniform:
    12 to 90 minutes (30%), 3 to 9 hours (50%), 20 to 96 hours (20%). 3% of the readings failed:
    they are missing, and no dose was given. No reading is below 1.

    Args:
        count: of patients; each has 40 to 120 readings.
        seed: the same gives the same readings.

    Returns:
        long form, by patient and time: `patient` ("P001"), `time` (whole minutes), `glucose`
        (mmol/L, one decimal, null where it failed), `dose` (units), `age` (years), `sex` ("female",
        "male").

    Raises:
        ConfigError: count is below 1.
    """  # noqa: E501
    if count < 1:
        raise ConfigError(f"got count={count}, expected at least 1 patient")
    import polars as pl

    generator = np.random.default_rng(seed)
    digits = max(3, len(str(count)))
    frames = []
    for number in range(1, count + 1):
        age, male = int(generator.integers(20, 86)), bool(generator.random() < 0.5)
        minutes = _minutes(generator, int(generator.integers(40, 121)))
        level = 7 + 0.06 * (age - 50) + 0.5 * male + generator.normal(0, 0.4)
        readings, doses = _readings(generator, minutes / 60, level)
        n = len(minutes)
        frames.append(
            pl.DataFrame(
                {
                    "patient": [f"P{number:0{digits}}"] * n,
                    "time": (_FIRST_DAY + minutes.astype("timedelta64[m]")).astype(
                        "datetime64[us]"
                    ),
                    "glucose": pl.Series(readings.round(1)).fill_nan(None),
                    "dose": doses,
                    "age": [age] * n,
                    "sex": ["male" if male else "female"] * n,
                }
            )
        )
    return pl.concat(frames)


def _minutes(generator: np.random.Generator, n: int) -> np.ndarray:
    """Whole minutes since the first midnight of the study, ascending, int64 `(n,)`."""
    shares, low, high = (np.array(one) for one in zip(*_STEPS, strict=True))
    kind = generator.choice(len(_STEPS), size=n, p=shares)
    hours = np.exp(generator.uniform(np.log(low[kind]), np.log(high[kind])))
    return 60 * _FIRST_HOUR + np.cumsum(np.round(60 * hours)).astype(np.int64)


def _readings(
    generator: np.random.Generator, hours: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Readings (NaN where they failed) and doses at the hours since a midnight, `(n,)` each."""
    n = len(hours)
    readings, doses = np.empty(n), np.zeros(n)
    deviation = _DEVIATION * generator.normal()
    for k in range(n):
        if k:
            kept = np.exp(-(hours[k] - hours[k - 1]) / RELAXATION)
            deviation = kept * deviation + _DEVIATION * np.sqrt(1 - kept**2) * generator.normal()
        since = (hours[k] - hours[:k]) / PEAK
        fall = _PER_UNIT * float(doses[:k] @ (since * np.exp(1 - since)))
        rhythm = 0.8 * np.sin(2 * np.pi * (hours[k] - 9) / 24)
        reading = max(1.0, level + rhythm + deviation - fall + generator.normal(0, _NOISE))
        failed, gives = generator.random(2) < (0.03, 0.7)
        readings[k] = np.nan if failed else reading
        if not failed and gives and reading > 8.5:
            doses[k] = min(12.0, max(1.0, np.round(1.5 * (reading - 7))))
    return readings, doses
