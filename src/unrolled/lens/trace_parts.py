"""What a trace of some tasks holds beside its layers: plain records, each of which checks itself.

    Influence    how much each input moves the output of each step
    Series       what a forecaster read, in the user's unit
    Forecast     what it foretold, and what came true
    Links        where each step looked (attention)
    Beam         how a translation was searched for, as a tree
    Spectrogram  what was heard, and the symbol that each step answers (CTC)

Shapes: `T` steps of the trace, `N` points of a series, frames of a sound or nodes of a tree, `K`
steps ahead, `Q` levels, `S` sources, `F` bands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]
Places = NDArray[np.int64]
Fate = Literal["kept", "finished", "pruned"]


@dataclass(frozen=True, eq=False)
class Influence:
    """How much each input moves an output: what the network remembers of it.

        size[t, k] = ‖d o_t / d x_s‖,   product[t, k] = x_s · d o_t / d x_s,   s = t + ahead - k

    `x_s` are the numbers that the first recurrent layer reads at step s, an embedding where the
    inputs are tokens. What lies before the first step, or before a new sequence, is 0.

    Attributes:
        of: in words, what `o_t` is.
        size: `(T, K)`; or `(1, T)` where there is one output for all steps, column s of step s.
        product: as `size`, signed: how far the output would fall if the input were not there, as
            far as the gradient tells.
        ahead: how many steps after its own an output sees; 0 where all is read forward.

    Sources: Madsen 2019, Visualizing memorization in RNNs (connectivity); Shrikumar et al. 2017,
    arXiv 1605.01713 (gradient times input).
    """

    of: str
    size: Array
    product: Array
    ahead: int = 0

    def __post_init__(self) -> None:
        if self.ahead < 0:
            raise ConfigError(f"ahead: got {self.ahead}, expected 0 or more")
        shape = np.shape(self.size)
        if len(shape) != 2 or 0 in shape:
            raise ConfigError(f"influence: got shape {shape}, expected steps and inputs")
        for name in ("size", "product"):
            check(f"influence, {name}", getattr(self, name), "float32", shape)

    def last(self, steps: int) -> Influence:
        """Of the last steps alone."""
        kept = (slice(None), slice(-steps, None)) if len(self.size) == 1 else slice(-steps, None)
        return replace(self, size=self.size[kept], product=self.product[kept])

    def at(self, step: int, steps: int) -> tuple[Array, Array]:
        """`size` and `product` of each of the `T` inputs on the output of a step."""
        if len(self.size) == 1 and self.size.shape[1] == steps:
            return self.size[0], self.product[0]
        found = []
        inputs = step + self.ahead - np.arange(self.size.shape[1])
        there = (inputs >= 0) & (inputs < steps)
        for values in (self.size, self.product):
            row = np.zeros(steps, dtype=np.float32)
            row[inputs[there]] = values[step, there]
            found.append(row)
        return found[0], found[1]


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
class Beam:
    """A beam search as a tree: a node is a token, and each path from a root a hypothesis.

        sum_n = sum_parent(n) + log p_n

    Attributes:
        width: how many hypotheses it goes on from at each step, at most.
        tokens: `N` texts, in the order of the steps.
        steps: `(N,)` int64, which step chose it, from 0.
        parents: `(N,)` int64, the place of the token before; -1 of the first ones.
        log_p: `(N,)`, in nats, what the token costs after those before, with a minus.
        sums: `(N,)`, the same of the whole hypothesis up to there.
        fates: `N` times "kept", the search went on from there or could have done; "finished", it
            ends the answer; "pruned", others were better.
        ranks: `(N,)` int64, of the last token of each hypothesis that was answered its place, 0 the
            best; -1 of all other nodes.
        scores: `(N,)`, what the hypotheses that ended are ranked by: their sum with what the search
            adds for length and coverage; NaN of all other nodes.
    """

    width: int
    tokens: tuple[str, ...]
    steps: Places
    parents: Places
    log_p: Array
    sums: Array
    fates: tuple[Fate, ...]
    ranks: Places
    scores: Array

    def __post_init__(self) -> None:
        count = len(self.tokens)
        for name in ("steps", "parents", "ranks"):
            check(f"beam, {name}", getattr(self, name), "int64", (count,))
        for name in ("log_p", "sums", "scores"):
            check(f"beam, {name}", getattr(self, name), "float32", (count,))
        if len(self.fates) != count or not set(self.fates) <= set(get_args(Fate)):
            raise ConfigError(f"beam, fates: expected one of {', '.join(get_args(Fate))} a node")
        self._check_tree()
        self._check_ranks()

    def _check_tree(self) -> None:
        here, parents = np.arange(len(self.tokens)), self.parents
        if not ((parents >= -1) & (parents < here)).all():
            raise ConfigError("beam, parents: expected -1 or the place of a node before its own")
        # The last one is of the parent -1: of nothing.
        before, total = np.append(self.steps, -1)[parents], np.append(self.sums, 0)[parents]
        if not (self.steps == before + 1).all():
            raise ConfigError("beam, steps: expected each one after that of its parent, from 0")
        if not np.allclose(self.sums, total + self.log_p, rtol=1e-3, atol=1e-3):
            raise ConfigError("beam, sums: expected the parent's sum and the token's log_p")
        ended = next((k for k in parents[parents >= 0] if self.fates[k] != "kept"), None)
        if ended is not None:
            raise ConfigError(f"beam: got a node after one that is {self.fates[ended]}")
        kept = np.array([fate == "kept" for fate in self.fates])
        most = np.bincount(self.steps[kept]).max(initial=0)
        if most > self.width:
            raise ConfigError(f"beam: got {most} that are kept at a step, expected {self.width}")

    def _check_ranks(self) -> None:
        answered = np.flatnonzero(self.ranks >= 0)
        if sorted(self.ranks[answered].tolist()) != list(range(len(answered))) or not answered.size:
            raise ConfigError("beam, ranks: expected 0, 1 and so on, each of one node, else -1")
        if not set(self.parents.tolist()).isdisjoint(answered.tolist()):
            raise ConfigError("beam, ranks: expected them at the last tokens of hypotheses")
        if not np.isfinite(self.scores[answered]).all():
            raise ConfigError("beam, scores: expected one of each hypothesis that was answered")

    @property
    def best(self) -> int:
        """The place of the last token of the answer."""
        return int(np.flatnonzero(self.ranks == 0)[0])

    def path(self, node: int) -> tuple[int, ...]:
        """The places of a hypothesis from its first token to the one at place `node`."""
        found = [node]
        while (parent := int(self.parents[found[-1]])) >= 0:
            found.append(parent)
        return tuple(reversed(found))


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
