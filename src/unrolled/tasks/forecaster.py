"""`Forecaster`: learns many series at once, then forecasts each with honest intervals."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from unrolled.baselines import SeasonalNaive
from unrolled.data.batching import WindowBatches
from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.base import Task, check_share, is_number, whole_number
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.forecast_data import (
    bytes_of,
    check_history,
    cuts_of,
    evaluation_cuts,
    series_of,
)
from unrolled.tasks.forecast_features import FeatureMaker, season_that_helps
from unrolled.tasks.forecast_lessons import choose_naive, lessons, validator
from unrolled.tasks.forecast_model import ForecastModel
from unrolled.tasks.forecast_stream import advance, open_stream
from unrolled.tasks.levels import learnable_levels, learnt_levels
from unrolled.tasks.member_loss import MemberLoss
from unrolled.tasks.rolling import Request, compare, rolling_forecasts
from unrolled.tasks.scaling import Array, Scale, changes_in_percent
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run

if TYPE_CHECKING:
    import polars

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
# Where there are few values, several small networks, each trained without another part of the past,
# forecast better together; where there are many, one does as well in less time.
FEW_VALUES = 20_000
MEMBERS_FOR_FEW = 4


class Forecaster(Task):
    """Forecasts of the next `horizon` values of each series, as quantiles, directly for every step.

        h_t, s_t = layers(x_t, s_{t-1})
        forecast of z_{t+k} at level q = z_t + step * ((A x_t + a)_k + (B h_t + b)_{k, q})

    `z` is the series, or its logarithm where its changes grow with its level. `x_t` holds its level
    and change, its calendar, and, where that helps, the values of one season ago (see
    `FeatureMaker`); `step` is the mean absolute change of the series, so that all series count
    alike. The network answers at every step, so it can be fed one value at a time.

    Args:
        horizon: how many steps ahead (`K`).
        quantiles: levels to forecast (`Q`), 0.5 among them.
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer.
        layers: recurrent layers, one on the other.
        directions: 1; a forecaster reads forward.
        members: networks whose mean is the forecast; "auto": 4 below 20,000 values, else 1.
        window: steps of history in a training window; None: from horizon and season.
        dropout, noise: see `ForecastModel`; they keep a network of a few years of data honest.
        learning_rate: the peak of the schedule.
        batch_size: windows in a batch.
        patience: validations without a better score before the run ends early; None: never.
        seed: of the weights, the windows, the dropout and the noise.
        device: "auto", "cpu" or "cuda".
        precision: "fp32" or "bf16".
        warm_start: let `fit` go on from the weights that are there.

    After `fit`: `model`, `baseline`, `evaluation` (rolling over the held-out end of each series),
    `outcome`.

    Example:
        >>> model = Forecaster(horizon=7).fit("temperatures.csv", budget="1m")  # doctest: +SKIP
        >>> model.predict("temperatures.csv")                                   # doctest: +SKIP
    """

    baseline: SeasonalNaive
    model: ForecastModel
    frequency: Frequency
    log: bool
    scales: dict[str, Scale]
    trained_until: dict[str, np.datetime64]

    def __init__(
        self,
        horizon: int = 1,
        quantiles: tuple[float, ...] = QUANTILES,
        cell: str = "lstm",
        hidden_size: int = 128,
        layers: int = 1,
        directions: int = 1,
        *,
        members: int | str = "auto",
        window: int | None = None,
        dropout: float = 0.5,
        noise: float = 0.2,
        learning_rate: float = 0.01,
        batch_size: int = 64,
        patience: int | None = None,
        seed: int = 0,
        device: str = "auto",
        precision: str = "fp32",
        warm_start: bool = False,
    ) -> None:
        self.horizon = horizon
        self.quantiles = quantiles
        self.cell = cell
        self.hidden_size = hidden_size
        self.layers = layers
        self.directions = directions
        self.members = members
        self.window = window
        self.dropout = dropout
        self.noise = noise
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.patience = patience
        self.seed = seed
        self.device = device
        self.precision = precision
        self.warm_start = warm_start

    def fit(
        self,
        data: SeriesSet | str | os.PathLike[str] | Any,
        *,
        budget: str | int | Budget = "1m",
        holdout: float = 0.2,
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
    ) -> Self:
        """Learn from series.

        Args:
            data: a `SeriesSet`, or what `read_series` takes: a file or a frame.
            budget: time or steps of training, such as "1m" or "300 steps".
            holdout: share at the end of each series that is kept for the evaluation.
            run_dir: folder for the log and the checkpoint.
            resume: go on from the checkpoint in `run_dir`.
            progress: show a bar, where standard error is a terminal.
            diagnose: look through the network at intervals, and warn where it can't learn, with
                the remedy; what is learnt does not depend on it.

        Raises:
            DataError: the data can't be read, or a series is too short for the horizon.
            ConfigError: an argument or option that can't work.
            TrainingDiverged: the loss stopped being a number.
        """
        self._check_arguments()
        check_share("holdout", holdout)
        series = series_of(data)
        cuts = cuts_of(series, self.horizon, holdout)
        if self._goes_on():
            check_history(series, self.frequency)
        budget = Budget.parse(budget)
        past = tuple(values[:cut] for values, cut in zip(series.values, cuts, strict=True))
        run = Run(run_dir, resume=resume)

        def prepare() -> Trainer:
            self._learn_scales(series, past)
            self.model = cast(ForecastModel, self._first_network())
            self._describe_origin(series.source or "series", bytes_of(series), holdout)
            self.baseline = choose_naive(past, series.frequency, self.horizon)
            return self._trainer(series, cuts, budget, run, progress, diagnose)

        held_out = f"the last {holdout:.0%} of each series"
        self._learn(prepare, lambda: self._evaluate(series, cuts, held_out))
        return self

    def predict(
        self, history: SeriesSet | str | os.PathLike[str] | Any, *, quantiles: Any = None
    ) -> polars.DataFrame:
        """Forecast what follows each series of `history`.

        Args:
            history: series of the same frequency as in training. One whose name was there in
                training is scaled as there; a new one by what `history` holds of it.
            quantiles: levels to return, out of those that the model has learnt; None: all.

        Returns:
            A frame with `unique_id`, `ds`, `forecast` (the median) and a column for each level
            (`q0.05`, ...), `horizon` rows a series.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the data can't be read, or is of another frequency.
            ConfigError: a level that was not learnt.
        """
        import polars as pl

        self._check_fitted()
        levels = learnt_levels(quantiles, self.quantiles)
        series = self._history_of(history)
        requests = [
            Request(values, times, self._scale_of(name, values), [len(values) - 1])
            for name, times, values in zip(series.ids, series.times, series.values, strict=True)
        ]
        forecasts = rolling_forecasts(self.model, self._features, requests)
        frames = []
        for name, times, (fan,) in zip(series.ids, series.times, forecasts, strict=True):
            ahead = self.frequency.future(times[-1], self.horizon)
            columns: dict[str, Any] = {
                "unique_id": [name] * self.horizon,
                "ds": ahead if self.frequency.dated else ahead.astype(np.int64),
                "forecast": fan[:, self.quantiles.index(0.5)],
            }
            columns |= {f"q{level:g}": fan[:, self.quantiles.index(level)] for level in levels}
            frames.append(pl.DataFrame(columns))
        return pl.concat(frames)

    def backtest(
        self, history: SeriesSet | Any, origins: dict[str, list[int]]
    ) -> dict[str, np.ndarray]:
        """Forecasts made at earlier moments of each series.

        Args:
            history: the series.
            origins: for each series the places (from 0) of the last value that was known.

        Returns:
            For each series `(len(origins), K, Q)`. No forecast depends on a later value; a series
            that the model was not trained on is scaled by what precedes the first origin.

        Raises:
            ConfigError: an origin outside the series.
        """
        self._check_fitted()
        series = self._history_of(history).select(list(origins))
        requests = []
        for name, times, values in zip(series.ids, series.times, series.values, strict=True):
            places = origins[name]
            if len(places) == 0 or min(places) < 0 or max(places) >= len(values):
                raise ConfigError(
                    f"origins: got {places} for series {name!r}, expected places from 0 to"
                    f" {len(values) - 1}"
                )
            scale = self._scale_of(name, values[: min(places) + 1])
            requests.append(Request(values, times, scale, places))
        forecasts = rolling_forecasts(self.model, self._features, requests)
        return dict(zip(series.ids, forecasts, strict=True))

    def evaluate(self, data: SeriesSet | str | os.PathLike[str] | Any = None) -> Evaluation:
        """Rolling errors beside the baseline's, on new data or (without) as `fit` measured them.

        Of a series that the model was trained on (known by its name), only what is later than its
        training part counts; of a new one, the last fifth.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the data can't be read, or holds too little to score.
        """
        if data is None:
            return self._own_evaluation()
        self._check_fitted()
        series = self._history_of(data)
        cuts = evaluation_cuts(series, self.trained_until, self.horizon)
        return self._evaluate(series, cuts, f"what follows the training part, {series}")

    def start(self, history: SeriesSet | str | os.PathLike[str] | Any) -> Arrays:
        """The state after reading one series: plain arrays, to be handed to `step`.

        Raises:
            ConfigError: `history` holds more than one series.
        """
        self._check_fitted()
        series = self._history_of(history)
        if len(series) != 1:
            raise ConfigError(f"start: got {len(series)} series, expected one; use select([name])")
        scale = self._scale_of(series.ids[0], series.values[0])
        return open_stream(self.model, self._features, series.values[0], series.times[0], scale)

    def step(
        self, value: float, state: Arrays, time: np.datetime64 | None = None
    ) -> tuple[np.ndarray, Arrays]:
        """Read one more value of a series; the numbers are those of the whole sequence.

        Args:
            value: the next observation; NaN where it is missing.
            state: what `start` or an earlier `step` gave; stays as it is.
            time: when it was observed; None: one step after the value before (where weekdays can be
                holidays, say when).

        Returns:
            Quantile forecasts of the values after this one, `(K, Q)`, and the new state.
        """
        self._check_fitted()
        return advance(self.model, self._features, float(value), state, time)

    def _trainer(
        self,
        series: SeriesSet,
        cuts: list[int],
        budget: Budget,
        run: Run,
        progress: bool,
        diagnose: bool,
    ) -> Trainer:
        members = len(self.model.members)
        inputs, targets = lessons(series, cuts, self.scales, self._features, members)
        window = min(self._window(), max(cuts))
        # Where a window is the whole series it begins as cold as the series itself does.
        warmup = window // 8 if window < min(cuts) else 0
        loss = MemberLoss(self.quantiles, warmup=warmup)
        return Trainer(
            self.model,
            WindowBatches(
                inputs, targets, steps=window, batch_size=self.batch_size, seed=self.seed
            ),
            loss,
            validator(self.model, loss, inputs, targets),
            budget,
            self._card(),
            self._baseline_tensors(),
            Recipe(learning_rate=self.learning_rate, average=0.98, patience=self.patience),
            run,
            title="forecaster",
            unit="values",
            device=self.device,
            precision=self.precision,
            progress=progress,
            diagnose=diagnose,
        )

    def _window(self) -> int:
        if self.window is not None:
            return self.window
        return max(4 * self.horizon, 2 * (self._features.season or 0), 56)

    def _learn_scales(self, series: SeriesSet, past: tuple[Array, ...]) -> None:
        """Measure the training part; a model that goes on keeps how it reads a series."""
        if not self._goes_on():
            self.frequency = series.frequency
            self.log = changes_in_percent(past)
            season = season_that_helps(past, series.frequency, self.horizon)
            self._features = FeatureMaker(series.frequency, self.horizon, season)
            few = sum(map(len, past)) < FEW_VALUES
            automatic = MEMBERS_FOR_FEW if few else 1
            self._members = automatic if self.members == "auto" else int(self.members)
        self.scales = {
            name: Scale.of(values, log=self.log)
            for name, values in zip(series.ids, past, strict=True)
        }
        self.trained_until = {
            name: times[len(values) - 1]
            for name, times, values in zip(series.ids, series.times, past, strict=True)
        }

    def _build(self) -> ForecastModel:
        return ForecastModel(
            lambda: self._recurrent(self._features.size),
            members=self._members,
            horizon=self.horizon,
            quantiles=self.quantiles,
            dropout=self.dropout,
            noise=self.noise,
            lags=self._features.lags,
        )

    def _evaluate(self, series: SeriesSet, cuts: list[int], held_out: str) -> Evaluation:
        scales = [
            self._scale_of(name, values[:cut])
            for name, values, cut in zip(series.ids, series.values, cuts, strict=True)
        ]
        return compare(
            self.model,
            self._features,
            self.baseline,
            series,
            cuts,
            scales,
            self.quantiles,
            held_out,
        )

    def _history_of(self, history: SeriesSet | Any) -> SeriesSet:
        return check_history(series_of(history), self.frequency)

    def _scale_of(self, name: str, known: Array) -> Scale:
        """The scale learnt in training; of a new series, the scale of what is known of it."""
        return self.scales.get(name) or Scale.of(known, log=self.log)

    def _check_arguments(self) -> None:
        given = [name for name in ("window", "patience") if getattr(self, name) is not None]
        self._check_sizes("horizon", "batch_size", *given)
        if not (is_number(self.noise) and self.noise >= 0):
            raise ConfigError(f"noise: got {self.noise!r}, expected 0 or more")
        self.quantiles = learnable_levels(self.quantiles)
        if self.members != "auto":
            self.members = whole_number("members", self.members, least=1)

    def _assets(self) -> dict[str, Any]:
        return {
            "frequency": self.frequency.alias,
            "season": self._features.season,
            "log": self.log,
            "members": self._members,
            "scales": {name: scale.to_dict() for name, scale in self.scales.items()},
            "trained_until": {name: str(time) for name, time in self.trained_until.items()},
        }

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        self.quantiles = tuple(self.quantiles)
        self.frequency = Frequency.parse(assets["frequency"])
        self._features = FeatureMaker(self.frequency, self.horizon, assets["season"])
        self._members = assets["members"]
        self.log = assets["log"]
        self.scales = {name: Scale(**raw) for name, raw in assets["scales"].items()}
        self.trained_until = {
            name: np.datetime64(time, "us") for name, time in assets["trained_until"].items()
        }

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        return self.baseline.to_arrays()

    def _restore_baseline(self, arrays: dict[str, np.ndarray]) -> None:
        self.baseline = SeasonalNaive.from_arrays(arrays)
