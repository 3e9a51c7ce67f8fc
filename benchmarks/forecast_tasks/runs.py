"""One contest of a run, from training to verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import run_folder
from run_folder import Recipe, plain, tell, write

from forecast_tasks.contest import TEST, Array, Contest
from forecast_tasks.networks import AUTO, train
from forecast_tasks.rivals import Contestant

NETWORK = "network"

# Scores by the quantiles `(O, K, Q)` and the point forecasts `(O, K)` of each series.
Measure = Callable[[Contest, list[Array], list[Array]], dict[str, float]]
Entrant = tuple[Contest, Recipe]


@dataclass(frozen=True)
class Goal:
    """What is to be reached in one metric; lower is better.

    Attributes:
        metric: its name.
        at_most: the figure, or None for a share of a rival's.
        share: of the rival's score, where there is no figure.
        versus: that rival; None: the best one.
        plain: leave out the rivals that read logarithms.
        within: minutes in which it is to be reached; None: no matter.
    """

    metric: str
    at_most: float | None = None
    share: float = 0.9
    versus: str | None = None
    plain: bool = False
    within: float | None = None

    def judged(
        self,
        name: str,
        scores: Mapping[str, Mapping[str, float]],
        rivals: Iterable[str],
        minutes: float,
    ) -> dict[str, Any]:
        """A network's figure, the limit, the rival, and whether the goal is reached."""
        theirs = {
            one: scores[one][self.metric]
            for one in rivals
            if one in scores and not (self.plain and "logarithms" in one)
        }
        best = self.versus or min(theirs, key=theirs.__getitem__)
        limit = self.share * theirs[best] if self.at_most is None else self.at_most
        figure = scores[name][self.metric]
        in_time = self.within is None or minutes <= self.within
        return {
            "who": name,
            "metric": self.metric,
            "figure": figure,
            "limit": limit,
            "rule": self._rule(),
            "within minutes": self.within,
            "rival": best,
            "rival scored": theirs[best],
            "reached": bool(figure <= limit) and in_time,
        }

    def _rule(self) -> str:
        if self.at_most is not None:
            return ""
        whom = "the best in plain values" if self.plain else self.versus or "the best"
        return f"{self.share:g} times {whom}"


@dataclass(frozen=True)
class Request(run_folder.Request):
    """What a command asks for.

    Attributes:
        auto: leave the choice to `Forecaster("auto")`.
    """

    auto: bool = False

    def recipe(self, own: Recipe) -> Recipe:
        """The recipe of a task as the command has it."""
        return (AUTO if self.auto else own).with_(self.budget, self.options)


def hold(
    contest: Contest,
    networks: Mapping[str, Entrant],
    rivals: Mapping[str, Contestant],
    measure: Measure,
    goals: tuple[Goal, ...],
    request: Request,
) -> dict[str, Any]:
    """Hold one contest: train, ask everyone at the same origins, score, and judge.

    Args:
        contest, rivals, measure, goals: of the task.
        networks: by name; their contests have the series of `contest`, from the same origins, and
            maybe other columns or further series beside them.
        request: of the command.

    Returns:
        A part of a result, as plain values.
    """
    kept = None if request.folder is None else request.folder / f"{plain(contest.name)}.json"
    if kept is not None and kept.exists():
        return dict(json.loads(kept.read_text()))
    scores: dict[str, dict[str, float]] = {}
    seconds: dict[str, float] = {}
    took: dict[str, Any] = {}

    for name, (own, recipe) in networks.items():
        folder = request.within(f"{contest.name}-{name}")
        trained = train(own, request.recipe(recipe), request.seed, folder)
        took[name] = trained.took
        asked = trained.ask(own)
        places = [own.series.ids.index(one) for one in contest.series.ids]
        fans, points = ([one[i] for i in places] for one in (asked.fans, asked.points))
        scores[name] = measure(contest, fans, points)
        seconds[name] = round(asked.seconds, 1)
        _tell(contest, name, scores[name], asked.seconds)
    theirs = _rivals(contest, rivals, measure, request)
    scores |= {name: one["scores"] for name, one in theirs.items()}
    seconds |= {name: one["seconds"] for name, one in theirs.items()}
    # What is asked as a figure is asked of the test part.
    fitting = [goal for goal in goals if request.part == TEST or goal.at_most is None]
    judged = [
        goal.judged(name, scores, rivals, took[name]["minutes"] + seconds[name] / 60)
        for name in networks
        for goal in fitting
    ]
    part = {
        "part": contest.name,
        "held out": contest.held_out,
        "forecasts": contest.count,
        "scores": scores,
        "goals": judged,
        "took": took,
        "seconds": seconds,
    }
    if kept is not None:
        write(kept, part)
    return part


def _rivals(
    contest: Contest, rivals: Mapping[str, Contestant], measure: Measure, request: Request
) -> dict[str, dict[str, Any]]:
    """Scores and seconds of the rivals; those that another run of the same contest asked already,
    with another seed, are taken from there: theirs don't depend on it."""
    kept = None
    if request.folder is not None:
        name = f"rivals-{request.task}-{request.part}-{plain(contest.name)}.json"
        kept = request.folder.parent / name
    found: dict[str, dict[str, Any]] = {}
    if kept is not None and kept.exists():
        found = json.loads(kept.read_text())
    for name, take_part in rivals.items():
        if name in found:
            continue
        asked = take_part(contest)
        if not all(bool(np.isfinite(fan).all()) for fan in asked.fans):
            tell(f"{contest.name}: {name}: has no answer for some series, and is left out")
            continue
        found[name] = {
            "scores": measure(contest, asked.fans, asked.points),
            "seconds": round(asked.seconds, 1),
        }
        _tell(contest, name, found[name]["scores"], asked.seconds)
        if kept is not None:
            write(kept, found)
    return {name: found[name] for name in rivals if name in found}


def _tell(contest: Contest, name: str, scores: Mapping[str, float], seconds: float) -> None:
    shown = ", ".join(f"{metric} {value:.4g}" for metric, value in scores.items())
    tell(f"{contest.name}: {name}: {shown} ({seconds:.0f} s)")
