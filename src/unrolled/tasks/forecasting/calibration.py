"""The calibration audit: whether forecast quantiles hold the shares that they name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.errors import ConfigError, DataError, ShapeError
from unrolled.training.metrics import central_intervals

Array = NDArray[np.float64]

# Bars of the PIT histogram.
BARS = 10
# A share that is off by less than this is no finding, whatever its standard error.
TOLERANCE = 0.05


@dataclass(frozen=True)
class IntervalAudit:
    """One central interval.

    Attributes:
        nominal: the share that it is to hold.
        covered: the share that it holds.
        width: its mean width, in the unit of the data.
        covered_by_step, width_by_step: the same at each step ahead, NaN where nothing is known.
    """

    nominal: float
    covered: float
    width: float
    covered_by_step: tuple[float, ...]
    width_by_step: tuple[float, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        count: how many values came true.
        levels: the quantile levels.
        below: at each level, the share of values at or below the forecast quantile.
        histogram: shares of the PIT in ten bars of width .1; all .1 where calibration is right, low
            in the middle and high at both ends where intervals are too narrow.
        intervals: the central intervals, narrow first.
        findings: in plain words, what is wrong; empty where nothing is.
    """

    count: int
    levels: tuple[float, ...]
    below: tuple[float, ...]
    histogram: tuple[float, ...]
    intervals: tuple[IntervalAudit, ...]
    findings: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"{one.nominal:.0%} interval: holds {one.covered:.0%}, mean width {one.width:.4g}"
            for one in self.intervals
        ]
        bars = " ".join(f"{share:.0%}" for share in self.histogram)
        lines.append(f"PIT in ten bars (10% each is right): {bars}")
        return "\n".join([*lines, *(self.findings or ("calibration: nothing found",))])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Audit:
        """The inverse of `to_dict`, also from JSON, which makes lists of tuples."""
        plain = {name: _tuples(value) for name, value in raw.items() if name != "intervals"}
        intervals = tuple(
            IntervalAudit(**{name: _tuples(value) for name, value in one.items()})
            for one in raw["intervals"]
        )
        return cls(**plain, intervals=intervals)


def audit(actual: ArrayLike, fans: ArrayLike, levels: ArrayLike) -> Audit:
    """Audits forecasts against what came true.

    Args:
        actual: `(N, K)`, NaN where it is not known.
        fans: `(N, K, Q)`, ascending along the last axis.
        levels: `(Q,)`, ascending inside (0, 1).

    Raises:
        ConfigError: levels that do not ascend inside (0, 1).
        ShapeError: the shapes do not fit each other.
        DataError: no value is known.

    Source: Gneiting, Balabdaoui and Raftery, "Probabilistic forecasts, calibration and sharpness",
    Journal of the Royal Statistical Society B 69, 2007.
    """
    came, given, shares = checked_fans(actual, fans, levels)
    known = np.isfinite(came)
    values, quantiles = came[known], given[known]
    at_or_below = (values[:, None] <= quantiles).mean(axis=0)
    bars = np.histogram(pit(values, quantiles, shares), bins=np.linspace(0, 1, BARS + 1))[0]
    intervals = []
    for nominal, lower, upper in central_intervals(shares):
        inside = (given[..., lower] <= came) & (came <= given[..., upper])
        width = given[..., upper] - given[..., lower]
        intervals.append(
            IntervalAudit(
                nominal,
                float(inside[known].mean()),
                float(width[known].mean()),
                _means_by_step(inside.astype(np.float64), known),
                _means_by_step(width, known),
            )
        )
    found = _findings(intervals, known.sum(axis=0), shares, at_or_below)
    return Audit(
        count=len(values),
        levels=tuple(map(float, shares)),
        below=tuple(map(float, at_or_below)),
        histogram=tuple(map(float, bars / len(values))),
        intervals=tuple(intervals),
        findings=found,
    )


def pit(actual: Array, fans: Array, levels: Array) -> Array:
    """`(...)`: the probability that each forecast gave to at most the value that came.

    Between two quantiles the probability is drawn straight; beyond the outermost it fades
    exponentially, with the density of the outermost gap. A value at which several quantiles stand
    gets the middle of their levels. Uniform on (0, 1) where calibration is right.

    Args:
        actual: `(...)`.
        fans: `(..., Q)`, ascending.
        levels: `(Q,)`.
    """
    flat, rows = np.reshape(actual, -1), np.reshape(fans, (-1, len(levels)))
    under = (rows < flat[:, None]).sum(axis=1)
    up_to = (rows <= flat[:, None]).sum(axis=1)
    last = len(levels) - 1
    left, right = np.clip(under - 1, 0, last), np.clip(under, 0, last)
    each = np.arange(len(flat))
    gap = rows[each, right] - rows[each, left]
    way = np.divide(flat - rows[each, left], gap, out=np.zeros(len(flat)), where=gap > 0)
    found = levels[left] + way * (levels[right] - levels[left])
    low = under + up_to == 0
    found[low] = _tail(rows[low, 0] - flat[low], rows[low, :2], levels[0], levels[:2])
    high = under > last
    found[high] = 1 - _tail(
        flat[high] - rows[high, -1], rows[high, -2:], 1 - levels[-1], levels[-2:]
    )
    at = up_to > under
    found[at] = (levels[right[at]] + levels[up_to[at] - 1]) / 2
    return np.reshape(found, np.shape(actual))


def _tail(beyond: Array, outermost: Array, mass: float, levels: Array) -> Array:
    """The probability further out than `beyond` the outermost quantile."""
    if len(levels) < 2:
        return np.full(len(beyond), mass / 2)
    spread = (outermost[:, 1] - outermost[:, 0]) * mass / (levels[1] - levels[0])
    steps = np.divide(beyond, spread, out=np.full(len(beyond), np.inf), where=spread > 0)
    return mass * np.exp(-steps)


def checked_fans(
    actual: ArrayLike, fans: ArrayLike, levels: ArrayLike
) -> tuple[Array, Array, Array]:
    """Actual `(N, K)`, fans `(N, K, Q)` and levels `(Q,)` as arrays that fit; else the error."""
    shares = np.asarray(levels, np.float64)
    if shares.ndim != 1 or not ((shares > 0) & (shares < 1)).all() or (np.diff(shares) <= 0).any():
        raise ConfigError(f"levels are {shares.tolist()}; expected ascending ones in (0, 1)")
    came, given = np.asarray(actual, np.float64), np.asarray(fans, np.float64)
    if came.ndim != 2 or given.shape != (*came.shape, len(shares)):
        raise ShapeError(
            f"actual has the shape {came.shape} and fans {given.shape}; expected (N, K) and "
            f"(N, K, {len(shares)})"
        )
    if not np.isfinite(came).any():
        raise DataError("no forecast came true yet; give past forecasts with known values")
    if not np.isfinite(given[np.isfinite(came)]).all():
        raise DataError("a forecast of a known value is not finite; leave out rows without one")
    return came, given, shares


def _means_by_step(values: Array, known: NDArray[np.bool_]) -> tuple[float, ...]:
    total, count = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    means = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return tuple(map(float, means))


def _findings(
    intervals: list[IntervalAudit], counts: NDArray[Any], levels: Array, below: Array
) -> tuple[str, ...]:
    found = []
    for one in intervals:
        by_step = np.array(one.covered_by_step)
        error = 2 * np.sqrt(one.nominal * (1 - one.nominal) / np.maximum(counts, 1))
        off = by_step - one.nominal
        sides = np.where(np.abs(off) > np.maximum(TOLERANCE, error), np.sign(off), 0)
        start = 0
        for side, run in groupby(sides.tolist()):
            steps = range(start, start + len(list(run)))
            start = steps.stop
            # A step at which nothing is known compares as nothing.
            if side in (-1, 1):
                share = np.average(
                    by_step[steps.start : start], weights=counts[steps.start : start]
                )
                word = "narrow" if side < 0 else "wide"
                found.append(
                    f"intervals too {word} at {_words(steps)}: {one.nominal:.0%} holds {share:.0%}"
                )
    middle = np.flatnonzero(levels == 0.5)
    if len(middle) and abs(below[middle[0]] - 0.5) > 2 * TOLERANCE:
        share = below[middle[0]]
        side, rest = ("high", f"{share:.0%} of the values lie below it") if share > 0.5 else (
            "low", f"{1 - share:.0%} of the values lie above it"
        )  # fmt: skip
        found.append(f"the median is too {side}: {rest}")
    return tuple(found)


def _words(steps: range) -> str:
    first, last = steps.start + 1, steps.stop
    return f"step {first}" if first == last else f"steps {first} to {last}"


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
