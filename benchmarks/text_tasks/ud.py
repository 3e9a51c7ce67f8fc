"""Universal Dependencies, English EWT: parts of speech, no outside vectors."""

from __future__ import annotations

from typing import Any

from run_folder import TEST, Recipe

from text_tasks.runs import NETWORK, Goal, Request, judged, learn, scores_of
from unrolled import Tagger
from unrolled.data import catalog
from unrolled.data.tagged import TaggedSentences
from unrolled.tasks.tagging.gate import ACCURACY

# More dropout and a longer memory of the weights than the defaults, which are for shorter runs.
RECIPE = Recipe({"members": 4, "dropout": 0.4, "average": 0.998}, "30m")
GOALS = (Goal(ACCURACY, 0.958, within=30),)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    train, dev = catalog.load("ud-ewt-train"), catalog.load("ud-ewt-dev")
    test = catalog.load("ud-ewt-test") if request.part == TEST else None
    return [part(train, dev, test, request)]


def part(
    train: TaggedSentences, dev: TaggedSentences, test: TaggedSentences | None, request: Request
) -> dict[str, Any]:
    """The best weights are chosen on dev; without a test part it is also what is scored, which
    flatters a little."""
    recipe = request.recipe(RECIPE)
    tested, told = (dev, "dev") if test is None else (test, "test")
    model, took = learn(
        NETWORK,
        Tagger(**{"seed": request.seed, **recipe.options}),
        train,
        request,
        budget=recipe.budget,
        validation=dev,
        test=tested,
    )
    scores = scores_of(model.evaluation)
    return {
        "part": "parts of speech",
        "held out": f"{tested.word_count:,} words of {told}",
        "scores": scores,
        "goals": judged(GOALS, scores, took["training"], request),
        "took": {NETWORK: took},
    }
