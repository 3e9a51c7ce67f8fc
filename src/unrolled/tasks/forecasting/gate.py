"""The baseline gate of forecasts: simple rivals, fitted on the same past, asked the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec

import numpy as np

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
from unrolled.data.series_set import SeriesSet
from unrolled.errors import DataError
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.forecasting.engine import Places
from unrolled.tasks.forecasting.scaling import Array
from unrolled.training.metrics import central_intervals, coverage, mase, pinball, seasonal_scale

MASE, CRPS = "MASE of the median", "CRPS, scaled"
Ask = Callable[[SeriesSet, Sequence[Places]], list[Array]]

# Origins that an evaluation looks at, over all series, and numbers of forecasts held at once.
MOST_ORIGINS, MOST_NUMBERS = 20_000, 2**23
# Beyond so many series the models of statsforecast, one for each, take minutes.
_MOST_STATISTICAL = 8
# Series that rivals are fitted on; more teach them nothing more.
_MOST_SERIES = 500

KINDS: dict[str, type] = {
    "naive": Naive,
    "seasonal": SeasonalNaive,
    "drift": Drift,
    "ridge": Ridge,
    "ewma": EWMAVolatility,
    "smoothing": ExponentialSmoothing,
    "mstl": MSTL,
}


def fit_rivals(past: Sequence[Array], season: int, horizon: int, *, log: bool) -> dict[str, Rival]:
    """The rivals that can be fitted on the training part of the series, by kind.

    As the last value; as one season ago, where there are seasons; the drift; ridge regression on
    the lags; for series whose changes grow with their level, RiskMetrics' fading average; and for a
    few series, where statsforecast is installed, exponential smoothing and MSTL.
    """
    step = -(-len(past) // _MOST_SERIES)
    chosen = past[::step]
    rivals: dict[str, Rival] = {"naive": Naive(), "drift": Drift()}
    if season > 1:
        rivals["seasonal"] = SeasonalNaive(season)
        rivals["ridge"] = Ridge(seasons=season)
    else:
        rivals["ridge"] = Ridge()
    if log:
        rivals["ewma"] = EWMAVolatility()
    if len(past) <= _MOST_STATISTICAL and find_spec("statsforecast") is not None:
        rivals["smoothing"] = ExponentialSmoothing(season)
        if season > 1:
            rivals["mstl"] = MSTL([season])
    fitted = {}
    for kind, rival in rivals.items():
        try:
            fitted[kind] = rival.fit(chosen, horizon)
        except DataError:
            if kind == "naive":  # without any error to learn from there is nothing to compare
                raise
    return fitted


def score_all(
    ask: Mapping[str, Ask],
    series: SeriesSet,
    origins: Sequence[Places],
    cuts: Sequence[int],
    levels: tuple[float, ...],
    horizon: int,
) -> dict[str, dict[str, float]]:
    """Scores of several forecasters at the same origins: name to metric to score.

    The scores of a series are in units of its own seasonal change before the cut (Hyndman &
    Koehler 2006); the mean over the series counts.

    Args:
        ask: each forecaster, by name.
        series, origins: where they forecast from, for each series the places of the last value.
        cuts: where the training part of each series ends.
        levels, horizon: of the forecasts.
    """
    quantiles = np.array(levels)
    median = levels.index(0.5)
    found: dict[str, list[list[float]]] = {name: [] for name in ask}
    inside: dict[str, list[list[float]]] = {name: [] for name in ask}
    intervals = central_intervals(quantiles)
    for group in _groups(origins, horizon * len(levels)):
        part = series.select([series.ids[i] for i in group])
        at = [origins[i] for i in group]
        fans = {name: one(part, at) for name, one in ask.items()}
        for place, i in enumerate(group):
            values = series.values[i]
            actual = values[at[place][:, None] + np.arange(1, horizon + 1)]
            if not np.isfinite(actual).any():
                continue
            unit = seasonal_scale(values[: cuts[i]], series.frequency.season)
            for name, of_series in fans.items():
                fan = of_series[place]
                found[name].append(
                    [mase(actual, fan[..., median], unit), pinball(actual, fan, quantiles) / unit]
                )
                inside[name].append(
                    [coverage(actual, fan[..., low], fan[..., high]) for _, low, high in intervals]
                )
    scores = {}
    for name, rows in found.items():
        mean, crps = np.mean(rows, axis=0)
        shares = np.mean(inside[name], axis=0) if intervals else []
        covered = {
            f"coverage of the {nominal:.0%} interval": float(share)
            for (nominal, _, _), share in zip(intervals, shares, strict=True)
        }
        scores[name] = {MASE: float(mean), CRPS: float(crps), **covered}
    return scores


def ask_rival(rival: Rival, levels: tuple[float, ...], horizon: int) -> Ask:
    """A rival as something that is asked like a network."""

    def ask(series: SeriesSet, origins: Sequence[Places]) -> list[Array]:
        return [
            rival.rolling_quantiles(values, at + 1, horizon, levels)
            for values, at in zip(series.values, origins, strict=True)
        ]

    return ask


def rolling_origins(
    series: SeriesSet, cuts: Sequence[int], horizon: int
) -> tuple[list[Places], int]:
    """Every origin whose answers lie behind the cut, thinned where there are too many.

    Returns:
        For each series the places of the last known value, and how far apart they are.
    """
    ends = [len(values) - horizon for values in series.values]
    total = sum(max(0, end - cut + 1) for end, cut in zip(ends, cuts, strict=True))
    apart = max(1, -(-total // MOST_ORIGINS))
    # From the end backwards, so that the newest answers are always among them.
    return [
        np.arange(end - 1, cut - 2, -apart)[::-1] for end, cut in zip(ends, cuts, strict=True)
    ], apart


def evaluation_of(
    scores: Mapping[str, Mapping[str, float]], network: str, held_out: str
) -> Evaluation:
    """The network beside the best of its rivals, metric by metric."""
    # One that had too few values to be estimated has no score.
    rivals = {
        name: one for name, one in scores.items() if name != network and np.isfinite(one[CRPS])
    }
    comparisons = []
    for metric in (MASE, CRPS):
        best = min(rivals, key=lambda name: rivals[name][metric])
        comparisons.append(Comparison(metric, scores[network][metric], rivals[best][metric], best))
    details = {name: value for name, value in scores[network].items() if "coverage" in name}
    for name, one in rivals.items():
        details |= {f"{metric}, {name}": value for metric, value in one.items()}
    return Evaluation(tuple(comparisons), details, held_out)


def _groups(origins: Sequence[Places], numbers: int) -> Iterator[list[int]]:
    """Series whose forecasts are held at once; those without origins are left out."""
    group: list[int] = []
    held = 0
    for place, one in enumerate(origins):
        if not len(one):
            continue
        if group and held + len(one) * numbers > MOST_NUMBERS:
            yield group
            group, held = [], 0
        group.append(place)
        held += len(one) * numbers
    if group:
        yield group
