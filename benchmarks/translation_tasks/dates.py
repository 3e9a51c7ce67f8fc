"""Dates written in thirty languages to ISO 8601: two minutes, days and languages held out."""

from __future__ import annotations

from typing import Any

from run_folder import VALIDATION, Recipe, tell
from run_parts import Request
from text_tasks.runs import NETWORK, Goal, judged

import unrolled
from translation_tasks.quality import rivals_of
from translation_tasks.runs import BEAM, learn
from unrolled.data.pairs import SentencePairs
from unrolled.data.written_dates import HELD_OUT_LANGUAGES, LANGUAGES, written_dates
from unrolled.training.translation_scores import exactly

KNOWN, OTHERS = "thirty languages", "twelve others"
# That of `examples/dates_to_iso.py`: of 400 signs the rarest stay unknown, so that it is learnt
# what to make of a sign that was never seen.
RECIPE = Recipe(
    {
        "tokenizer": "characters",
        "vocabulary_size": 385,
        "hidden_size": 128,
        "embedding_size": 64,
        "layers": 1,
        "dropout": 0.2,
        "input_dropout": 0.2,
        "batch_tokens": 1200,
    },
    "2m",
)
GOALS = (Goal(f"exact, %, {KNOWN}", 99.5, within=2),)
# Pairs to learn, to choose by, and of each kind that is scored.
TRAIN, CHOSEN_BY, SCORED = 100_000, 1_000, 5_000
# Answers that are not right, shown of each kind.
SHOWN = 10


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(request)]


def part(request: Request) -> dict[str, Any]:
    """Learn days of the training part, and translate others: in the languages that were learnt, and
    in languages of the same scripts that were not."""
    recipe = request.recipe(RECIPE)
    model, took = learn(
        NETWORK,
        unrolled.Translator(**{"seed": request.seed, **recipe.options}),
        written_dates(TRAIN),
        written_dates(CHOSEN_BY, part=VALIDATION),
        request,
        budget=recipe.budget,
    )
    scores: dict[str, dict[str, float]] = {NETWORK: {}}
    wrong: list[list[str]] = []
    for kind, languages in ((KNOWN, LANGUAGES), (OTHERS, HELD_OUT_LANGUAGES)):
        # Of the validation days others than those that the weights were chosen by.
        asked = written_dates(SCORED, part=request.part, seed=1, languages=languages)
        answers = model.predict(asked.sources, beam=BEAM)
        right = exactly(answers, asked.targets)
        metric = f"exact, %, {kind}"
        scores[NETWORK][metric] = 100 * sum(right) / len(right)
        wrong += wrong_ones(kind, asked, answers, right)
        for who, found in rivals_of(model, asked).items():
            scores.setdefault(who, {})[metric] = 100 * found.exact
    tell(", ".join(f"{name} {value:.2f}" for name, value in scores[NETWORK].items()))
    return {
        "part": f"dates, {recipe.budget}",
        "held out": f"{SCORED:,} of each kind, days of the {request.part} part; beam {BEAM}",
        "scores": scores,
        "goals": judged(GOALS, scores, took["training"], request),
        "took": {NETWORK: took},
        "shown": {"head": ["not right", "source", "answer", "right"], "rows": wrong},
    }


def wrong_ones(
    kind: str, asked: SentencePairs, answers: list[str], right: list[bool]
) -> list[list[str]]:
    """The first answers that are not right, to be looked at."""
    rows = zip(asked.sources, answers, asked.targets, right, strict=True)
    return [[kind, *texts] for *texts, good in rows if not good][:SHOWN]
