"""How loud a sound is: the level of its windows of 20 ms, in decibels of full scale."""

from __future__ import annotations

import numpy as np

# The loudest 20 ms of a silent recording, in dB of full scale; speech from afar is above.
SILENT = -60.0
_WINDOW_SECONDS = 0.02
_FLOOR = 1e-20
# Windows that are looked at together, so that an hour's samples are not copied at once.
_TOGETHER = 2_000


def window_size(rate: float) -> int:
    """Samples of a window."""
    return max(1, round(rate * _WINDOW_SECONDS))


def powers_of(samples: np.ndarray, size: int) -> np.ndarray:
    """Mean squares of windows of `size` samples, each without its mean; the last may be shorter."""
    whole = len(samples) // size * size
    powers = samples[:whole].reshape(-1, size).var(axis=1)
    rest = samples[whole:]
    return np.append(powers, rest.var()) if len(rest) else powers


def decibels(powers: np.ndarray) -> np.ndarray:
    """`10 log10` of mean squares; far below any sound where they are 0."""
    found: np.ndarray = 10 * np.log10(powers.astype(np.float64) + _FLOOR)
    return found


def is_silent(samples: np.ndarray, rate: float) -> bool:
    """Whether no window of samples `(N,)` in [-1, 1] is louder than -60 dB of full scale."""
    size = window_size(rate)
    blocks = np.split(samples, range(_TOGETHER * size, len(samples), _TOGETHER * size))
    return all(bool((decibels(powers_of(one, size)) < SILENT).all()) for one in blocks)
