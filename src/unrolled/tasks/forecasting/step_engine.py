"""The architecture that answers at every step: how it is taught, asked, and fed one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import cast

import numpy as np
from torch import nn

from unrolled.data.batching import WindowBatches
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.forecasting.engine import Lesson, Places, Size
from unrolled.tasks.forecasting.member_loss import TEST, MemberLoss, assign_roles
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.scaling import Array, Scale
from unrolled.tasks.forecasting.step_covariates import Beside, StepCovariates
from unrolled.tasks.forecasting.step_features import FeatureMaker
from unrolled.tasks.forecasting.step_lessons import VALIDATION_SHARE, lessons, validator
from unrolled.tasks.forecasting.step_model import ForecastModel
from unrolled.tasks.forecasting.step_rolling import rolling_forecasts
from unrolled.tasks.forecasting.step_stream import advance, open_stream


@dataclass(frozen=True)
class StepEngine:
    """What a forecaster that answers at every step is besides its weights.

    Attributes:
        reading: how a table is read.
        levels: of the quantiles.
        horizon: steps ahead.
        lookback: steps of history in a training window.
        season: whose values of one season ago are read, or None.
    """

    reading: Reading
    levels: tuple[float, ...]
    horizon: int
    lookback: int
    season: int | None

    @property
    def features(self) -> FeatureMaker:
        """What the network reads at each step."""
        covariates = StepCovariates(self.reading, self.horizon)
        return FeatureMaker(
            self.reading.frequency,
            self.horizon,
            self.season,
            covariates if covariates.size else None,
            self.reading.holidays,
        )

    def network(self, recurrent: Callable[[int], nn.RNNBase], size: Size) -> nn.Module:
        """A network that has not learnt yet."""
        features = self.features
        return ForecastModel(
            lambda: recurrent(features.size),
            members=size.members,
            horizon=self.horizon,
            quantiles=self.levels,
            dropout=size.dropout,
            noise=size.noise,
            lags=features.lags,
        )

    def lesson(
        self,
        model: nn.Module,
        series: SeriesSet,
        scales: Sequence[Scale],
        cuts: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        begin: bool,
    ) -> Lesson:
        """What the training part (each series up to its cut) teaches, and how it is tested."""
        network = cast(ForecastModel, model)
        members = len(network.members)
        inputs, targets = lessons(series, cuts, scales, self.features, members)
        window = min(self.lookback, max(cuts))
        # Where a window is the whole series it begins as cold as the series itself does.
        warmup = window // 8 if window < min(cuts) else 0
        loss = MemberLoss(self.levels, warmup=warmup)
        batches = WindowBatches(inputs, targets, steps=window, batch_size=batch_size, seed=seed)
        return Lesson(batches, loss, validator(network, loss, inputs, targets))

    def rolling(
        self,
        model: nn.Module,
        series: SeriesSet,
        scales: Sequence[Scale],
        origins: Sequence[Places],
    ) -> list[Array]:
        """Forecasts `(O, K, Q)` of each series, in its unit."""
        network = cast(ForecastModel, model)
        return rolling_forecasts(network, self.features, series, scales, origins)

    def tested(
        self, model: nn.Module, series: SeriesSet, scales: Sequence[Scale], cuts: Sequence[int]
    ) -> list[tuple[Places, Array]]:
        """See `Engine`; of the member that was tested on the end of the training part."""
        network = cast(ForecastModel, model)
        last = copy(network)
        last._modules = dict(network._modules)
        last.members = network.members[-1:]
        last.answers = network.answers // len(network.members)
        origins = []
        for cut in cuts:
            roles = assign_roles(cut, len(network.members), self.horizon, VALIDATION_SHARE)
            at = np.flatnonzero(roles[:, -1].numpy() == TEST)
            origins.append(at[at < cut - self.horizon])
        return list(zip(origins, self.rolling(last, series, scales, origins), strict=True))

    def open(self, model: nn.Module, series: SeriesSet, scale: Scale) -> Arrays:
        """The state after reading one series."""
        beside = Beside.of(series, 0)
        return open_stream(
            cast(ForecastModel, model),
            self.features,
            series.values[0],
            series.times[0],
            scale,
            beside,
        )

    def advance(
        self,
        model: nn.Module,
        state: Arrays,
        value: float,
        time: np.datetime64 | None,
        past: np.ndarray,
        future: np.ndarray,
    ) -> tuple[Array, Arrays]:
        """Read one more value: the forecasts `(K, Q)` after it, and the new state."""
        network = cast(ForecastModel, model)
        return advance(network, self.features, value, state, time, past, future)
