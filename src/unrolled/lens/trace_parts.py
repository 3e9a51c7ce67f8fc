"""What a trace of some tasks holds beside its layers: plain records, each of which checks itself.

    Series       what a forecaster read, in the user's unit
    Forecast     what it foretold, and what came true
    Links        where each step looked (attention)
    Spectrogram  what was heard, and the symbol that each step answers (CTC)

Shapes: `T` steps of the trace, `N` points of a series or frames of a sound, `K` steps ahead, `Q`
levels, `S` sources, `F` bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """The end of a series that a network read.

    Attributes:
        name: of the series.
        times: `N` texts, in their order.
        values: `(N,)` float64, in the user's unit; NaN where there is none.
        reads: `(T, 2)` int64: step `t` reads the values from place `reads[t, 0]` up to, and not
            with, `reads[t, 1]`.
    """

    name: str
    times: tuple[str, ...]
    values: Doubles
    reads: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.times)
        check("series, values", self.values, "float64", (count,))
        check("series, reads", self.reads, "int64", (len(self.reads), 2))
        begins, ends = self.reads[:, 0], self.reads[:, 1]
        if not ((begins >= 0) & (begins < ends) & (ends <= count)).all():
            raise ConfigError(f"series, reads: expected places from 0 to {count}, each step some")


@dataclass(frozen=True, eq=False)
class Forecast:
    """A forecast of the steps that follow a series.

    Attributes:
        times: `K` texts.
        levels: `Q` levels of the quantiles, ascending, inside (0, 1).
        quantiles: `(K, Q)` float64, in the user's unit.
        truth: `(K,)` float64, what came; NaN where that is not known.
    """

    times: tuple[str, ...]
    levels: tuple[float, ...]
    quantiles: Doubles
    truth: Doubles

    def __post_init__(self) -> None:
        count = len(self.times)
        check("fan, quantiles", self.quantiles, "float64", (count, len(self.levels)))
        check("fan, truth", self.truth, "float64", (count,))
        edges = (0.0, *self.levels, 1.0)
        if not (count and all(a < b for a, b in pairwise(edges))):
            raise ConfigError(
                f"fan: got {count} steps and the levels {self.levels}, expected a step at least,"
                " and levels that ascend inside (0, 1)"
            )

    @property
    def coverage(self) -> dict[float, float]:
        """By the share that each interval around the median should hold, the share of what came
        that it holds; empty where nothing came."""
        known = np.isfinite(self.truth)
        if not known.any():
            return {}
        found = {}
        for low, level in enumerate(self.levels):
            for high in range(low + 1, len(self.levels)):
                if abs(level + self.levels[high] - 1) < 1e-9:
                    fan, came = self.quantiles[known], self.truth[known]
                    inside = (came >= fan[:, low]) & (came <= fan[:, high])
                    found[round(1 - 2 * level, 9)] = float(inside.mean())
        return found


@dataclass(frozen=True, eq=False)
class Links:
    """Where a network looked at each step.

    Attributes:
        sources: `S` texts that could be looked at.
        targets: `T` texts, what each step answered.
        weights: `(T, S)`, from 0 to 1; each step's add up to 1.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    weights: Array

    def __post_init__(self) -> None:
        check("links", self.weights, "float32", (len(self.targets), len(self.sources)))
        sums = self.weights.sum(axis=1)
        if not ((self.weights >= 0).all() and np.allclose(sums, 1, atol=1e-3)):
            raise ConfigError("links: expected weights from 0 up that add up to 1 at each step")


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """A sound as a network heard it.

    Attributes:
        values: `(N, F)`, the energy of each band in each frame, low bands first.
        hop: seconds from one frame to the next.
        path: `T` texts, the symbol of each step, "" for the blank. The steps share the frames
            evenly: step `t` hears those from `t N / T` on.
    """

    values: Array
    hop: float
    path: tuple[str, ...]

    def __post_init__(self) -> None:
        frames, bands = self.values.shape if self.values.ndim == 2 else (0, 0)
        check("spectrogram", self.values, "float32", (frames, bands))
        if not (bands and frames >= len(self.path) > 0):
            raise ConfigError(
                f"spectrogram: got {frames} frames of {bands} bands and {len(self.path)} symbols,"
                " expected a frame at least for each of them"
            )
        if not (np.isfinite(self.values).all() and 0 < self.hop < np.inf):
            raise ConfigError(
                f"spectrogram: expected finite energies and a hop above 0 ({self.hop})"
            )

    @property
    def text(self) -> str:
        """What the path says: a run of a symbol counts once, blanks not at all.

        Source: Graves et al. 2006 (CTC).
        """
        return "".join(symbol for symbol, _ in groupby(self.path))


def check(name: str, values: Any, dtype: str, shape: tuple[int, ...]) -> None:
    """Raise ConfigError for what is no array of this kind and shape."""
    if not isinstance(values, np.ndarray) or values.dtype != dtype or values.shape != shape:
        got = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else "none"
        raise ConfigError(f"{name}: got {got}, expected {dtype} {shape}")
