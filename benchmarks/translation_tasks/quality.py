"""A corpus, the recipe of each budget and what is to be reached in it: the training, the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from run_folder import Recipe, tell, write
from text_tasks.runs import NETWORK, TOOK, Goal, judged, parameters_of
from text_tasks.turns import in_turns

import unrolled
from translation_tasks import published
from translation_tasks.parallel import Parallel
from translation_tasks.reference import Reference
from translation_tasks.runs import BEAM, Request, learn
from unrolled.data.pairs import SentencePairs
from unrolled.training.budget import Budget
from unrolled.training.translation_scores import TranslationScores, translation_scores

BLEU = "BLEU"
REFERENCE = "reference"


@dataclass(frozen=True)
class Contest:
    """What a quality task is about.

    Attributes:
        data: reads the corpus.
        recipes: of each budget.
        goals: BLEU to be reached in it, on the test part.
        usual: the budget where none is asked for.
    """

    data: Callable[[], Parallel]
    recipes: Mapping[str, Recipe]
    goals: Mapping[str, float]
    usual: str

    def recipe(self, request: Request) -> Recipe:
        """The recipe of the budget that is asked for, which may be none of its own."""
        asked = request.budget or self.usual
        known = self.recipes.get(asked, self.recipes[self.usual])
        return known.with_(asked, request.options)


def part(contest: Contest, request: Request) -> dict[str, Any]:
    """Train, beside the rival if that is asked for, and score on the part that is asked for."""
    data, recipe = contest.data(), contest.recipe(request)
    model, rival, took = _trained(data, recipe, request)
    tested, told = data.scored(request.part)
    sources, targets = tested.sources, tested.targets
    found = translation_scores(model.predict(sources, beam=BEAM), targets)
    greedy = translation_scores(model.predict(sources, beam=1), targets)
    scores = {NETWORK: {**row_of(found), "BLEU, greedy": greedy.bleu}}
    if rival is not None:
        scores[rival.name] = row_of(translation_scores(rival.translate(sources), targets))
    scores |= {who: row_of(one) for who, one in rivals_of(model, tested).items()}
    for who, row in scores.items():
        tell(f"{who}: " + ", ".join(f"{metric} {value:.2f}" for metric, value in row.items()))
    asked = recipe.budget
    seconds = Budget.parse(asked).seconds
    within = None if seconds is None else seconds / 60
    goals = [Goal(BLEU, contest.goals[asked], within=within)] if asked in contest.goals else []
    return {
        "part": f"{data.name}, {asked}" + (", in turns" if rival else ""),
        "how": "recipe" if asked in contest.recipes and not request.options else "other",
        "held out": f"{len(tested):,} pairs of {told}; beam {BEAM}; {found.bleu_signature}",
        "scores": scores,
        "goals": judged(goals, scores, took[NETWORK]["training"], request),
        "took": took,
        **published.shown(request.task),
    }


def row_of(scores: TranslationScores) -> dict[str, float]:
    """BLEU and chrF, as the tables have them."""
    return {BLEU: scores.bleu, "chrF": scores.chrf}


def rivals_of(model: Any, tested: SentencePairs) -> dict[str, TranslationScores]:
    """What the rivals that `fit` taught reach."""
    return {
        one.name: translation_scores(one.translate(tested.sources), tested.targets)
        for one in model.rivals.values()
    }


def _trained(
    data: Parallel, recipe: Recipe, request: Request
) -> tuple[Any, Reference | None, dict[str, Any]]:
    """The network, the rival if it is asked for, and what each took.

    A rival's training does not go on where it was stopped, nor that of a network beside it.
    """
    parts = data.train, data.validation
    model = unrolled.Translator(**{"seed": request.seed, **recipe.options})
    if not request.rival:
        model, took = learn(NETWORK, model, *parts, request, budget=recipe.budget)
        return model, None, {NETWORK: took}
    rival = Reference(data.train, seed=request.seed)
    folder = request.within(REFERENCE)
    there = folder is not None and (folder / TOOK).exists()
    with nullcontext() if there else in_turns(rival.learn):
        model, took = learn(NETWORK, model, *parts, request, resume=there, budget=recipe.budget)
    if there and folder is not None:
        return model, rival, {NETWORK: took, rival.name: rival.restore(folder)}
    # What took turns with a rival is not to be told of the half that is left of it.
    took["minutes"] = round(took["minutes"] - rival.seconds / 60, 3)
    took["processor minutes"] = round(took["processor minutes"] - rival.busy / 60, 3)
    rival.learn(60 * took["training"] - rival.seconds)
    theirs = {**took_of(rival, recipe.budget), "threads": took["threads"]}
    if folder is not None:
        write(folder.parent / NETWORK / TOOK, took)
        rival.keep(folder, theirs)
    return model, rival, {NETWORK: took, rival.name: theirs}


def took_of(rival: Reference, budget: str) -> dict[str, Any]:
    """What the rival's training took."""
    minutes = round(rival.seconds / 60, 3)
    return {
        "budget": budget,
        "steps": rival.steps,
        "training": minutes,
        "minutes": minutes,
        "processor minutes": round(rival.busy / 60, 3),
        "parameters": parameters_of(rival),
        "passes": round(rival.passes, 3),
        "target tokens": rival.target_tokens,
        "target tokens a second": round(rival.target_tokens / max(rival.seconds, 1e-9)),
    }
