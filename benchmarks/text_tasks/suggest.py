"""Suggestions: how often the next word is among the first three, and how soon they are there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from run_folder import Recipe, kept, tell

from text_tasks.runs import NETWORK, Goal, Request, judged, learn
from text_tasks.streams import halves, until
from unrolled import Generator
from unrolled.baselines import WordNGram
from unrolled.data import catalog

PLACES = 2_000
KEYSTROKES, WARM = 400, 20
# Letters that are typed of a word before it is asked for; of a word with more letters than that.
TYPED = (0, 1, 2)
# What `Generator` settles by itself, by words; the last weights count, so that the network learns
# all that the rival does: names of the play that the test part begins in. On the validation parts
# (top 3 before the word, after one and two letters; 5-gram .220 .561 .652 and .368 .616 .770):
# words, 1,000 steps .239 .585 .713 and .386 .678 .797; by characters, two LSTMs of 256, .248 .589
# .667 and .338 .618 .759, in three times the time.
_WORDS = Recipe({"tokenizer": "words"}, "2500 steps")
RECIPES = {"tiny-shakespeare": _WORDS, "python-docs": _WORDS}
GOALS = (
    *(Goal(f"top 3, {typed} typed") for typed in TYPED),
    Goal("ms, median", 10.0, higher=False),
    Goal("ms, 95th percentile", 10.0, higher=False),
)
# A word between white space and anything else that does not write it on: what a word is, both
# models agree on here.
_WORD = re.compile(r"(?<=\s)[^\W\d_]+(?:['\u2019][^\W\d_]+)*(?![\w'\u2019-])")
Suggest = Callable[[str], list[str]]


@dataclass(frozen=True)
class Place:
    """A word of a text, and where it begins."""

    begin: int
    word: str


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    parts = []
    for name, recipe in RECIPES.items():
        path = None if request.folder is None else request.folder / f"{name}.json"
        text = catalog.load(name)
        parts.append(
            kept(path, lambda name=name, text=text, own=recipe: part(name, text, own, request))
        )
    return parts


def part(name: str, text: str, own: Recipe, request: Request) -> dict[str, Any]:
    """Both learn the same text and are asked at the same places of what follows."""
    recipe = request.recipe(own)
    given, holdout = until(text, request.part)
    learnt, tested = halves(text, request.part)
    model, took = learn(
        f"{name} {NETWORK}",
        Generator(**{"seed": request.seed, **recipe.options}),
        given,
        request,
        budget=recipe.budget,
        holdout=holdout,
        validation=0,
    )
    places = places_in(tested, PLACES, request.seed)
    typing, rival = model.typing(), WordNGram(5).fit(learnt)

    def ours(before: str) -> list[str]:
        # The text only grows from place to place, but for the letters that were typed.
        common = min(len(typing.text), len(before))
        typing.back(len(typing.text) - common)
        typing.type(before[common:])
        return [word for word, _ in typing.suggest(3)]

    scores = {
        NETWORK: hits(tested, places, ours),
        rival.name: hits(tested, places, lambda before: [w for w, _ in rival.suggest(before, 3)]),
    }
    scores[NETWORK] |= keystrokes(model, tested)
    for who, row in scores.items():
        tell(f"{name}: {who}: " + ", ".join(f"{key} {value:.4g}" for key, value in row.items()))
    return {
        "part": name,
        "held out": f"{len(places):,} words of {len(tested):,} characters, drawn",
        "scores": scores,
        "goals": judged(GOALS, scores, took["minutes"], request),
        "took": {NETWORK: took},
    }


def places_in(text: str, count: int, seed: int) -> list[Place]:
    """So many words of a text (all, where there are fewer), drawn, in their order."""
    found = [Place(one.start(), one[0]) for one in _WORD.finditer(text)]
    if len(found) <= count:
        return found
    drawn = np.random.default_rng(seed).choice(len(found), count, replace=False)
    return [found[place] for place in np.sort(drawn)]


def hits(text: str, places: Iterable[Place], suggest: Suggest) -> dict[str, float]:
    """How often the word is the first, and among the first three, before it and inside it.

    Args:
        text: what the words stand in.
        places: of the words.
        suggest: the likeliest whole words after a text, the likeliest first.
    """
    asked = dict.fromkeys(TYPED, 0)
    first, three = dict.fromkeys(TYPED, 0), dict.fromkeys(TYPED, 0)
    for place in places:
        for typed in TYPED:
            if len(place.word) <= typed:
                continue
            words = suggest(text[: place.begin + typed])
            asked[typed] += 1
            first[typed] += words[:1] == [place.word]
            three[typed] += place.word in words[:3]
    found = {}
    for typed in TYPED:
        count = max(1, asked[typed])
        found[f"top 1, {typed} typed"] = first[typed] / count
        found[f"top 3, {typed} typed"] = three[typed] / count
    return found


def keystrokes(model: Generator, text: str) -> dict[str, float]:
    """Milliseconds from a keystroke to three words, character by character, on one thread.

    "Processor" is how long this process was busy with it, which others don't slow.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    wall, busy = [], []
    try:
        middle = max(0, len(text) // 2)
        typing = model.typing(text[max(0, middle - 2_000) : middle])
        for character in text[middle : middle + WARM + KEYSTROKES]:
            began, worked = time.perf_counter(), time.process_time()
            typing.type(character)
            typing.suggest(3)
            wall.append(1e3 * (time.perf_counter() - began))
            busy.append(1e3 * (time.process_time() - worked))
    finally:
        torch.set_num_threads(threads)
    return _spread("ms", wall[WARM:]) | _spread("processor ms", busy[WARM:])


def _spread(unit: str, values: Sequence[float]) -> dict[str, float]:
    return {
        f"{unit}, median": float(np.median(values)),
        f"{unit}, 95th percentile": float(np.quantile(values, 0.95)),
    }
