"""What other columns tell of the weather: python examples/forecast_weather.py [budget]

Reads four years of hourly weather where they are at hand (`weather-hourly` in a folder that
UNROLLED_DATA names), else the daily weather of Seattle. Draws forecast_weather.png.
"""

from __future__ import annotations

import sys

from unrolled import Forecaster, read_series
from unrolled.data import catalog
from unrolled.lens import draw_backtest, forecast_panel

HOURLY = ("DryBulbCelsius", "DewPointCelsius", "RelativeHumidity", "WindSpeed", "StationPressure")
DAILY = ("precipitation", "temp_min", "wind")


def main(budget: str = "200 steps") -> None:
    """The same network twice: with the temperature alone, and with what was measured beside it."""
    file = catalog.find("weather-hourly")
    hourly = file is not None
    target, beside = ("WetBulbCelsius", HOURLY) if hourly else ("temp_max", DAILY)
    for columns in (None, beside):
        weather = read_series(
            file or catalog.get("seattle-weather"), value_columns=target, past_columns=columns
        )
        model = Forecaster(
            "segments",
            horizon=24 if hourly else 7,
            lookback=168 if hourly else 56,
            segment=12 if hourly else 7,
            members=1,
            hidden_size=64,
        ).fit(weather, budget=budget)
        print(f"{weather}, with {', '.join(columns or ['nothing'])} beside {target}")
        print(model.evaluation)

    backtest = model.backtest(weather, windows=200)
    print(backtest)
    last = model.backtest(weather, windows=5)
    panel = forecast_panel(weather, last.frame, unit="°C")
    print("drew", draw_backtest(panel, backtest.before, backtest.after, "forecast_weather.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
