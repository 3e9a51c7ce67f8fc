"""`Forecaster`: learns many series at once, then forecasts each with honest intervals."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

from unrolled.data.doctor import examine
from unrolled.data.frequency import Frequency
from unrolled.data.holiday import holiday_features
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, ModelFileError
from unrolled.tasks.base import is_number, whole_number
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.forecasting.asker import Asker
from unrolled.tasks.forecasting.columns import Columns, Names
from unrolled.tasks.forecasting.course import Course, Done
from unrolled.tasks.forecasting.fitted import learn_repair
from unrolled.tasks.forecasting.gate import fit_rivals
from unrolled.tasks.forecasting.heads import HEADS
from unrolled.tasks.forecasting.irregular import with_elapsed
from unrolled.tasks.forecasting.kept import assets_of, rival_arrays, rivals_from, settled_from
from unrolled.tasks.forecasting.levels import learnable_levels
from unrolled.tasks.forecasting.normalising import Normalise
from unrolled.tasks.forecasting.series_in import (
    bytes_of,
    checked_holdout,
    cuts_of,
    learnable,
    told_of,
    warn_of,
    warn_of_left_out,
)
from unrolled.tasks.forecasting.settings import SHORTCUTS, horizon_of, known_architecture
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.modelfile import Card
from unrolled.training.run import Run

if TYPE_CHECKING:
    from torch import Tensor

QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
KNOWN = {
    "head": ("auto", *HEADS),
    "shortcut": SHORTCUTS,
    "normalise": ("auto", *get_args(Normalise)),
}


class Forecaster(Asker):
    """Forecasts of the next `horizon` values of each series, as quantiles.

    Three architectures on the recurrent layers, and "auto", which tries several on the training
    part where the budget allows and otherwise goes by what the data are like:

        "segments"        reads a window in segments and answers all steps ahead at once, beginning
                          at ridge regression (`SegmentModel`)
        "autoregressive"  draws one value after the other (`AutoregressiveModel`)
        "steps"           carries its state from value to value and answers at each of them
                          (`ForecastModel`); for series of a few horizons only

    Args:
        architecture: one of them.
        horizon: how many steps ahead (`K`); None: one season of the data's frequency.
        quantiles: levels to forecast (`Q`), 0.5 among them.
        head: "quantiles", "normal", "mean" (normal, taught by the squared error), "student-t" or
            "negative-binomial" (counts); "auto": by the data.
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer; None: by the architecture, as for other arguments below.
        layers: recurrent layers, one on the other.
        directions: 1; a forecaster reads forward.
        members: networks whose mean is the forecast; "auto": 4 below 20,000 values, else 1.
        lookback: steps of history in a window; None: from horizon, season and length of the data.
            Several, such as (336, 720), for members that read differently much ("segments").
        segment: steps in a segment of a window; None: a season where that fits.
        normalise: what a window is measured against: "last", "season", "window", "mean" or
            "volatility" (see `normalisation`).
        shortcut: the linear shortcut of "segments": "learnt", "fixed" or "none".
        log: read series in logarithms; None: where their changes grow with their level.
        holidays: read the holidays of a country, such as "DE".
        paths: sample paths of "autoregressive".
        dropout, noise: they keep a network of a few years of data honest (noise: "steps" only).
        gaps: share of the training windows whose last values are hidden, so that missing values at
            the end of a history are nothing new (not "steps").
        learning_rate: the peak of the schedule.
        batch_size: windows in a batch.
        validation: share of the training part, at its end, on which the best weights are chosen and
            the intervals are repaired; 0: the last weights, and no repair. ("steps" keeps another
            part of the past from each of its members, and 15% from a lone one.)
        patience: validations without a better score before the run ends early; None: never.
        fallback: "baseline": where a simple rival was better on the held-out part, it answers
            `predict` (a stream, a backtest and surprise stay the network's).
        seed: of the weights, the windows, the dropout and the noise.
        device: "auto", "cpu" or "cuda".
        precision: "fp32" or "bf16".
        warm_start: let `fit` go on from the weights that are there.

    After `fit`: `model`, `settings` (what None and "auto" came to), `trials` (what "auto" tried),
    `checkup` (the data doctor's), `rivals`, `evaluation` (rolling over the held-out end of each
    series), `outcome`.

    Example:
        >>> model = Forecaster(horizon=7).fit("temperatures.csv", budget="1m")  # doctest: +SKIP
        >>> model.predict("temperatures.csv")                                   # doctest: +SKIP
    """

    def __init__(
        self,
        architecture: str = "auto",
        horizon: int | None = None,
        quantiles: tuple[float, ...] = QUANTILES,
        head: str = "auto",
        cell: str = "lstm",
        hidden_size: int | None = None,
        layers: int = 1,
        directions: int = 1,
        *,
        members: int | str = "auto",
        lookback: int | Sequence[int] | None = None,
        segment: int | None = None,
        normalise: str = "auto",
        shortcut: str = "learnt",
        log: bool | None = None,
        holidays: str | None = None,
        paths: int = 200,
        dropout: float | None = None,
        noise: float = 0.2,
        gaps: float = 0.1,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        validation: float = 0.15,
        patience: int | None = None,
        fallback: str | None = None,
        seed: int = 0,
        device: str = "auto",
        precision: str = "fp32",
        warm_start: bool = False,
    ) -> None:
        self.architecture = architecture
        self.horizon = horizon
        self.quantiles = quantiles
        self.head = head
        self.cell = cell
        self.hidden_size = hidden_size
        self.layers = layers
        self.directions = directions
        self.members = members
        self.lookback = lookback
        self.segment = segment
        self.normalise = normalise
        self.shortcut = shortcut
        self.log = log
        self.holidays = holidays
        self.paths = paths
        self.dropout = dropout
        self.noise = noise
        self.gaps = gaps
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.validation = validation
        self.patience = patience
        self.fallback = fallback
        self.seed = seed
        self.device = device
        self.precision = precision
        self.warm_start = warm_start

    def fit(
        self,
        data: SeriesSet | str | os.PathLike[str] | Any,
        *,
        id_column: str | None = None,
        time_column: str | None = None,
        value_columns: Names = None,
        past_columns: Names = None,
        future_columns: Names = None,
        static_columns: Names = None,
        category_columns: Names = None,
        missing: Literal["mask", "error"] = "mask",
        budget: str | int | Budget = "1m",
        holdout: float | int = 0.2,
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
        tell: Callable[[str], object] | None = None,
    ) -> Self:
        """Learn from series.

        Args:
            data: a `SeriesSet`, or what `read_series` takes: a file or a frame.
            id_column, time_column, value_columns, past_columns, future_columns, static_columns,
                category_columns, missing: how a table is read, as in `read_series`; later tables
                are read alike. Here missing values and gaps are trained around ("mask").
            budget: time or steps of training, such as "1m" or "300 steps".
            holdout: what is kept at the end of each series for the evaluation: a share (one horizon
                at least), or a number of steps; 0: nothing, and there is no evaluation.
            run_dir: folder for the log and the checkpoint.
            resume: go on from the checkpoint in `run_dir`.
            progress: show a bar, where standard error is a terminal.
            diagnose: look through the network at intervals, and warn where it can't learn, with
                the remedy; what is learnt does not depend on it.
            tell: gets text whenever there is something to say: before the training all that the
                data doctor found, then what "auto" tried. None: what may spoil a forecast is warned
                of, and the rest is in `checkup` and `trials`.

        Raises:
            DataError: the data can't be read, or a series is too short for the horizon.
            ConfigError: an argument or option that can't work.
            TrainingDiverged: the loss stopped being a number.

        Warns:
            DataWarning: what the data doctor found that may spoil a forecast.
            NetworkLoses: a simple rival is better on the held-out part.
        """
        self._check_arguments()
        holdout = checked_holdout(holdout)
        columns = Columns(
            id_column,
            time_column,
            value_columns,
            past_columns,
            future_columns,
            static_columns,
            category_columns,
            missing,
        )
        columns.refuse_for(data)
        series = columns.read(data)
        horizon = horizon_of(self.horizon, series)
        if self._goes_on():
            series = self._read_alike(series)
        else:
            series = with_elapsed(series, series.frequency)
        whole = series
        series, left_out = learnable(whole, horizon, holdout)
        cuts = cuts_of(series, horizon, holdout)
        checkup = examine(whole, horizon=horizon)
        if tell is None:
            warn_of(checkup)
        if left_out:
            warn_of_left_out(left_out)
        budget = Budget.parse(budget)
        run = Run(run_dir, resume=resume)
        past = tuple(values[:cut] for values, cut in zip(series.values, cuts, strict=True))

        def prepare() -> Trainer | Done:
            self.columns, self.checkup, self.trials = columns, checkup, []
            self._describe_origin(series.source or "series", bytes_of(series), holdout)
            say = tell or (lambda text: None)
            course = Course(series, past, cuts, horizon, progress, diagnose, say)
            rest = self._settle(course, budget, run)
            season, log = series.frequency.season, self.settings.log
            self.rivals = fit_rivals(past, season, horizon, log=log)
            if self._stopped is not None:
                return self._stopped
            self.model = self._first_network()
            return self._trainer(course, rest, run)

        def evaluate() -> Evaluation | None:
            scales = [self._fitted.scales[name] for name in series.ids]
            self._fitted.model = self.model
            self._fitted.repair = learn_repair(self._fitted, series, cuts, scales)
            if holdout == 0:
                return None
            return self._evaluate(series, cuts, told_of(series, cuts, holdout))

        self._learn(prepare, evaluate)
        return self

    def _check_arguments(self) -> None:
        known_architecture(self.architecture)
        optional = ("horizon", "segment", "patience", "hidden_size", "batch_size")
        given = [name for name in optional if getattr(self, name) is not None]
        self._check_sizes("paths", *given)
        if not (is_number(self.noise) and self.noise >= 0):
            raise ConfigError(f"noise: got {self.noise!r}, expected 0 or more")
        if not (is_number(self.gaps) and 0 <= self.gaps < 1):
            raise ConfigError(f"gaps: got {self.gaps!r}, expected a share from 0 on")
        if not (is_number(self.validation) and 0 <= self.validation < 1):
            raise ConfigError(f"validation: got {self.validation!r}, expected a share from 0 on")
        self.noise, self.validation = float(self.noise), float(self.validation)
        for name, known in KNOWN.items():
            if getattr(self, name) not in known:
                words = ", ".join(map(repr, known))
                raise ConfigError(f"{name}: got {getattr(self, name)!r}, expected one of {words}")
        if self.fallback not in (None, "baseline"):
            raise ConfigError(f"fallback: got {self.fallback!r}, expected None or 'baseline'")
        if self.holidays is not None:
            holiday_features(np.empty(0, "datetime64[us]"), Frequency("D"), self.holidays)
        self.quantiles = learnable_levels(self.quantiles)
        if self.members != "auto":
            self.members = whole_number("members", self.members, least=1)
        if self.lookback is not None:
            several = [self.lookback] if is_number(self.lookback) else list(self.lookback)  # type: ignore[arg-type]
            checked = tuple(whole_number("lookback", one, least=1) for one in several)
            self.lookback = checked[0] if len(checked) == 1 else checked

    def _assets(self) -> dict[str, Any]:
        return assets_of(self._fitted, self.reading, self.columns, self.checkup, self.trials)

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        self.quantiles = tuple(self.quantiles)
        if isinstance(self.lookback, list):  # as JSON keeps a tuple
            self.lookback = tuple(self.lookback)
        kept = settled_from(assets, self.quantiles)
        self._fitted, self.reading, self.columns, self.checkup, self.trials = kept
        self.settings = self._fitted.settings

    @classmethod
    def _from_file(cls, card: Card, tensors: dict[str, Tensor]) -> Self:
        if "architecture" not in card.configuration:
            raise ModelFileError("a Forecaster of an older version; fit it anew with this one")
        task = super()._from_file(card, tensors)
        task._fitted.model = task.model
        return task

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        return rival_arrays(self.rivals, self._fitted.repair)

    def _restore_baseline(self, arrays: dict[str, np.ndarray]) -> None:
        self.rivals, self._fitted.repair = rivals_from(arrays)
