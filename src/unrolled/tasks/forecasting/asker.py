"""The asking half of a `Forecaster`: predict, backtest, evaluate, stream."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unrolled.data.covariates import check_covariates
from unrolled.data.frames import same_kind
from unrolled.data.known_ahead import attach_future
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.base import is_number, whole_number
from unrolled.tasks.evaluation import Evaluation, NetworkLoses
from unrolled.tasks.forecasting.backtesting import (
    Backtest,
    check_origins,
    run_backtest,
    window_origins,
)
from unrolled.tasks.forecasting.columns import Columns
from unrolled.tasks.forecasting.engine import Places
from unrolled.tasks.forecasting.fitted import NEXT
from unrolled.tasks.forecasting.gate import (
    Ask,
    ask_rival,
    evaluation_of,
    rolling_origins,
    score_all,
)
from unrolled.tasks.forecasting.irregular import elapsed_since, with_elapsed
from unrolled.tasks.forecasting.learner import Learner
from unrolled.tasks.forecasting.levels import learnt_levels
from unrolled.tasks.forecasting.outcome import forecast_frame, share_below
from unrolled.tasks.forecasting.refitting import refitted
from unrolled.tasks.forecasting.scaling import Array
from unrolled.tasks.forecasting.series_in import check_history, checked_next, evaluation_cuts
from unrolled.training.budget import Budget
from unrolled.training.progress import watched

NETWORK = "network"
# Series that are forecast between two updates of the bar.
AT_ONCE = 500


def _observed(value: Any) -> float:
    """A value that came, NaN where it is missing."""
    if not is_number(value) or np.isinf(value):
        raise ConfigError(f"value: got {value!r}, expected a finite number, or NaN for missing")
    return float(value)


if TYPE_CHECKING:
    from unrolled.tasks.forecaster import Forecaster


class Asker(Learner):
    """What a fitted forecaster answers."""

    fallback: str | None

    def predict(
        self,
        history: SeriesSet | str | os.PathLike[str] | Any,
        *,
        future: Any = None,
        quantiles: Any = None,
        progress: bool = True,
        **columns: Any,
    ) -> Any:
        """Forecast what follows each series of `history`.

        Args:
            history: series of the same frequency as in training. One whose name was there in
                training is scaled as there; a new one by what `history` holds of it.
            future: a table of the future covariates of the steps ahead, where `history` does not
                hold them in rows of its own.
            quantiles: levels to return, out of those that the model has learnt; None: all.
            progress: of many series show a bar, where standard error is a terminal.
            columns: as for `fit`, where this table's columns have other names than there.

        Returns:
            A frame with `unique_id`, `ds` (or the names that these columns had in training),
            `forecast` (the median) and a column for each level (`q0.05`, ...), `horizon` rows a
            series; of the kind of `history` (pandas, pyarrow), else polars. Names that are whole
            numbers there are so here.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the data can't be read, or is of another frequency.
            ConfigError: a level that was not learnt.

        Warns:
            NetworkLoses: a simple rival was better on the held-out part, and does not answer.
        """
        self._check_fitted()
        levels = learnt_levels(quantiles, self.quantiles)
        series = self._history_of(history, columns, future)
        self._warn_if_it_lost()
        fans: list[Array] = []
        parts = [series.ids[at : at + AT_ONCE] for at in range(0, len(series), AT_ONCE)]
        for part in watched(parts, "forecast", "series", shown=progress):
            some = series if len(parts) == 1 else series.select(part)
            last = [np.array([len(values) - 1]) for values in some.values]
            fans += [fan[0] for fan in self._answer(some, last, among=len(series))]
        frame = forecast_frame(series, fans, self.quantiles, levels, self._horizon, self.columns)
        return same_kind(frame, history, self.columns.identity)

    def backtest(
        self,
        history: SeriesSet | Any,
        windows: int = 5,
        *,
        stride: int | None = None,
        refit: bool = False,
        budget: str | int | Budget = "1m",
        origins: Mapping[str, Sequence[int]] | None = None,
        progress: bool = True,
        **columns: Any,
    ) -> Backtest:
        """Forecasts made at earlier moments of each series, beside what came true and the rivals.

        Args:
            history: the series.
            windows: how many moments of each series, the last ones whose answers are known.
            stride: steps between them; None: one horizon, so that no value is forecast twice.
            refit: learn anew before each moment from all that precedes it. Otherwise only moments
                behind the training part count.
            budget, progress: of each `refit`, as for `fit`.
            origins: the moments instead: for each series the places (from 0) of the last value that
                was known, also inside the training part.
            columns: as for `predict`.

        Returns:
            Forecasts, scores and calibration; see `Backtest`. No forecast depends on a later value;
            a series that the model was not trained on is scaled by what precedes the first moment.

        Raises:
            ConfigError: an origin outside the series.
            DataError: a series has nothing behind the training part to test a forecast on.
        """
        self._check_fitted()
        windows = whole_number("windows", windows, least=1)
        stride = whole_number("stride", self._horizon if stride is None else stride, least=1)
        series = self._history_of(history, columns, ahead=False)
        if origins is not None:
            series = series.select(list(origins))
            at = check_origins(series, origins)
            held_out = "the origins that were asked for"
        else:
            learnt = None if refit else self._fitted.trained_until
            at = window_origins(series, windows, stride, self._horizon, learnt)
            series = series.select(list(at))
            held_out = f"up to {windows} windows of each series, {stride} steps apart"
        raw: Ask = self._fitted.ask
        repaired: Ask = self._fitted.repaired
        rivals = self._ask_rivals()
        if refit:
            again = refitted(cast("Forecaster", self), series, at, Budget.parse(budget), progress)
            raw, repaired, rivals = again.raw, again.repaired, again.rivals
            held_out += ", learnt anew before each"
        forecasters = {NETWORK: repaired, **rivals}
        return run_backtest(
            raw, forecasters, series, at, self.quantiles, self._horizon, self.columns, held_out
        )

    def evaluate(
        self, data: SeriesSet | str | os.PathLike[str] | Any = None, **columns: Any
    ) -> Evaluation:
        """Rolling errors beside the rivals', on new data or (without) as `fit` measured them.

        Of a series that the model was trained on (known by its name), only what is later than its
        training part counts; of a new one, the last fifth.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the data can't be read, or holds too little to score.
        """
        if data is None:
            return self._own_evaluation()
        self._check_fitted()
        series = self._history_of(data, columns, ahead=False)
        cuts = evaluation_cuts(series, self._fitted.trained_until, self._horizon)
        return self._evaluate(series, cuts, f"what follows the training part, {series}")

    def start(self, history: SeriesSet | str | os.PathLike[str] | Any, **columns: Any) -> Arrays:
        """The state after reading one series: plain arrays, to be handed to `step`.

        Raises:
            ConfigError: `history` holds more than one series.
        """
        self._check_fitted()
        series = self._history_of(history, columns)
        if len(series) != 1:
            raise ConfigError(f"start: got {len(series)} series, expected one; use select([name])")
        return self._fitted.open(series)

    def step(
        self,
        value: float,
        state: Arrays,
        time: np.datetime64 | None = None,
        *,
        past: Mapping[str, Any] | None = None,
        future: Mapping[str, Sequence[Any]] | None = None,
    ) -> tuple[np.ndarray, Arrays]:
        """Read one more value of a series; the numbers are those of the whole sequence.

        Args:
            value: the next observation; NaN where it is missing.
            state: what `start` or an earlier `step` gave; stays as it is.
            time: when it was observed; None: one step after the value before (where weekdays can be
                holidays, say when).
            past: the past covariates beside it, by name.
            future: what is known of each of the `horizon` steps after it, by name.

        Returns:
            Quantile forecasts of the values after this one, `(K, Q)`, and the new state.

        Raises:
            ConfigError: the value is infinite, or no number; a covariate is missing or not known;
                another state.
            DataError: a time that is not the next one, a category that was not seen in training.
        """
        self._check_fitted()
        value = _observed(value)
        time = checked_next(state, time, self.reading.frequency)
        elapsed = elapsed_since(state, time, self.reading.frequency)
        beside = self.reading.row("past", {**(past or {}), **elapsed})
        ahead = self.reading.rows("future", future or {}, self._horizon)
        return self._fitted.advance(state, value, time, beside, ahead)

    def surprise(self, value: float, state: Arrays) -> float:
        """How probable a value as far out as this one was, before it came: near 0 for an anomaly.

            p = 2 min(F(value), 1 - F(value)),   F the forecast of the next step

        Args:
            value: the next observation, which `step` has not read yet; NaN gives NaN.
            state: what `start` or `step` gave.

        Returns:
            A probability. Of ordinary values it is spread evenly over (0, 1).

        Raises:
            ConfigError: the value is infinite, or no number.
        """
        self._check_fitted()
        below = share_below(_observed(value), state[NEXT], self.quantiles)
        return float(2 * min(below, 1 - below))

    @property
    def trained_until(self) -> dict[str, np.datetime64]:
        """For each series of the training its last time that was learnt."""
        self._check_fitted()
        return self._fitted.trained_until

    @property
    def answers(self) -> str:
        """Who answers `predict`: "network", or the name of the rival where `fallback` says so."""
        if self.fallback is None or self.evaluation is None:
            return NETWORK
        last = self.evaluation.comparisons[-1]
        there = last.baseline_name in {rival.name for rival in self.rivals.values()}
        return last.baseline_name if last.verdict == "network loses" and there else NETWORK

    @property
    def _horizon(self) -> int:
        return self.settings.horizon

    def _answer(self, series: SeriesSet, origins: list[Places], among: int) -> list[Array]:
        """Forecasts of whoever answers; `among` as for `Fitted.repaired`."""
        if self.answers != NETWORK:
            rival = next(one for one in self.rivals.values() if one.name == self.answers)
            return ask_rival(rival, self.quantiles, self._horizon)(series, origins)
        return self._fitted.repaired(series, origins, among)

    def _warn_if_it_lost(self) -> None:
        if self.answers != NETWORK or self.evaluation is None:
            return
        last = self.evaluation.comparisons[-1]
        if last.verdict == "network loses":
            text = f"{last}; it would answer with fallback='baseline'"
            warnings.warn(text, NetworkLoses, stacklevel=3)  # the caller of predict

    def _ask_rivals(self) -> dict[str, Ask]:
        return {
            rival.name: ask_rival(rival, self.quantiles, self._horizon)
            for rival in self.rivals.values()
        }

    def _evaluate(self, series: SeriesSet, cuts: list[int], held_out: str) -> Evaluation:
        origins, apart = rolling_origins(series, cuts, self._horizon)
        ask: dict[str, Ask] = {NETWORK: self._fitted.repaired, **self._ask_rivals()}
        scores = score_all(ask, series, origins, cuts, self.quantiles, self._horizon)
        if apart > 1:
            held_out += f", every {apart} steps"
        return evaluation_of(scores, NETWORK, held_out)

    def _read_alike(self, series: SeriesSet) -> SeriesSet:
        """Columns and categories as in training; of the frequency of training."""
        like, frequency = self.reading.covariates, self.reading.frequency
        return check_history(like.recode(with_elapsed(series, frequency)), frequency)

    def _history_of(
        self, history: Any, columns: Mapping[str, Any], future: Any = None, ahead: bool = True
    ) -> SeriesSet:
        Columns(**columns).refuse_for(history)
        reader = self.columns.with_(columns).reading_categories(self.reading.categories)
        series = self._read_alike(reader.read(history))
        if future is not None:
            if not self.reading.covariates.future_names:
                raise ConfigError(
                    "future: the model was trained without future covariates; leave it out, or"
                    " train with future_columns"
                )
            series = attach_future(
                series,
                future,
                ahead=self._horizon,
                id_column=reader.id_column,
                time_column=reader.time_column,
            )
            series = self.reading.covariates.recode(series)
        if ahead:
            check_covariates(series, self.reading.covariates, self._horizon)
        return series
