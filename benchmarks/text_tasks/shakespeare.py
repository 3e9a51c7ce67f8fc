"""Tiny Shakespeare by characters: the last tenth whole, as one stream with carried state."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

from run_folder import Recipe, kept, tell

from text_tasks.runs import ALONE, NETWORK, Goal, Request, judged, learn, parameters_of
from text_tasks.streams import halves, until
from text_tasks.turns import TorchLSTM, in_turns
from unrolled import Generator
from unrolled.data import catalog
from unrolled.tasks.generating.measuring import METRIC as BITS

NATS = "nats a character"
DEFAULT = "10m"
# The recipe of each budget, each on all of the text before the test part: its end is of the same
# play as the test part begins with, and to keep 6% of it back for choosing costs .16 nats there
# (Kneser-Ney of order 7: 1.677 without, 1.516 with it). Chosen on the validation part (all before
# it learnt), one seed each, one thread. 60s: one LSTM of 256 1.434, one GRU 1.498. Longer: two
# LSTMs of 256 after 5.1 million characters 1.393 with dropout .2 (two GRUs, dropout .1: 1.411),
# after 10 million 1.381; dropout .35 1.391. Muon at .02, which one layer likes for a minute, keeps
# two layers from learning at all (1.95 after 0.8 million characters, 1.59 at .01). In bfloat16 an
# LSTM takes 1.6 times the steps, and loses nothing. 60m: three networks of 6 minutes each whose
# mean answers 1.344 where the best alone has 1.381, with a fifth of Kneser-Ney 1.325; one of 384
# units learns the text by heart.
_SHORT = {
    "cell": "lstm",
    "layers": 1,
    "hidden_size": 256,
    "dropout": 0.1,
    "rows": 32,
    "steps": 64,
    "learning_rate": 8e-3,
    "muon_rate": 0.02,
    "precision": "auto",
}
_LONG = {**_SHORT, "layers": 2, "dropout": 0.25, "muon_rate": 0.01}
RECIPES = {
    "60s": Recipe(_SHORT, "60s"),
    "10m": Recipe(_LONG, "10m"),
    "60m": Recipe({**_LONG, "members": 4}, "60m"),
}
GOALS = {
    "60s": (Goal(NATS, 1.80, higher=False, within=1),),
    "10m": (Goal(NATS, 1.46, higher=False, within=10),),
    "60m": (Goal(NATS, 1.40, higher=False, within=60),),
}


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    asked = request.budget or DEFAULT
    path = None if request.folder is None else request.folder / "part.json"
    return [kept(path, lambda: part(catalog.load("tiny-shakespeare"), asked, request))]


def part(text: str, asked: str, request: Request) -> dict[str, Any]:
    """Train under the recipe of a budget, beside the rival if that is asked for, and score both."""
    recipe = RECIPES.get(asked, RECIPES[DEFAULT]).with_(asked, request.options)
    given, holdout = until(text, request.part)
    learnt, tested = halves(text, request.part)
    rival = TorchLSTM(learnt, seed=request.seed) if request.rival else None
    model = Generator(**{"seed": request.seed, **recipe.options})
    # What took turns with a rival is not to be told of the half that is left of it.
    with nullcontext() if rival is None else in_turns(rival.learn):
        model, took = learn(
            NETWORK,
            model,
            given,
            request,
            resume=rival is None,
            budget=recipe.budget,
            holdout=holdout,
            validation=0,
        )
    scores, seconds = _scores(model), 60 * took["training"]
    all_took = {NETWORK: took}
    if rival is not None:
        took["minutes"] = round(took["minutes"] - rival.seconds / 60, 3)
        took["processor minutes"] = round(took["processor minutes"] - rival.busy / 60, 3)
        rival.learn(seconds - rival.seconds)
        scores[rival.name] = {NATS: rival.nats(tested)}
        all_took[rival.name] = _took_of(rival, recipe.budget, took["threads"])
    for name, row in scores.items():
        tell(f"{name}: {row[NATS]:.4f} {NATS}")
    usual = asked in RECIPES and not request.options
    return {
        "part": f"tiny Shakespeare, {asked}" + (", in turns" if rival else ""),
        "how": "recipe" if usual else "other",
        "held out": f"{len(tested):,} characters as one stream",
        "scores": scores,
        "goals": judged(GOALS.get(asked, ()), scores, took["training"], request),
        "took": all_took,
    }


def _scores(model: Generator) -> dict[str, dict[str, float]]:
    """The network's, without and with Kneser-Ney's share, and Kneser-Ney's, in nats."""
    assert model.evaluation is not None
    bits = next(one for one in model.evaluation.comparisons if one.metric == BITS)
    alone = model.evaluation.alone
    own = {} if alone is None else {ALONE: {NATS: alone.network * math.log(2)}}
    return {
        NETWORK: {NATS: bits.network * math.log(2)},
        **own,
        bits.baseline_name: {NATS: bits.baseline * math.log(2)},
    }


def _took_of(rival: TorchLSTM, budget: str, threads: int) -> dict[str, Any]:
    minutes = round(rival.seconds / 60, 3)
    return {
        "budget": budget,
        "steps": rival.steps,
        "training": minutes,
        "minutes": minutes,
        "processor minutes": round(rival.busy / 60, 3),
        "parameters": parameters_of(rival),
        "threads": threads,
    }
