"""What a `Translator` settles by itself: sizes, dropouts, rates, from the data and the budget."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from unrolled.layers.attention import KINDS
from unrolled.training.budget import Budget


@dataclass(frozen=True)
class Settings:
    """The numbers that a network is made and trained with; see `Translator` for each.

    `validations`, which is no argument there, is how often the held-out part is scored in a run.
    """

    hidden_size: int
    layers: int
    encoder_layers: int
    embedding_size: int
    attention: str
    input_feeding: bool
    tie_weights: bool
    dropout: float
    input_dropout: float
    smoothing: float
    learning_rate: float
    weight_decay: float
    batch_tokens: int
    average: float
    muon_rate: float
    validations: int = 8


ATTENTIONS = (*KINDS, "none")

# What the shape of the weights follows from: a network that goes on learning keeps them.
SIZES = (
    "hidden_size",
    "layers",
    "encoder_layers",
    "embedding_size",
    "attention",
    "input_feeding",
    "tie_weights",
)


# Of fewer pairs, subwords of a small vocabulary: each is seen more often, and a step takes less.
MANY_PAIRS = 100_000
FEW_SUBWORDS = 4_000


def usual_vocabulary(kind: str, pairs: int) -> int | None:
    """How many tokens to learn where nothing says so; None: as the tokenizer has it.

    On Multi30k (29,000 pairs) 4,000 subwords give as much as 8,000 in fewer seconds, and 2,500
    less.
    """
    return FEW_SUBWORDS if kind == "subwords" and pairs < MANY_PAIRS else None


def settle(given: dict[str, Any], *, tokens: int, budget: Budget) -> Settings:
    """The settings of a run: what was given, and for each None what suits data and budget.

    Args:
        given: the constructor's arguments by name.
        tokens: how many target tokens are learnt.
        budget: of the run.
    """
    usual: dict[str, Any] = {
        "hidden_size": 256,
        "layers": 2,
        "encoder_layers": 1,
        "embedding_size": 256,
        "dropout": 0.3,
        "input_dropout": 0.3,
        "learning_rate": 8e-3,
        "weight_decay": 0.01,
        "batch_tokens": 600,
        "average": 0.99,
        "muon_rate": 0.0,
        "validations": 8,
    }
    return Settings(
        **{
            field.name: usual[field.name] if given.get(field.name) is None else given[field.name]
            for field in fields(Settings)
        }
    )
