"""IMDB: reviews of films, after a language model of the training text has learnt to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from run_folder import TEST, Recipe

from text_tasks.runs import ALONE, NETWORK, Goal, Request, judged, learn, scores_of
from unrolled import Classifier, Generator
from unrolled.data import catalog
from unrolled.data.labelled import LabelledTexts

Labelled = tuple[tuple[str, ...], tuple[Any, ...]]
# `--budget` and `--options` are of the classifier; a file of `--pretrained` takes the place of the
# first recipe. One setting was tried, with another script (no single choice is shown to help): a
# language model of these sizes, one epoch in 5 minutes of one processor, and what `Classifier`
# settles by itself, two epochs in 5: network alone .909 on validation (.891 after one epoch).
LANGUAGE = Recipe(
    {
        "tokenizer": "words",
        "lower": True,
        "vocabulary_size": 30_000,
        "layers": 1,
        "hidden_size": 256,
        "embedding_size": 128,
        "tie_weights": True,
        "dropout": 0.1,
        "input_dropout": 0.1,
        "weight_dropout": 0.0,
        "rows": 64,
        "steps": 64,
        "learning_rate": 4e-3,
    },
    "3200 steps",
)
RECIPE = Recipe({}, "2100 steps")
GOALS = (Goal("accuracy", 0.92, within=60), Goal("accuracy", 0.90, ALONE, within=60))
BEFORE = "language model"


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(catalog.load("imdb-train"), lambda: catalog.load("imdb-test"), request)]


def part(train: LabelledTexts, test: Any, request: Request) -> dict[str, Any]:
    """Read, then classify; `test` gives the test part, and is not called on validation."""
    assert train.labels is not None
    learnt: Labelled = (tuple(train.texts), tuple(train.labels))
    if request.part == TEST:
        asked = test()
        tested: Labelled = (tuple(asked.texts), tuple(asked.labels))
        told = f"{len(asked):,} reviews of the test part"
    else:
        learnt, tested = last_of_each(*learnt)
        told = f"{len(tested[0]):,} reviews, the last tenth of each label"
    took: dict[str, Any] = {}
    pretrained: Any = request.pretrained
    if pretrained is None:
        reader = Generator(**{"seed": request.seed, **LANGUAGE.options})
        pretrained, took[BEFORE] = learn(
            BEFORE, reader, list(learnt[0]), request, budget=LANGUAGE.budget, holdout=0.02
        )
    recipe = request.recipe(RECIPE)
    judge = Classifier(**{"seed": request.seed, "pretrained": pretrained, **recipe.options})
    judge, took[NETWORK] = learn(NETWORK, judge, learnt, request, budget=recipe.budget, test=tested)
    scores = scores_of(judge.evaluation)
    minutes = sum(one["minutes"] for one in took.values())
    # A model that was there already has taken minutes that are not known here.
    goals = judged(GOALS, scores, minutes, request) if BEFORE in took else []
    return {
        "part": "sentiment" if BEFORE in took else "sentiment, from a file",
        "held out": told,
        "scores": scores,
        "goals": goals,
        "took": took,
    }


def last_of_each(texts: Sequence[str], labels: Sequence[Any]) -> tuple[Labelled, Labelled]:
    """All but the last tenth of each label's texts, and those: reviews of one film stand together,
    and drawn one by one they would stand on both sides."""
    names = np.array(labels)
    apart = np.zeros(len(names), dtype=bool)
    for name in set(labels):
        places = np.flatnonzero(names == name)
        apart[places[round(len(places) * 0.9) :]] = True

    def pick(chosen: np.ndarray) -> Labelled:
        places = np.flatnonzero(chosen)
        return tuple(texts[i] for i in places), tuple(labels[i] for i in places)

    return pick(~apart), pick(apart)
