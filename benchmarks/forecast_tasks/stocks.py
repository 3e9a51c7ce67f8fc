"""Stock prices: how wide an interval must be, 5 and 21 trading days ahead."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast_tasks.contest import Array, Contest, rolling
from forecast_tasks.networks import Recipe
from forecast_tasks.rivals import simple, volatility
from forecast_tasks.runs import NETWORK, Goal, Request, hold
from unrolled.data import catalog
from unrolled.data.series_set import SeriesSet
from unrolled.training.metrics import coverage, interval_score, mae

SEASON = 5
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
HORIZONS = (5, 21)
# A year of the test part's five is 250 days.
LEAST = 400

# A network that begins at EWMA(.94) (`normalise="volatility"`, no shortcut). On validation, 5 and
# 21 days, IS80 and IS95. The index: .0497 .0745 .0882 .1249 after 100 steps; .0498 .0751 .0881
# .1266 after 40; .0498 .0735 .0899 .1257 after 400; EWMA .0520 .0800 .0920 .1383. The tickers:
# .0956 .1593 .1767 .2814 after 40 steps; .0960 .1597 .1789 .2844 after 100; .0969 .1614 .1833 .2904
# after 400; EWMA .0965 .1593 .1794 .2826.
RECIPE = Recipe(
    {
        "architecture": "segments",
        "cell": "gru",
        "lookback": 120,
        "segment": 5,
        "hidden_size": 64,
        "log": True,
        "normalise": "volatility",
        "shortcut": "none",
        "learning_rate": 1e-3,
        "batch_size": 256,
        "dropout": 0.2,
        "validation": 0,
    },
    "100 steps",
)
INDEX = RECIPE.with_(None, {"members": 4})
MANY = RECIPE.with_("40 steps", {"members": 1})
GOALS = tuple(Goal(metric, share=1.0, versus="EWMA(.94)") for metric in ("IS80", "IS95"))


def contest(name: str, horizon: int, part: str) -> Contest:
    """The index or the tickers."""
    found = catalog.load(name, missing="mask")
    assert isinstance(found, SeriesSet)
    told = "S&P 500" if name == "sp500-daily" else "100 tickers"
    return rolling(found, horizon, part, name=f"{told}, {horizon} days", levels=LEVELS, least=LEAST)


def measure(contest: Contest, fans: list[Array], points: list[Array]) -> dict[str, float]:
    """Interval scores and coverage of the log return since the origin, mean over steps and series;
    the same of the last step alone; and the mean absolute error of the point forecast."""
    last = [
        values[at][:, None]
        for values, at in zip(contest.series.values, contest.origins, strict=True)
    ]
    came = [np.log(y / start) for y, start in zip(contest.actual, last, strict=True)]
    told = [np.log(fan / start[..., None]) for fan, start in zip(fans, last, strict=True)]
    found = {}
    for nominal, low, high in ((0.8, 1, 5), (0.95, 0, 6)):
        for word, steps in (("", slice(None)), (" last step", slice(-1, None))):
            scores = [
                interval_score(y[:, steps], fan[:, steps, low], fan[:, steps, high], nominal)
                for y, fan in zip(came, told, strict=True)
            ]
            found[f"IS{nominal * 100:.0f}{word}"] = float(np.mean(scores))
        held = [
            coverage(y, fan[..., low], fan[..., high]) for y, fan in zip(came, told, strict=True)
        ]
        found[f"in {nominal:.0%}"] = float(np.mean(held))
    moves = [np.log(point / start) for point, start in zip(points, last, strict=True)]
    errors = [mae(y, move) for y, move in zip(came, moves, strict=True)]
    return {**found, "MAE": float(np.mean(errors))}


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    parts = []
    for name, recipe in (("sp500-daily", INDEX), ("stocks-5yr", MANY)):
        for horizon in HORIZONS:
            own = contest(name, horizon, request.part)
            rivals = volatility() | simple(SEASON)
            parts.append(hold(own, {NETWORK: (own, recipe)}, rivals, measure, GOALS, request))
    return parts
