"""What a `Generator` settles by itself: sizes, dropouts and rates, from the data and the budget."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from unrolled.training.budget import Budget


@dataclass(frozen=True)
class Settings:
    """The numbers that a network is made and trained with; see `Generator` for each.

    `validations`, which is no argument there, is how often the held-out part is scored in a run.
    """

    hidden_size: int
    layers: int
    embedding_size: int
    tie_weights: bool
    dropout: float
    input_dropout: float
    weight_dropout: float
    embedding_dropout: float
    learning_rate: float
    rows: int
    steps: int
    resets: float
    average: float
    muon_rate: float = 0.0
    weight_decay: float = 0.01
    negatives: int = 0
    cooccurrence: bool = False
    ngram_weight: float = 0.0
    validations: int = 20


# A short run is scored less often: scoring takes time from learning.
SHORT_RUN = 300.0
# About as much where the budget is told in steps.
MANY_STEPS = 6000

# Up to so many different tokens a full softmax costs little beside the layers.
FULL_SOFTMAX = 4000

# A text of fewer words or subwords is read many times, and soon known by heart.
SHORT_TEXT = 2_000_000

# Of orthogonal steps, as a multiple of the learning rate. Stacked layers do not learn at all at
# what one layer likes for a minute: their weights grow.
MUON, MUON_OF_ONE = 1.25, 2.5

# What the shape of the weights follows from: a network that goes on learning keeps them.
SIZES = ("hidden_size", "layers", "embedding_size", "tie_weights")


def settle(
    given: dict[str, Any], *, kind: str, symbols: int, tokens: int, budget: Budget
) -> Settings:
    """The settings of a run: what was given, and for each None what suits data and budget.

    Args:
        given: the constructor's arguments by name.
        kind: of the tokens: "characters", "words" or "subwords".
        symbols: how many different ones there are.
        tokens: how many are learnt.
        budget: of the run.
    """
    characters = kind == "characters"
    of_kind = _characters(budget, given.get("layers")) if characters else _pieces(symbols, tokens)
    short = budget.seconds is not None and budget.seconds < SHORT_RUN
    of_kind["validations"] = 8 if short else 20
    of_kind["ngram_weight"] = 0.0  # until the network has learnt, and can be weighed
    chosen = {
        name: of_kind[name] if given.get(name) is None else given[name]
        for name in (field.name for field in fields(Settings))
    }
    if given.get("muon_rate") is None:  # who asks for another rate means all of the network
        chosen["muon_rate"] *= chosen["learning_rate"]
    return Settings(**chosen)


def _characters(budget: Budget, layers: int | None) -> dict[str, Any]:
    """Of characters.

    One layer and many short steps learn most in minutes, and orthogonal steps (Muon) more than
    AdamW's; a longer run is worth two layers, and needs more dropout.
    """
    long = (budget.seconds or 0) >= SHORT_RUN or (budget.steps or 0) >= MANY_STEPS
    one = not long if layers is None else layers == 1
    return {
        "hidden_size": 256,
        "layers": 1 if one else 2,
        "embedding_size": 64,
        "tie_weights": False,
        "dropout": 0.2 if long else 0.1,
        "input_dropout": 0.0,
        "weight_dropout": 0.0,
        "embedding_dropout": 0.0,
        "learning_rate": 8e-3,
        "muon_rate": MUON_OF_ONE if one and not long else MUON,
        "weight_decay": 0.05,
        "negatives": 0,
        "cooccurrence": False,
        "rows": 32,
        "steps": 64,
        "resets": 0.03,
        "average": 0.99,
    }


def _pieces(symbols: int, tokens: int) -> dict[str, Any]:
    """Of words and subwords.

    One layer that reads vectors half its size learns more in the same time than two: on the reviews
    of IMDB (6 million words) an epoch takes five minutes of one core and gives a perplexity of 134.
    Of a short text most is dropped: of Python's documentation (95,000 words) a minute gives a
    perplexity of 47 (validation part, network alone), and of 158 with the dropout of a long one.
    """
    short = tokens < SHORT_TEXT
    return {
        "hidden_size": 256,
        "layers": 1,
        "embedding_size": 128,
        "tie_weights": True,
        "dropout": 0.5 if short else 0.1,
        "input_dropout": 0.4 if short else 0.1,
        "weight_dropout": 0.0,
        "embedding_dropout": 0.1 if short else 0.0,
        "learning_rate": 4e-3,
        "muon_rate": 0.0,
        "weight_decay": 0.0,
        "negatives": 512 if symbols > FULL_SOFTMAX else 0,
        "cooccurrence": symbols > FULL_SOFTMAX,
        "rows": 32 if short else 64,
        "steps": 35 if short else 64,
        "resets": 0.03 if short else 0.06,
        "average": 0.99,
    }
