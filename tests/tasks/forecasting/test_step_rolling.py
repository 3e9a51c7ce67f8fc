"""Rolling forecasts of the network that answers at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.layers import GRU
from unrolled.tasks.forecasting import step_rolling
from unrolled.tasks.forecasting.scaling import Scale
from unrolled.tasks.forecasting.step_features import FeatureMaker
from unrolled.tasks.forecasting.step_model import ForecastModel
from unrolled.tasks.forecasting.step_rolling import rolling_forecasts

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


def test_a_forecast_is_the_last_value_plus_the_mean_of_the_members_times_the_step() -> None:
    model = _Says([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]], [[3.0, 4.0, 5.0], [0.0, 0.0, 0.0]])
    (fans,) = rolling_forecasts(
        model,  # type: ignore[arg-type]
        FeatureMaker(STEPS, 2, None),
        _counted([10.0, 12.0, np.nan, 11.0]),
        [Scale(False, 9.0, 1.0, 0.5)],
        [np.array([1, 2, 3])],
    )
    change = 0.5 * np.array([[2.0, 3.0, 4.0], [1.0, 2.0, 3.0]])
    # Where a value is not known the one before it stands in.
    np.testing.assert_allclose(fans, [12 + change, 12 + change, 11 + change])


def test_in_logarithms_a_change_is_a_factor() -> None:
    model = _Says([[-1.0, 0.0, 1.0]])
    (fans,) = rolling_forecasts(
        model,  # type: ignore[arg-type]
        FeatureMaker(STEPS, 1, None),
        _counted([8.0, 4.0]),
        [Scale(True, 0.0, 1.0, np.log(2))],
        [np.array([1])],
    )
    np.testing.assert_allclose(fans, [[[2.0, 4.0, 8.0]]], rtol=1e-6)


def test_quantiles_that_cross_are_put_in_order() -> None:
    model = _Says([[3.0, -1.0, 2.0]])
    (fans,) = rolling_forecasts(
        model,  # type: ignore[arg-type]
        FeatureMaker(STEPS, 1, None),
        _counted([5.0]),
        [Scale(False, 0.0, 1.0, 1.0)],
        [np.array([0])],
    )
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
    monkeypatch.setattr(step_rolling, "MOST_ANSWERS", most)
    daily = Frequency("D")
    features = FeatureMaker(daily, 3, 7)
    lengths = (30, 12, 50, 30, 2)
    series = SeriesSet.from_arrays([weekly(n, seed=n) for n in lengths], frequency=daily)
    scales = [Scale.of(values, log=True) for values in series.values]
    origins = [np.arange(n // 2, n) for n in lengths]
    model = _trained_by_nobody(features)
    together = rolling_forecasts(model, features, series, scales, origins)
    for place, fans in enumerate(together):
        (alone,) = rolling_forecasts(
            model,
            features,
            series.select([series.ids[place]]),
            scales[place : place + 1],
            origins[place : place + 1],
        )
        assert fans.shape == (len(origins[place]), 3, 3)
        np.testing.assert_allclose(fans, alone, rtol=1e-5)


def test_a_forecast_does_not_depend_on_what_comes_after_its_origin(
    weekly: Callable[..., np.ndarray],
) -> None:
    daily = Frequency("D")
    features = FeatureMaker(daily, 3, 7)
    values = weekly(60)
    later = values.copy()
    later[40:] = 1e6
    scale = Scale.of(values, log=False)
    model = _trained_by_nobody(features)
    one, other = (
        rolling_forecasts(
            model,
            features,
            SeriesSet.from_arrays(v, frequency=daily),
            [scale],
            [np.array([20, 39, 40])],
        )[0]
        for v in (values, later)
    )
    np.testing.assert_array_equal(one[:2], other[:2])
    assert (one[2] != other[2]).all()


def test_origins_may_come_in_any_order_and_memory(weekly: Callable[..., np.ndarray]) -> None:
    """As `rolling_origins` gives them, which counts backwards."""
    daily = Frequency("D")
    features = FeatureMaker(daily, 3, 7)
    series = SeriesSet.from_arrays(weekly(60), frequency=daily)
    scale, model = Scale.of(series.values[0], log=False), _trained_by_nobody(features)
    backwards = np.arange(50, 40, -3)
    forwards = backwards[::-1].copy()
    for at in (backwards, forwards[::-1]):
        (one,) = rolling_forecasts(model, features, series, [scale], [at])
        (other,) = rolling_forecasts(model, features, series, [scale], [forwards])
        np.testing.assert_array_equal(one, other[::-1])
