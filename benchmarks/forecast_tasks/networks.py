"""The networks of a contest: the public `Forecaster` under a recipe, or left to itself."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from run_folder import Recipe, Stopped, write

import unrolled
from forecast_tasks.contest import Contest
from forecast_tasks.rivals import Asked
from unrolled import Forecaster
from unrolled.errors import DataWarning

MODEL, TOOK = "model.unrolled", "took.json"


AUTO = Recipe({"architecture": "auto", "validation": 0.15, "gaps": 0.1}, "10m")


@dataclass(frozen=True)
class Trained:
    """A network that has learnt, and what that took."""

    model: Forecaster
    took: dict[str, Any]

    def ask(self, contest: Contest, *, repaired: bool = False) -> Asked:
        """Its forecasts at the origins of the contest; repaired, where that was asked for."""
        began = time.perf_counter()
        ask = self.model._fitted.repaired if repaired else self.model._fitted.ask
        fans = ask(contest.series, list(contest.origins))
        median = contest.levels.index(0.5)
        points = [fan[..., median] for fan in fans]
        return Asked(fans, points, time.perf_counter() - began)


def _loaded(path: Path) -> Forecaster:
    model = unrolled.load(path)
    assert isinstance(model, Forecaster)
    return model


def train(contest: Contest, recipe: Recipe, seed: int, folder: Path | None) -> Trained:
    """Train on what may be learnt, all of it; or take the model that the folder holds already.

    Raises:
        Stopped: by Ctrl-C.
    """
    if folder is not None and (folder / TOOK).exists():
        return Trained(_loaded(folder / MODEL), json.loads((folder / TOOK).read_text()))
    model = Forecaster(
        **{
            "horizon": contest.horizon,
            "quantiles": contest.levels,
            "seed": seed,
            "gaps": 0.0,  # no forecast of these contests is made from a gap
            **recipe.options,
        }
    )
    began, busy = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # what the data are like is known here
        model.fit(
            contest.learnt,
            budget=recipe.budget,
            holdout=0,
            run_dir=folder,
            resume=folder is not None,
        )
    if model.outcome.ended == "interrupted":
        raise Stopped
    steps, batch = model.outcome.steps, model.settings.batch_size
    took = {
        "budget": recipe.budget,
        "steps": steps,
        "windows": steps * batch,
        "minutes": round((time.perf_counter() - began) / 60, 2),
        "processor minutes": round((time.process_time() - busy) / 60, 2),
        "parameters": sum(p.numel() for p in model.model.parameters()),
        "threads": torch.get_num_threads(),
        "settings": model.settings.to_dict(),
        "trials": [str(one) for one in model.trials],
    }
    if folder is not None:
        model.save(folder / MODEL)
        write(folder / TOOK, took)
    return Trained(model, took)
