"""A fitted forecaster without its public shape: asks the network, and repairs what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import Arrays, check_state
from unrolled.tasks.forecasting.conformal import Repair, RollingRepair, roll
from unrolled.tasks.forecasting.engine import SCALE, Engine, Places
from unrolled.tasks.forecasting.scaling import Array, Scale
from unrolled.tasks.forecasting.settings import Settings
from unrolled.training.metrics import pinball, seasonal_scale

# Origins before the one that is asked for, whose errors the intervals have followed; and how many
# of them there may be over all series.
FOLLOWED, MOST_FOLLOWED = 1000, 30_000
# What the state of a stream holds besides the architecture's: the next step's quantiles, and what
# the repair has come to.
NEXT, REPAIR = "next", "repair."


@dataclass
class Fitted:
    """What has been learnt.

    Attributes:
        engine, model: the architecture and its network.
        settings: the numbers that they are made of.
        scales: of the series that were there in training, by name.
        trained_until: their last time that was learnt.
        repair: of the intervals, or None where nothing was kept back to learn it from.
    """

    engine: Engine
    model: nn.Module
    settings: Settings
    scales: dict[str, Scale]
    trained_until: dict[str, np.datetime64]
    repair: Repair | None = None

    @property
    def season(self) -> int:
        """Steps per season by the frequency."""
        return self.engine.reading.frequency.season

    def scale_of(self, name: str, known: Array) -> Scale:
        """The scale learnt in training; of a new series, the scale of what is known of it."""
        return self.scales.get(name) or self.settings.scale_of(known, self.season)

    def ask(self, series: SeriesSet, origins: Sequence[Places]) -> list[Array]:
        """The network's forecasts `(O, K, Q)` at the origins of each series, in its unit.

        A series that was not there in training is scaled by what precedes its first origin.
        """
        return self.engine.rolling(self.model, series, self._scales(series, origins), origins)

    def repaired(
        self, series: SeriesSet, origins: Sequence[Places], among: int | None = None
    ) -> list[Array]:
        """The same with intervals that have followed the errors up to each origin.

        Args:
            series, origins: as for `ask`.
            among: of how many series these are a part; default: they are all.
        """
        there = [i for i, at in enumerate(origins) if len(at)]
        if len(there) < len(series):
            return self._some(series, origins, there, among)
        scales = self._scales(series, origins)
        if self.repair is None:
            fans = self.engine.rolling(self.model, series, scales, origins)
            return [np.maximum(fan, scale.least) for fan, scale in zip(fans, scales, strict=True)]
        most = min(FOLLOWED, max(1, MOST_FOLLOWED // (among or len(series))))
        firsts = [
            self._begins(name, times, int(at.min()), most)
            for name, times, at in zip(series.ids, series.times, origins, strict=True)
        ]
        lasts = [int(at.max()) for at in origins]
        # So a forecast does not depend on which others are asked for. Of thousands of series only
        # the origins that are asked for are followed.
        whole = sum(lasts) - sum(firsts) + len(series) <= MOST_FOLLOWED
        every, wanted = [], []
        for first, last, at in zip(firsts, lasts, origins, strict=True):
            end = last if whole else int(at.min())
            followed = np.union1d(np.arange(first, end), at)
            every.append(followed)
            wanted.append(np.searchsorted(followed, at))
        fans = self.engine.rolling(self.model, series, scales, every)
        found = []
        for values, scale, at, fan, chosen in zip(
            series.values, scales, every, fans, wanted, strict=True
        ):
            repaired = roll(self._rolling(scale), values, at + 1, fan)[chosen]
            found.append(np.maximum(repaired, scale.least))
        return found

    def _some(
        self,
        series: SeriesSet,
        origins: Sequence[Places],
        there: Sequence[int],
        among: int | None,
    ) -> list[Array]:
        """`repaired` where nothing is asked of some of the series."""
        shape = (0, self.engine.horizon, len(self.engine.levels))
        found = [np.empty(shape) for _ in origins]
        if there:
            part = series.select([series.ids[i] for i in there])
            asked = self.repaired(part, [origins[i] for i in there], among or len(series))
            for i, fans in zip(there, asked, strict=True):
                found[i] = fans
        return found

    def _scales(self, series: SeriesSet, origins: Sequence[Places]) -> list[Scale]:
        """Of a new series, of what precedes the first origin that is asked for."""
        return [
            self.scale_of(name, values[: at.min() + 1] if len(at) else values)
            for name, values, at in zip(series.ids, series.values, origins, strict=True)
        ]

    def open(self, series: SeriesSet) -> Arrays:
        """The state after one series, and what the repair has come to."""
        name, values, times = series.ids[0], series.values[0], series.times[0]
        scale = self.scale_of(name, values)
        state = self.engine.open(self.model, series, scale)
        last = len(values) - 1
        at = np.arange(self._begins(name, times, last, FOLLOWED), last + 1)
        if self.repair is None:
            at = at[-1:]
        (fans,) = self.engine.rolling(self.model, series, [scale], [at])
        if self.repair is None:
            return state | {NEXT: np.maximum(fans[-1, 0], scale.least)}
        rolling = self._rolling(scale)
        fan = roll(rolling, values, at + 1, fans)[-1]
        return state | {NEXT: np.maximum(fan[0], scale.least)} | _named(rolling)

    def advance(
        self,
        state: Arrays,
        value: float,
        time: np.datetime64 | None,
        past: Array,
        future: Array,
    ) -> tuple[Array, Arrays]:
        """Read one more value: the repaired forecasts `(K, Q)` after it, and the new state."""
        check_state(state, NEXT)
        own = {k: v for k, v in state.items() if k != NEXT and not k.startswith(REPAIR)}
        fan, after = self.engine.advance(self.model, own, value, time, past, future)
        least = Scale.from_array(state[SCALE]).least
        if self.repair is None:
            fan = np.maximum(fan, least)
            return fan, after | {NEXT: fan[0].copy()}
        kept = {k.removeprefix(REPAIR): v for k, v in state.items() if k.startswith(REPAIR)}
        rolling = RollingRepair.from_arrays({k: v.copy() for k, v in kept.items()})
        rolling.observe(value)
        fan = np.maximum(rolling.repair(fan), least)
        return fan, after | {NEXT: fan[0].copy()} | _named(rolling)

    def _begins(self, name: str, times: np.ndarray, asked: int, most: int) -> int:
        """The first origin whose errors are followed: none that was learnt from."""
        until = self.trained_until.get(name)
        learnt = 0 if until is None else int((times <= until).sum()) - 1
        return min(asked, max(learnt, asked - most, 0))

    def _rolling(self, scale: Scale) -> RollingRepair:
        assert self.repair is not None
        return RollingRepair(self.repair, self.unit_of(scale))

    def unit_of(self, scale: Scale) -> float:
        """A usual seasonal change of a series, in its unit; 0 in logarithms, where it has none."""
        return 0.0 if scale.log or self.settings.head == "negative-binomial" else scale.swing


def learn_repair(
    fitted: Fitted, series: SeriesSet, cuts: Sequence[int], scales: Sequence[Scale]
) -> Repair | None:
    """The repair by the part of the past that the network was tested on, not taught."""
    horizon = fitted.engine.horizon
    came, fans, units = [], [], []
    tested = fitted.engine.tested(fitted.model, series, scales, cuts)
    for place, (at, fan) in enumerate(tested):
        if not len(at):
            continue
        came.append(series.values[place][at[:, None] + np.arange(1, horizon + 1)])
        fans.append(fan)
        units.append(np.full(len(at), fitted.unit_of(scales[place])))
    if not came or not np.isfinite(np.concatenate(came)).any():
        return None
    return Repair.fit(
        np.concatenate(came), np.concatenate(fans), fitted.engine.levels, np.concatenate(units)
    )


def tested_score(
    fitted: Fitted, series: SeriesSet, cuts: Sequence[int], scales: Sequence[Scale]
) -> float:
    """CRPS on the part of the past that the network was tested on, not taught; lower is better.

    In units of each series' own seasonal change; the mean over the series counts. Infinite where
    nothing was kept back.
    """
    horizon, levels = fitted.engine.horizon, np.array(fitted.engine.levels)
    losses = []
    tested = fitted.engine.tested(fitted.model, series, scales, cuts)
    for values, cut, (at, fan) in zip(series.values, cuts, tested, strict=True):
        came = values[at[:, None] + np.arange(1, horizon + 1)]
        if np.isfinite(came).any():
            unit = seasonal_scale(values[:cut], fitted.season)
            losses.append(pinball(came, fan, levels) / unit)
    return float(np.mean(losses)) if losses else float("inf")


def _named(rolling: RollingRepair) -> Arrays:
    return {REPAIR + name: array.copy() for name, array in rolling.to_arrays().items()}
