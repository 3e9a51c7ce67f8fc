"""Counts of the sick, and what happens where a wave turns: python examples/forecast_disease.py [budget]

Reads daily cases of COVID-19 and weekly influenza-like illness where they are at hand
(`unrolled data get covid19-confirmed`, `unrolled data get illness`), else the deaths in the British
army in the Crimea, by month. Draws forecast_COVID-19.png, forecast_influenza.png or
forecast_Crimea.png.
"""  # noqa: E501

from __future__ import annotations

import sys

import numpy as np

from unrolled import Forecaster
from unrolled.data import SeriesSet, catalog
from unrolled.lens import draw_forecasts, forecast_panel

PLACES = ("Germany", "Italy", "Japan", "Brazil", "India", "US", "Mexico", "Turkey")
PLACES += ("Spain", "Austria", "Israel", "Poland", "Russia", "Chile", "Korea, South", "Greece")


def cases() -> SeriesSet:
    """New cases by day: the differences of a running total, corrections below zero and all."""
    totals = catalog.load("covid19-confirmed").select(PLACES)
    new = {name: np.diff(one) for name, one in zip(totals.ids, totals.values, strict=True)}
    return SeriesSet.from_arrays(new, times=totals.times[0][1:])


def main(budget: str = "200 steps") -> None:
    """Learn each of the diseases at hand, and forecast from just before the highest value."""
    if catalog.find("covid19-confirmed"):
        series = cases()
        model = Forecaster(
            "segments", horizon=14, lookback=56, segment=7, normalise="season", log=True, members=1
        )
        wave("COVID-19", model, series, series.select(["India"]), budget, before=7)
    if catalog.find("illness"):
        series = catalog.load("illness", value_columns=["% WEIGHTED ILI"])
        model = Forecaster("segments", horizon=8, hidden_size=64, members=2, fallback="baseline")
        wave("influenza", model, series, series, budget, before=3)
    if not (catalog.find("covid19-confirmed") or catalog.find("illness")):
        series = catalog.load("crimea")
        model = Forecaster("steps", horizon=2, hidden_size=16, fallback="baseline")
        wave("Crimea", model, series, series.select(["disease"]), budget, before=1)


def wave(
    name: str, model: Forecaster, series: SeriesSet, shown: SeriesSet, budget: str, before: int
) -> None:
    """Fit and judge; then forecast `shown` from `before` steps ahead of its highest value, and from
    one horizon earlier and later."""
    model.fit(series, budget=budget, holdout=0.3)
    print(f"\n{name}: {series}")
    print(model.checkup)
    print(model.evaluation)
    print(f"predict is answered by: {model.answers}")

    (values,), horizon = shown.values, model.settings.horizon
    cut = int((shown.times[0] <= model.trained_until[shown.ids[0]]).sum())
    first, last = cut + horizon + before, len(values) - horizon
    peak = first + int(np.nanargmax(values[first:last]))
    at = [peak - before + k * horizon for k in (-1, 0, 1)]
    found = model.backtest(shown, origins={shown.ids[0]: [one for one in at if one < len(values)]})
    ahead = found.frame.filter(found.frame["cutoff"] == shown.times[0][peak - before].item())
    top = ahead.row(before - 1, named=True)
    steps = f"{before} step{'s' * (before > 1)}"
    print(f"{steps} before the top of {values[peak]:,.1f}: forecast {top['forecast']:,.1f},")
    print(f"    80% of outcomes {top['q0.1']:,.1f} to {top['q0.9']:,.1f},", end=" ")
    print(f"95% of them {top['q0.025']:,.1f} to {top['q0.975']:,.1f}")
    panel = forecast_panel(shown, found.frame)
    print("drew", draw_forecasts(panel, f"forecast_{name}.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
