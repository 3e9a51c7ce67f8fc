"""The gate: the scores of network and rivals, against scores made by loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.baselines import Naive
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecasting import gate
from unrolled.tasks.forecasting.gate import (
    Ask,
    ask_rival,
    evaluation_of,
    fit_rivals,
    rolling_origins,
    score_all,
)

LEVELS = (0.1, 0.5, 0.9)


def _says(change: list[list[float]]) -> Ask:
    """A forecaster that adds the same change `(K, Q)` to the last known value."""

    def ask(series: SeriesSet, origins: Any) -> list[np.ndarray]:
        fans = []
        for values, at in zip(series.values, origins, strict=True):
            known = [values[: place + 1][np.isfinite(values[: place + 1])][-1] for place in at]
            fans.append(np.array(known)[:, None, None] + np.array(change))
        return fans

    return ask


def _counted(values: list[float] | np.ndarray) -> SeriesSet:
    return SeriesSet.from_arrays(np.asarray(values, dtype=np.float64))


def _score(network: Ask, series: SeriesSet, cuts: list[int]) -> Any:
    past = [values[:cut] for values, cut in zip(series.values, cuts, strict=True)]
    rival = Naive().fit(past, 2)
    origins, _ = rolling_origins(series, cuts, 2)
    ask = {"network": network, rival.name: ask_rival(rival, LEVELS, 2)}
    scores = score_all(ask, series, origins, cuts, LEVELS, 2)
    return evaluation_of(scores, "network", "the end")


def test_mase_is_the_mean_error_of_the_median_in_units_of_the_past_change() -> None:
    values = [1.0, 3.0, 2.0, 6.0, 4.0, 5.0, 9.0, 8.0]
    cut, model = 5, _says([[0.0, 1.0, 2.0], [0.0, 2.0, 3.0]])
    evaluation = _score(model, _counted(values), [cut])

    unit = np.mean([2.0, 1.0, 4.0, 2.0])
    fitted = Naive().fit([np.array(values[:cut])], 2)
    rival = fitted.rolling_quantiles(values, [5, 6], 2, [0.5])[..., 0]
    errors, naive_errors, losses, inside = [], [], [], []
    for origin in range(cut - 1, len(values) - 2):
        for k, fan in ((1, (0.0, 1.0, 2.0)), (2, (0.0, 2.0, 3.0))):
            actual, now = values[origin + k], values[origin]
            errors.append(abs(actual - now - fan[1]))
            naive_errors.append(abs(actual - rival[origin - cut + 1, k - 1]))
            for level, change in zip(LEVELS, fan, strict=True):
                error = actual - now - change
                losses.append(2 * (level * error if error > 0 else (level - 1) * error))
            inside.append(now + fan[0] <= actual <= now + fan[2])
    assert len(errors) == 4
    mase, crps = evaluation.comparisons
    assert mase.network == pytest.approx(np.mean(errors) / unit)
    assert mase.baseline == pytest.approx(np.mean(naive_errors) / unit)
    assert mase.baseline_name == Naive().name
    assert crps.network == pytest.approx(np.mean(losses) / unit)
    assert evaluation["coverage of the 80% interval"] == pytest.approx(np.mean(inside))
    assert evaluation[f"MASE of the median, {Naive().name}"] == mase.baseline
    assert evaluation.held_out == "the end"


def test_the_rivals_crps_is_that_of_its_own_quantiles() -> None:
    series, cut = _counted(np.random.default_rng(8).normal(size=60)), 45
    evaluation = _score(_says([[0.0] * 3] * 2), series, [cut])
    values = series.values[0]
    rival = Naive().fit([values[:cut]], 2)
    losses = []
    for origin in range(cut - 1, 58):
        fan = rival.forecast_quantiles(values[: origin + 1], 2, LEVELS)
        for k in (1, 2):
            for level, said in zip(LEVELS, fan[k - 1], strict=True):
                error = values[origin + k] - said
                losses.append(2 * max(level * error, (level - 1) * error))
    unit = np.abs(np.diff(values[:cut])).mean()
    assert evaluation.comparisons[1].baseline == pytest.approx(np.mean(losses) / unit)


def test_series_of_any_size_and_length_count_alike() -> None:
    small = np.random.default_rng(9).normal(size=40)
    large = 1e6 * np.random.default_rng(10).normal(size=90)
    model, both = _says([[0.0, 0.3, 0.6]] * 2), SeriesSet.from_arrays([small, large])
    together = _score(model, both, [30, 60])
    alone = [_score(model, _counted(small), [30]), _score(model, _counted(large), [60])]
    assert together["MASE"] == pytest.approx(np.mean([one["MASE"] for one in alone]))
    assert together["CRPS"] == pytest.approx(np.mean([one["CRPS"] for one in alone]))


def test_unknown_values_are_not_scored() -> None:
    values = np.random.default_rng(11).normal(size=40)
    values[[33, 36]] = np.nan
    evaluation = _score(_says([[0.0] * 3] * 2), _counted(values), [30])
    errors, now = [], values[29]
    for origin in range(29, 38):
        now = values[origin] if np.isfinite(values[origin]) else now
        errors += [abs(values[origin + k] - now) for k in (1, 2) if np.isfinite(values[origin + k])]
    assert len(errors) == 14
    unit = np.abs(np.diff(values[:30])).mean()
    assert evaluation["MASE"] == pytest.approx(np.mean(errors) / unit)


def test_the_score_before_the_cut_counts_nothing() -> None:
    values = np.random.default_rng(12).normal(size=40)
    other = values.copy()
    other[:29] = np.roll(other[:29], 1)
    unit = [abs(np.diff(v[:30])).mean() for v in (values, other)]
    one, two = (_score(_says([[0.0] * 3] * 2), _counted(v), [30]) for v in (values, other))
    assert one["MASE"] * unit[0] == pytest.approx(two["MASE"] * unit[1])


def test_the_best_rival_of_each_metric_stands_beside_the_network() -> None:
    scores = {
        "network": {gate.MASE: 1.0, gate.CRPS: 1.0},
        "wide": {gate.MASE: 0.8, gate.CRPS: 1.5},
        "narrow": {gate.MASE: 1.2, gate.CRPS: 0.9},
    }
    mase, crps = evaluation_of(scores, "network", "the end").comparisons
    assert (mase.baseline_name, mase.baseline) == ("wide", 0.8)
    assert (crps.baseline_name, crps.baseline) == ("narrow", 0.9)


def test_origins_are_all_whose_answers_lie_behind_the_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    both = SeriesSet.from_arrays([np.arange(40.0), np.arange(25.0)])
    origins, apart = rolling_origins(both, [30, 20], 3)
    assert apart == 1
    assert [one.tolist() for one in origins] == [list(range(29, 37)), [19, 20, 21]]
    monkeypatch.setattr(gate, "MOST_ORIGINS", 4)
    thinned, apart = rolling_origins(both, [30, 20], 3)
    assert apart == 3
    # The newest answers are among them.
    assert [one.tolist() for one in thinned] == [[30, 33, 36], [21]]


def test_scores_do_not_depend_on_how_many_forecasts_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(13)
    three = SeriesSet.from_arrays([random.normal(size=40 + 7 * i) for i in range(3)])
    one = _score(_says([[-0.5, 0.1, 0.6]] * 2), three, [30, 33, 40])
    monkeypatch.setattr(gate, "MOST_NUMBERS", 1)
    assert _score(_says([[-0.5, 0.1, 0.6]] * 2), three, [30, 33, 40]) == one


def test_rivals_are_those_that_the_series_can_teach() -> None:
    random = np.random.default_rng(14)
    prices = [np.exp(np.cumsum(random.normal(0, 0.1, 80)))]
    assert set(fit_rivals(prices, 1, 2, log=True)) == {"naive", "drift", "ridge", "ewma"}
    assert set(fit_rivals(prices, 7, 2, log=False)) == {"naive", "drift", "seasonal", "ridge"}
    few = fit_rivals([np.arange(6.0)], 7, 2, log=False)
    assert "naive" in few
    assert "seasonal" not in few
