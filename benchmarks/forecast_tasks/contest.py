"""A contest: series, what may be learnt of them, and the moments from which everyone forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from run_folder import TEST, VALIDATION

from unrolled.data.series_set import SeriesSet

Array = NDArray[np.float64]
Places = NDArray[np.int64]

# Shares of the past that are learnt and scored: where settings are chosen, and where they are told.
PARTS = {TEST: (0.8, 1.0), VALIDATION: (0.7, 0.8)}
# Levels of the tasks that are scored by the quantile loss.
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Contest:
    """Shapes: `O` origins of a series, `K` steps ahead, `Q` levels.

    Attributes:
        name: what is asked, such as "24 hours".
        series: with all that came true.
        cuts: for each series, where what may be learnt ends.
        origins: for each series the places of the last value that is known, `(O,)`.
        horizon, levels: of the forecasts.
        held_out: in words, what is scored.
    """

    name: str
    series: SeriesSet
    cuts: tuple[int, ...]
    origins: tuple[Places, ...]
    horizon: int
    levels: tuple[float, ...]
    held_out: str

    @property
    def learnt(self) -> SeriesSet:
        """What may be learnt: each series up to its cut."""
        return self.series.until(self.cuts)

    @property
    def past(self) -> list[Array]:
        """The values of the same."""
        return [values[:cut] for values, cut in zip(self.series.values, self.cuts, strict=True)]

    @property
    def actual(self) -> list[Array]:
        """For each series what came true, `(O, K)`."""
        ahead = np.arange(1, self.horizon + 1)
        return [
            values[at[:, None] + ahead]
            for values, at in zip(self.series.values, self.origins, strict=True)
        ]

    def only(self, names: Sequence[str]) -> Contest:
        """The contest of some of the series, in the order asked for."""
        places = [self.series.ids.index(name) for name in names]
        return replace(
            self,
            series=self.series.select(names),
            cuts=tuple(self.cuts[place] for place in places),
            origins=tuple(self.origins[place] for place in places),
        )

    @property
    def count(self) -> int:
        """Forecasts that are scored, over all series."""
        return sum(map(len, self.origins))


def rolling(
    series: SeriesSet,
    horizon: int,
    part: str,
    *,
    name: str,
    levels: Sequence[float] = LEVELS,
    apart: int = 1,
    least: int = 0,
) -> Contest:
    """Every origin (or each one `apart`) whose answers all lie in a part of each series.

    The networks and the rivals learn what precedes the part, once; their forecasts then see every
    value up to the origin.

    Args:
        series: with all that came true.
        horizon: steps ahead.
        part: "test" (the last 20%) or "validation" (the 10% before them).
        name: of the contest.
        levels: of the quantiles.
        apart: steps from origin to origin.
        least: shorter series are left out.
    """
    begin, end = PARTS[part]
    series = series.select(
        [one for one, n in zip(series.ids, series.lengths, strict=True) if n >= least]
    )
    cuts = tuple(int(n * begin) for n in series.lengths)
    ends = [int(n * end) for n in series.lengths]
    origins = tuple(
        np.arange(cut - 1, last - horizon, apart) for cut, last in zip(cuts, ends, strict=True)
    )
    told = f"{begin:.0%} to {end:.0%} of each series"
    told += f", every {apart} steps" if apart > 1 else ", every step"
    return Contest(name, series, cuts, origins, horizon, tuple(levels), told)
