"""How far may a price go? python examples/forecast_stocks.py [budget]

Reads 20 years of the S&P 500 where they are at hand (`unrolled data get sp500-daily` fetches them),
else the monthly prices of five companies that come with the package. Draws forecast_stocks.png.
"""

from __future__ import annotations

import sys

from unrolled import Forecaster
from unrolled.data import catalog
from unrolled.lens import draw_backtest, forecast_panel

INTERVALS = ("80%", "95%")


def main(budget: str = "300 steps") -> None:
    """Learn log returns in units of the day's volatility, and compare means and intervals."""
    prices = catalog.load("sp500-daily" if catalog.find("sp500-daily") else "stocks")
    print(prices)
    model = Forecaster(
        "segments",
        horizon=5,
        lookback=60 if prices.frequency.code == "B" else 20,
        segment=5,
        normalise="volatility",  # log returns, in units of what they have been of late
        shortcut="none",  # no claim on the mean beyond "as the last value"
        log=True,
        members=3,
        hidden_size=32,
        learning_rate=0.001,
        batch_size=256,
    ).fit(prices, budget=budget)
    print(model.evaluation)

    backtest = model.backtest(prices, windows=200)
    print("\nmean width and interval score, in units of a usual change; lower is better")
    for name, scores in backtest.scores.items():
        told = [
            f"{one}: {scores[f'width {one}']:.2f}, {scores[f'interval score {one}']:.2f}"
            for one in INTERVALS
        ]
        print(f"{name:<24} {'   '.join(told)}")
    last = model.backtest(prices, windows=10)
    panel = forecast_panel(prices, last.frame, most=1)
    print("drew", draw_backtest(panel, backtest.before, backtest.after, "forecast_stocks.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
