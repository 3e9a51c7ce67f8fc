"""A corpus, the recipe of each budget and what is to be reached in it: the training, the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from run_folder import Recipe, tell
from run_parts import Request
from run_rival import learn_beside
from text_tasks.runs import NETWORK, Goal, judged

import unrolled
from translation_tasks import published
from translation_tasks.parallel import Parallel
from translation_tasks.reference import Reference
from translation_tasks.runs import BEAM, learn
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
    """The network, the rival if it is asked for, and what each took."""
    parts = data.train, data.validation
    model = unrolled.Translator(**{"seed": request.seed, **recipe.options})
    if not request.rival:
        model, took = learn(NETWORK, model, *parts, request, budget=recipe.budget)
        return model, None, {NETWORK: took}
    rival = Reference(data.train, seed=request.seed)

    def train(there: bool) -> tuple[Any, dict[str, Any]]:
        return learn(NETWORK, model, *parts, request, resume=there, budget=recipe.budget)

    folders = request.within(NETWORK), request.within(REFERENCE)
    model, took, theirs = learn_beside(rival, train, *folders)
    return model, rival, {NETWORK: took, rival.name: theirs}
