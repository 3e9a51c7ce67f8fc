"""A training for each speaker, who is held out and scored: the mean, and the worst of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from run_folder import TEST, Recipe
from run_parts import Request
from run_rival import learn_beside
from text_tasks.runs import Goal, Scores, judged, scores_of

import unrolled
from speech_tasks import published
from speech_tasks.digits import Fold, folds
from speech_tasks.plain import PlainGRU
from speech_tasks.quality import tell_scores
from speech_tasks.runs import learn
from unrolled.data.recordings import Recordings


@dataclass(frozen=True)
class Contest:
    """What is asked of all.

    Attributes:
        name: of the data.
        metric: of `evaluate`.
        higher: whether higher is better.
        recipe, goals: of each training; a goal's metric is "mean" or "worst".
        learnt, scored: make of a fold's digits what is learnt, and what is scored.
    """

    name: str
    metric: str
    higher: bool
    recipe: Recipe
    goals: Sequence[Goal]
    learnt: Callable[[Recordings], Recordings] = lambda one: one
    scored: Callable[[Recordings], Recordings] = lambda one: one


def part(contest: Contest, request: Request) -> dict[str, Any]:
    """Train six times, each time the weights that come last, and score who was held out."""
    recipe = request.recipe(contest.recipe)
    several: dict[str, Scores] = {}
    took: dict[str, Any] = {}
    for fold in folds(request.part):
        several[fold.speaker], theirs = _fold(fold, contest, recipe, request)
        took |= theirs
    scores = over(several, contest)
    minutes = max(one["training"] for one in took.values())
    who = "each of six speakers" if request.part == TEST else "one of the five learnt, each in turn"
    return {
        "part": f"{contest.name}, {recipe.budget} each" + (", in turns" if request.rival else ""),
        "held out": f"{who}; {contest.metric}",
        "scores": scores,
        "goals": judged(contest.goals, scores, minutes, request),
        "took": took,
        **published.shown(request.task),
    }


def _fold(
    fold: Fold, contest: Contest, recipe: Recipe, request: Request
) -> tuple[Scores, dict[str, Any]]:
    learnt, scored = contest.learnt(fold.learnt), contest.scored(fold.scored)
    network = unrolled.Transcriber(**{"seed": request.seed, **recipe.options})

    def train(resume: bool = True) -> tuple[Any, dict[str, Any]]:
        # On whom could weights be chosen? The one who is scored must not be it.
        return learn(fold.name, network, learnt, 0, request, budget=recipe.budget, resume=resume)

    rival = None
    if request.rival:
        rival = PlainGRU(learnt, request.seed)
        of_rival = f"plain {fold.name}"
        folders = request.within(fold.name), request.within(of_rival)
        model, own, theirs = learn_beside(rival, train, *folders)
        took = {fold.name: own, of_rival: theirs}
    else:
        model, own = train()
        took = {fold.name: own}
    scores = scores_of(model.evaluate(scored))
    if rival is not None:
        pairs = zip(rival.predict(scored), scored.texts, strict=True)
        right = sum(said == text for said, text in pairs) / len(scored)
        scores[rival.name] = {contest.metric: right}
    tell_scores({f"{fold.speaker}, {who}": row for who, row in scores.items()})
    return scores, took


def over(several: dict[str, Scores], contest: Contest) -> Scores:
    """Of each who took part in all: mean and worst, then speaker by speaker."""
    worst = min if contest.higher else max
    found: Scores = {}
    for who in next(iter(several.values())):
        if all(who in scores for scores in several.values()):
            row = {name: scores[who][contest.metric] for name, scores in several.items()}
            found[who] = {"mean": mean(row.values()), "worst": worst(row.values()), **row}
    return found
