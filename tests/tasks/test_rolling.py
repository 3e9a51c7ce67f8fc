"""Rolling forecasts and the scores beside the naive forecast's, against scores made by loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unrolled.baselines import SeasonalNaive
from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.layers import GRU
from unrolled.tasks import rolling
from unrolled.tasks.forecast_features import FeatureMaker
from unrolled.tasks.forecast_model import ForecastModel
from unrolled.tasks.rolling import Request, compare, rolling_forecasts
from unrolled.tasks.scaling import Scale

LEVELS = (0.1, 0.5, 0.9)
STEPS = Frequency("step")


class _Says(nn.Module):
    """A forecaster that answers the same change at every step: `(K, Q)`, in units of `step`."""

    def __init__(self, *members: list[list[float]]) -> None:
        super().__init__()
        self.said = nn.Parameter(torch.tensor(members))
        self.answers = self.said.numel()

    def forward(self, inputs: Tensor, state: Any = None, **_: Any) -> tuple[Tensor, None]:
        over_time = self.said.detach()[:, None, None]
        return over_time.expand(-1, *inputs.shape[:2], -1, -1), None


def _counted(values: list[float] | np.ndarray) -> SeriesSet:
    return SeriesSet.from_arrays(np.asarray(values, dtype=np.float64))


def _score(
    model: Any, series: SeriesSet, cuts: list[int], scales: list[Scale], season: int = 1
) -> Any:
    past = [values[:cut] for values, cut in zip(series.values, cuts, strict=True)]
    features = FeatureMaker(series.frequency, 2, None)
    rival = SeasonalNaive(season).fit(past, horizon=2)
    return compare(model, features, rival, series, cuts, scales, LEVELS, "the end")


def test_a_forecast_is_the_last_value_plus_the_mean_of_the_members_times_the_step() -> None:
    model = _Says([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]], [[3.0, 4.0, 5.0], [0.0, 0.0, 0.0]])
    request = Request(
        np.array([10.0, 12.0, np.nan, 11.0]), np.arange(4), Scale(False, 9.0, 1.0, 0.5), [1, 2, 3]
    )
    (fans,) = rolling_forecasts(model, FeatureMaker(STEPS, 2, None), [request])  # type: ignore[arg-type]
    change = 0.5 * np.array([[2.0, 3.0, 4.0], [1.0, 2.0, 3.0]])
    # Where a value is not known the one before it stands in.
    np.testing.assert_allclose(fans, [12 + change, 12 + change, 11 + change])


def test_in_logarithms_a_change_is_a_factor() -> None:
    model = _Says([[-1.0, 0.0, 1.0]])
    request = Request(np.array([8.0, 4.0]), np.arange(2), Scale(True, 0.0, 1.0, np.log(2)), [1])
    (fans,) = rolling_forecasts(model, FeatureMaker(STEPS, 1, None), [request])  # type: ignore[arg-type]
    np.testing.assert_allclose(fans, [[[2.0, 4.0, 8.0]]], rtol=1e-6)


def test_quantiles_that_cross_are_put_in_order() -> None:
    model = _Says([[3.0, -1.0, 2.0]])
    request = Request(np.array([5.0]), np.arange(1), Scale(False, 0.0, 1.0, 1.0), [0])
    (fans,) = rolling_forecasts(model, FeatureMaker(STEPS, 1, None), [request])  # type: ignore[arg-type]
    np.testing.assert_allclose(fans, [[[4.0, 7.0, 8.0]]])


def _trained_by_nobody(features: FeatureMaker) -> ForecastModel:
    model = ForecastModel(
        lambda: GRU(features.size, 6),
        members=2,
        horizon=features.horizon,
        quantiles=LEVELS,
        dropout=0.0,
        noise=0.0,
        lags=features.lags,
    ).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    return model


@pytest.mark.parametrize("most", [1, 2**24])
def test_series_read_side_by_side_give_what_each_gives_alone(
    weekly: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(rolling, "MOST_ANSWERS", most)
    daily = Frequency("D")
    features = FeatureMaker(daily, 3, 7)
    requests = []
    for length in (30, 12, 50, 30, 2):
        values = weekly(length, seed=length)
        times = daily.grid(np.datetime64("2024-01-01", "us"), length)
        origins = range(length // 2, length)
        requests.append(Request(values, times, Scale.of(values, log=True), origins))
    model = _trained_by_nobody(features)
    together = rolling_forecasts(model, features, requests)
    for one, fans in zip(requests, together, strict=True):
        (alone,) = rolling_forecasts(model, features, [one])
        assert fans.shape == (len(one.origins), 3, 3)
        np.testing.assert_allclose(fans, alone, rtol=1e-5)


def test_a_forecast_does_not_depend_on_what_comes_after_its_origin(
    weekly: Callable[..., np.ndarray],
) -> None:
    daily = Frequency("D")
    features = FeatureMaker(daily, 3, 7)
    values = weekly(60)
    later = values.copy()
    later[40:] = 1e6
    times, scale = daily.grid(np.datetime64("2024-01-01", "us"), 60), Scale.of(values, log=False)
    model = _trained_by_nobody(features)
    one, other = (
        rolling_forecasts(model, features, [Request(v, times, scale, [20, 39, 40])])[0]
        for v in (values, later)
    )
    np.testing.assert_array_equal(one[:2], other[:2])
    assert (one[2] != other[2]).all()


def test_mase_is_the_mean_error_of_the_median_in_units_of_the_past_change() -> None:
    values = [1.0, 3.0, 2.0, 6.0, 4.0, 5.0, 9.0, 8.0]
    cut, model = 5, _Says([[0.0, 1.0, 2.0], [0.0, 2.0, 3.0]])
    evaluation = _score(model, _counted(values), [cut], [Scale(False, 0.0, 1.0, 1.0)])

    unit = np.mean([2.0, 1.0, 4.0, 2.0])
    errors, naive_errors, losses, inside = [], [], [], []
    for origin in range(cut - 1, len(values) - 2):
        for k, fan in ((1, (0.0, 1.0, 2.0)), (2, (0.0, 2.0, 3.0))):
            actual, now = values[origin + k], values[origin]
            errors.append(abs(actual - now - fan[1]))
            naive_errors.append(abs(actual - now))
            for level, change in zip(LEVELS, fan, strict=True):
                error = actual - now - change
                losses.append(2 * (level * error if error > 0 else (level - 1) * error))
            inside.append(now + fan[0] <= actual <= now + fan[2])
    assert len(errors) == 4
    mase, crps = evaluation.comparisons
    assert mase.network == pytest.approx(np.mean(errors) / unit)
    assert mase.baseline == pytest.approx(np.mean(naive_errors) / unit)
    assert mase.baseline_name == "last value"
    assert crps.network == pytest.approx(np.mean(losses) / unit)
    assert evaluation.details == {"coverage of the 80% interval": pytest.approx(np.mean(inside))}
    assert evaluation.held_out == "the end"


def test_the_rivals_crps_is_that_of_its_own_quantiles() -> None:
    series, cut = _counted(np.random.default_rng(8).normal(size=60)), 45
    evaluation = _score(_Says([[0.0] * 3] * 2), series, [cut], [Scale(False, 0.0, 1.0, 1.0)])
    values = series.values[0]
    rival = SeasonalNaive(1).fit([values[:cut]], horizon=2)
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
    model, both = _Says([[0.0, 0.3, 0.6]] * 2), SeriesSet.from_arrays([small, large])
    scales = [Scale.of(small[:30], log=False), Scale.of(large[:60], log=False)]
    together = _score(model, both, [30, 60], scales)
    alone = [
        _score(model, _counted(small), [30], scales[:1]),
        _score(model, _counted(large), [60], scales[1:]),
    ]
    assert together["MASE"] == pytest.approx(np.mean([one["MASE"] for one in alone]))
    assert together["CRPS"] == pytest.approx(np.mean([one["CRPS"] for one in alone]))


def test_unknown_values_are_not_scored() -> None:
    values = np.random.default_rng(11).normal(size=40)
    values[[33, 36]] = np.nan
    evaluation = _score(
        _Says([[0.0] * 3] * 2), _counted(values), [30], [Scale(False, 0.0, 1.0, 1.0)]
    )
    # A network that says "no change" is the naive forecast, gaps and all.
    mase = evaluation.comparisons[0]
    assert mase.network == pytest.approx(mase.baseline)
    assert mase.verdict == "tie"


def test_the_score_before_the_cut_counts_nothing() -> None:
    values = np.random.default_rng(12).normal(size=40)
    other = values.copy()
    other[:29] = np.roll(other[:29], 1)
    unit = [abs(np.diff(v[:30])).mean() for v in (values, other)]
    scales = [Scale(False, 0.0, 1.0, 1.0)]
    one, two = (_score(_Says([[0.0] * 3] * 2), _counted(v), [30], scales) for v in (values, other))
    assert one["MASE"] * unit[0] == pytest.approx(two["MASE"] * unit[1])
