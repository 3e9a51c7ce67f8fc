"""Whether intervals hold what they say: backtests before and after their repair."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from forecast_tasks import covid, illness, m4, stocks, weather
from forecast_tasks.contest import TEST, Array, Contest, rolling
from forecast_tasks.networks import Recipe, train
from forecast_tasks.runs import NETWORK, Request, tell
from unrolled.data import catalog
from unrolled.data.series_set import SeriesSet
from unrolled.training.metrics import coverage
from unrolled.writing import replacing

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
INTERVALS = ((0.8, 1, 5), (0.95, 0, 6))
WITHIN = 0.03
# The last 15% of what may be learnt is kept back to learn the repair from; one member or four, and
# half the steps: what is asked here is how the intervals hold, not how narrow they are.
KEPT = {"validation": 0.15}


def contests() -> dict[str, tuple[Contest, Recipe]]:
    """Backtests over the last fifth of each series, by name."""
    m4_series = catalog.load("m4-hourly")
    assert isinstance(m4_series, SeriesSet)
    _, sick = illness.contests(8, TEST)
    sick = replace(sick, origins=sick.origins[:1] * len(sick.series))
    return {
        "M4 hourly, 48 hours": (
            rolling(m4_series, 48, TEST, name="m4", levels=LEVELS, apart=12),
            m4.RECIPE.with_("250 steps", {**KEPT, "members": 1}),
        ),
        "weather, 24 hours": (
            rolling(weather.series(beside=False), 24, TEST, name="weather", levels=LEVELS),
            weather.ALONE.with_("300 steps", KEPT),
        ),
        "illness, six measures, 8 weeks": (_with_levels(sick), illness.RECIPE.with_(None, KEPT)),
        "COVID-19, 14 days": (
            _with_levels(covid.contest(TEST)),
            covid.RECIPE.with_("225 steps", KEPT),
        ),
        "S&P 500, 5 days": (
            stocks.contest("sp500-daily", 5, TEST),
            stocks.INDEX.with_(None, KEPT),
        ),
        "100 tickers, 5 days": (
            stocks.contest("stocks-5yr", 5, TEST),
            stocks.MANY.with_(None, KEPT),
        ),
    }


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [_part(name, contest, recipe, request) for name, (contest, recipe) in contests().items()]


def _part(name: str, contest: Contest, recipe: Recipe, request: Request) -> dict[str, Any]:
    folder = request.within(name)
    kept = None if folder is None else folder / "part.json"
    if kept is not None and kept.exists():
        return dict(json.loads(kept.read_text()))
    trained = train(contest, request.recipe(recipe), request.seed, folder)
    scores = {}
    for word, repaired in (("before repair", False), ("after repair", True)):
        scores[word] = held(contest, trained.ask(contest, repaired=repaired).fans)
        tell(f"{name}: {word}: {scores[word]}")
    goals = []
    for nominal, _, _ in INTERVALS:
        metric = f"in {nominal:.0%}"
        share = scores["after repair"][metric]
        goals.append(
            {
                "who": f"{NETWORK} after repair (before: {scores['before repair'][metric]:.3f})",
                "metric": f"share {metric}",
                "figure": share,
                "limit": WITHIN,
                "rule": f"off {nominal:.0%}",
                "within minutes": None,
                "rival": None,
                "reached": abs(share - nominal) <= WITHIN,
            }
        )
    part = {
        "part": name,
        "held out": contest.held_out,
        "forecasts": contest.count,
        "scores": scores,
        "goals": goals,
        "took": {NETWORK: trained.took},
    }
    if kept is not None:
        with replacing(kept) as aside:
            aside.write_text(json.dumps(part, indent=1) + "\n")
    return part


def held(contest: Contest, fans: list[Array]) -> dict[str, float]:
    """The share of what came true that each interval holds, over all series and steps, and its
    mean width in units of what came true."""
    pairs = [
        (y.ravel(), fan.reshape(-1, fan.shape[-1]))
        for y, fan in zip(contest.actual, fans, strict=True)
    ]
    came, rows = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    found = {}
    size = float(np.nanmean(np.abs(came)))
    for nominal, low, high in INTERVALS:
        found[f"in {nominal:.0%}"] = coverage(came, rows[:, low], rows[:, high])
        found[f"width {nominal:.0%}"] = float(np.mean(rows[:, high] - rows[:, low])) / size
    return found


def _with_levels(contest: Contest) -> Contest:
    return replace(contest, levels=LEVELS)
