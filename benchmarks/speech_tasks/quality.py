"""One training from data to verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from run_folder import Recipe, tell
from run_parts import Parts, Request
from text_tasks.runs import NETWORK, Goal, Scores, judged, scores_of

import unrolled
from speech_tasks import published
from speech_tasks.runs import learn
from unrolled.data.recordings import Recordings

More = Callable[[Any, Recordings], dict[str, float]]


def part(
    data: Parts[Recordings],
    recipe: Recipe,
    goals: Sequence[Goal],
    request: Request,
    more: More | None = None,
) -> dict[str, Any]:
    """Train, and score on the part that is asked for beside the gate's rivals.

    Args:
        data: to learn, to choose the weights by, and to test on.
        recipe: of the task; what is asked otherwise counts.
        goals: for the test part.
        request: of the command.
        more: other figures of the network, of what is scored.
    """
    recipe = request.recipe(recipe)
    model = unrolled.Transcriber(**{"seed": request.seed, **recipe.options})
    model, took = learn(NETWORK, model, data.train, data.validation, request, budget=recipe.budget)
    tested, told = data.scored(request.part)
    evaluation = model.evaluate(tested)
    scores = scores_of(evaluation)
    scores[NETWORK] |= {} if more is None else more(model, tested)
    tell_scores(scores)
    return {
        "part": f"{data.name}, {recipe.budget}",
        "held out": f"{told}: {tested}",
        "scores": scores,
        "goals": judged(goals, scores, took["training"], request),
        "took": {NETWORK: took},
        "confusions": list(evaluation.notes),
        **published.shown(request.task),
    }


def tell_scores(scores: Scores) -> None:
    """A line for each."""
    for who, row in scores.items():
        tell(f"{who}: " + ", ".join(f"{metric} {value:.4g}" for metric, value in row.items()))
