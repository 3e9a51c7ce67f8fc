"""The rivals of a contest: fitted on the same past, asked at the same origins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from forecast_tasks.contest import Array, Contest
from unrolled.baselines import (
    MSTL,
    Drift,
    EWMAVolatility,
    ExponentialSmoothing,
    Naive,
    Ridge,
    Rival,
    SeasonalNaive,
)
from unrolled.tasks.forecasting.scaling import Scale


@dataclass(frozen=True)
class Asked:
    """What one contestant said.

    Attributes:
        fans: for each series its forecasts, `(O, K, Q)`.
        points: for each series its point forecasts, `(O, K)`.
        seconds: that fitting and asking took.
    """

    fans: list[Array]
    points: list[Array]
    seconds: float


Contestant = Callable[[Contest], Asked]


def rival(make: Callable[[], Rival], *, log: bool = False) -> Contestant:
    """A rival as contestant; with `log` it reads and answers in logarithms.

    Args:
        make: a fresh one.
        log: as for series whose changes grow with their level; see `Scale`.
    """

    def take_part(contest: Contest) -> Asked:
        began = time.perf_counter()
        season = contest.series.frequency.season
        scales = [Scale.of(past, log=log, season=season) for past in contest.past]
        values = [
            one.transform(given) for one, given in zip(scales, contest.series.values, strict=True)
        ]
        past = [one[:cut] for one, cut in zip(values, contest.cuts, strict=True)]
        fitted = make().fit(past, contest.horizon)
        fans = [
            scale.restore(fitted.rolling_quantiles(one, at + 1, contest.horizon, contest.levels))
            for scale, one, at in zip(scales, values, contest.origins, strict=True)
        ]
        points = [
            scale.restore(fitted.rolling(one, at + 1, contest.horizon))
            for scale, one, at in zip(scales, values, contest.origins, strict=True)
        ]
        return Asked(fans, points, time.perf_counter() - began)

    return take_part


def simple(season: int, *, log: bool = False) -> dict[str, Contestant]:
    """The rivals of every contest: last value, a season ago, drift, ridge; with `log` also ridge
    in logarithms."""
    found = {"last value": rival(Naive), "drift": rival(Drift)}
    if season > 1:
        found[f"same as {season} steps ago"] = rival(lambda: SeasonalNaive(season))
    seasons = season if season > 1 else None
    found["ridge"] = rival(lambda: Ridge(seasons=seasons))
    if log:
        found["ridge in logarithms"] = rival(lambda: Ridge(seasons=seasons), log=True)
    return found


def ridges(lags: Sequence[int], *, log: bool = False) -> dict[str, Contestant]:
    """Ridge regression on as many lags as told, in place of those that it would choose."""

    def of(count: int) -> Contestant:
        return rival(lambda: Ridge(count), log=log)

    told = "ridge in logarithms" if log else "ridge"
    return {f"{told}, {count} lags": of(count) for count in lags}


def smoothing(
    season: int = 1, *, log: bool = False, refit: int | None = None
) -> dict[str, Contestant]:
    """Exponential smoothing; nothing without statsforecast.

    Args:
        season: its library takes 24 at most.
        log: also in logarithms.
        refit: origins that share one estimation of the parameters.
    """
    if find_spec("statsforecast") is None:
        return {}

    def make() -> Rival:
        return ExponentialSmoothing(season, refit=refit)

    found = {"exponential smoothing": rival(make)}
    return found | {"exponential smoothing in logarithms": rival(make, log=True)} if log else found


def mstl(seasons: Sequence[int]) -> dict[str, Contestant]:
    """Several seasons taken off by loess, the rest smoothed; nothing without statsforecast."""
    if find_spec("statsforecast") is None:
        return {}
    return {f"MSTL({','.join(map(str, seasons))})": rival(lambda: MSTL(seasons))}


def volatility() -> dict[str, Contestant]:
    """RiskMetrics' fading average of squared changes."""
    return {"EWMA(.94)": rival(EWMAVolatility)}
