"""Forecasts a CSV file: python examples/forecast_csv.py [budget]

Any file with a column of dates and a column of numbers will do. This one comes with the package.
"""

from __future__ import annotations

import sys

from unrolled import Forecaster, read_series
from unrolled.data import catalog


def main(budget: str = "30s") -> None:
    """Learn the temperatures of Seattle, compare with the simple rival, look a week ahead."""
    weather = read_series(catalog.get("seattle-weather"), value_columns="temp_max")
    print(weather)
    model = Forecaster(horizon=7).fit(weather, budget=budget)
    print(model.evaluation)
    print(model.predict(weather, quantiles=(0.05, 0.95)))


if __name__ == "__main__":
    main(*sys.argv[1:])
