"""MR: sentences about films, in ten folds."""

from __future__ import annotations

from typing import Any

import numpy as np
from run_folder import TEST, Recipe, kept, tell

from text_tasks.runs import (
    ALONE,
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

FOLDS = 10
# From scratch: not chosen yet, what `Classifier` settles by itself. From `--pretrained`: the one
# setting that was tried, with another script; four epochs, which took 36 s of one processor a fold.
SCRATCH = Recipe({}, "2m")
PRETRAINED = Recipe(
    {
        "dropout": 0.5,
        "input_dropout": 0.4,
        "embedding_dropout": 0.1,
        "batch_size": 50,
        "learning_rate": 3e-3,
        "average": 0.98,
    },
    "690 steps",
)
GOALS = (Goal("accuracy", 0.80), Goal("accuracy", 0.77, ALONE))


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    data = catalog.load("mr")
    assert data.labels is not None
    return [part(list(data.texts), list(data.labels), request)]


def part(texts: list[str], labels: list[Any], request: Request) -> dict[str, Any]:
    """The mean over the folds, each kept when it ends."""
    done = []
    for number, (learnt, tested) in enumerate(folds(labels, request.part)):
        path = None if request.folder is None else request.folder / f"fold-{number}.json"
        pair = [([texts[i] for i in one], [labels[i] for i in one]) for one in (learnt, tested)]
        done.append(kept(path, lambda pair=pair, number=number: _fold(number, *pair, request)))
        mean = float(np.mean([one["scores"][NETWORK]["accuracy"] for one in done]))
        tell(f"fold {number}: accuracy {mean:.4f} so far")
    scores = mean_scores(one["scores"] for one in done)
    took = total(one["took"] for one in done)
    return {
        "part": f"{FOLDS} folds, " + ("pre-trained" if _begun(request) else "from scratch"),
        "held out": f"{len(texts):,} sentences"
        + ("" if request.part == TEST else ", a ninth of each fold's training part"),
        "scores": scores,
        "goals": judged(GOALS, scores, took["minutes"], request),
        "took": {NETWORK: took},
        "folds": [one["scores"] for one in done],
    }


def folds(labels: list[Any], part: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places that are learnt and scored; for validation the scored ones are left out, and a part of
    the others is scored."""
    from sklearn.model_selection import StratifiedKFold

    found = []
    for learnt, tested in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(
        labels, labels
    ):
        if part != TEST:
            own = [labels[i] for i in learnt]
            inner = StratifiedKFold(FOLDS - 1, shuffle=True, random_state=0).split(own, own)
            stay, apart = next(iter(inner))
            learnt, tested = learnt[stay], learnt[apart]
        found.append((learnt, tested))
    return found


def _begun(request: Request) -> bool:
    return (request.pretrained or request.options.get("pretrained")) is not None


def _fold(number: int, learnt: Any, tested: Any, request: Request) -> dict[str, Any]:
    recipe = request.recipe(PRETRAINED if _begun(request) else SCRATCH)
    options = {"seed": request.seed, "pretrained": request.pretrained, **recipe.options}
    judge, took = learn(
        f"fold {number}",
        Classifier(**options),
        learnt,
        request,
        keep=False,
        budget=recipe.budget,
        test=tested,
        progress=False,
    )
    return {"scores": scores_of(judge.evaluation), "took": took}
