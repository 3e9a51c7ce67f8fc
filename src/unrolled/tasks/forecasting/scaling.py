"""From the unit of a series to the unit of the network, and back: one scale for each series."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """The scale of one series.

    Attributes:
        log: whether the series is read in logarithms, so that a change counts in percent.
        offset: in logarithms, the size below which values are read plainly, for series that have
            values without a logarithm; 0 where all have one.
        centre: mean level, in the (log) unit of the series.
        spread: standard deviation of the level.
        step: mean absolute change from one value to the next; the unit of what the network that
            answers at every step forecasts.
        swing: mean absolute change from one season to the next; the unit of what windows hold.
        least: 0 where no value was below, so that no forecast is either.
    """

    log: bool
    centre: float
    spread: float
    step: float
    swing: float = 1.0
    least: float = -np.inf
    offset: float = 0.0

    @classmethod
    def of(cls, values: Array, *, log: bool, season: int = 1) -> Scale:
        """The scale of `values` `(n,)`; NaN is left out, a constant gets 1 for all but the centre.

        Logarithms are asked for by `log`. A series with values that have none is then read by the
        inverse hyperbolic sine, which is a logarithm for large values and straight through zero.
        """
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(log, 0.0, 1.0, 1.0)
        least = 0.0 if known.min() >= 0 else -np.inf
        offset = _offset(known) if log else 0.0
        level = _level(values, log=log, offset=offset)
        known = level[np.isfinite(level)]
        if known.max() == known.min():
            return cls(log, float(known[0]), 1.0, 1.0, 1.0, least, offset)
        spread = float(known.std())
        step = float(np.abs(np.diff(known)).mean()) if len(known) > 1 else 0.0
        swing = _swing(level, season) or step
        sizes = spread or 1.0, step or spread or 1.0, swing or spread or 1.0
        return cls(log, float(known.mean()), *sizes, least, offset)

    def transform(self, values: Array) -> Array:
        """To the (log) level; a value that has no logarithm becomes unknown."""
        return _level(values, log=self.log, offset=self.offset)

    def restore(self, level: Array) -> Array:
        """The inverse of `transform`."""
        if not self.log:
            return level
        # exp overflows to infinity past 709; a forecast that far out is wrong anyhow, but finite.
        if self.offset > 0:
            return self.offset * np.sinh(np.clip(level, -600.0, 600.0))
        return np.exp(np.minimum(level, 700.0))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return asdict(self)

    def to_array(self) -> Array:
        """The same as `(7,)` numbers, for a state."""
        return np.array(list(asdict(self).values()), dtype=float)

    @classmethod
    def from_array(cls, kept: Array) -> Scale:
        """The inverse of `to_array`."""
        log, *sizes = kept.tolist()
        return cls(bool(log), *sizes)


def _swing(level: Array, season: int) -> float:
    """Mean absolute change over a season, of the places where both values are known; else 0."""
    changes = np.abs(level[season:] - level[:-season])
    known = changes[np.isfinite(changes)]
    return float(known.mean()) if len(known) else 0.0


def _level(values: Array, *, log: bool, offset: float) -> Array:
    if not log:
        return values
    if offset > 0:
        return np.arcsinh(values / offset)
    return np.log(np.where(values > 0, values, np.nan))


def _offset(known: Array) -> float:
    """A tenth of a typical positive value, where there are values without a logarithm; else 0."""
    positive = known[known > 0]
    if len(positive) == len(known):
        return 0.0
    if not len(positive):
        return 1.0
    # Not so small beside the largest value that dividing by it would overflow.
    least = max(1e-12 * float(np.abs(known).max()), float(np.finfo(np.float64).tiny))
    return max(float(np.median(positive)) / 10, least)


def changes_in_percent(values: tuple[Array, ...]) -> bool:
    """Whether the changes of most series grow with their level, as prices' do.

    A series votes for logarithms when hardly any of its values is negative and the mean absolute
    change in its upper half, by level, against that in its lower half is nearer to 1 in logarithms.
    """
    votes = [_votes_for_log(series[np.isfinite(series)]) for series in values]
    return 2 * sum(votes) > len(votes)


# Share of negative values (corrections of counts) up to which a series can be read in logarithms.
_CORRECTIONS = 0.02


def _votes_for_log(series: Array) -> bool:
    if len(series) < 8 or (series < 0).mean() > _CORRECTIONS:
        return False
    before = series[:-1]
    upper = before > np.median(before)
    level = _level(series, log=True, offset=_offset(series))
    plain, log = np.abs(np.diff(series)), np.abs(np.diff(level))
    sizes = [part[mask].mean() for part in (plain, log) for mask in (upper, ~upper) if mask.any()]
    if len(sizes) < 4 or min(sizes) <= 0:
        return False
    plain_upper, plain_lower, log_upper, log_lower = sizes
    return bool(abs(np.log(log_upper / log_lower)) < abs(np.log(plain_upper / plain_lower)))


def squash(x: Array, size: float) -> Array:
    """`size * tanh(x / size)`: the same near zero, never beyond `size`."""
    return size * np.tanh(x / size)


def fill_forward(level: Array, first: float) -> Array:
    """Each unknown value replaced by the last known one, or by `first` before there is one."""
    known = np.isfinite(level)
    if known.all():
        return level
    place = np.maximum.accumulate(np.where(known, np.arange(len(level)), -1))
    return np.where(place >= 0, level[np.maximum(place, 0)], first)
