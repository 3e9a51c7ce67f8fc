"""Second moments of windows over many series: all that a linear map needs to be fitted and judged.

One pass over the data serves every number of lags (a shorter window's moments are a part of a
longer one's), maps with and without the level, and every penalty; the memory does not grow with the
data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from unrolled.baselines.histories import Floats, Integers, filled, running_change, running_mean

# Numbers in the windows that are summed at once: 16 MB of float64.
_AT_ONCE = 2**21
# A window is left out where more than this share of what it should answer is not known.
_MOST_UNKNOWN = 0.5


def lag_windows(history: Floats, origins: Integers, lags: int) -> Floats:
    """`(O, lags)`: the values before each origin, the last one first.

    A gap holds the last known value; what lies before the first known value holds that one. An
    origin that has seen no known value gets NaN.
    """
    held = filled(history, 1)
    known = np.flatnonzero(~np.isnan(held))
    first = int(known[0]) if len(known) else len(held)
    places = np.maximum(origins[:, None] - 1 - np.arange(lags), first)
    seen = origins[:, None] > first
    return np.where(seen, np.append(held, np.nan)[np.where(seen, places, -1)], np.nan)


def lessons(
    history: Floats, origins: Integers, lags: int, horizon: int
) -> Iterator[tuple[Integers, Floats, Floats]]:
    """Windows of one series, as `LagMoments` sums them: origins, inputs, answers, in bounded parts.

    What the answers lack inside the series is drawn straight between the known neighbours; what the
    inputs lack is the last known value, as it will be in a forecast. Left out is a window before
    which the series has not changed yet, and one that would be answered mostly by such lines.
    """
    known = ~np.isnan(history)
    unknown = np.append(0, np.cumsum(~known))
    share = (unknown[origins + horizon] - unknown[origins]) / horizon
    change, level = running_change(history, 1), running_mean(history)
    origins = origins[(share <= _MOST_UNKNOWN) & (change[origins - 1] > 0)]
    places = np.arange(len(history))
    came = np.interp(places, places[known], history[known])
    spread = history[known].std()
    rows = _AT_ONCE // (lags + horizon) + 1
    for begin in range(0, len(origins), rows):
        part = origins[begin : begin + rows]
        window = lag_windows(history, part, lags)
        last = window[:, :1]
        inputs = np.empty((len(part), lags + 1))
        inputs[:, :-2] = window[:, 1:] - last
        inputs[:, -2] = level[part - 1] - last[:, 0]
        inputs[:, -1] = change[part - 1]
        answers = came[part[:, None] + np.arange(horizon)] - last
        yield part, inputs / spread, answers / spread


@dataclass
class LagMoments:
    """Sums over windows of many series, relative to the last value `z_t`, each divided by `d`.

        x = (z_{t-1} - z_t, ..., z_{t-L+1} - z_t, m_t - z_t, s_t) / d,   y_k = (z_{t+k} - z_t) / d

    `m_t` is the mean of the series so far, `s_t` its mean absolute change so far, and `d` the
    standard deviation of the whole series, so that each series counts alike.

    Attributes:
        inputs: `(L + 1, L + 1)`, the sum of x x'.
        cross: `(L + 1, K)`, the sum of x y'.
        answers: the sum of y^2 over windows and steps.
        windows: how many.
    """

    inputs: Floats
    cross: Floats
    answers: float = 0.0
    windows: int = 0
    _waiting: list[tuple[Floats, Floats]] = field(default_factory=list, repr=False)
    _rows: int = field(default=0, repr=False)

    @classmethod
    def empty(cls, lags: int, horizon: int) -> LagMoments:
        """Sums of nothing."""
        return cls(np.zeros((lags + 1, lags + 1)), np.zeros((lags + 1, horizon)))

    def add(self, inputs: Floats, answers: Floats) -> None:
        """Takes in windows `(R, L + 1)` and `(R, K)`; `finish` after the last."""
        self._waiting.append((inputs, answers))
        self._rows += len(inputs)
        if self._rows * (inputs.shape[1] + answers.shape[1]) > _AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Sums what waits: a product of many small series' windows at once is much the faster."""
        if not self._waiting:
            return
        inputs, answers = (np.concatenate(some) for some in zip(*self._waiting, strict=True))
        self._waiting, self._rows = [], 0
        self.inputs += inputs.T @ inputs
        self.cross += inputs.T @ answers
        self.answers += float(np.square(answers).sum())
        self.windows += len(inputs)

    def __add__(self, other: LagMoments) -> LagMoments:
        return LagMoments(
            self.inputs + other.inputs,
            self.cross + other.cross,
            self.answers + other.answers,
            self.windows + other.windows,
        )

    def of(self, lags: int, *, level: bool) -> LagMoments:
        """The moments of the same windows with fewer lags, and with or without the level.

        Without it, its row and column are zero: the map that `solve` gives has no use for it.
        """
        size = len(self.inputs)
        kept = np.append(np.arange(lags - 1), [size - 2, size - 1])
        used = np.ones(lags + 1)
        used[-2] = level
        part = self.inputs[np.ix_(kept, kept)] * np.outer(used, used)
        return LagMoments(part, self.cross[kept] * used[:, None], self.answers, self.windows)

    def solve(self, penalties: Floats) -> Floats:
        """`(P, L + 1, K)`: for each of `P` penalties the map of the least penalised squared error.

            min over W  mean |y - W' x|^2 + penalty v |W|^2

        with `v` the mean square of an input; the last row, for `s_t`, is not penalised: it is taken
        out of the other inputs and of the answers first (Frisch, Waugh and Lovell).
        """
        drift = max(float(self.inputs[-1, -1]), np.finfo(np.float64).tiny)
        on_drift, answer_drift = self.inputs[-1, :-1] / drift, self.cross[-1] / drift
        inputs = self.inputs[:-1, :-1] - drift * np.outer(on_drift, on_drift)
        cross = self.cross[:-1] - drift * np.outer(on_drift, answer_drift)
        # One decomposition serves every penalty. Rounding leaves values a little below 0.
        values, vectors = np.linalg.eigh(inputs)
        unit = float(np.mean(values)) or 1.0  # All zero where no input is used.
        gains = 1 / (np.maximum(values, 0) + penalties[:, None] * unit)
        slopes = vectors @ (gains[:, :, None] * (vectors.T @ cross))
        return np.concatenate([slopes, (answer_drift - on_drift @ slopes)[:, None, :]], axis=1)

    def error(self, maps: Floats) -> Floats:
        """`(P,)`: the mean squared error of maps `(P, L + 1, K)` over these windows and steps."""
        fitted = (maps * (self.inputs @ maps - 2 * self.cross)).sum(axis=(1, 2))
        return (fitted + self.answers) / (self.windows * self.cross.shape[1])
