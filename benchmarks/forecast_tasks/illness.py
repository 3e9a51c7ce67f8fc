"""Influenza-like illness: its share of visits to doctors, 4, 8 and 24 weeks ahead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from forecast_tasks.contest import Contest, rolling
from forecast_tasks.measures import quantile_loss
from forecast_tasks.networks import Recipe
from forecast_tasks.rivals import ridges, simple, smoothing
from forecast_tasks.runs import NETWORK, Goal, Request, hold
from unrolled.data import catalog
from unrolled.data.series_set import SeriesSet

TARGET, SEASON = "% WEIGHTED ILI", 52
# Learnt beside it, as further series; the number of providers is no measure of illness.
BESIDE = ("%UNWEIGHTED ILI", "AGE 0-4", "AGE 5-24", "ILITOTAL", "OT")
HORIZONS = (4, 8, 24)

# The best of what was tried on validation, 4, 8 and 24 weeks: QL .158, .226, .304 against .160,
# .216, .271 of ridge in logarithms; four members .157, .223, .303; 104 weeks of history .158, .236,
# .312; where it begins .165, .233, .318.
RECIPE = Recipe(
    {
        "architecture": "segments",
        "cell": "gru",
        "lookback": 52,
        "segment": 4,
        "hidden_size": 32,
        "log": True,
        "normalise": "last",
        "shortcut": "fixed",
        "learning_rate": 2e-3,
        "batch_size": 128,
        "dropout": 0.5,
        "members": 8,
        "validation": 0,
    },
    "150 steps",
)
# `Ridge` as the package has it reads plain values; in logarithms it is a harder rival.
GOALS = (Goal("QL", plain=True), Goal("QL"))


def contests(horizon: int, part: str) -> tuple[Contest, Contest]:
    """Every week of the part: the target alone, for the rivals; and with the others learnt beside
    it, for the network, which is asked for the target only."""
    found = catalog.load("illness")
    assert isinstance(found, SeriesSet)
    every = rolling(found.select([TARGET, *BESIDE]), horizon, part, name=f"{horizon} weeks")
    none = (np.empty(0, dtype=np.int64),) * len(BESIDE)
    return every.only([TARGET]), replace(every, origins=(every.origins[0], *none))


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    rivals = simple(SEASON, log=True) | ridges([52, 104], log=True) | smoothing(log=True)
    parts = []
    for horizon in HORIZONS:
        own, beside = contests(horizon, request.part)
        networks = {NETWORK: (beside, RECIPE)}
        parts.append(hold(own, networks, rivals, quantile_loss, GOALS, request))
    return parts
