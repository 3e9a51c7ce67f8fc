"""Hourly weather: the wet-bulb temperature 24 and 168 hours ahead, alone and by other columns."""

from __future__ import annotations

from typing import Any

from forecast_tasks.contest import rolling
from forecast_tasks.measures import quantile_loss
from forecast_tasks.networks import Recipe
from forecast_tasks.rivals import simple
from forecast_tasks.runs import NETWORK, Goal, Request, hold
from unrolled.data import catalog
from unrolled.data.series_set import SeriesSet

TARGET, SEASON = "WetBulbCelsius", 24
# The same temperatures in another unit are left out.
BESIDE = (
    "Visibility",
    "DryBulbCelsius",
    "DewPointCelsius",
    "RelativeHumidity",
    "WindSpeed",
    "WindDirection",
    "StationPressure",
    "Altimeter",
)
SHARED = {
    "architecture": "segments",
    "cell": "gru",
    "hidden_size": 128,
    "log": False,
    "normalise": "last",
    "shortcut": "fixed",
    "learning_rate": 1e-3,
    "batch_size": 256,
    "dropout": 0.2,
    "members": 1,
    "validation": 0,
}
# Chosen on validation (a network of the same form, before this one): 24 hours alone, QL 1.33
# against 1.55 of ridge; with the other columns of the last 168 hours, 1.17. 168 hours: 2.18 against
# 2.47.
ALONE = Recipe({**SHARED, "lookback": 336, "segment": 12}, "600 steps")
WITH = Recipe({**SHARED, "lookback": 168, "segment": 12}, "600 steps")
LONG_ALONE = Recipe({**SHARED, "lookback": 336, "segment": 24}, "300 steps")
LONG_WITH = Recipe({**SHARED, "lookback": 336, "segment": 24}, "300 steps")
GOALS = (Goal("QL"), Goal("MAE"))


def series(*, beside: bool) -> SeriesSet:
    """The temperature; with the other columns, or alone."""
    found = catalog.load(
        "weather-hourly", value_columns=TARGET, past_columns=list(BESIDE) if beside else None
    )
    assert isinstance(found, SeriesSet)
    return found


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    parts = []
    for horizon, alone, beside in ((24, ALONE, WITH), (168, LONG_ALONE, LONG_WITH)):
        name = f"{horizon} hours"
        own = rolling(series(beside=False), horizon, request.part, name=name)
        other = rolling(series(beside=True), horizon, request.part, name=name)
        rivals = simple(SEASON)
        networks = {NETWORK: (own, alone), "network, other columns": (other, beside)}
        parts.append(hold(own, networks, rivals, quantile_loss, GOALS, request))
    return parts
