"""Names of people in 18 languages: which language is it? Three seeds, each with its own split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from run_folder import TEST, Recipe, kept, tell

from text_tasks.runs import (
    NETWORK,
    Goal,
    Request,
    judged,
    learn,
    mean_scores,
    scores_of,
    total,
)
from unrolled import Classifier
from unrolled.data import catalog
from unrolled.tasks.classifying.splitting import split

SEEDS = 3
SHARE = 0.1
# On a tenth of the names that are not held out (seed 0): both directions .788, .761 without the
# linear path, forward only .776 and .748; an answer at a drawn place taught beside .775 and .747.
RECIPE = Recipe({"tokenizer": "characters", "directions": 2}, "2500 steps")
GOALS = (Goal("accuracy"),)


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    data = catalog.load("names")
    assert data.labels is not None
    return [part(data.texts, data.labels, request)]


def part(texts: Sequence[str], labels: Sequence[Any], request: Request) -> dict[str, Any]:
    """The mean over the seeds, each kept when it ends."""
    done = []
    for seed in range(request.seed, request.seed + SEEDS):
        path = None if request.folder is None else request.folder / f"seed-{seed}.json"
        done.append(kept(path, lambda seed=seed: _seed(seed, texts, labels, request)))
        tell(f"seed {seed}: accuracy {done[-1]['scores'][NETWORK]['accuracy']:.4f}")
    scores = mean_scores(one["scores"] for one in done)
    took = total(one["took"] for one in done)
    return {
        "part": f"{len(set(labels))} languages, mean of {SEEDS} seeds",
        "held out": f"{done[0]['scored']:,} names, drawn by language, no name on both sides",
        "scores": scores,
        "goals": judged(GOALS, scores, took["minutes"], request),
        "took": {NETWORK: took},
        "seeds": [one["scores"] for one in done],
    }


def _seed(
    seed: int, texts: Sequence[str], labels: Sequence[Any], request: Request
) -> dict[str, Any]:
    learnt, tested = split(texts, labels, SHARE, seed)
    if request.part != TEST:
        own = [texts[i] for i in learnt], [labels[i] for i in learnt]
        stay, apart = split(*own, SHARE, seed)
        learnt, tested = learnt[stay], learnt[apart]
    recipe = request.recipe(RECIPE)
    # The names stand by language and in order: only drawn ones are like those that are tested on.
    own = [texts[i] for i in learnt], [labels[i] for i in learnt]
    stay, chosen = split(*own, SHARE, seed + SEEDS)
    parts = (learnt[stay], learnt[chosen], tested)
    pair = [([texts[i] for i in one], [labels[i] for i in one]) for one in parts]
    judge, took = learn(
        f"seed {seed}",
        Classifier(**{"seed": seed, **recipe.options}),
        pair[0],
        request,
        keep=False,
        budget=recipe.budget,
        validation=pair[1],
        test=pair[2],
        progress=False,
    )
    return {"scores": scores_of(judge.evaluation), "took": took, "scored": len(tested)}
