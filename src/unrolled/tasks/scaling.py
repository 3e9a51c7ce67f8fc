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
        centre: mean level, in the (log) unit of the series.
        spread: standard deviation of the level.
        step: mean absolute change from one value to the next; the unit of what is forecast.
    """

    log: bool
    centre: float
    spread: float
    step: float

    @classmethod
    def of(cls, values: Array, *, log: bool) -> Scale:
        """The scale of `values` `(n,)`; NaN is left out, a constant gets spread and step 1.

        Logarithms are used where they are asked for and all values have one.
        """
        known = values[np.isfinite(values)]
        log = log and bool((known > 0).all())
        if not len(known):
            return cls(log, 0.0, 1.0, 1.0)
        known = _level(known, log=log)
        if known.max() == known.min():
            return cls(log, float(known[0]), 1.0, 1.0)
        spread = float(known.std())
        step = float(np.abs(np.diff(known)).mean()) if len(known) > 1 else 0.0
        return cls(log, float(known.mean()), spread or 1.0, step or spread or 1.0)

    def transform(self, values: Array) -> Array:
        """To the (log) level; a value that has no logarithm becomes unknown."""
        return _level(values, log=self.log)

    def restore(self, level: Array) -> Array:
        """The inverse of `transform`."""
        # exp overflows to infinity past 709; a forecast that far out is wrong anyhow, but finite.
        return np.exp(np.minimum(level, 700.0)) if self.log else level

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return asdict(self)


def _level(values: Array, *, log: bool) -> Array:
    return np.log(np.where(values > 0, values, np.nan)) if log else values


def changes_in_percent(values: tuple[Array, ...]) -> bool:
    """Whether the changes of most series grow with their level, as prices' do.

    A series votes for logarithms when all its values are positive and the mean absolute change in
    its upper half, by level, against that in its lower half is nearer to 1 in logarithms.
    """
    votes = [_votes_for_log(series[np.isfinite(series)]) for series in values]
    return 2 * sum(votes) > len(votes)


def _votes_for_log(series: Array) -> bool:
    if len(series) < 8 or series.min() <= 0:
        return False
    before = series[:-1]
    upper = before > np.median(before)
    plain, log = np.abs(np.diff(series)), np.abs(np.diff(np.log(series)))
    sizes = [part[mask].mean() for part in (plain, log) for mask in (upper, ~upper) if mask.any()]
    if len(sizes) < 4 or min(sizes) <= 0:
        return False
    plain_upper, plain_lower, log_upper, log_lower = sizes
    return bool(abs(np.log(log_upper / log_lower)) < abs(np.log(plain_upper / plain_lower)))
