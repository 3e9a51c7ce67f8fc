"""Leaks: covariates that hold the target's future."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.doctor_subject import Subject

_SAME = 0.999
_FEWEST = 30
# beyond these parts of the sorted values they are clipped: a code for "missing" in both columns
# would be all that their correlation sees
_TAIL = 0.01
_STEPS_AGREE = 0.5
_ERRORS = 0.02
_CLEARLY = 0.5


@dataclass(frozen=True)
class _Match:
    """How a covariate agrees with the target `shift` steps later: of the values, of their steps."""

    shift: int
    levels: float
    steps: float


def leaks(
    subject: Subject, covariates: np.ndarray, names: tuple[str, ...], horizon: int, *, ahead: bool
) -> Iterator[DataFinding]:
    """Covariates that equal, or correlate above 0.999 with, what is to be forecast.

    The covariate at `t` is compared with the target at `t + k`. A past covariate leaks for
    `k = 1 ... horizon`. A future one, known ahead, leaks for any `k > -horizon`: at `k = 0` it
    tells the target of its own time. Since neighbouring values of a smooth series agree as well,
    the steps from value to value must agree, too (above 0.5), and twice as closely (by 1 - r) as
    at any `k` that is no leak: a covariate that repeats every season tells nothing new. The 2% of
    the values that agree least are left out, so that single errors do not hide a copy.

    Args:
        subject: the target.
        covariates: float64 `(n or more, P)`.
        names: of the `P` columns; only these are looked at where categories are left out as "".
        horizon: steps ahead.
        ahead: whether they are known ahead.
    """
    n = len(subject.values)
    target = _clipped(subject.values)
    if target is None:
        return
    reach = min(2 * horizon, n - _FEWEST)
    shifts = np.arange(-reach, reach + 1)
    leaking = shifts > (-horizon if ahead else 0)
    if not leaking.any():
        return
    length = _fast_length(n + reach)
    spectrum = _spectrum(np.diff(target), length)
    for column, name in enumerate(names):
        covariate = _clipped(covariates[:n, column]) if name else None
        if covariate is None:
            continue
        # |correlation| of the steps at every shift; exact where nothing is missing
        product = np.fft.irfft(np.conj(_spectrum(np.diff(covariate), length)) * spectrum, length)
        agreement = np.abs(product[shifts]) / (n - 1 - np.abs(shifts))
        best = int(np.argmax(np.where(leaking, agreement, -1.0)))
        harmless = float(agreement[~leaking].max(initial=0.0))
        if agreement[best] < _STEPS_AGREE:
            continue
        match = _matched(covariate, target, int(shifts[best]))
        certain = harmless < _SAME and 1 - match.steps <= _CLEARLY * (1 - harmless)
        if match.levels > _SAME and certain:
            yield _finding(subject, name, match, ahead)


def _clipped(values: np.ndarray) -> np.ndarray | None:
    known = values[np.isfinite(values)]
    if len(known) < _FEWEST:
        return None
    cut = int(_TAIL * len(known))
    ordered = np.partition(known, (cut, len(known) - 1 - cut))
    low, high = ordered[cut], ordered[len(known) - 1 - cut]
    return np.clip(values, low, high) if high > low else None


def _matched(covariate: np.ndarray, target: np.ndarray, shift: int) -> _Match:
    steps = _correlation(*_aligned(np.diff(covariate), np.diff(target), shift))
    return _Match(shift, _correlation(*_aligned(covariate, target, shift)), steps)


def _fast_length(least: int) -> int:
    """The smallest 2^a, 3 * 2^a or 5 * 2^a that is not below."""
    return min(odd << max(-(-least // odd) - 1, 0).bit_length() for odd in (1, 3, 5))


def _spectrum(values: np.ndarray, length: int) -> np.ndarray:
    """Of the values less their mean, by their standard deviation, 0 where unknown."""
    known = np.isfinite(values)
    filled = values if known.all() else np.where(known, values, 0.0)
    centred = filled - filled.sum() / max(int(known.sum()), 1)
    centred[~known] = 0.0
    scale = np.sqrt(centred @ centred / len(centred))
    return np.fft.rfft(centred / scale if scale > 0 else centred, length)


def _aligned(
    covariate: np.ndarray, target: np.ndarray, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    if shift >= 0:
        return covariate[: len(covariate) - shift], target[shift:]
    return covariate[-shift:], target[:shift]


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """|r| without the 2% of the values that agree least."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _FEWEST:
        return 0.0
    one, other = one[both], other[both]
    centred = one - one.mean()
    square = float(centred @ centred)
    slope = float(centred @ other) / square if square > 0 else 0.0
    off = np.abs(other - other.mean() - slope * centred)
    last = len(off) - 1 - int(_ERRORS * len(off))
    kept = off <= np.partition(off, last)[last]
    one, other = one[kept] - one[kept].mean(), other[kept] - other[kept].mean()
    scale = np.sqrt((one @ one) * (other @ other))
    return abs(float(one @ other / scale)) if scale > 0 else 0.0


def _finding(subject: Subject, column: str, match: _Match, ahead: bool) -> DataFinding:
    amount = f"(correlation {match.levels:.4f})"
    k = abs(match.shift)
    steps = f"{k:,} step{'s' * (k > 1)}"
    if match.shift == 0:
        when = "at the same time"
    else:
        when = f"{steps} {'later' if match.shift > 0 else 'earlier'}"
    what = "known ahead, but " if ahead else ""
    return subject.finding(
        "leak",
        int(subject.places[0]),
        f"{what}moves as the target {when} {amount}",
        "left as it is: leave the column out unless it is truly known "
        + ("ahead" if ahead else "at its time"),
        "warning",
        column,
    )
