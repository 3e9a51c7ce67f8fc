"""What attention does: the same network with it and without, BLEU by the length of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from run_folder import Recipe
from run_parts import Request

import unrolled
from translation_tasks.parallel import Parallel, multi30k
from translation_tasks.quality import BLEU, row_of
from translation_tasks.runs import BEAM, learn
from unrolled.data.pairs import SentencePairs
from unrolled.training.translation_scores import by_length, edges_for, translation_scores

WITH, WITHOUT = "with attention", "without attention"
RECIPE = Recipe({}, "15m")
# Fewer sentences have a BLEU of no account.
FEWEST = 30


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    return [part(multi30k("de", "en"), request)]


def part(data: Parallel, request: Request) -> dict[str, Any]:
    """Both learn for as long."""
    recipe = request.recipe(RECIPE)
    tested, told = data.scored(request.part)
    scores, took, lines = {}, {}, {}
    for name, own in ((WITH, {}), (WITHOUT, {"attention": "none"})):
        translator = unrolled.Translator(**{"seed": request.seed, **recipe.options, **own})
        model, took[name] = learn(
            name, translator, data.train, data.validation, request, budget=recipe.budget
        )
        answers = model.predict(tested.sources, beam=BEAM)
        found = translation_scores(answers, tested.targets)
        scores[name], lines[name] = row_of(found), by_words(answers, tested)
    some = next(iter(lines.values()))
    return {
        "part": f"{data.name}, {recipe.budget} each",
        "held out": f"{len(tested):,} pairs of {told}; beam {BEAM}; {found.bleu_signature}",
        "scores": scores,
        "took": took,
        "lines": lines,
        "shown": {
            "head": [f"{BLEU} by words of the source", *(one["words"] for one in some)],
            "rows": [
                ["sentences", *(str(one["sentences"]) for one in some)],
                *([name, *(f"{one[BLEU]:.1f}" for one in line)] for name, line in lines.items()),
            ],
        },
    }


def by_words(answers: Sequence[str], tested: SentencePairs) -> list[dict[str, Any]]:
    """BLEU of the sentences of each length, in words of the source."""
    counts = np.array([len(one.split()) for one in tested.sources])
    lengths = counts.tolist()
    found = by_length(lengths, answers, tested.targets, edges_for(lengths, least=FEWEST))
    return [
        {
            "words": one.name,
            "middle": float(counts[(counts > one.above) & (counts <= (one.upto or np.inf))].mean()),
            "sentences": one.sentences,
            BLEU: one.scores.bleu,
        }
        for one in found
    ]


def draw(part: Mapping[str, Any], path: Path) -> Path:
    """Of a part of the result: BLEU over the words of the source, a line for each network."""
    from matplotlib.ticker import MaxNLocator

    from unrolled.lens.ink import NETWORK, OTHER, QUIET
    from unrolled.lens.picture_file import entitle, save_figure
    from unrolled.lens.picture_parts import framed, plain

    figure, axes = framed(2.4, right=1.35)
    for (name, line), colour in zip(part["lines"].items(), (NETWORK, OTHER), strict=True):
        places, values = [one["middle"] for one in line], [one[BLEU] for one in line]
        axes.plot(places, values, color=colour, lw=1.6, marker="o", ms=3.5)
        axes.annotate(
            name,
            (places[-1], values[-1]),
            (7, 0),
            textcoords="offset points",
            fontsize=7.5,
            color=colour,
            va="center",
            annotation_clip=False,
        )
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("words of the source", fontsize=7, color=QUIET)
    plain(axes)
    entitle(figure, f"{BLEU} by length", more=part["part"])
    return save_figure(figure, path)
